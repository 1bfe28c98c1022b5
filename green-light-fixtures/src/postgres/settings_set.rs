//! Which settings of its session a text sets, and which of them stay when its transaction is committed.
//!
//! `SET LOCAL` and `set_config(.., true)` end with the transaction, `SET` and `set_config(.., false)` do not.

use crate::sql::classify::first_word;
use crate::sql::dialect::SettingsSet;
use crate::sql::lexer::{Kind, LexerRules, tokens};

/// The first words of statements that set settings.
const SETTING: [&str; 3] = ["set", "reset", "discard"];
/// The function that sets one.
const SET_CONFIG: &str = "set_config";

/// The settings that `sql` sets.
pub(crate) fn settings_set(sql: &str, rules: &'static LexerRules) -> SettingsSet {
    let mut set = SettingsSet::default();
    let sets_first = SETTING
        .iter()
        .any(|word| first_word(sql).eq_ignore_ascii_case(word));
    if !sets_first && !sql.contains(';') && !sql.to_ascii_lowercase().contains(SET_CONFIG) {
        return set;
    }
    let all: Vec<_> = tokens(sql, rules).collect();
    for statement in all.split(|(kind, _)| *kind == Kind::Semicolon) {
        let words: Vec<_> = statement.iter().map(|(_, text)| name_of(text)).collect();
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        match &words[..] {
            ["set", "local", ..] => add(&mut set, &words[2..], false),
            ["set" | "reset", "session", ..] => add(&mut set, &words[2..], true),
            ["set" | "reset", ..] => add(&mut set, &words[1..], true),
            ["discard", ..] => add(&mut set, &["all"], true),
            words => functions(&mut set, words),
        }
    }
    set
}

/// A word or a quoted name; anything else as it is.
fn name_of(text: &str) -> String {
    match text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    {
        Some(name) => name.to_ascii_lowercase(),
        None if text.starts_with('\'') => text.to_owned(),
        None => text.to_ascii_lowercase(),
    }
}

/// What follows `SET` or `RESET`.
fn add(set: &mut SettingsSet, words: &[&str], lasts: bool) {
    let names: &[&str] = match words {
        ["constraints" | "transaction" | "characteristics", ..] | [] => return,
        ["all", ..] => &["*"],
        ["authorization", ..] | ["session", "authorization", ..] => {
            &["session_authorization", "role"]
        }
        ["time", "zone", ..] => &["timezone"],
        ["names", ..] => &["client_encoding"],
        ["schema", ..] => &["search_path"],
        [first, ".", second, ..] => return note(set, format!("{first}.{second}"), lasts),
        [name, ..] => &[*name],
    };
    for name in names {
        note(set, (*name).to_owned(), lasts);
    }
}

fn note(set: &mut SettingsSet, name: String, lasts: bool) {
    set.any = true;
    if lasts {
        set.lasting.push(name.clone());
    }
    if name != "*" {
        set.named.push(name);
    }
}

/// The calls of `set_config` in a statement.
fn functions(set: &mut SettingsSet, words: &[&str]) {
    for (at, _) in words
        .iter()
        .enumerate()
        .filter(|(_, word)| **word == SET_CONFIG)
    {
        let arguments = arguments(&words[at + 1..]);
        let name = match arguments.first() {
            Some([text]) => text
                .strip_prefix('\'')
                .and_then(|text| text.strip_suffix('\'')),
            _ => None,
        };
        let is_local = matches!(arguments.get(2), Some(["true", ..]));
        set.any = true;
        match name {
            Some(name) => note(set, name.to_ascii_lowercase(), !is_local),
            None if is_local => {}
            None => set.lasting.push("*".to_owned()),
        }
    }
}

/// The arguments of a call, of which `words` begin with the parenthesis.
fn arguments<'a, 'b>(words: &'a [&'b str]) -> Vec<&'a [&'b str]> {
    let (mut all, mut depth, mut begin) = (Vec::new(), 0, 1);
    for (at, word) in words.iter().enumerate() {
        match *word {
            "(" => depth += 1,
            ")" => depth -= 1,
            "," if depth == 1 => {
                all.push(&words[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
        if depth == 0 {
            all.push(words.get(begin..at).unwrap_or_default());
            break;
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::dialect::PostgresDialect;
    use crate::sql::dialect::Dialect as _;

    #[test]
    fn knows_what_a_text_sets_and_for_how_long() {
        for (sql, any, named, lasting) in [
            ("SELECT 1", false, "", ""),
            ("UPDATE u SET email = 'x'; SELECT 2", false, "", ""),
            ("SET CONSTRAINTS ALL DEFERRED", false, "", ""),
            ("SET TRANSACTION READ ONLY", false, "", ""),
            ("SET LOCAL app.tenant = '7'", true, "app.tenant", ""),
            (
                "set session App.Tenant to '7'",
                true,
                "app.tenant",
                "app.tenant",
            ),
            ("/* a */ SET LOCAL ROLE reader", true, "role", ""),
            ("SET ROLE reader", true, "role", "role"),
            ("SET TIME ZONE 'UTC'", true, "timezone", "timezone"),
            ("RESET ALL", true, "", "*"),
            ("DISCARD ALL", true, "", "*"),
            ("RESET search_path", true, "search_path", "search_path"),
            (
                "SET SESSION AUTHORIZATION a",
                true,
                "session_authorization role",
                "session_authorization role",
            ),
            ("SELECT set_config('app.x', $1, true)", true, "app.x", ""),
            (
                "SELECT pg_catalog.\"set_config\"('app.x', f(1, 2), false), 3",
                true,
                "app.x",
                "app.x",
            ),
            ("SELECT set_config($1, $2, $3)", true, "", "*"),
            ("SELECT set_config($1, $2, true)", true, "", ""),
            (
                "SET LOCAL a.b = 1; SET work_mem = '1MB'",
                true,
                "a.b work_mem",
                "work_mem",
            ),
        ] {
            let set = settings_set(sql, PostgresDialect.lexer());
            let found = (set.any, set.named.join(" "), set.lasting.join(" "));
            assert_eq!(found, (any, named.to_owned(), lasting.to_owned()), "{sql}");
        }
    }
}

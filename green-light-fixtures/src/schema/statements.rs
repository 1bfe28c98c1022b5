//! SQL text cut into statements, so that the one that fails can be named with its line.
//!
//! Only what can hide a `;` is understood: quotes, comments and trigger bodies, which end at
//! `; END ;`. Everything else is the database's to judge.

/// One statement and the line of the text on which it begins, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Statement<'a> {
    pub(super) line: usize,
    pub(super) text: &'a str,
}

/// The statements of `sql`, without the empty ones.
pub(super) fn statements(sql: &str) -> Vec<Statement<'_>> {
    let mut found = Vec::new();
    let mut words = Words::default();
    let mut start = 0;
    let mut at = 0;
    while at < sql.len() {
        let token = token(&sql[at..]);
        let end = at + token.length;
        match token.kind {
            Kind::Blank => {}
            Kind::Semicolon if words.ends_here() => {
                push(&mut found, sql, start, at);
                words = Words::default();
                start = end;
            }
            Kind::Semicolon => words.semicolon(),
            Kind::Word => words.word(&sql[at..end]),
            Kind::Other => words.other(),
        }
        at = end;
    }
    push(&mut found, sql, start, sql.len());
    found
}

fn push<'a>(found: &mut Vec<Statement<'a>>, sql: &'a str, start: usize, end: usize) {
    let mut from = start;
    // Comments before a statement are not part of it: the line named is the statement's own.
    while from < end {
        let token = token(&sql[from..end]);
        if !matches!(token.kind, Kind::Blank) {
            break;
        }
        from += token.length;
    }
    let text = sql[from..end].trim_end();
    if !text.is_empty() {
        found.push(Statement {
            line: 1 + sql[..from].matches('\n').count(),
            text,
        });
    }
}

/// What has been seen of the statement so far, as far as it decides where the statement ends.
#[derive(Default)]
struct Words {
    first: Vec<String>,
    trigger: bool,
    after_semicolon: bool,
    end_after_semicolon: bool,
}

impl Words {
    fn word(&mut self, word: &str) {
        let word = word.to_ascii_uppercase();
        self.end_after_semicolon = self.after_semicolon && word == "END";
        self.after_semicolon = false;
        if self.first.len() < 3 {
            self.first.push(word);
            let first: Vec<_> = self.first.iter().map(String::as_str).collect();
            self.trigger |= matches!(
                first[..],
                ["CREATE", "TRIGGER"] | ["CREATE", "TEMP" | "TEMPORARY", "TRIGGER"]
            );
        }
    }

    fn other(&mut self) {
        self.after_semicolon = false;
        self.end_after_semicolon = false;
    }

    fn semicolon(&mut self) {
        self.after_semicolon = true;
        self.end_after_semicolon = false;
    }

    fn ends_here(&self) -> bool {
        !self.trigger || self.end_after_semicolon
    }
}

struct Token {
    kind: Kind,
    length: usize,
}

enum Kind {
    Blank,
    Word,
    Semicolon,
    Other,
}

/// The first token of `text`, which is not empty.
fn token(text: &str) -> Token {
    let until = |needle: &str, skip: usize| {
        text[skip..]
            .find(needle)
            .map_or(text.len(), |found| skip + found + needle.len())
    };
    let run = |is: fn(char) -> bool| text.find(|c| !is(c)).unwrap_or(text.len());
    let (kind, length) = match text.chars().next() {
        None => (Kind::Blank, 0),
        Some(c) if c.is_whitespace() => (Kind::Blank, run(char::is_whitespace)),
        Some('-') if text.starts_with("--") => (Kind::Blank, until("\n", 2)),
        Some('/') if text.starts_with("/*") => (Kind::Blank, until("*/", 2)),
        Some(';') => (Kind::Semicolon, 1),
        Some('\'') => (Kind::Other, until("'", 1)),
        Some('"') => (Kind::Other, until("\"", 1)),
        Some('`') => (Kind::Other, until("`", 1)),
        Some('[') => (Kind::Other, until("]", 1)),
        Some(c) if is_word(c) => (Kind::Word, run(is_word)),
        Some(c) => (Kind::Other, c.len_utf8()),
    };
    Token { kind, length }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(sql: &str) -> Vec<(usize, &str)> {
        statements(sql)
            .into_iter()
            .map(|s| (s.line, s.text))
            .collect()
    }

    #[test]
    fn cuts_at_semicolons_and_counts_lines() {
        assert_eq!(
            texts(
                "CREATE TABLE a (x);\n\n-- a; comment\nINSERT INTO a VALUES (';');;\n/* ; */ SELECT 1"
            ),
            [
                (1, "CREATE TABLE a (x)"),
                (4, "INSERT INTO a VALUES (';')"),
                (5, "SELECT 1")
            ],
        );
        assert_eq!(texts("  ;; -- nothing\n ; "), []);
        assert_eq!(
            texts("SELECT 'it''s; fine', \"a;b\", `c;d`, [e;f]").len(),
            1
        );
        assert_eq!(texts("SELECT 'open; quote").len(), 1);
        assert_eq!(texts("SELECT 'é;ü' ; SELECT '漢'").len(), 2);
    }

    #[test]
    fn keeps_a_trigger_body_together() {
        let trigger = "create temp trigger t after insert on a begin\n  \
                       update a set x = case when x then 1 else 2 end; delete from b;\nend";
        let sql = format!("{trigger};\nSELECT 1;");
        assert_eq!(texts(&sql), [(1, trigger), (4, "SELECT 1")]);
    }
}

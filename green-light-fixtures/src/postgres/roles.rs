//! `CREATE ROLE` in a schema, where a role belongs to the server and outlives the database of the schema.
//!
//! A schema that makes a role runs more than once on a server: when a line of it has changed, when its template is
//! built again, when another schema makes the same role. A role that a schema has made bears a mark in its comment.
//! If it is there already, it gets the properties that the statement says.

use crate::postgres::admin::literal;
use crate::sql::lexer::{LexerRules, tokens};

/// The comment of a role that a schema has made.
const MARK: &str = "made by green-light for a schema";

/// The statement `sql` in words that can run again, if it makes a role.
pub(crate) fn repeatable(sql: &str, rules: &'static LexerRules) -> Option<String> {
    let all: Vec<_> = tokens(sql, rules).map(|(_, text)| text).collect();
    let is = |at: usize, words: &[&str]| {
        let found = all.get(at).map(|text| text.to_ascii_uppercase());
        found.is_some_and(|found| words.contains(&found.as_str()))
    };
    let is_role = is(0, &["CREATE"]) && is(1, &["ROLE", "USER", "GROUP"]);
    if !is_role || is(2, &["MAPPING"]) && all.len() > 3 || all.contains(&";") {
        return None;
    }
    let name = *all.get(2)?;
    let mut options = String::new();
    let mut grants = String::new();
    let mut at = if is(3, &["WITH"]) { 4 } else { 3 };
    while at < all.len() {
        let (grant, after): (fn(&str, &str) -> String, usize) = match () {
            () if is(at, &["IN"]) => (|name, other| format!("GRANT {other} TO {name}"), at + 2),
            () if is(at, &["ROLE", "USER"]) => {
                (|name, other| format!("GRANT {name} TO {other}"), at + 1)
            }
            () if is(at, &["ADMIN"]) => (
                |name, other| format!("GRANT {name} TO {other} WITH ADMIN OPTION"),
                at + 1,
            ),
            () => {
                options.push_str(all[at]);
                // `E'..'` is one token, and so is any other.
                options.push(' ');
                at += 1;
                continue;
            }
        };
        at = after;
        while let Some(other) = all.get(at) {
            grants.push_str(&format!("    {};\n", grant(name, other)));
            at += 1;
            if all.get(at) != Some(&",") {
                break;
            }
            at += 1;
        }
    }
    if is(1, &["USER"]) && !options.to_ascii_uppercase().contains("LOGIN") {
        options.push_str("LOGIN");
    }
    let alter = match options.trim() {
        "" => String::new(),
        options => format!("    ALTER ROLE {name} {options};\n"),
    };
    let (role, mark) = (literal(name), literal(MARK));
    let text = format!(
        "DO $green_light$ BEGIN
  BEGIN
    {sql};
    COMMENT ON ROLE {name} IS {mark};
  EXCEPTION WHEN duplicate_object THEN
    IF pg_catalog.shobj_description({role}::pg_catalog.regrole, 'pg_authid') IS DISTINCT FROM {mark} THEN
      RAISE;
    END IF;
    BEGIN
      ALTER ROLE {name} NOCREATEDB NOCREATEROLE INHERIT NOLOGIN CONNECTION LIMIT -1;
      ALTER ROLE {name} NOSUPERUSER NOREPLICATION NOBYPASSRLS;
    EXCEPTION WHEN insufficient_privilege THEN
      NULL;
    END;
{alter}{grants}  END;
END $green_light$"
    );
    (!sql.contains("$green_light$")).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::dialect::PostgresDialect;
    use crate::sql::dialect::Dialect as _;

    fn of(sql: &str) -> Option<String> {
        repeatable(sql, PostgresDialect.lexer())
    }

    #[test]
    fn a_role_that_is_there_gets_what_the_statement_says() {
        for (sql, again) in [
            ("CREATE ROLE app", vec![]),
            (
                "create user \"App\" with password 'a;b' connection limit 3",
                vec!["ALTER ROLE \"App\" password 'a;b' connection limit 3 LOGIN;"],
            ),
            (
                "CREATE ROLE app NOLOGIN IN ROLE a, b ROLE c ADMIN d",
                vec![
                    "ALTER ROLE app NOLOGIN;",
                    "GRANT a TO app;",
                    "GRANT b TO app;",
                    "GRANT app TO c;",
                    "GRANT app TO d WITH ADMIN OPTION;",
                ],
            ),
        ] {
            let text = of(sql).unwrap();
            assert!(text.contains(&format!("    {sql};")), "{text}");
            for again in again {
                assert!(text.contains(again), "{text}");
            }
        }
    }

    #[test]
    fn other_statements_are_left_as_they_are() {
        for sql in [
            "CREATE TABLE role (x int)",
            "CREATE USER MAPPING FOR PUBLIC SERVER s",
            "SELECT 'CREATE ROLE app'",
            "ALTER ROLE app LOGIN",
        ] {
            assert_eq!(of(sql), None, "{sql}");
        }
    }
}

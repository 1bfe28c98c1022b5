//! `CREATE ROLE` in a schema, where a role belongs to the server and outlives the database of the schema.
//!
//! A schema that makes a role runs more than once on a server: when a line of it has changed, when its template is
//! built again, when another schema makes the same role. A role that a schema has made bears a mark: a setting in the
//! maintenance database, where no session has its name. No `COMMENT ON ROLE` takes that away, and it goes with the role.
//! If the role is there already, it gets the properties that the statement says. A `DROP ROLE` before that does nothing
//! if only other databases need the role.

use crate::postgres::admin::literal;
use crate::sql::lexer::{LexerRules, tokens};

/// The mark, as the catalog has it. A role that may make others may set this, too.
pub(crate) const MADE_BY_SCHEMA: &str = "application_name=made by green-light for a schema";

/// The comment that was the mark before.
const FORMER_MARK: &str = "made by green-light for a schema";

/// Whether the role that is the SQL `role` bears the mark.
pub(crate) fn is_marked(role: &str) -> String {
    let (mark, former) = (literal(MADE_BY_SCHEMA), literal(FORMER_MARK));
    format!(
        "(EXISTS (SELECT FROM pg_catalog.pg_db_role_setting WHERE setrole = {role} AND {mark} = ANY (setconfig)) \
         OR pg_catalog.shobj_description({role}, 'pg_authid') = {former})"
    )
}

/// Marks the role that is the SQL `role`, in the database that is the SQL `database`.
pub(crate) fn mark(role: &str, database: &str) -> String {
    let value = literal(
        MADE_BY_SCHEMA
            .split_once('=')
            .map_or("", |(_, value)| value),
    );
    format!(
        "EXECUTE pg_catalog.format('ALTER ROLE %s IN DATABASE %I SET application_name = %L', \
         {role}::pg_catalog.regrole, {database}, {value})"
    )
}

/// The maintenance database, which the comment on the database of a schema names.
const MAINTENANCE: &str = "coalesce((SELECT pg_catalog.substring(pg_catalog.shobj_description(oid, 'pg_database'), \
    'see (green_light_[^]]*)]') FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()), \
    'template1')";

/// The statement `sql` in words that can run again, if it makes a role.
pub(crate) fn repeatable(sql: &str, rules: &'static LexerRules) -> Option<String> {
    let all: Vec<_> = tokens(sql, rules).map(|(_, text)| text).collect();
    let is = |at: usize, words: &[&str]| {
        let found = all.get(at).map(|text| text.to_ascii_uppercase());
        found.is_some_and(|found| words.contains(&found.as_str()))
    };
    let is_role = is(0, &["CREATE"]) && is(1, &["ROLE", "USER", "GROUP"]);
    let is_drop = is(0, &["DROP"]) && is(1, &["ROLE", "USER", "GROUP"]);
    if is_drop && !is(2, &["MAPPING"]) && !all.contains(&";") {
        let names = if is(2, &["IF"]) { 4 } else { 2 };
        return drop_unless_needed(sql, all.get(names..)?);
    }
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
    let role = format!("{}::pg_catalog.regrole", literal(name));
    let (is_marked, mark) = (is_marked(&role), mark(&role, MAINTENANCE));
    let text = format!(
        "DO $green_light$ BEGIN
  BEGIN
    {sql};
    {mark};
  EXCEPTION WHEN duplicate_object THEN
    IF {is_marked} IS NOT TRUE THEN
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

/// A `DROP ROLE` that does nothing if the roles are needed in other databases, and were made by schemas.
fn drop_unless_needed(sql: &str, names: &[&str]) -> Option<String> {
    let mut unneeded = String::new();
    for name in names.iter().filter(|name| **name != ",") {
        let role = format!("pg_catalog.to_regrole({})", literal(name));
        unneeded.push_str(&format!(
            "    IF {role} IS NOT NULL AND ({} IS NOT TRUE OR EXISTS (SELECT FROM pg_catalog.pg_shdepend
      WHERE refclassid = 'pg_authid'::pg_catalog.regclass AND refobjid = {role}
        AND dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()))) THEN
      RAISE;
    END IF;
",
            is_marked(&role)
        ));
    }
    let text = format!(
        "DO $green_light$ BEGIN
  BEGIN
    {sql};
  EXCEPTION WHEN dependent_objects_still_exist THEN
{unneeded}  END;
END $green_light$"
    );
    (!names.is_empty() && !sql.contains("$green_light$")).then_some(text)
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
    fn a_role_that_other_databases_need_is_not_dropped() {
        for sql in ["DROP ROLE a", "drop user if exists a, \"B\""] {
            let text = of(sql).unwrap();
            assert!(text.contains(&format!("    {sql};")), "{text}");
            assert!(text.contains("to_regrole('a')"), "{text}");
            assert_eq!(
                text.contains("to_regrole('\"B\"')"),
                sql.contains('B'),
                "{text}"
            );
        }
    }

    #[test]
    fn other_statements_are_left_as_they_are() {
        for sql in [
            "CREATE TABLE role (x int)",
            "CREATE USER MAPPING FOR PUBLIC SERVER s",
            "SELECT 'CREATE ROLE app'",
            "ALTER ROLE app LOGIN",
            "DROP TABLE role",
            "DROP USER MAPPING FOR PUBLIC SERVER s",
        ] {
            assert_eq!(of(sql), None, "{sql}");
        }
    }
}

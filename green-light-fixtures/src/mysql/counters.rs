//! The numbers that MySQL gives to rows: those of `AUTO_INCREMENT`, and of the sequences of MariaDB.
//!
//! A rollback does not set them back. Ids that go on do no harm, but after an id at the end of its type the next
//! insert fails. So if a test may have moved them by something else than the insert of a row, they are looked at
//! when it has ended. If they are far from where the template has them, they are set back.

use std::{collections::HashMap, sync::Arc};

use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, MySqlConnection, Row as _,
    mysql::MySqlConnectOptions,
};

use crate::mysql::admin::{AdminConnection, literal, names, quoted};
use crate::mysql::lexer::RULES;
use crate::server::shortage::when_free;
use crate::sql::classify::{is, words};
use crate::sql::dialect::CountedColumns;
use crate::sql::lexer::tokens;
use crate::sql::split::pieces;

/// MySQL keeps what it says of tables for a day. MariaDB does not know the setting.
pub(crate) const FRESH: &str =
    "SET @green_light = 0 /*!80001 , SESSION information_schema_stats_expiry = 0 */";
/// How far numbers may go on before they are set back, where the type has room for that.
const FAR: u64 = 1_000_000;
/// The last number of each type, and whether tests alone can use up all of them.
const TYPES: [(&str, u64, bool); 5] = [
    ("tinyint", 127, true),
    ("smallint", 32_767, true),
    ("mediumint", 8_388_607, false),
    ("int", 2_147_483_647, false),
    ("bigint", u64::MAX >> 1, false),
];

/// The numbers of a template, and how far those of its copies may go on.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) columns: Arc<CountedColumns>,
    /// Finds the tables whose numbers are too far. `None` if nothing is numbered.
    query: Option<String>,
    /// How each is set back.
    resets: Vec<(String, String)>,
    /// Whether there are sequences in the template.
    pub(crate) has_sequences: bool,
}

impl Counters {
    /// How many texts [`moved`](Self::moved) sends if something is numbered.
    pub(crate) const TEXTS: u64 = 2;

    /// Those of the database `template`. `writes_rows` says whether one of its triggers or functions does.
    pub(crate) async fn of(
        admin: &mut AdminConnection,
        template: &str,
        writes_rows: bool,
    ) -> Result<Self, sqlx::Error> {
        // A join of both takes MariaDB as long as thirty such queries.
        let numbered = format!(
            "SELECT table_name, column_name, column_type FROM information_schema.columns \
             WHERE table_schema = '{template}' AND extra LIKE '%auto_increment%'"
        );
        let next_ones = format!(
            "{FRESH}; SELECT table_name, auto_increment FROM information_schema.tables \
             WHERE table_schema = '{template}' AND auto_increment IS NOT NULL"
        );
        let mut next_of = HashMap::<String, u64>::new();
        for row in admin.fetch_all(AssertSqlSafe(next_ones)).await? {
            next_of.insert(row.try_get_unchecked(0)?, row.try_get_unchecked(1)?);
        }
        let mut columns = CountedColumns {
            by_any_row: writes_rows,
            ..CountedColumns::default()
        };
        let (mut conditions, mut names_of, mut resets) = (String::new(), Vec::new(), Vec::new());
        for row in admin.fetch_all(AssertSqlSafe(numbered)).await? {
            let (table, column): (String, String) =
                (row.try_get_unchecked(0)?, row.try_get_unchecked(1)?);
            let column_type: String = row.try_get_unchecked(2)?;
            let next = next_of.get(&table).map_or(1, |next| (*next).max(1));
            let (last, is_small) = last_number(&column_type);
            columns.names.push(column.to_ascii_lowercase());
            columns.by_any_row |= is_small;
            let far = last.saturating_sub(next) / 2;
            let limit = next.saturating_add(far.min(FAR));
            conditions.push_str(&format!(" WHEN {} THEN {limit}", literal(&table)));
            names_of.push(literal(&table));
            let reset = format!("ALTER TABLE {} AUTO_INCREMENT = {next}", quoted(&table));
            resets.push((table, reset));
        }
        let mut queries = Vec::new();
        if !names_of.is_empty() {
            queries.push(format!(
                "SELECT table_name FROM information_schema.tables WHERE table_schema = database() \
                 AND table_name IN ({}) AND auto_increment > CASE table_name{conditions} END",
                names_of.join(", ")
            ));
        }
        let sequences = sequences(admin, template).await?;
        let has_sequences = !sequences.is_empty();
        for sequence in sequences {
            let next = format!(
                "SELECT CAST(next_not_cached_value AS CHAR) FROM {}.{}",
                quoted(template),
                quoted(&sequence)
            );
            let next = names(admin, next).await?.pop().unwrap_or_default();
            let name = quoted(&sequence);
            queries.push(format!(
                "SELECT {} FROM {name} WHERE next_not_cached_value <> {next} OR cycle_count <> 0",
                literal(&sequence)
            ));
            let reset = format!("ALTER SEQUENCE {name} RESTART WITH {next}");
            resets.push((sequence, reset));
        }
        Ok(Self {
            columns: Arc::new(columns),
            // After a query `ROW_COUNT()` is another one than in a new session.
            query: (!queries.is_empty()).then(|| queries.join(" UNION ALL ") + "; DO 0"),
            resets,
            has_sequences,
        })
    }

    /// The tables and sequences whose numbers are too far, asked by a session that is [`prepared`](Self::prepare).
    pub(crate) async fn moved(
        &self,
        connection: &mut MySqlConnection,
    ) -> Result<Vec<String>, sqlx::Error> {
        let Some(query) = &self.query else {
            return Ok(Vec::new());
        };
        let rows = connection.fetch_all(AssertSqlSafe(&**query)).await?;
        rows.iter().map(|row| row.try_get_unchecked(0)).collect()
    }

    /// Lets a new session ask for numbers as they are.
    pub(crate) async fn prepare(
        &self,
        connection: &mut MySqlConnection,
    ) -> Result<(), sqlx::Error> {
        if self.query.is_none() {
            return Ok(());
        }
        let prepare = "DO 0; /*!80001 SET SESSION information_schema_stats_expiry = 0 */";
        connection.execute(prepare).await.map(drop)
    }

    /// Sets the numbers of the tables and sequences `moved` back, by a connection that is made with `options`.
    pub(crate) async fn set_back(
        &self,
        moved: &[String],
        options: &MySqlConnectOptions,
    ) -> Result<(), sqlx::Error> {
        if moved.is_empty() {
            return Ok(());
        }
        // In a session of a test it would end the transaction.
        let mut connection = when_free::<MySqlConnection, _, _>(|| options.connect()).await?;
        for (_, reset) in self.resets.iter().filter(|(name, _)| moved.contains(name)) {
            connection.execute(AssertSqlSafe(&**reset)).await?;
        }
        connection.close().await
    }
}

/// The sequences of the database `name`.
pub(crate) async fn sequences(
    admin: &mut AdminConnection,
    name: &str,
) -> Result<Vec<String>, sqlx::Error> {
    let query = format!(
        "SELECT table_name FROM information_schema.tables \
         WHERE table_schema = '{name}' AND table_type = 'SEQUENCE' ORDER BY 1"
    );
    names(admin, query).await
}

/// The last number of a column of this type, and whether tests alone can use up all before it.
fn last_number(column_type: &str) -> (u64, bool) {
    let column_type = column_type.to_ascii_lowercase();
    let known = TYPES
        .iter()
        .find(|(name, ..)| column_type.starts_with(name));
    let (_, last, is_small) = known.unwrap_or(&("", u64::MAX >> 1, false));
    match column_type.contains("unsigned") {
        true => (2 * last + 1, *is_small),
        false => (*last, *is_small),
    }
}

/// Whether a text may set the next number of one of `columns`.
pub(crate) fn may_move(sql: &str, columns: &CountedColumns) -> bool {
    !columns.names.is_empty()
        && pieces(sql, &RULES).any(|statement| may_move_by(statement, columns))
}

fn may_move_by(statement: &str, columns: &CountedColumns) -> bool {
    let first = words(statement).next().unwrap_or_default();
    let writes = ["insert", "replace", "update"];
    let is_write = |token: &str| writes.iter().any(|word| is(token, word));
    let is_counted = |token: &str| {
        let name = token.trim_matches('`').to_ascii_lowercase();
        columns.names.contains(&name)
    };
    let mut tokens = tokens(statement, &RULES).map(|(_, token)| token);
    match () {
        () if !is_write(first) => {
            // It may stand behind `WITH` or `EXPLAIN`. A select has `FOR UPDATE` and functions of these names.
            !is(first, "select") && tokens.any(is_write)
        }
        () if columns.by_any_row => true,
        () if is(first, "update") => {
            let mut set = tokens.skip_while(|token| !is(token, "set"));
            set.by_ref()
                .take_while(|token| !is(token, "where"))
                .any(is_counted)
        }
        () => {
            // The columns stand between the first parentheses; without any, all of them get values.
            let kinds = ["values", "value", "select", "set", "table", "with"];
            let opens =
                tokens.find(|token| *token == "(" || kinds.iter().any(|word| is(token, word)));
            opens != Some("(")
                || tokens
                    .by_ref()
                    .take_while(|token| *token != ")")
                    .any(is_counted)
                || tokens
                    .skip_while(|token| !is(token, "duplicate"))
                    .any(is_counted)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_what_may_move_the_numbers_of_keys() {
        let columns = |by_any_row| CountedColumns {
            names: vec!["id".to_owned()],
            by_any_row,
        };
        for statement in [
            "INSERT INTO u VALUES (2147483647, 'a')",
            "INSERT INTO u (email, ID) VALUES ('a', 2147483647)",
            "insert into `u` (`id`) values (5)",
            "INSERT INTO u SET id = 5",
            "INSERT INTO u SELECT 5, 'a'",
            "REPLACE INTO u VALUES (5)",
            "INSERT INTO u (email) VALUES ('a') ON DUPLICATE KEY UPDATE id = 5",
            "UPDATE u SET id = 5",
            "UPDATE u SET email = 'a', `u`.`id` = 5 WHERE email = 'b'",
            "WITH t AS (SELECT 1) UPDATE u, t SET id = 5",
            "DELETE FROM u; UPDATE u SET id = 5",
        ] {
            assert!(may_move(statement, &columns(false)), "{statement}");
        }
        for statement in [
            "INSERT INTO `u` (`email`) VALUES ('id'), (?)",
            "INSERT INTO u (email) SELECT id FROM u",
            "UPDATE u SET email = 'a' WHERE id = 5",
            "DELETE FROM u WHERE id = 5",
            "SELECT id, replace(email, 'a', 'b') FROM u FOR UPDATE",
            "SAVEPOINT id",
            "",
        ] {
            assert!(!may_move(statement, &columns(false)), "{statement}");
        }
        assert!(may_move(
            "INSERT INTO u (email) VALUES ('a')",
            &columns(true)
        ));
        assert!(!may_move(
            "INSERT INTO u VALUES (5)",
            &CountedColumns::default()
        ));
    }

    #[test]
    fn knows_the_last_number_of_each_type() {
        assert_eq!(last_number("int(11)"), (2_147_483_647, false));
        assert_eq!(last_number("tinyint(3) unsigned"), (255, true));
        assert_eq!(last_number("bigint unsigned"), (u64::MAX, false));
        assert_eq!(last_number("double"), (u64::MAX >> 1, false));
    }
}

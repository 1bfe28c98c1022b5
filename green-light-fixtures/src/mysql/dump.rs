//! What a database is made of, as statements, and a copy made by running them.
//!
//! Foreign keys, views, triggers, routines, packages, events, the next `AUTO_INCREMENT`, the definer and SQL mode
//! of each, the character set and comment of the database, and the privileges on it are copied. Rows are copied on the
//! server.

use std::collections::{BTreeSet, HashMap};

use sqlx::{AssertSqlSafe, Row as _, mysql::MySqlRow};

use crate::mysql::admin::{AdminConnection, quoted};
use crate::mysql::grants;

/// What `SHOW CREATE` knows of the database `{name}`, kind and name, in the order in which it can be made. The name is
/// no function, by which the server would not look things up but list those of all databases.
const LISTED: &str = "SELECT if(table_type = 'VIEW', 'VIEW', 'TABLE'), table_name FROM information_schema.tables \
    WHERE table_schema = '{name}' ORDER BY table_name; \
    SELECT routine_type, routine_name FROM information_schema.routines WHERE routine_schema = '{name}' \
    ORDER BY field(routine_type, 'PACKAGE', 'PACKAGE BODY', 'FUNCTION', 'PROCEDURE'), routine_name; \
    SELECT 'TRIGGER', trigger_name FROM information_schema.triggers WHERE event_object_schema = '{name}' \
    ORDER BY event_object_table, event_manipulation, action_timing, action_order; \
    SELECT 'EVENT', event_name FROM information_schema.events WHERE event_schema = '{name}' ORDER BY event_name";

/// Lets rows be inserted as they were, in any order.
const UNCHECKED: &str =
    "SET foreign_key_checks = 0, unique_checks = 0, sql_mode = 'NO_AUTO_VALUE_ON_ZERO'";

/// What the server was asked to find out about the columns of a database, for its planner: on MariaDB, and on MySQL.
const STATISTICS: [&str; 2] = [
    "SELECT 'STATISTICS', concat_ws(' ', table_name, column_name) FROM mysql.column_stats \
     WHERE db_name = '{name}' ORDER BY 2",
    "SELECT 'STATISTICS', concat_ws(' ', table_name, column_name) FROM information_schema.column_statistics \
     WHERE schema_name = '{name}' ORDER BY 2",
];

/// What the server answers to this user, besides what everybody may ask.
#[derive(Clone, Copy, Debug, Default)]
struct Questions {
    accounts: bool,
    statistics: Option<&'static str>,
}

impl Questions {
    async fn of(connection: &mut AdminConnection, name: &str) -> Result<Self, sqlx::Error> {
        let mut is_answered =
            async |query: String| match connection.fetch_all(AssertSqlSafe(query)).await {
                Err(sqlx::Error::Database(_)) => Ok(false),
                answer => answer.map(|_| true),
            };
        let mut questions = Self {
            accounts: is_answered(grants::accounts(name)).await?,
            statistics: None,
        };
        // Each server knows one of them.
        for statistics in STATISTICS {
            if questions.statistics.is_none()
                && is_answered(statistics.replace("{name}", name)).await?
            {
                questions.statistics = Some(statistics);
            }
        }
        Ok(questions)
    }

    /// All that is asked of the database `name`, in one message. Names are then written without that of the database.
    fn all(self, name: &str) -> String {
        let accounts = self.accounts.then(|| grants::accounts(name));
        let others = [self.statistics, Some(LISTED)].into_iter().flatten();
        let others = others.map(|query| query.replace("{name}", name));
        let own = format!("USE {0}; SHOW CREATE DATABASE {0}", quoted(name));
        let all = std::iter::once(own).chain(accounts).chain(others);
        all.collect::<Vec<_>>().join("; ")
    }
}

/// The statements that make a database like another one.
#[derive(Debug, Default)]
pub(crate) struct DatabaseDump {
    /// Character set, collation and comment, as `CREATE DATABASE` takes them.
    options: String,
    /// Names and definitions, in the order of their names.
    pub(crate) tables: Vec<(String, String)>,
    /// Columns of each table that are not computed, as SQL lists them.
    columns: Vec<String>,
    views: Vec<String>,
    /// Triggers, routines, packages and events, each with the SQL mode it was made under.
    programs: Vec<(String, String)>,
    has_triggers: bool,
    /// The statements that give privileges on it.
    grants: Vec<String>,
    /// The columns of which the planner knows something, as far as the user may see that.
    statistics: Vec<String>,
    questions: Questions,
}

impl DatabaseDump {
    /// Reads the dump of the database `name`, which `connection` uses from here on.
    pub(crate) async fn read(
        connection: &mut AdminConnection,
        name: &str,
    ) -> Result<Self, sqlx::Error> {
        let mut dump = Self::schema_only(connection, name).await?;
        dump.columns = columns(connection, &dump.tables).await?;
        Ok(dump)
    }

    /// The same without the columns, which only the making of a database needs.
    pub(crate) async fn schema_only(
        connection: &mut AdminConnection,
        name: &str,
    ) -> Result<Self, sqlx::Error> {
        let questions = Questions::of(connection, name).await?;
        Self::answered(connection, name, questions).await
    }

    /// The same of a database `name` that was like this one.
    pub(crate) async fn read_again(
        &self,
        connection: &mut AdminConnection,
        name: &str,
    ) -> Result<Self, sqlx::Error> {
        Self::answered(connection, name, self.questions).await
    }

    async fn answered(
        connection: &mut AdminConnection,
        name: &str,
        questions: Questions,
    ) -> Result<Self, sqlx::Error> {
        let mut dump = Self {
            questions,
            ..Self::default()
        };
        let rows = AssertSqlSafe(questions.all(name));
        let mut rows = connection.fetch_all(rows).await?.into_iter();
        let created = rows.next().ok_or(sqlx::Error::RowNotFound)?;
        let created = text(&created, 1)?;
        let (_, options) = created.split_once(&quoted(name)).unwrap_or_default();
        dump.options = options.to_owned();
        let (mut accounts, mut listed) = (BTreeSet::new(), Vec::new());
        for row in rows {
            match (text(&row, 0)?, text(&row, 1)?) {
                (kind, _) if kind == grants::ACCOUNT => {
                    accounts.insert(grants::account(&row)?);
                }
                (kind, column) if kind == "STATISTICS" => dump.statistics.push(column),
                other => listed.push(other),
            }
        }
        dump.grants = grants::of_accounts(connection, name, accounts).await?;
        let shown = shown_as_created(connection, &listed).await?;
        for ((kind, name), shown) in listed.into_iter().zip(shown) {
            match &*kind {
                "TABLE" => dump.tables.push((name, text(&shown, 1)?)),
                "VIEW" => dump.views.push(text(&shown, 1)?),
                // The SQL mode, the time zone of an event, and the text.
                "EVENT" => dump.programs.push((text(&shown, 1)?, text(&shown, 3)?)),
                _ => dump.programs.push((text(&shown, 1)?, text(&shown, 2)?)),
            }
            dump.has_triggers |= kind == "TRIGGER";
        }
        Ok(dump)
    }

    /// Makes the database `name`, with the rows of `template`, which this is the dump of.
    pub(crate) async fn create(
        &self,
        connection: &mut AdminConnection,
        name: &str,
        template: &str,
    ) -> Result<(), sqlx::Error> {
        let (new, old) = (quoted(name), quoted(template));
        connection
            .run(format!("CREATE DATABASE {new} {}", self.options))
            .await?;
        connection.run(format!("USE {new}; {UNCHECKED}")).await?;
        let mut tables: Vec<_> = self
            .tables
            .iter()
            .map(|(_, definition)| definition.clone())
            .collect();
        for ((table, _), columns) in self.tables.iter().zip(&self.columns) {
            let table = quoted(table);
            tables.push(format!(
                "INSERT INTO {new}.{table} ({columns}) SELECT {columns} FROM {old}.{table}"
            ));
        }
        if !tables.is_empty() {
            // One message for all of them.
            connection.run_slow(tables.join(";\n")).await?;
        }
        self.create_views(connection).await?;
        for (mode, definition) in &self.programs {
            connection.run(format!("SET sql_mode = '{mode}'")).await?;
            connection.run(definition.clone()).await?;
        }
        for grant in &self.grants {
            let grant = grants::in_copy(grant, template, name);
            connection.run(grant).await?;
        }
        Ok(())
    }

    /// Views may be made of each other, in any order.
    async fn create_views(&self, connection: &mut AdminConnection) -> Result<(), sqlx::Error> {
        let mut waiting: Vec<_> = self.views.iter().collect();
        while !waiting.is_empty() {
            let before = waiting.len();
            let mut refused = None;
            let mut later = Vec::new();
            for view in waiting {
                if let Err(error) = connection.run(view.clone()).await {
                    refused = Some(error);
                    later.push(view);
                }
            }
            waiting = later;
            match refused {
                Some(error) if waiting.len() == before => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether all that its tables hold can be replaced by deleting and inserting rows: without triggers that
    /// write something else, and without tables that remember rows that were deleted.
    pub(crate) fn can_be_refilled(&self) -> bool {
        let remembers = |(_, definition): &(_, String)| definition.contains(" SYSTEM VERSIONING");
        !self.has_triggers && !self.tables.iter().any(remembers)
    }

    /// Replaces all rows of the database `name` by those of `template`, and sets the next numbers of tables.
    pub(crate) async fn refill(
        &self,
        connection: &mut AdminConnection,
        name: &str,
        template: &str,
        counters: &[(&str, &str)],
    ) -> Result<(), sqlx::Error> {
        let (name, template) = (quoted(name), quoted(template));
        let mut statements = format!("USE {name}; {UNCHECKED}; START TRANSACTION");
        for ((table, _), columns) in self.tables.iter().zip(&self.columns) {
            let table = quoted(table);
            statements.push_str(&format!(
                "; DELETE FROM {table}; \
                 INSERT INTO {table} ({columns}) SELECT {columns} FROM {template}.{table}"
            ));
        }
        statements.push_str("; COMMIT");
        for (table, next) in counters {
            let table = quoted(table);
            statements.push_str(&format!("; ALTER TABLE {table} AUTO_INCREMENT = {next}"));
        }
        connection.run_slow(statements).await
    }

    /// The tables whose next number is not the same in `found`, and what it is here. `None` if anything else
    /// differs.
    pub(crate) fn moved_counters(&self, found: &Self) -> Option<Vec<(&str, &str)>> {
        let is_same = self.options == found.options
            && self.grants == found.grants
            && self.statistics == found.statistics
            && self.views == found.views
            && self.programs == found.programs
            && self.tables.len() == found.tables.len();
        let mut moved = Vec::new();
        for ((table, definition), (other, found)) in self.tables.iter().zip(&found.tables) {
            if table != other || without_counter(definition) != without_counter(found) {
                return None;
            }
            if counter(definition) != counter(found) {
                moved.push((&**table, counter(definition).unwrap_or("1")));
            }
        }
        is_same.then_some(moved)
    }
}

/// What `SHOW CREATE` answers for each of `listed`, a row each.
async fn shown_as_created(
    connection: &mut AdminConnection,
    listed: &[(String, String)],
) -> Result<Vec<MySqlRow>, sqlx::Error> {
    let mut rows = Vec::new();
    // One message for many of them; it may not be of any length.
    for listed in listed.chunks(200) {
        let shows = listed.iter();
        let shows = shows.map(|(kind, name)| format!("SHOW CREATE {kind} {}", quoted(name)));
        let shows = AssertSqlSafe(shows.collect::<Vec<_>>().join(";\n"));
        rows.extend(connection.fetch_all(shows).await?);
    }
    Ok(rows)
}

/// The columns of each of `tables` that can be written to.
async fn columns(
    connection: &mut AdminConnection,
    tables: &[(String, String)],
) -> Result<Vec<String>, sqlx::Error> {
    let rows = connection.fetch_all(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = database() \
         AND coalesce(generation_expression, '') = '' ORDER BY table_name, ordinal_position",
    );
    let mut found = HashMap::<String, Vec<String>>::new();
    for row in rows.await? {
        let (table, column) = (text(&row, 0)?, text(&row, 1)?);
        found.entry(table).or_default().push(quoted(&column));
    }
    let columns = tables
        .iter()
        .map(|(table, _)| found.get(table).map(|columns| columns.join(", ")));
    Ok(columns.map(Option::unwrap_or_default).collect())
}

const COUNTER: &str = " AUTO_INCREMENT=";

/// The next number that the definition of a table states. It stands behind the last parenthesis.
fn counter(definition: &str) -> Option<&str> {
    let options = &definition[definition.rfind("\n)")?..];
    let from = options.find(COUNTER)? + COUNTER.len();
    let number = options[from..].split(' ').next()?;
    Some(number)
}

fn without_counter(definition: &str) -> String {
    match (counter(definition), definition.rfind(COUNTER)) {
        (Some(number), Some(at)) => {
            format!(
                "{}{}",
                &definition[..at],
                &definition[at + COUNTER.len() + number.len()..]
            )
        }
        _ => definition.to_owned(),
    }
}

/// A text that some versions send as bytes.
fn text(row: &MySqlRow, column: usize) -> Result<String, sqlx::Error> {
    row.try_get_unchecked(column)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_number_is_found_where_it_is_one() {
        let table = "CREATE TABLE `t` (\n  `a AUTO_INCREMENT=3` int NOT NULL\n) ENGINE=InnoDB \
                     AUTO_INCREMENT=7 DEFAULT CHARSET=utf8mb4";
        assert_eq!(counter(table), Some("7"));
        assert_eq!(
            without_counter(table),
            table.replace(" AUTO_INCREMENT=7", "")
        );
        let plain = "CREATE TABLE `t` (\n  `a AUTO_INCREMENT=3` int\n) ENGINE=InnoDB";
        assert_eq!(without_counter(plain), plain);
    }
}

//! All that a session of MySQL or MariaDB can observe.

use std::{process::Stdio, time::Duration};

use green_light_fixtures::{Backend, Session};
use sqlx::{AssertSqlSafe, Executor as _, MySqlConnection, Row as _, mysql::MySqlRow};

use crate::checkout::Checkout;
use crate::children::part;
use crate::observe::frame::{self, Observation, Observer, Way, observer_tests, send};
use crate::observe::texts::mysql::TEXTS;
use crate::support::{administrator, run};

/// How often to look whether a session that was closed is gone.
const PATIENCE: usize = 100;

/// Variables that differ from session to session, or from moment to moment.
const VOLATILE: [&str; 9] = [
    "gtid_binlog_pos",
    "gtid_current_pos",
    "identity",
    "innodb_buffer_pool_load_incomplete",
    "last_gtid",
    "pseudo_thread_id",
    "rand_seed1",
    "rand_seed2",
    "timestamp",
];

/// Names of locks of its own, which the whole server sees, of variables, prepared statements and tables in the corpus.
const LOCKS: [&str; 3] = ["a", "b", "green_light_mine"];
const VARIABLES: [&str; 4] = ["a", "b", "c", "green_light"];

/// What is asked first, before a text of ours changes it.
/// `found_rows()` is not: a new session answers with what another one of its thread has found.
const FIRST: [(&str, &str); 4] = [
    ("row_count()", "SELECT row_count()"),
    ("last_insert_id()", "SELECT last_insert_id()"),
    ("warnings", "SHOW WARNINGS"),
    ("errors", "SHOW ERRORS"),
];

/// What is asked of a session, and the key of each answer.
const QUERIES: [(&str, &str); 23] = [
    ("questions", "SHOW SESSION STATUS LIKE 'Com_select'"),
    ("profiles", "SHOW PROFILES"),
    ("roles", "SELECT current_user(), current_role()"),
    ("database", "SHOW CREATE DATABASE `{database}`"),
    ("tables", "SHOW FULL TABLES"),
    ("triggers", "SHOW TRIGGERS"),
    (
        "routines",
        "SELECT routine_type, routine_name, routine_definition, routine_comment, sql_data_access, security_type \
         FROM information_schema.routines WHERE routine_schema = database() ORDER BY 1, 2",
    ),
    (
        "events",
        "SELECT event_name, event_definition, status, interval_value FROM information_schema.events \
         WHERE event_schema = database() ORDER BY 1",
    ),
    (
        "views",
        "SELECT table_name, view_definition FROM information_schema.views \
         WHERE table_schema = database() ORDER BY 1",
    ),
    (
        "columns",
        "SELECT table_name, column_name, column_type, column_default, column_comment \
         FROM information_schema.columns WHERE table_schema = database() ORDER BY 1, 2",
    ),
    (
        "indexes",
        "SELECT table_name, index_name, column_name, seq_in_index, comment, index_comment \
         FROM information_schema.statistics WHERE table_schema = database() ORDER BY 1, 2, 4",
    ),
    (
        "constraints",
        "SELECT table_name, constraint_name, constraint_type \
         FROM information_schema.table_constraints WHERE table_schema = database() ORDER BY 1, 2",
    ),
    (
        "next id",
        "SELECT table_name, auto_increment FROM information_schema.tables WHERE table_schema = database()",
    ),
    (
        "comments",
        "SELECT table_name, table_comment, engine, row_format, create_options \
         FROM information_schema.tables WHERE table_schema = database() ORDER BY 1",
    ),
    ("rows of u", "SELECT * FROM u ORDER BY id"),
    (
        "other databases",
        "SELECT schema_name FROM information_schema.schemata WHERE schema_name NOT LIKE 'gl\\_%' ORDER BY 1",
    ),
    (
        "plugins",
        "SELECT plugin_name, plugin_status FROM information_schema.plugins ORDER BY 1",
    ),
    (
        "privileges of the user",
        "SELECT * FROM information_schema.user_privileges ORDER BY 1, 2, 3",
    ),
    (
        "privileges of databases",
        "SELECT * FROM information_schema.schema_privileges ORDER BY 1, 2, 3, 4",
    ),
    (
        "privileges of tables",
        "SELECT * FROM information_schema.table_privileges ORDER BY 1, 2, 3, 4, 5",
    ),
    (
        "engines",
        "SELECT engine, support FROM information_schema.engines ORDER BY 1",
    ),
    (
        "processes",
        "SELECT count(*) FROM information_schema.processlist WHERE db = database()",
    ),
    ("transaction", "XA RECOVER"),
];

/// The same as an administrator, on the server of ours.
const SERVER: [(&str, &str); 9] = [
    (
        "accounts",
        "SELECT user, host FROM mysql.user ORDER BY 1, 2",
    ),
    (
        "grants",
        "SELECT user, host, db FROM mysql.db WHERE db NOT LIKE 'gl%' ORDER BY 1, 2, 3",
    ),
    (
        "table grants",
        "SELECT user, host, db, table_name FROM mysql.tables_priv WHERE db NOT LIKE 'gl%' ORDER BY 1, 2, 3, 4",
    ),
    (
        "servers",
        "SELECT server_name FROM mysql.servers ORDER BY 1",
    ),
    ("functions", "SELECT name FROM mysql.func ORDER BY 1"),
    ("time zones", "SELECT count(*) FROM mysql.time_zone_name"),
    (
        "all events",
        "SELECT event_schema, event_name FROM information_schema.events WHERE event_schema NOT LIKE 'gl\\_%'",
    ),
    (
        "template rows",
        "SELECT count(*) FROM information_schema.tables WHERE table_schema LIKE 'gl\\_t\\_%' AND table_name = 'y'",
    ),
    (
        "all databases",
        "SELECT schema_name FROM information_schema.schemata WHERE schema_name NOT LIKE 'gl\\_%' ORDER BY 1",
    ),
];

struct MySql;

impl Observer for MySql {
    const BACKEND: Backend = Backend::MySql;
    const TEXTS: &'static [&'static str] = TEXTS;
    const ALLOWED: &'static [(&'static str, &'static str)] = &[
        ("transaction: next id", "a rollback does not set it back"),
        (
            "transaction: questions",
            "the server counts the statements of a session",
        ),
    ];

    async fn send(session: &Session, way: Way, sql: &'static str) {
        send!(
            session,
            way,
            sql,
            MySql,
            mysql_pool,
            get_mysql_connection_pool
        );
    }

    async fn observe(session: &Session) -> Observation {
        let mut seen = Observation::new();
        match session.mysql_pool().acquire().await {
            Err(error) => drop(seen.insert("connection".to_owned(), error.to_string())),
            Ok(mut connection) => {
                look(&mut seen, &mut connection).await;
                drop(connection);
            }
        }
        server(&mut seen, session).await;
        seen
    }
}

/// All rows that `sql` answers with, as text, without the name of the database.
async fn answer(connection: &mut MySqlConnection, sql: &str, database: &str) -> String {
    let rows = match connection.fetch_all(AssertSqlSafe(sql)).await {
        Ok(rows) => rows,
        Err(error) => return error.to_string().replace(database, "{database}"),
    };
    let row = |row: &MySqlRow| {
        let cells = (0..row.len()).map(|at| {
            let cell = row.try_get_unchecked::<Option<Vec<u8>>, _>(at);
            let cell = cell.unwrap_or_else(|error| Some(error.to_string().into_bytes()));
            cell.map_or("NULL".to_owned(), |cell| {
                String::from_utf8_lossy(&cell).into_owned()
            })
        });
        cells.collect::<Vec<_>>().join("|")
    };
    let rows = rows.iter().map(row).collect::<Vec<_>>().join("\n");
    rows.replace(database, "{database}")
}

async fn look(seen: &mut Observation, connection: &mut MySqlConnection) {
    for (key, sql) in FIRST {
        let found = answer(connection, sql, "{database}").await;
        seen.insert(key.to_owned(), found);
    }
    let database = answer(connection, "SELECT database()", "{database}").await;
    for scope in ["SESSION", "GLOBAL"] {
        let variables = answer(connection, &format!("SHOW {scope} VARIABLES"), &database).await;
        for line in variables.lines() {
            let (name, value) = line.split_once('|').unwrap_or((line, ""));
            if !VOLATILE.contains(&name) {
                let key = format!("{} variable {name}", scope.to_lowercase());
                seen.insert(key, value.to_owned());
            }
        }
    }
    let locks = LOCKS.map(|name| {
        (
            format!("lock {name}"),
            format!("SELECT coalesce(is_used_lock('{name}') = connection_id(), 0)"),
        )
    });
    let variables = VARIABLES.map(|name| (format!("variable @{name}"), format!("SELECT @{name}")));
    let others = [
        ("prepared p", "EXECUTE p"),
        ("handler u", "HANDLER u READ FIRST"),
        ("handler h", "HANDLER h READ FIRST"),
        ("temporary tt", "SELECT * FROM tt"),
    ];
    let others = others.map(|(key, sql)| (key.to_owned(), sql.to_owned()));
    let queries = QUERIES.map(|(key, sql)| (key.to_owned(), sql.replace("{database}", &database)));
    for (key, sql) in locks
        .into_iter()
        .chain(variables)
        .chain(others)
        .chain(queries)
    {
        let mut found = answer(connection, &sql, &database).await;
        for _ in 0..PATIENCE {
            if key != "processes" || found == "1" {
                break;
            }
            // A session that was closed is listed until its thread has ended.
            tokio::time::sleep(Duration::from_millis(10)).await;
            found = answer(connection, &sql, &database).await;
        }
        seen.insert(key, found);
    }
    let tables = answer(connection, "SHOW TABLES", "{database}").await;
    for table in tables.lines() {
        let sql = format!("SHOW CREATE TABLE `{table}`");
        let mut found = answer(connection, &sql, &database).await;
        if let Some((start, rest)) = found.split_once(" AUTO_INCREMENT=") {
            found = format!(
                "{start}{}",
                rest.trim_start_matches(|c: char| c.is_ascii_digit())
            );
        }
        seen.insert(format!("definition of {table}"), found);
    }
}

/// What an administrator sees, where the server is one of ours.
async fn server(seen: &mut Observation, session: &Session) {
    let url = session.url().expose();
    if !url.contains("//green_light@") {
        return;
    }
    let connected = <MySqlConnection as sqlx::Connection>::connect(&administrator(url)).await;
    let mut connection = match connected {
        Ok(connection) => connection,
        Err(error) => return drop(seen.insert("administrator".to_owned(), error.to_string())),
    };
    for (key, sql) in SERVER {
        let found = answer(&mut connection, sql, "{database}").await;
        seen.insert(format!("server: {key}"), found);
    }
    let _ = sqlx::Connection::close(connection).await;
}

/// On a server of its own: what other tests do there meanwhile would be seen.
#[test]
fn nothing_reaches_the_next_test() {
    if part().is_some() {
        return run(frame::nothing_reaches_the_next_test::<MySql>());
    }
    let checkout = Checkout::new();
    let mut observing =
        checkout.playing("observe::mysql::nothing_reaches_the_next_test", "observe");
    let observed = observing
        .env_remove("GREEN_LIGHT_MYSQL_URL")
        .stdin(Stdio::null())
        .stdout(Stdio::inherit())
        .stderr(Stdio::inherit())
        .status();
    assert!(observed.unwrap().success(), "what it has found is above");
    checkout.end_all();
}

observer_tests!(MySql, without the first);

#[test]
fn what_a_text_leaves_is_seen_by_its_own_test() {
    let visible = run(frame::visible::<MySql>(MySql::TEXTS.iter().step_by(8)));
    assert!(visible * 8 > MySql::TEXTS.len() / 3, "{visible}");
}

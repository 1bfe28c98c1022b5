//! All that a session of SQLite can observe.

#![expect(unsafe_code, reason = "limits and settings that SQL does not show")]

use std::{ffi::c_int, ops::RangeInclusive, str::FromStr as _, time::Duration};

use green_light_fixtures::{Backend, Engine, EngineBuilder, Isolation, Session};
use libsqlite3_sys::{
    SQLITE_LIMIT_LENGTH, SQLITE_LIMIT_WORKER_THREADS, sqlite3_db_config, sqlite3_get_autocommit,
    sqlite3_hard_heap_limit64, sqlite3_limit, sqlite3_soft_heap_limit64, sqlite3_update_hook,
};
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, Row as _, SqliteConnection,
    sqlite::SqliteConnectOptions,
};

use crate::observe::frame::{self, Observation, Observer, Way, observer_tests, send};
use crate::observe::texts::sqlite::TEXTS;
use crate::support::{run, schema_on};

/// Pragmas that do something when they are asked for nothing.
const DOING: [&str; 4] = [
    "incremental_vacuum",
    "optimize",
    "shrink_memory",
    "wal_checkpoint",
];

/// The numbers of the settings that are on or off, known by name or not yet.
const SETTINGS: RangeInclusive<c_int> = 1002..=1022;

/// The number by which connections know that they have to read the schema again.
const SCHEMA_VERSION: &str = "pragma schema_version";

struct Sqlite;

impl Observer for Sqlite {
    const BACKEND: Backend = Backend::Sqlite;
    const TEXTS: &'static [&'static str] = TEXTS;
    const ALLOWED: &'static [(&'static str, &'static str)] = &[
        (
            "transaction: total_changes()",
            "SQLite counts the rows that a connection has changed as long as it is open",
        ),
        (
            "shared: pragma schema_version",
            "a copy into an open file raises it, so that other connections read the schema again",
        ),
    ];

    fn after_ordinary(
        isolation: Isolation,
        fresh: &Observation,
        last: &Observation,
        tests: u32,
    ) -> Observation {
        let mut expected = fresh.clone();
        // Each test after the latest one has got a copy, which raises it by one.
        let raised = last[SCHEMA_VERSION].parse().map(|last: u32| last + tests);
        if isolation == Isolation::Shared
            && let Ok(raised) = raised
        {
            expected.insert(SCHEMA_VERSION.to_owned(), raised.to_string());
        }
        expected
    }

    fn engine(_: Isolation, way: Way) -> EngineBuilder {
        let builder = Engine::builder().schema(schema_on(Backend::Sqlite));
        match way {
            // A database in memory has no URL.
            Way::Url => builder.file(),
            _ => builder,
        }
    }

    async fn send(session: &Session, way: Way, sql: &'static str) {
        if way != Way::Url {
            return send!(
                session,
                way,
                sql,
                Sqlite,
                sqlite_pool,
                get_sqlite_connection_pool
            );
        }
        let options = SqliteConnectOptions::from_str(session.url().expose()).unwrap();
        // The transaction of the test has the file.
        let options = options.busy_timeout(Duration::from_millis(20));
        let mut connection = options.connect().await.unwrap();
        drop(connection.execute(sql).await);
        drop(connection.close().await);
    }

    async fn observe(session: &Session) -> Observation {
        let mut seen = Observation::new();
        match session.sqlite_pool().acquire().await {
            Err(error) => drop(seen.insert("connection".to_owned(), error.to_string())),
            Ok(mut connection) => {
                // Before any text of ours changes it.
                for name in ["last_insert_rowid()", "changes()", "total_changes()"] {
                    note(&mut seen, &mut connection, name, &format!("SELECT {name}")).await;
                }
                by_handle(&mut seen, &mut connection).await;
                by_sql(&mut seen, &mut connection).await;
            }
        }
        seen
    }
}

/// What `sql` answers, as text.
async fn answer(connection: &mut SqliteConnection, sql: &str) -> String {
    let rows = match connection.fetch_all(AssertSqlSafe(sql)).await {
        Ok(rows) => rows,
        Err(error) => return error.to_string(),
    };
    let row = |row: &sqlx::sqlite::SqliteRow| {
        let cells = (0..row.len()).map(|i| match row.try_get_unchecked::<Option<String>, _>(i) {
            Ok(text) => text.unwrap_or_else(|| "NULL".to_owned()),
            Err(error) => error.to_string(),
        });
        cells.collect::<Vec<_>>().join("|")
    };
    rows.iter().map(row).collect::<Vec<_>>().join("\n")
}

async fn note(seen: &mut Observation, connection: &mut SqliteConnection, key: &str, sql: &str) {
    let answer = answer(connection, sql).await;
    seen.insert(key.to_owned(), answer);
}

async fn by_sql(seen: &mut Observation, connection: &mut SqliteConnection) {
    let pragmas = answer(connection, "SELECT name FROM pragma_pragma_list").await;
    for pragma in pragmas.lines().filter(|pragma| !DOING.contains(pragma)) {
        let (key, sql) = (format!("pragma {pragma}"), format!("PRAGMA {pragma}"));
        note(seen, connection, &key, &sql).await;
    }
    for (key, sql) in [
        // The names of files differ.
        (
            "pragma database_list",
            "SELECT seq, name, file <> '' FROM pragma_database_list",
        ),
        (
            "pragma function_list",
            "SELECT * FROM pragma_function_list ORDER BY 1, 2, 3, 4, 5, 6",
        ),
        (
            "pragma module_list",
            "SELECT name FROM pragma_module_list ORDER BY 1",
        ),
        (
            "pragma pragma_list",
            "SELECT name FROM pragma_pragma_list ORDER BY 1",
        ),
        ("LIKE", "SELECT 'a' LIKE 'A'"),
        (
            "schema",
            "SELECT rowid, type, name, tbl_name, rootpage, sql FROM sqlite_schema ORDER BY rowid",
        ),
        (
            "temporary schema",
            "SELECT type, name, tbl_name, sql FROM sqlite_temp_schema ORDER BY rowid",
        ),
    ] {
        note(seen, connection, key, sql).await;
    }
    let tables = answer(
        connection,
        "SELECT name FROM sqlite_schema WHERE type = 'table' UNION ALL \
         SELECT name FROM sqlite_temp_schema WHERE type = 'table'",
    )
    .await;
    for table in tables.lines() {
        let columns = format!("SELECT name FROM pragma_table_info('{table}')");
        let columns = answer(connection, &columns).await;
        // As SQL writes them: `1` is not `1.0`, nor `'1'`.
        let quoted: Vec<_> = columns
            .lines()
            .map(|name| format!("quote(\"{name}\")"))
            .collect();
        let sql = format!(
            "SELECT rowid, {} FROM \"{table}\" ORDER BY 1, 2",
            quoted.join(", ")
        );
        note(seen, connection, &format!("rows of {table}"), &sql).await;
    }
}

async fn by_handle(seen: &mut Observation, connection: &mut SqliteConnection) {
    let mut handle = connection.lock_handle().await.unwrap();
    let db = handle.as_raw_handle().as_ptr();
    let mut put = |key: String, value: String| drop(seen.insert(key, value));
    // SAFETY: The connection is open and nothing else uses it while its handle is locked. A limit of -1 and a
    // setting of -1 only ask. The hook that is removed belongs to nothing of ours, and sqlx frees its own.
    unsafe {
        for limit in SQLITE_LIMIT_LENGTH..=SQLITE_LIMIT_WORKER_THREADS {
            put(
                format!("limit {limit}"),
                sqlite3_limit(db, limit, -1).to_string(),
            );
        }
        for setting in SETTINGS {
            let mut value: c_int = -1;
            let code = sqlite3_db_config(db, setting, -1 as c_int, &raw mut value);
            put(format!("config {setting}"), format!("{code} {value}"));
        }
        put(
            "soft heap limit".to_owned(),
            sqlite3_soft_heap_limit64(-1).to_string(),
        );
        put(
            "hard heap limit".to_owned(),
            sqlite3_hard_heap_limit64(-1).to_string(),
        );
        put(
            "autocommit".to_owned(),
            sqlite3_get_autocommit(db).to_string(),
        );
        let hook = sqlite3_update_hook(db, None, std::ptr::null_mut());
        put("update hook".to_owned(), (!hook.is_null()).to_string());
    }
}

observer_tests!(Sqlite);

#[test]
fn what_a_text_leaves_is_seen_by_its_own_test() {
    let visible = run(frame::visible::<Sqlite>(Sqlite::TEXTS.iter().step_by(4)));
    assert!(visible * 4 > Sqlite::TEXTS.len() / 2, "{visible}");
}

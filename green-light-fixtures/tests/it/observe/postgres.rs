//! All that a session of PostgreSQL can observe.

use green_light_fixtures::{Backend, Isolation, Session};
use sqlx::{AssertSqlSafe, Executor as _, PgConnection, Row as _};

use crate::observe::frame::{self, Observation, Observer, Way, observer_tests, send};
use crate::observe::texts::postgres::TEXTS;
use crate::support::run;

/// What belongs to the server and not to a database. Where a test commits, it stays for all who use the server, so it
/// is sent only where a rollback follows.
const SERVER_WIDE: [&str; 10] = [
    "CREATE ROLE",
    "CREATE USER",
    "CREATE GROUP",
    "ALTER ROLE CURRENT_USER SET",
    "ALTER ROLE ALL",
    "ALTER ROLE CURRENT_USER CONNECTION",
    "ALTER ROLE pg_monitor",
    "COMMENT ON ROLE",
    "CREATE DATABASE",
    "pg_replication_origin_create",
];

/// What is asked of the session, one value each.
const QUESTIONS: [(&str, &str); 24] = [
    (
        "settings of an application",
        "SELECT string_agg(name || coalesce('<' || current_setting(name, true) || '>', ' none'), ' ')
         FROM unnest('{app.a, app.A, app.b.c, app.observed, green_light.ending, green_light.x}'::text[]) name",
    ),
    (
        "statements",
        "SELECT string_agg(name || ' ' || statement, ';' ORDER BY name) FROM pg_prepared_statements
         WHERE from_sql AND name <> 'green_light_refused'",
    ),
    (
        "cursors",
        "SELECT string_agg(name, ' ' ORDER BY name) FROM pg_cursors WHERE name <> ''",
    ),
    (
        "channels",
        "SELECT string_agg(c, ' ') FROM pg_listening_channels() c",
    ),
    (
        "locks",
        "SELECT string_agg(concat_ws(' ', locktype, classid, objid, mode), ';' ORDER BY classid, objid, mode)
         FROM pg_locks WHERE locktype = 'advisory'
           AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
    ),
    (
        "temporary schema",
        "SELECT pg_my_temp_schema() || ' ' || count(*) FROM pg_class WHERE relpersistence = 't'",
    ),
    ("schemas that are looked in", "SELECT current_schemas(true)::text"),
    (
        "who one is",
        "SELECT concat_ws(' ', current_user, session_user, current_role, user)",
    ),
    (
        "the transaction",
        "SELECT concat_ws(' ', current_setting('transaction_isolation'), current_setting('transaction_read_only'),
           current_setting('transaction_deferrable'))",
    ),
    (
        "roles",
        "SELECT string_agg(r::text, ';' ORDER BY rolname) FROM pg_roles r
         WHERE rolname !~ '^(gl_test|green_light_it)'",
    ),
    (
        "members",
        "SELECT string_agg(m::text, ';' ORDER BY m::text) FROM pg_auth_members m
         WHERE roleid < 16384 AND member < 16384",
    ),
    (
        "settings of roles",
        "SELECT string_agg(concat_ws(' ', setrole, setconfig), ';' ORDER BY setrole) FROM pg_db_role_setting
         WHERE setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))",
    ),
    (
        "databases",
        "SELECT string_agg(datname, ' ') FROM pg_database WHERE datname LIKE 'observe%'",
    ),
    (
        "the database",
        "SELECT concat_ws(' ', pg_get_userbyid(datdba), encoding, datcollate, datctype, datallowconn, datconnlimit,
           datacl, shobj_description(oid, 'pg_database')) FROM pg_database WHERE datname = current_database()",
    ),
    (
        "tablespaces",
        "SELECT string_agg(spcname, ' ') FROM pg_tablespace",
    ),
    (
        "slots",
        "SELECT string_agg(slot_name, ' ') FROM pg_replication_slots",
    ),
    (
        "origins",
        "SELECT string_agg(roname, ' ') FROM pg_replication_origin",
    ),
    (
        "prepared transactions",
        "SELECT string_agg(gid, ' ') FROM pg_prepared_xacts WHERE database = current_database()",
    ),
    (
        "comments on what all databases have",
        "SELECT string_agg(objoid || description, ';' ORDER BY objoid) FROM pg_shdescription
         WHERE classoid <> 'pg_database'::regclass",
    ),
    (
        "large objects",
        "SELECT string_agg(loid || ' ' || pageno || ' ' || data::text, ';') FROM pg_largeobject",
    ),
    (
        "an implicit cast",
        "SELECT count(*)::text FROM pg_cast WHERE castcontext = 'i'",
    ),
    ("a text as written", r"SELECT 'a\b'"),
    ("a comparison with nothing", "SELECT (NULL = NULL)::text"),
    ("a moment as written", "SELECT '2020-01-02 03:04:05+00'::timestamptz::text"),
];

/// The tables of the catalog, whose rows must be as they were. Of the columns left out, the planner alone makes use.
const CATALOG: &str = "SELECT relname::text FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace
    AND relkind = 'r' AND NOT relisshared AND relname NOT IN ('pg_statistic', 'pg_largeobject', 'pg_statistic_ext_data')
    ORDER BY 1";

struct Postgres;

impl Observer for Postgres {
    const BACKEND: Backend = Backend::Postgres;
    const TEXTS: &'static [&'static str] = TEXTS;
    const ALLOWED: &'static [(&'static str, &'static str)] = &[
        (
            "setting plpgsql.*",
            "a session shows them from the first use of PL/pgSQL on",
        ),
        (
            "transaction: position of *",
            "a rollback does not set a sequence back; one that comes near its end is set back",
        ),
        (
            "transaction: planner of *",
            "an index that is made changes estimates for the planner, also when it is rolled back",
        ),
    ];

    async fn send(session: &Session, way: Way, sql: &'static str) {
        let is_server_wide = SERVER_WIDE.iter().any(|start| sql.contains(start));
        if is_server_wide && session.isolation() != Isolation::Transaction {
            return;
        }
        send!(
            session,
            way,
            sql,
            Postgres,
            postgres_pool,
            get_postgres_connection_pool
        );
    }

    async fn observe(session: &Session) -> Observation {
        let mut seen = Observation::new();
        let pool = session.postgres_pool();
        for (key, sql) in [
            ("last number", "SELECT lastval()::text"),
            ("current number", "SELECT currval('u_id_seq')::text"),
        ] {
            let answer = sqlx::query_scalar(sql).fetch_one(pool).await;
            let answer: String = answer.unwrap_or_else(|error: sqlx::Error| error.to_string());
            seen.insert(key.to_owned(), answer);
        }
        match pool.acquire().await {
            Err(error) => drop(seen.insert("connection".to_owned(), error.to_string())),
            Ok(mut connection) => look(&mut seen, &mut connection).await,
        }
        seen
    }
}

/// The first column of what `sql` answers, or the error.
async fn ask(connection: &mut PgConnection, sql: &str) -> String {
    // With a text at once, the server describes nothing and knows no statement afterwards.
    match connection.fetch_all(AssertSqlSafe(sql)).await {
        Err(error) => error.to_string(),
        Ok(rows) => {
            let cells = rows.iter().map(|row| {
                let cell: Result<Option<String>, _> = row.try_get_unchecked(0);
                cell.map_or_else(
                    |e| e.to_string(),
                    |cell| cell.unwrap_or_else(|| "NULL".into()),
                )
            });
            cells.collect::<Vec<_>>().join("\n")
        }
    }
}

async fn look(seen: &mut Observation, connection: &mut PgConnection) {
    let first = ask(connection, "SELECT random()::text").await;
    ask(connection, "SELECT setseed(0.5)").await;
    let seeded = ask(connection, "SELECT random()::text").await;
    seen.insert("seed".to_owned(), (first == seeded).to_string());
    let settings = "SELECT concat_ws(E'\\t', name, setting, source, reset_val, pending_restart) FROM pg_settings";
    for line in ask(connection, settings).await.lines() {
        if let Some((name, value)) = line.split_once('\t') {
            seen.insert(format!("setting {name}"), value.to_owned());
        }
    }
    for (key, sql) in QUESTIONS {
        let answer = ask(connection, sql).await;
        seen.insert(key.to_owned(), answer);
    }
    let tables = ask(connection, CATALOG).await;
    let rows: Vec<_> = tables
        .lines()
        .map(|table| {
            // What `ANALYZE`, `VACUUM` and `CREATE INDEX` estimate.
            let row = match table {
                "pg_class" => {
                    "to_jsonb(t) - '{relpages, reltuples, relallvisible, relallfrozen, relhasindex, relfrozenxid, relminmxid}'::text[]"
                }
                _ => "to_jsonb(t)",
            };
            format!(
                "SELECT '{table}' || E'\\t' || count(*) || ' ' || coalesce(sum(hashtextextended(({row})::text, 0)), 0) \
                 FROM pg_catalog.{table} t"
            )
        })
        .collect();
    for line in ask(connection, &rows.join(" UNION ALL ")).await.lines() {
        let (table, value) = line.split_once('\t').unwrap_or((line, ""));
        seen.insert(format!("rows of {table}"), value.to_owned());
    }
    let estimates =
        "SELECT concat_ws(E'\\t', oid::regclass, concat_ws(' ', relpages, reltuples, relhasindex))
        FROM pg_class WHERE relkind IN ('r', 'i', 'm') AND oid >= 16384";
    for line in ask(connection, estimates).await.lines() {
        let (table, value) = line.split_once('\t').unwrap_or((line, ""));
        seen.insert(format!("planner of {table}"), value.to_owned());
    }
    let tables = "SELECT oid::regclass::text FROM pg_class WHERE relkind IN ('r', 'p', 'm') AND oid >= 16384
        AND relnamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname IN ('green_light', 'pg_toast'))";
    for table in ask(connection, tables).await.lines() {
        let rows = format!("SELECT t::text FROM {table} t ORDER BY 1");
        let rows = ask(connection, &rows).await;
        seen.insert(format!("rows of {table}"), rows);
    }
    let sequences = "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'S'";
    for sequence in ask(connection, sequences).await.lines() {
        let position = format!("SELECT last_value || ' ' || is_called FROM {sequence}");
        let position = ask(connection, &position).await;
        seen.insert(format!("position of {sequence}"), position);
    }
}

observer_tests!(Postgres);

/// Texts of which nothing can be seen would prove nothing.
#[test]
fn much_of_the_corpus_can_be_seen() {
    run(async {
        let texts = TEXTS.iter().step_by(9);
        let sent = texts.len();
        let seen = frame::visible::<Postgres>(texts).await;
        assert!(seen * 3 > sent, "{seen} of {sent}");
    });
}

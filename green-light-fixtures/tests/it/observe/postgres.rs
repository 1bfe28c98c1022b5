//! All that a session of PostgreSQL can observe.

use green_light_fixtures::{Backend, Isolation, Session};
use sqlx::{AssertSqlSafe, Executor as _, PgConnection, Row as _, postgres::PgRow};

use crate::observe::frame::{self, Observation, Observer, Way, observer_tests, send};
use crate::observe::texts::postgres::TEXTS;
use crate::support::run;

/// What belongs to the server and not to a database. Where a test commits, it is there for all until that test has
/// ended, and those that ran beside it. So it is sent only where a rollback follows, unless this test runs alone.
const SERVER_WIDE: [&str; 22] = [
    "CREATE ROLE",
    "CREATE USER",
    "CREATE GROUP",
    "ALTER ROLE",
    "DROP ROLE",
    "COMMENT ON ROLE",
    "pg_monitor",
    "CREATE DATABASE",
    "ALTER DATABASE postgres",
    "ALTER DATABASE template1",
    "DATABASE postgres",
    "TABLESPACE",
    "ON PARAMETER",
    "CREATE SUBSCRIPTION",
    "ALTER SYSTEM",
    "pg_reload_conf",
    "pg_shdescription",
    "pg_auth_members",
    "pg_authid",
    "pg_replication_origin",
    "replication_slot",
    "GRANT pg_",
];

/// What is asked of the session, one value each.
const QUESTIONS: [(&str, &str); 26] = [
    (
        "settings of an application",
        "SELECT string_agg(name || coalesce('<' || current_setting(name, true) || '>', ' none'), ' ')
         FROM unnest('{app.a, app.A, app.b.c, app.observed, green_light.ending, green_light.temporary, green_light.x}'::text[]) name",
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
        "SELECT string_agg(r::text, ';' ORDER BY rolname) FROM pg_authid r
         WHERE rolname !~ '^(gl_test|green_light_it)'",
    ),
    (
        "members",
        "SELECT string_agg(m::text, ';' ORDER BY m::text) FROM pg_auth_members m
         WHERE roleid < 16384 AND member < 16384",
    ),
    (
        "settings of roles",
        "SELECT string_agg(concat_ws(' ', setdatabase, setrole, setconfig), ';' ORDER BY setdatabase, setrole)
         FROM pg_db_role_setting WHERE setdatabase NOT IN (SELECT oid FROM pg_database WHERE datname ~ '^(gl|green_light)_')",
    ),
    (
        "settings of the server",
        "SELECT string_agg(name || setting, ';' ORDER BY name) FROM pg_file_settings
         WHERE sourcefile LIKE '%postgresql.auto.conf'",
    ),
    (
        "subscriptions",
        "SELECT string_agg(subname, ' ') FROM pg_subscription
         WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())",
    ),
    (
        "databases",
        "SELECT string_agg(concat_ws(' ', datname, datdba, datallowconn, datconnlimit, datistemplate, datacl), ';' ORDER BY oid)
         FROM pg_database WHERE datname !~ '^(gl|green_light)_'",
    ),
    (
        "the database",
        "SELECT concat_ws(' ', pg_get_userbyid(datdba), encoding, datcollate, datctype, datallowconn, datconnlimit,
           datacl, shobj_description(oid, 'pg_database')) FROM pg_database WHERE datname = current_database()",
    ),
    (
        "tablespaces",
        "SELECT string_agg(t::text, ';' ORDER BY oid) FROM pg_tablespace t",
    ),
    (
        "slots",
        "SELECT string_agg(slot_name, ' ') FROM pg_replication_slots WHERE NOT temporary",
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
         WHERE classoid <> 'pg_database'::regclass
           OR objoid NOT IN (SELECT oid FROM pg_database WHERE datname ~ '^(gl|green_light)_')",
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

/// What is asked besides, each with the key and the value of each row of its answer.
///
/// A row of the catalog that has changed has another `xmin`, so what is in it need not be read. What the planner alone
/// makes use of is written in place: [`PLANNER`] is that. `query_to_xml` runs a text for each table.
const OTHERS: [&str; 6] = [
    "SELECT 'setting ' || name, concat_ws(E'\t', setting, source, reset_val, pending_restart) FROM pg_settings",
    "SELECT 'rows of ' || relname, query_to_xml(format(
       'SELECT count(*) || '' '' || coalesce(sum(xmin::text::bigint), 0) AS n FROM pg_catalog.%I', relname),
       true, true, '')::text
     FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind = 'r' AND NOT relisshared
       AND relname NOT IN ('pg_statistic', 'pg_largeobject', 'pg_statistic_ext_data')",
    PLANNER,
    "SELECT 'rows of ' || oid::regclass,
       query_to_xml(format('SELECT t::text AS t FROM %s t ORDER BY 1', oid::regclass), true, true, '')::text
     FROM pg_class WHERE relkind IN ('r', 'p', 'm') AND oid >= 16384
       AND relnamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname IN ('green_light', 'pg_toast'))",
    "SELECT 'position of ' || oid::regclass,
       query_to_xml(format('SELECT last_value, is_called FROM %s', oid::regclass), true, true, '')::text
     FROM pg_class WHERE relkind = 'S'",
    "SELECT 'seed', random()::text; SELECT setseed(0.5); SELECT 'seed, set', random()::text",
];

const PLANNER: &str =
    "SELECT 'planner of ' || oid::regclass, concat_ws(' ', relpages, reltuples, relhasindex)
     FROM pg_class WHERE relkind IN ('r', 'i', 'm') AND oid >= 16384";

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
        let is_alone = std::env::var_os("GREEN_LIGHT_OBSERVE").is_some();
        let commits = session.isolation() != Isolation::Transaction || way == Way::Url;
        if is_server_wide && commits && !is_alone {
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
        // Each is refused when all is well, which ends a transaction.
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
        let seed = seen.remove("seed") == seen.remove("seed, set");
        seen.insert("seed".to_owned(), seed.to_string());
        seen
    }
}

/// Asks everything in one message. If something in it is refused, asks one thing after the other.
async fn look(seen: &mut Observation, connection: &mut PgConnection) {
    let questions = QUESTIONS
        .iter()
        .map(|(key, sql)| format!("SELECT '{key}', ({sql})"));
    let others = OTHERS.iter().copied().map(str::to_owned);
    let all: Vec<_> = questions.chain(others).collect();
    // With a text at once, the server describes nothing and knows no statement afterwards.
    if let Ok(rows) = connection.fetch_all(AssertSqlSafe(all.join("; "))).await {
        seen.extend(rows.iter().filter_map(pair));
        return;
    }
    for sql in all {
        match connection.fetch_all(AssertSqlSafe(&*sql)).await {
            Ok(rows) => seen.extend(rows.iter().filter_map(pair)),
            Err(error) => drop(seen.insert(sql, error.to_string())),
        }
    }
}

/// The key and the value that a row has, if it has both.
fn pair(row: &PgRow) -> Option<(String, String)> {
    let cell = |at| row.try_get_unchecked::<Option<String>, _>(at);
    let (key, value) = (cell(0).ok()??, cell(1).ok()?);
    Some((key, value.unwrap_or_else(|| "NULL".to_owned())))
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

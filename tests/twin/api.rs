//! The tests of both crates, letter by letter; `tests/twins.rs` runs them.

use std::io::Write as _;

use green_light::prelude::*;
use sea_orm::{ConnectionTrait, Database, Statement};

#[fixture(overrides = green_light::fixtures::schema, scope = "process")]
fn schema() -> Schema {
    let other = (0..8).map(|n| format!("CREATE TABLE t{n} (x INT); INSERT INTO t{n} VALUES (1);"));
    let users = "CREATE TABLE users (name VARCHAR(20) PRIMARY KEY);".to_owned();
    Schema::sql(other.chain([users]).collect::<String>())
}

/// Tells the test that has started this process what was built in it.
fn tell(engine: &Engine) {
    let Some(path) = std::env::var_os("TWINS_LOG") else {
        return;
    };
    let built = engine.stats().templates_built;
    let line = format!("{} {} {built}\n", std::process::id(), engine.backend());
    let file = std::fs::File::options()
        .create(true)
        .append(true)
        .open(path);
    // One write for a line: others write too.
    file.unwrap().write_all(line.as_bytes()).unwrap();
}

/// What any process has left, but for what this one has: run when all have ended.
#[green_light::test(backends(postgres, mysql), isolation = database)]
#[ignore = "run alone, at the end"]
async fn nothing_is_left(session: Session) {
    let (sql, registry) = match session.backend() {
        Backend::Postgres => {
            let url = session.url().expose();
            let name = url.split('?').next().unwrap().rsplit('/').next().unwrap();
            let registry = url.replace(name, "green_light_postgres");
            let sql = "SELECT concat_ws(' ', name, state, test) FROM green_light.database \
                 WHERE state <> 'free' AND owner IS DISTINCT FROM \
                 (SELECT owner FROM green_light.database \
                 WHERE state = 'taken' AND test LIKE '%nothing_is_left%') \
               UNION ALL SELECT datname::text FROM pg_database WHERE datname ~ '^gl_[bd]_' \
                 AND datname NOT IN (SELECT name FROM green_light.database)";
            (sql, Database::connect(registry).await.unwrap())
        }
        _ => {
            let sql = "SELECT concat_ws(' ', name, state) FROM green_light.test_databases \
                 WHERE state <> 'free' AND NOT run <=> \
                 (SELECT run FROM green_light.test_databases WHERE name = database()) \
               UNION ALL SELECT CONVERT(schema_name USING utf8mb4) FROM information_schema.schemata \
                 WHERE schema_name LIKE 'gl\\_%' \
                 AND schema_name NOT IN (SELECT name FROM green_light.test_databases) \
                 AND schema_name NOT IN (SELECT name FROM green_light.templates)";
            // Which a test may not read.
            let url = session.url().expose().replacen("//green_light@", "//root@", 1);
            (sql, Database::connect(url).await.unwrap())
        }
    };
    let left = Statement::from_string(session.get_database_backend(), sql);
    let rows = registry.query_all_raw(left).await.unwrap().into_iter();
    let left: Vec<String> = rows.map(|row| row.try_get_by_index(0).unwrap()).collect();
    assert_eq!(left, Vec::<String>::new());
}

macro_rules! tests {
    ($($name:ident)+) => {$(
        #[green_light::test(backends(sqlite, postgres, mysql), isolation = database)]
        async fn $name(session: Session, engine: &Engine) {
            tell(engine);
            let user = "INSERT INTO users VALUES ('ann')";
            session.execute_unprepared(user).await.unwrap();
            let count = "SELECT count(*) FROM users";
            let count = Statement::from_string(session.get_database_backend(), count);
            let row = session.query_one_raw(count).await.unwrap().unwrap();
            assert_eq!(row.try_get_by_index::<i64>(0).unwrap(), 1);
        }
    )+};
}

tests! {
    creates_user a b c d e f g h i j k l m n o p
}

//! One runtime for all tests, as in green-light itself: pools outlive a test. And a small schema.

use std::{future::Future, sync::LazyLock, time::Duration};

use green_light_fixtures::{Backend, Engine, Error, Schema, Transaction};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement,
    TransactionTrait, TryGetable,
};
use tokio::runtime::{Builder, Runtime};

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
});

pub(crate) fn run<F: Future>(test: F) -> F::Output {
    RUNTIME.block_on(test)
}

/// Makes each of the given functions a test on every backend.
macro_rules! on_each_backend {
    ($($name:ident),+ $(,)?) => {
        on_backend!(sqlite, Sqlite, $($name),+);
        on_backend!(postgres, Postgres, $($name),+);
        on_backend!(mysql, MySql, $($name),+);
    };
}

/// Makes each of the given functions a test on one backend.
macro_rules! on_backend {
    ($module:ident, $backend:ident, $($name:ident),+ $(,)?) => {
        mod $module {
            $(
                #[test]
                fn $name() {
                    crate::support::run(super::$name(green_light_fixtures::Backend::$backend));
                }
            )+
        }
    };
}

/// Which test runs, and on which server.
#[derive(Clone, Copy)]
pub(crate) struct On {
    pub(crate) backend: Backend,
    /// The name of the test, for processes that play a part in it.
    pub(crate) test: &'static str,
}

/// Makes two tests of each of the given functions, `postgres` and `mysql`, in a module of its name. The
/// functions take an [`On`].
macro_rules! on_each_server {
    ($($name:ident),+ $(,)?) => {
        $(
            mod $name {
                on_server!($name, postgres, Postgres);
                on_server!($name, mysql, MySql);
            }
        )+
    };
}

macro_rules! on_server {
    ($name:ident, $server:ident, $backend:ident) => {
        #[test]
        fn $server() {
            let test = concat!(module_path!(), "::", stringify!($server));
            super::$name(crate::support::On {
                backend: green_light_fixtures::Backend::$backend,
                // Without the name of the crate.
                test: test.split_once("::").unwrap().1,
            });
        }
    };
}

pub(crate) fn schema() -> Schema {
    schema_on(Backend::Sqlite)
}

/// A table with a unique column and a row, `seed`.
pub(crate) fn schema_on(backend: Backend) -> Schema {
    let (id, text) = match backend {
        Backend::Postgres => ("BIGSERIAL PRIMARY KEY", "TEXT"),
        Backend::MySql => ("BIGINT AUTO_INCREMENT PRIMARY KEY", "VARCHAR(190)"),
        _ => ("INTEGER PRIMARY KEY", "TEXT"),
    };
    Schema::sql(format!(
        "CREATE TABLE u (id {id}, email {text} NOT NULL UNIQUE);
         INSERT INTO u (email) VALUES ('seed');"
    ))
}

pub(crate) async fn engine() -> Engine {
    engine_on(Backend::Sqlite).await
}

/// How long the engines of tests wait for what a test left. A busy machine must close connections within it.
pub(crate) const TEARDOWN_TIMEOUT: Duration = Duration::from_secs(3);

/// An engine that does not wait long for a connection.
pub(crate) async fn engine_on(backend: Backend) -> Engine {
    engine_of(backend, schema_on(backend)).await
}

pub(crate) async fn engine_of(backend: Backend, schema: Schema) -> Engine {
    // A server answers over a socket and shares the machine with other tests.
    let wait = match backend {
        Backend::Sqlite => 300,
        _ => 1_000,
    };
    Engine::builder()
        .backend(backend)
        .schema(schema)
        .connection_timeout(Duration::from_millis(wait))
        .teardown_timeout(TEARDOWN_TIMEOUT)
        .build()
        .await
        .unwrap()
}

/// An engine on PostgreSQL whose tests have databases, and which waits as long as those of users.
pub(crate) async fn postgres_of(sql: &str) -> Engine {
    Engine::builder()
        .backend(Backend::Postgres)
        .schema(Schema::sql(sql))
        .teardown_timeout(TEARDOWN_TIMEOUT)
        .build()
        .await
        .unwrap()
}

pub(crate) async fn insert(db: &impl ConnectionTrait, email: &str) -> Result<(), sea_orm::DbErr> {
    let backend = db.get_database_backend();
    let place = match backend {
        DbBackend::Postgres => "$1",
        _ => "?",
    };
    let sql = format!("INSERT INTO u (email) VALUES ({place})");
    let values = [email.into()];
    db.execute_raw(Statement::from_sql_and_values(backend, sql, values))
        .await
        .map(drop)
}

pub(crate) async fn number(db: &impl ConnectionTrait, sql: &str) -> i64 {
    one(db, sql).await
}

pub(crate) async fn text(db: &impl ConnectionTrait, sql: &str) -> String {
    one(db, sql).await
}

/// Sends a text in one of three ways: on the connection, by the pool of sqlx, or in a transaction.
pub(crate) async fn send_text(db: &DatabaseConnection, way: usize, sql: &'static str) {
    match (way, db.get_database_backend()) {
        (0, _) => drop(db.execute_unprepared(sql).await),
        (1, DbBackend::Postgres) => {
            let pool = db.get_postgres_connection_pool();
            drop(sqlx::raw_sql(sql).execute(pool).await);
        }
        (1, _) => {
            let pool = db.get_mysql_connection_pool();
            drop(sqlx::raw_sql(sql).execute(pool).await);
        }
        _ => {
            let tx = db.begin().await.unwrap();
            drop(tx.execute_unprepared(sql).await);
            let _ = tx.execute_unprepared("SELECT count(*) FROM u").await;
        }
    }
}

/// A connection of somebody else to the database of a test.
pub(crate) async fn outside(url: &str) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url.to_owned());
    options.max_connections(1).sqlx_logging(false);
    Database::connect(options).await.unwrap()
}

/// The URL of the server of a test, for the same administrator: the database of the test may be gone.
pub(crate) fn server_of(url: &str) -> String {
    let url = administrator(url);
    let (address, query) = url.split_once('?').unwrap();
    format!("{}?{query}", address.rsplit_once('/').unwrap().0)
}

/// The URL of a test for the administrator of a MySQL that green-light has started.
pub(crate) fn administrator(url: &str) -> String {
    url.replacen("//green_light@", "//root@", 1)
}

/// The first value of the row that `sql` finds.
async fn one<T: TryGetable>(db: &impl ConnectionTrait, sql: &str) -> T {
    let sql = Statement::from_string(db.get_database_backend(), sql);
    let row = db.query_one_raw(sql).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

/// How many rows `u` holds; the seed is one of them.
pub(crate) async fn count(db: &impl ConnectionTrait) -> i64 {
    number(db, "SELECT count(*) FROM u").await
}

/// Checks that the next transaction finds the template and nothing else, and that it works.
pub(crate) async fn expect_clean(engine: &Engine) {
    let next = engine.transaction_for("next").await.unwrap();
    assert_eq!(count(&next.connection()).await, 1);
    assert_eq!(
        number(
            &next.connection(),
            "SELECT count(*) FROM u WHERE email = 'seed'"
        )
        .await,
        1
    );
    insert(&next.connection(), "next").await.unwrap();
    assert_eq!(count(&next.connection()).await, 2);
    finish(next).await;
}

/// A test that has written a row.
pub(crate) async fn begin(engine: &Engine) -> Transaction {
    let test = engine.transaction_for("shop::guilty").await.unwrap();
    insert(&test.connection(), "before").await.unwrap();
    test
}

/// Ends a test that must be reported, checks that the next one is clean, and returns the report.
pub(crate) async fn caught(engine: &Engine, test: Transaction) -> String {
    let error: Error = test.finish().await.unwrap_err();
    assert!(error.is_breach(), "{error}");
    let text = error.to_string();
    assert!(
        text.contains("test `shop::guilty`") && text.contains("\n  help: "),
        "{text}"
    );
    expect_clean(engine).await;
    text
}

/// Ends a transaction that did nothing wrong.
pub(crate) async fn finish(transaction: Transaction) {
    transaction.finish().await.unwrap();
}

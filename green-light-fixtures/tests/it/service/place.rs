//! Where a body of the suite runs, and who looks on.

use std::{path::Path, time::Duration};

use green_light_fixtures::{Backend, Engine, Isolation, Schema, Session};
use sea_orm::{ConnectOptions, Database, DatabaseConnection};

use super::bank::{accounts, entries};
use crate::support::TEARDOWN_TIMEOUT;

/// Makes a test of each body in each of the six places.
macro_rules! in_every_place {
    ($($name:ident),+ $(,)?) => {
        in_every_place!(Clean: $($name),+);
    };
    (sqlite, postgres: $($name:ident),+ $(,)?) => {
        in_every_place!(@on sqlite, Sqlite, Clean, $($name),+);
        in_every_place!(@on postgres, Postgres, Clean, $($name),+);
    };
    (sandbox on $module:ident $backend:ident: $($name:ident),+ $(,)?) => {
        mod $module {
            $(
                #[test]
                fn $name() {
                    let backend = green_light_fixtures::Backend::$backend;
                    let end = crate::service::place::End::Clean;
                    let test = crate::service::place::sandbox(backend, end, super::$name);
                    crate::support::run(test);
                }
            )+
        }
    };
    ($end:ident: $($name:ident),+ $(,)?) => {
        in_every_place!(@on sqlite, Sqlite, $end, $($name),+);
        in_every_place!(@on postgres, Postgres, $end, $($name),+);
        in_every_place!(@on mysql, MySql, $end, $($name),+);
    };
    (@on $module:ident, $backend:ident, $end:ident, $($name:ident),+) => {
        mod $module {
            use green_light_fixtures::Backend::$backend as BACKEND;

            use crate::{service::place::{self, End::$end as END}, support::run};

            mod real {
                $(
                    #[test]
                    fn $name() {
                        super::run(super::place::real(super::BACKEND, super::END, super::super::$name));
                    }
                )+
            }

            mod sandbox {
                $(
                    #[test]
                    fn $name() {
                        super::run(super::place::sandbox(super::BACKEND, super::END, super::super::$name));
                    }
                )+
            }
        }
    };
}

/// How a test ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Nothing is open any more.
    Clean,
    /// It leaves something open that holds a connection.
    Held,
}

/// What a connection sees: accounts with their balances, and the number of entries.
pub(super) type State = (Vec<(String, i64)>, usize);

/// What every test begins with.
pub(super) fn template() -> State {
    (vec![("house".to_owned(), 1000)], 0)
}

pub(super) async fn state(db: &DatabaseConnection) -> State {
    (accounts(db).await.unwrap(), entries(db).await.unwrap())
}

pub(super) fn schema(backend: Backend) -> Schema {
    let (id, text) = match backend {
        Backend::Postgres => ("BIGSERIAL PRIMARY KEY", "TEXT"),
        Backend::MySql => ("BIGINT AUTO_INCREMENT PRIMARY KEY", "VARCHAR(190)"),
        _ => ("INTEGER PRIMARY KEY", "TEXT"),
    };
    Schema::sql(format!(
        "CREATE TABLE account (id {id}, name {text} NOT NULL UNIQUE,
             balance BIGINT NOT NULL, CHECK (balance >= 0));
         CREATE TABLE entry (id {id}, account BIGINT NOT NULL, amount BIGINT NOT NULL,
             FOREIGN KEY (account) REFERENCES account (id));
         INSERT INTO account (name, balance) VALUES ('house', 1000);"
    ))
}

/// An engine whose databases a second connection can look into: on SQLite, files in `directory`.
pub(super) async fn engine(backend: Backend, directory: &Path) -> Engine {
    engine_of(backend, schema(backend), directory).await
}

pub(super) async fn engine_of(backend: Backend, schema: Schema, directory: &Path) -> Engine {
    Engine::builder()
        .backend(backend)
        .schema(schema)
        .directory(directory)
        .connection_timeout(Duration::from_secs(1))
        .teardown_timeout(TEARDOWN_TIMEOUT)
        .build()
        .await
        .unwrap()
}

/// A pool as applications open it in production.
pub(super) async fn pool(session: &Session) -> DatabaseConnection {
    pool_of(session, 5).await
}

pub(super) async fn pool_of(session: &Session, connections: u32) -> DatabaseConnection {
    let mut options = ConnectOptions::new(session.url().expose().to_owned());
    options.max_connections(connections).sqlx_logging(false);
    Database::connect(options).await.unwrap()
}

/// What somebody else sees who connects to the database of `session`.
pub(super) async fn outside(session: &Session) -> State {
    let other = pool_of(session, 1).await;
    let seen = state(&other).await;
    other.close().await.unwrap();
    seen
}

/// A database of its own, as production has one.
pub(super) async fn own(engine: &Engine) -> Session {
    engine.session(Isolation::Database).await.unwrap()
}

/// On an ordinary connection to a database of its own: what the body commits, others see.
pub(crate) async fn real(backend: Backend, end: End, body: impl AsyncFnOnce(&DatabaseConnection)) {
    let directory = tempfile::tempdir().unwrap();
    let engine = engine(backend, directory.path()).await;
    let session = own(&engine).await;
    assert_eq!(outside(&session).await, template());
    let db = pool(&session).await;
    body(&db).await;
    assert_eq!(outside(&session).await, state(&db).await);
    if end == End::Clean {
        let closed = tokio::time::timeout(Duration::from_secs(20), db.close()).await;
        closed.expect("nothing holds a connection").unwrap();
    }
    session.finish().await.unwrap();
}

/// In the sandbox: others see nothing, neither while the body runs nor after it. Twice, so that the
/// second run may get the database of the first.
pub(crate) async fn sandbox(backend: Backend, end: End, body: impl AsyncFn(&DatabaseConnection)) {
    let directory = tempfile::tempdir().unwrap();
    let engine = engine(backend, directory.path()).await;
    for _ in 0..2 {
        let test = engine.transaction_for("bank::suite").await.unwrap();
        let (session, db) = (test.session(), test.connection());
        assert_eq!(state(&db).await, template());
        body(&db).await;
        assert_eq!(outside(&session).await, template());
        drop((session, db));
        match (end, test.finish().await) {
            (End::Clean, ended) => ended.unwrap(),
            (End::Held, ended) => {
                let error = ended.unwrap_err();
                assert!(
                    error.is_held() && error.to_string().contains("bank::suite"),
                    "{error}"
                );
            }
        }
        let next = engine.transaction_for("next").await.unwrap();
        assert_eq!(outside(&next.session()).await, template());
        assert_eq!(state(&next.connection()).await, template());
        next.finish().await.unwrap();
    }
    // Who was given the URL may still commit to the database, which is thrown away then.
    assert_eq!(engine.stats().transactions_open, 0);
}

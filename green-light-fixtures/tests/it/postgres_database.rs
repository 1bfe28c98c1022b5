//! Database isolation on PostgreSQL: what needs real commits and several connections, and the
//! likeness of a database to its template.

use std::time::Duration;

use green_light_fixtures::{Backend, Engine, Isolation, Schema, Session};
use sea_orm::{ConnectionTrait, DatabaseConnection, IsolationLevel, TransactionTrait};
use sqlx::{Connection, PgConnection, PgPool, postgres::PgListener};

use crate::support::{postgres_of, run};

const TABLES: &str = "CREATE TABLE u (id serial PRIMARY KEY, email text NOT NULL UNIQUE);
    INSERT INTO u (email) VALUES ('seed')";

async fn session_of(engine: &Engine) -> Session {
    engine.session(Isolation::Database).await.unwrap()
}

async fn pool(session: &Session) -> PgPool {
    PgPool::connect(session.url().expose()).await.unwrap()
}

async fn one<T>(pool: &PgPool, sql: &'static str) -> T
where
    T: for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres> + Send + Unpin,
{
    sqlx::query_scalar(sql).fetch_one(pool).await.unwrap()
}

#[test]
fn a_notification_reaches_a_listener_once_it_is_committed() {
    run(async {
        let engine = postgres_of(TABLES).await;
        let session = session_of(&engine).await;
        let mut listener = PgListener::connect(session.url().expose()).await.unwrap();
        listener.listen("news").await.unwrap();
        let tx = session.begin().await.unwrap();
        tx.execute_unprepared("NOTIFY news, 'hello'").await.unwrap();
        tx.commit().await.unwrap();
        let heard = tokio::time::timeout(Duration::from_secs(10), listener.recv()).await;
        assert_eq!(heard.unwrap().unwrap().payload(), "hello");
        drop(listener);
        session.finish().await.unwrap();
    });
}

#[test]
fn isolation_levels_are_real_and_a_serialization_failure_happens() {
    run(async {
        let engine = postgres_of(TABLES).await;
        let session = session_of(&engine).await;
        let level = Some(IsolationLevel::Serializable);
        let a = session.begin_with_config(level, None).await.unwrap();
        let b = session.begin_with_config(level, None).await.unwrap();
        for tx in [&a, &b] {
            let sql = "INSERT INTO u (email) SELECT gen_random_uuid()::text || count(*) FROM u";
            tx.execute_unprepared(sql).await.unwrap();
        }
        a.commit().await.unwrap();
        let error = b.commit().await.unwrap_err().to_string();
        assert!(error.contains("could not serialize"), "{error}");
        session.finish().await.unwrap();
    });
}

#[test]
fn advisory_locks_are_seen_by_another_connection() {
    run(async {
        let engine = postgres_of(TABLES).await;
        let session = session_of(&engine).await;
        let own = pool(&session).await;
        let mut a = own.acquire().await.unwrap();
        let mut b = own.acquire().await.unwrap();
        let lock = "SELECT pg_try_advisory_lock(7)";
        let first: bool = sqlx::query_scalar(lock).fetch_one(&mut *a).await.unwrap();
        let second: bool = sqlx::query_scalar(lock).fetch_one(&mut *b).await.unwrap();
        assert!(first && !second);
        drop((a, b));
        own.close().await;
        session.finish().await.unwrap();
    });
}

#[test]
fn what_no_transaction_may_do_works() {
    run(async {
        let engine = postgres_of(TABLES).await;
        let session = session_of(&engine).await;
        for sql in [
            "CREATE INDEX CONCURRENTLY by_email ON u (email)",
            "REINDEX TABLE CONCURRENTLY u",
            "VACUUM u",
        ] {
            session.execute_unprepared(sql).await.unwrap();
        }
        session.finish().await.unwrap();
    });
}

#[test]
fn a_row_locked_by_one_connection_is_skipped_by_another() {
    run(async {
        let engine = postgres_of(TABLES).await;
        let session = session_of(&engine).await;
        let (a, b) = (
            session.begin().await.unwrap(),
            session.begin().await.unwrap(),
        );
        let sql = "SELECT id FROM u FOR UPDATE SKIP LOCKED";
        let rows = async |tx: &sea_orm::DatabaseTransaction| {
            let statement = sea_orm::Statement::from_string(sea_orm::DbBackend::Postgres, sql);
            tx.query_all_raw(statement).await.unwrap().len()
        };
        assert_eq!(rows(&a).await, 1);
        assert_eq!(rows(&b).await, 0);
        a.rollback().await.unwrap();
        b.rollback().await.unwrap();
        session.finish().await.unwrap();
    });
}

#[test]
fn a_clone_has_the_settings_privileges_comment_and_owner_of_its_template() {
    run(async {
        let sql = "
            DO $$ BEGIN
              EXECUTE format('ALTER DATABASE %I SET search_path TO app, public', current_database());
              EXECUTE format('ALTER DATABASE %I SET work_mem TO ''7MB''', current_database());
              EXECUTE format('ALTER DATABASE %I SET app.motto TO ''it''''s \\ all, right''', current_database());
              EXECUTE format('ALTER ROLE %I IN DATABASE %I SET statement_timeout TO ''77s''',
                current_user, current_database());
              EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
              EXECUTE format('COMMENT ON DATABASE %I IS ''it''''s the shop''', current_database());
            END $$;
            CREATE SCHEMA app;
            CREATE TABLE app.t (id serial);
            INSERT INTO app.t DEFAULT VALUES";
        let seed = async move |db: &DatabaseConnection| db.execute_unprepared(sql).await.map(drop);
        let engine = Engine::builder()
            .backend(Backend::Postgres)
            .schema(Schema::empty().seed(seed))
            .build()
            .await
            .unwrap();
        let session = session_of(&engine).await;
        let own = pool(&session).await;
        for (sql, expected) in [
            ("SHOW search_path", "app, public"),
            ("SHOW work_mem", "7MB"),
            ("SHOW app.motto", "it's \\ all, right"),
            ("SHOW statement_timeout", "77s"),
        ] {
            assert_eq!(one::<String>(&own, sql).await, expected, "{sql}");
        }
        let sql = "SELECT has_database_privilege('public', current_database(), 'TEMPORARY') \
                   OR NOT has_database_privilege('public', current_database(), 'CONNECT')";
        assert!(!one::<bool>(&own, sql).await);
        let sql = "SELECT shobj_description(oid, 'pg_database') FROM pg_database \
                   WHERE datname = current_database()";
        let comment: String = one(&own, sql).await;
        assert!(comment.starts_with("it's the shop [made by"), "{comment}");
        let sql = "SELECT pg_get_userbyid(datdba) = current_user FROM pg_database \
                   WHERE datname = current_database()";
        assert!(one::<bool>(&own, sql).await);
        assert_eq!(
            one::<i32>(&own, "INSERT INTO t DEFAULT VALUES RETURNING id").await,
            2,
            "the sequence goes on where the template stopped"
        );
        own.close().await;
        session.finish().await.unwrap();
    });
}

#[test]
fn nobody_can_connect_to_a_template() {
    run(async {
        let engine = postgres_of(TABLES).await;
        let error = PgConnection::connect(engine.url().expose())
            .await
            .unwrap_err();
        assert!(
            error
                .to_string()
                .contains("not currently accepting connections"),
            "{error}"
        );
    });
}

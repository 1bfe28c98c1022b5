//! One test body for every isolation on every backend: chosen for a module by an override, for a test
//! by its attribute or its cases, for a run by a variable.

use std::{env, process::Command};

use green_light::prelude::*;
use sea_orm::{ConnectionTrait, DbErr, TransactionTrait};

use crate::schema::number;

/// What an application does: begin, commit, roll back, nest, fail; and what a test sees of it.
async fn body(session: &Session) -> Result<(), DbErr> {
    assert_eq!(number(session, "SELECT count(*) FROM u").await?, 0);
    let tx = session.begin().await?;
    tx.execute_unprepared("INSERT INTO u VALUES ('ann')")
        .await?;
    let nested = tx.begin().await?;
    nested
        .execute_unprepared("INSERT INTO u VALUES ('bob')")
        .await?;
    nested.rollback().await?;
    tx.commit().await?;
    let undone = session.begin().await?;
    undone.execute_unprepared("DELETE FROM u").await?;
    undone.rollback().await?;
    let again = session
        .execute_unprepared("INSERT INTO u VALUES ('ann')")
        .await;
    assert!(again.is_err());
    assert_eq!(number(session, "SELECT count(*) FROM u").await?, 1);
    Ok(())
}

macro_rules! isolated {
    ($module:ident, $isolation:ident) => {
        mod $module {
            use green_light::{fixture, fixtures::backend, prelude::*};
            use sea_orm::DbErr;

            #[fixture(overrides = green_light::fixtures::schema)]
            fn schema() -> Schema {
                Schema::sql("CREATE TABLE u (email VARCHAR(99) NOT NULL UNIQUE)")
            }

            #[fixture(overrides = green_light::fixtures::isolation)]
            fn isolation() -> Isolation {
                Isolation::$isolation
            }

            #[green_light::test(backends(sqlite, postgres, mysql))]
            async fn the_body_passes(session: &Session, backend: Backend) -> Result<(), DbErr> {
                assert_eq!(session.isolation(), Isolation::$isolation);
                assert_eq!(session.backend(), backend);
                super::body(session).await
            }

            #[green_light::test(backends(sqlite, postgres, mysql))]
            async fn and_passes_again(session: &Session) -> Result<(), DbErr> {
                super::body(session).await
            }

            #[green_light::test(backends(sqlite, postgres, mysql))]
            async fn and_with_the_transaction_beside_it(
                session: Session,
                transaction: &Transaction,
            ) -> Result<(), DbErr> {
                assert_eq!(transaction.isolation(), Isolation::$isolation);
                super::body(&session).await?;
                let again = super::number(&transaction.session(), "SELECT count(*) FROM u").await?;
                assert_eq!(again, 1);
                Ok(())
            }
        }
    };
}

isolated!(by_transaction, Transaction);
isolated!(by_database, Database);
isolated!(by_sharing, Shared);

mod as_the_test_says {
    use green_light::{fixture, fixtures::backend, prelude::*};
    use sea_orm::DbErr;

    #[fixture(overrides = green_light::fixtures::schema)]
    fn schema() -> Schema {
        Schema::sql("CREATE TABLE u (email VARCHAR(99) NOT NULL UNIQUE)")
    }

    macro_rules! by_attribute {
        ($($name:ident, $isolation:ident, $expected:ident;)*) => {$(
            #[green_light::test(isolation = $isolation, backends(sqlite, postgres, mysql))]
            async fn $name(session: &Session, backend: Backend) -> Result<(), DbErr> {
                assert_eq!(session.isolation(), Isolation::$expected);
                assert_eq!(session.backend(), backend);
                super::body(session).await
            }
        )*};
    }

    by_attribute! {
        a_transaction, transaction, Transaction;
        a_database, database, Database;
        a_shared_database, shared, Shared;
    }
}

mod as_the_case_says {
    use green_light::{
        fixture,
        fixtures::{backend, isolation},
        prelude::*,
    };
    use sea_orm::DbErr;

    #[fixture(overrides = green_light::fixtures::schema)]
    fn schema() -> Schema {
        Schema::sql("CREATE TABLE u (email VARCHAR(99) NOT NULL UNIQUE)")
    }

    #[green_light::test]
    async fn the_body_passes(
        #[values(Backend::Sqlite, Backend::Postgres, Backend::MySql)]
        #[from(backend)]
        wanted: Backend,
        #[values(Isolation::Transaction, Isolation::Database, Isolation::Shared)]
        #[from(isolation)]
        kept_apart: Isolation,
        session: &Session,
    ) -> Result<(), DbErr> {
        assert_eq!(session.backend(), wanted);
        assert_eq!(session.isolation(), kept_apart);
        super::body(session).await
    }

    #[green_light::test]
    #[case::transaction(Isolation::Transaction)]
    #[case::database(Isolation::Database)]
    #[case::shared(Isolation::Shared)]
    async fn one_case_each_on_mysql(
        #[case]
        #[from(isolation)]
        kept_apart: Isolation,
        #[values(Backend::MySql)]
        #[from(backend)]
        wanted: Backend,
        session: &Session,
    ) -> Result<(), DbErr> {
        assert_eq!(session.backend(), wanted);
        assert_eq!(session.isolation(), kept_apart);
        super::body(session).await
    }
}

mod as_the_run_says {
    use std::env;

    use green_light::{fixture, prelude::*};
    use sea_orm::DbErr;

    #[fixture(overrides = green_light::fixtures::schema)]
    fn schema() -> Schema {
        Schema::sql("CREATE TABLE u (email VARCHAR(99) NOT NULL UNIQUE)")
    }

    #[green_light::test(backends(sqlite, postgres, mysql))]
    async fn the_body_passes(session: &Session) -> Result<(), DbErr> {
        let wanted = env::var("GREEN_LIGHT_ISOLATION").unwrap_or_default();
        if !wanted.is_empty() {
            assert_eq!(session.isolation().name(), wanted);
        }
        super::body(session).await
    }
}

#[test]
fn a_variable_chooses_the_isolation_of_a_run() {
    for (isolation, passes) in [
        ("transaction", true),
        ("database", true),
        ("shared", true),
        ("trunsaction", false),
    ] {
        let run = Command::new(env::current_exe().unwrap())
            .arg("isolation::as_the_run_says::the_body_passes")
            .env("GREEN_LIGHT_ISOLATION", isolation)
            // It runs several tests, as under cargo.
            .env_remove("NEXTEST")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&run.stdout);
        assert_eq!(run.status.success(), passes, "{isolation}: {said}");
        assert!(said.contains("running 3 tests"), "{said}");
        if !passes {
            assert!(said.contains("unknown isolation `trunsaction`"), "{said}");
            assert!(
                said.contains("`transaction`, `database`, `shared`"),
                "{said}"
            );
        }
    }
}

mod of_code_that_connects_by_itself {
    use green_light::fixtures::isolation;
    use green_light::prelude::*;
    use sea_orm::{ConnectionTrait, Database, DbErr};

    use crate::schema::number;

    #[fixture(overrides = green_light::fixtures::schema)]
    fn schema() -> Schema {
        Schema::sql("CREATE TABLE u (email VARCHAR(99) NOT NULL UNIQUE)")
    }

    /// An application that has its URL from the environment or a file.
    #[fixture]
    async fn app(database_url: String) -> Result<u64, DbErr> {
        let own = Database::connect(database_url).await?;
        let insert = "INSERT INTO u VALUES ('app')";
        let done = own.execute_unprepared(insert).await?;
        own.close().await?;
        Ok(done.rows_affected())
    }

    #[green_light::test(backends(sqlite, postgres, mysql))]
    async fn a_url_connects_and_the_session_sees_what_was_written(
        app: u64,
        session: &Session,
    ) -> Result<(), DbErr> {
        assert_eq!(app, 1);
        assert_eq!(session.isolation(), Isolation::Database);
        assert_eq!(number(session, "SELECT count(*) FROM u").await?, 1);
        Ok(())
    }

    #[green_light::test(backends(sqlite, postgres, mysql), uses(database_url))]
    async fn a_url_that_is_used_is_enough(isolation: &Isolation) {
        assert_eq!(*isolation, Isolation::Database);
    }

    #[green_light::test(backends(sqlite, postgres, mysql))]
    async fn a_test_beside_it_has_a_transaction(isolation: &Isolation) {
        assert_eq!(*isolation, Isolation::Transaction);
    }

    #[green_light::test(backends(sqlite, postgres, mysql), isolation = shared)]
    async fn a_shared_database_has_a_url_too(app: u64, session: &Session) {
        assert_eq!((app, session.isolation()), (1, Isolation::Shared));
    }

    #[green_light::test(backends(sqlite, postgres, mysql), isolation = database)]
    async fn every_form_of_the_url_connects(session: &Session) -> Result<(), DbErr> {
        let url = session.url();
        let text: String = url.into();
        for form in [
            &**url,
            url.as_ref(),
            url.to_string().as_str(),
            &format!("{url}"),
            &text,
        ] {
            Database::connect(form).await?.close().await?;
        }
        Database::connect(url).await?.close().await
    }

    #[green_light::test(isolation = database)]
    async fn a_database_of_sqlite_is_a_file(session: &Session) {
        assert!(session.url().path().is_some_and(|path| path.is_file()));
    }
}

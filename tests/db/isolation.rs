//! One test body for every isolation: chosen for a module by an override, for a run by a variable.

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
            use green_light::{fixture, prelude::*};
            use sea_orm::DbErr;

            #[fixture(overrides = green_light::fixtures::schema, scope = "process")]
            fn schema() -> Schema {
                Schema::sql("CREATE TABLE u (email TEXT NOT NULL UNIQUE)")
            }

            #[fixture(overrides = green_light::fixtures::isolation)]
            fn isolation() -> Isolation {
                Isolation::$isolation
            }

            #[green_light::test]
            async fn the_body_passes(session: &Session) -> Result<(), DbErr> {
                assert_eq!(session.isolation(), Isolation::$isolation);
                super::body(session).await
            }

            #[green_light::test]
            async fn and_passes_again(session: &Session) -> Result<(), DbErr> {
                super::body(session).await
            }

            #[green_light::test]
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

mod as_the_run_says {
    use std::env;

    use green_light::{fixture, prelude::*};
    use sea_orm::DbErr;

    #[fixture(overrides = green_light::fixtures::schema, scope = "process")]
    fn schema() -> Schema {
        Schema::sql("CREATE TABLE u (email TEXT NOT NULL UNIQUE)")
    }

    #[green_light::test]
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
            .args(["--exact", "isolation::as_the_run_says::the_body_passes"])
            .env("GREEN_LIGHT_ISOLATION", isolation)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&run.stdout);
        assert_eq!(run.status.success(), passes, "{isolation}: {said}");
        assert!(said.contains("running 1 test"), "{said}");
        if !passes {
            assert!(said.contains("unknown isolation `trunsaction`"), "{said}");
            assert!(
                said.contains("`transaction`, `database`, `shared`"),
                "{said}"
            );
        }
    }
}

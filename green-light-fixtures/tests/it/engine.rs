//! One template, few slots, no files: also for a thousand tests, and for several runtimes.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use green_light_fixtures::{Backend, Engine, Schema};
use sea_orm::{ConnectionTrait, TransactionTrait};

use crate::support::{count, engine, engine_of, expect_clean, finish, insert, number, run, schema};

#[test]
fn a_thousand_sessions_on_eight_tasks_leave_one_template_and_no_connection() {
    run(async {
        // Nobody has built it before.
        let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos();
        let engine = engine_of(Backend::Sqlite, schema().key(now.to_string())).await;
        let tasks: Vec<_> = (0..8)
            .map(|task| {
                let engine = engine.clone();
                tokio::spawn(async move {
                    for turn in 0..125 {
                        let test = engine.transaction_for("one of many").await.unwrap();
                        let db = test.connection();
                        let tx = db.begin().await.unwrap();
                        insert(&tx, &format!("{task} {turn}")).await.unwrap();
                        tx.commit().await.unwrap();
                        assert_eq!(count(&db).await, 2);
                        drop(db);
                        finish(test).await;
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        expect_clean(&engine).await;
        let stats = engine.stats();
        assert_eq!(stats.templates_built, 1);
        assert_eq!((stats.transactions, stats.transactions_open), (1001, 0));
        assert_eq!(
            stats.slots_discarded, 0,
            "nothing was left behind by any of them"
        );
        assert!(stats.slots_opened <= 8, "{stats:?}");
        assert_eq!(
            stats.slots_idle as u64, stats.slots_opened,
            "every slot has come back"
        );
    });
}

#[test]
fn slots_outlive_the_runtime_that_made_them() {
    let engine = run(engine());
    for _ in 0..4 {
        let own = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        own.block_on(async {
            let test = engine.transaction().await.unwrap();
            insert(&test.connection(), "mine").await.unwrap();
            finish(test).await;
        });
    }
    run(expect_clean(&engine));
    assert_eq!(engine.stats().slots_opened, 1);
}

#[test]
fn a_runtime_that_dies_during_a_test_harms_no_other() {
    let engine = run(engine());
    let own = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    own.block_on(async {
        let test = engine.transaction().await.unwrap();
        insert(&test.connection(), "mine").await.unwrap();
        let tx = test.connection().begin().await.unwrap();
        tokio::spawn(async move {
            insert(&tx, "mine too").await.unwrap();
            std::future::pending::<()>().await;
        });
    });
    own.shutdown_background();
    run(expect_clean(&engine));
}

#[test]
fn two_engines_in_one_test_are_two_databases() {
    run(async {
        let one = engine().await;
        let two = Engine::builder()
            .schema(Schema::sql("CREATE TABLE v (x)"))
            .build()
            .await
            .unwrap();
        let (a, b) = (
            one.transaction().await.unwrap(),
            two.transaction().await.unwrap(),
        );
        insert(&a.connection(), "mine").await.unwrap();
        let tables = "SELECT count(*) FROM sqlite_schema WHERE name = 'u'";
        assert_eq!(number(&b.connection(), tables).await, 0);
        finish(a).await;
        finish(b).await;
    });
}

/// Those of engines, without the lock under which they are made.
fn directories(base: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(base).unwrap().flatten();
    let paths = entries.map(|entry| entry.path());
    paths.filter(|path| path.is_dir()).collect()
}

#[test]
fn databases_in_files_behave_the_same_and_are_removed() {
    run(async {
        let base = tempfile::tempdir().unwrap();
        let files = || directories(base.path()).len();
        let engine = Engine::builder()
            .schema(schema())
            .directory(base.path())
            .build()
            .await
            .unwrap();
        for _ in 0..3 {
            let test = engine.transaction().await.unwrap();
            insert(&test.connection(), "mine").await.unwrap();
            test.connection()
                .execute_unprepared("COMMIT")
                .await
                .unwrap_err();
            assert!(test.finish().await.unwrap_err().is_breach());
            expect_clean(&engine).await;
        }
        assert!(engine.url().expose().starts_with("sqlite://"));
        assert_eq!(files(), 1);
        let own = directories(base.path()).remove(0);
        let databases = fs::read_dir(&own).unwrap().flatten().filter(|entry| {
            entry
                .path()
                .extension()
                .is_some_and(|extension| extension == "sqlite")
        });
        assert_eq!(databases.count(), 1, "one for the slot that waits");
        drop(engine);
        assert_eq!(files(), 0);
    });
}

#[test]
fn the_default_directory_is_below_the_target_directory() {
    run(async {
        let engine = Engine::builder()
            .schema(schema())
            .file()
            .build()
            .await
            .unwrap();
        let path = PathBuf::from(engine.url().expose().strip_prefix("sqlite://").unwrap());
        assert!(path.is_dir());
        let executable = std::env::current_exe().unwrap();
        assert!(
            executable.starts_with(path.parent().unwrap().parent().unwrap()),
            "{path:?}"
        );
        expect_clean(&engine).await;
        drop(engine);
        assert!(!path.exists());
    });
}

#[test]
fn a_directory_that_cannot_be_written_is_named_with_the_cure() {
    run(async {
        let base = tempfile::tempdir().unwrap();
        let occupied = base.path().join("not-a-directory");
        fs::write(&occupied, "a file").unwrap();
        let error = Engine::builder()
            .directory(&occupied)
            .build()
            .await
            .unwrap_err();
        assert!(error.is_directory());
        let text = error.to_string();
        assert!(
            text.contains("not-a-directory") && text.contains("help: make room or give"),
            "{text}"
        );
        assert_eq!(fs::read_to_string(&occupied).unwrap(), "a file");
    });
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_directory_is_named_with_the_cure() {
    run(async {
        let base = tempfile::tempdir().unwrap();
        let engine = Engine::builder()
            .schema(schema())
            .directory(base.path())
            .build()
            .await
            .unwrap();
        // A device that is always full, in the place of the database that would come next.
        let own = directories(base.path()).remove(0);
        let test = engine.transaction().await.unwrap();
        let first = fs::read_dir(&own)
            .unwrap()
            .flatten()
            .map(|entry| entry.path());
        let first = first
            .filter(|path| path.extension().is_some())
            .find(|path| path.ends_with("green-light.lock").eq(&false));
        let next = first
            .unwrap()
            .to_str()
            .unwrap()
            .replace("-1.sqlite", "-2.sqlite");
        std::os::unix::fs::symlink("/dev/full", &next).unwrap();
        let error = engine.transaction().await.unwrap_err();
        assert!(error.is_directory(), "{error:?}");
        let text = error.to_string();
        assert!(
            text.contains("-2.sqlite") && text.contains("No space left"),
            "{text}"
        );
        assert!(text.contains("help: make room"), "{text}");
        finish(test).await;
        expect_clean(&engine).await;
    });
}

#[test]
fn closing_an_engine_leaves_running_tests_alone() {
    run(async {
        let engine = Arc::new(engine().await);
        expect_clean(&engine).await;
        let test = engine.transaction().await.unwrap();
        insert(&test.connection(), "mine").await.unwrap();
        engine.close();
        assert_eq!(count(&test.connection()).await, 2);
        finish(test).await;
        expect_clean(&engine).await;
    });
}

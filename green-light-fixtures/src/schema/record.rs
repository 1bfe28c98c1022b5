//! What migrations do, told from the statements they send: they are compiled code, which cannot be read.
//!
//! Each `up` runs on a connection that writes statements down and executes none. The record counts only
//! if it says everything, so some migrations have none:
//!
//! * one that asks the database anything may do something else when it gets an answer;
//! * one that sends something else the second time (the time of day, a random key) would never be the
//!   same migration again; the second time it is told of other numbers of rows, so one that looks at
//!   them, or at the last key, sends something else as well;
//! * one that goes on after a statement has failed may do so because it expects that.
//!
//! What it takes from elsewhere, such as a variable or a file, is in the statements of this process.

use std::{
    future::{Future as _, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    task::Poll,
};

use green_light_core::quietly;
use sea_orm::{
    DatabaseConnection, DatabaseConnectionType, DbBackend, DbErr, ExecResult, MockDatabase,
    MockDatabaseConnection, MockDatabaseTrait, MockExecResult, QueryResult, Statement, Transaction,
};
use sea_orm_migration::{MigrationTrait, MigratorTrait, SchemaManager};

/// How many rows each statement is said to have changed, and which key it has made.
const ANSWERS: [u64; 3] = [0, 1, 1000];

/// How many statements of one migration are made to fail, each in a run of its own.
const FAILURES: usize = 200;

/// The statements of the migrations of `M`, if they are all that these do.
pub(super) async fn record<M: MigratorTrait>(dialect: DbBackend) -> Option<String> {
    let mut all = String::new();
    for migration in M::migrations() {
        let up = &*migration;
        let first = run(up, dialect, ANSWERS[0], None).await;
        if !first.complete {
            return None;
        }
        for answer in &ANSWERS[1..] {
            let again = run(up, dialect, *answer, None).await;
            if !again.complete || again.text != first.text {
                return None;
            }
        }
        for number in 0..first.statements.min(FAILURES) {
            let failed = run(up, dialect, ANSWERS[0], Some(number)).await;
            if failed.complete || failed.statements > number + 1 {
                return None;
            }
        }
        all += &format!("migration {}\n{}", migration.name(), first.text);
    }
    Some(all)
}

/// Runs one migration. The statement of the number `fails`, if there is one, is answered with an error.
async fn run(
    migration: &dyn MigrationTrait,
    dialect: DbBackend,
    answer: u64,
    fails: Option<usize>,
) -> Record {
    let record = Arc::new(Mutex::new(Record::default()));
    let recorder = MockDatabaseConnection::new(Recorder {
        dialect,
        record: Arc::clone(&record),
        answer,
        fails,
    });
    let recorder = DatabaseConnectionType::MockDatabaseConnection(Arc::new(recorder));
    let db = DatabaseConnection::from(recorder);
    let manager = SchemaManager::new(&db);
    let mut up = pin!(migration.up(&manager));
    let complete = poll_fn(|context| {
        // A migration that cannot do without an answer may panic.
        match quietly(|| catch_unwind(AssertUnwindSafe(|| up.as_mut().poll(context)))) {
            Ok(Poll::Ready(Ok(()))) => Poll::Ready(true),
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(Err(_))) | Err(_) => Poll::Ready(false),
        }
    })
    .await;
    write(&record, |record| Record {
        complete: complete && !record.asked,
        ..std::mem::take(record)
    })
}

#[derive(Debug, Default)]
struct Record {
    text: String,
    statements: usize,
    /// Whether anybody wanted to know something.
    asked: bool,
    /// Whether the migration succeeded without that.
    complete: bool,
}

fn write<T>(record: &Mutex<Record>, change: impl FnOnce(&mut Record) -> T) -> T {
    change(&mut record.lock().unwrap_or_else(PoisonError::into_inner))
}

/// A database that writes down what it is told.
#[derive(Debug)]
struct Recorder {
    dialect: DbBackend,
    record: Arc<Mutex<Record>>,
    answer: u64,
    fails: Option<usize>,
}

impl MockDatabaseTrait for Recorder {
    fn execute(&mut self, _: usize, statement: Statement) -> Result<ExecResult, DbErr> {
        let number = write(&self.record, |record| {
            record.text += &format!("{} {:?}\n", statement.sql, statement.values);
            record.statements += 1;
            record.statements - 1
        });
        if self.fails == Some(number) {
            return Err(DbErr::Custom(
                "every statement is made to fail once".to_owned(),
            ));
        }
        // The only way to make a result.
        MockDatabase::new(self.dialect)
            .append_exec_results([MockExecResult {
                last_insert_id: self.answer,
                rows_affected: self.answer,
            }])
            .execute(0, statement)
    }

    fn query(&mut self, _: usize, _: Statement) -> Result<Vec<QueryResult>, DbErr> {
        write(&self.record, |record| record.asked = true);
        let reason = "this connection writes down what a migration sends and has no answers";
        Err(DbErr::Custom(reason.to_owned()))
    }

    fn begin(&mut self) {
        write(&self.record, |record| record.text += "begin\n");
    }

    fn commit(&mut self) {
        write(&self.record, |record| record.text += "commit\n");
    }

    fn rollback(&mut self) {
        write(&self.record, |record| record.text += "rollback\n");
    }

    fn drain_transaction_log(&mut self) -> Vec<Transaction> {
        Vec::new()
    }

    fn get_database_backend(&self) -> DbBackend {
        self.dialect
    }

    fn ping(&self) -> Result<(), DbErr> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use sea_orm::{ConnectionTrait as _, TransactionTrait as _};
    use sea_orm_migration::prelude::*;

    use super::*;

    macro_rules! migrator {
        ($name:ident, |$db:ident| $body:expr) => {
            struct $name;

            impl MigrationName for $name {
                fn name(&self) -> &str {
                    "m1"
                }
            }

            #[async_trait::async_trait]
            impl MigrationTrait for $name {
                async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
                    let $db = manager.get_connection();
                    $body
                }
            }

            impl MigratorTrait for $name {
                fn migrations() -> Vec<Box<dyn MigrationTrait>> {
                    vec![Box::new($name)]
                }
            }
        };
    }

    migrator!(Plain, |db| db
        .execute_unprepared("CREATE TABLE a (x INT)")
        .await
        .map(drop));
    migrator!(Changed, |db| db
        .execute_unprepared("CREATE TABLE a (y INT)")
        .await
        .map(drop));
    migrator!(Asking, |db| {
        let rows = db.query_all_raw(Statement::from_string(
            db.get_database_backend(),
            "SELECT 1",
        ));
        drop(rows.await);
        Ok(())
    });
    migrator!(Failing, |_db| Err(DbErr::Custom("not today".to_owned())));
    migrator!(Whimsical, |db| {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let sql = format!("INSERT INTO a VALUES ({number})");
        db.execute_unprepared(&sql).await.map(drop)
    });

    migrator!(Demanding, |_db| panic!("nobody has answered"));
    migrator!(Counting, |db| {
        let done = db.execute_unprepared("UPDATE a SET x = 1").await?;
        if done.rows_affected() > 0 {
            db.execute_unprepared("DELETE FROM a").await?;
        }
        Ok(())
    });
    migrator!(Referring, |db| {
        let done = db.execute_unprepared("INSERT INTO a VALUES (1)").await?;
        let sql = format!("INSERT INTO b VALUES ({})", done.last_insert_id());
        db.execute_unprepared(&sql).await.map(drop)
    });
    migrator!(Forgiving, |db| {
        db.execute_unprepared("CREATE TABLE a (x INT)").await?;
        if db.execute_unprepared("CREATE EXTENSION x").await.is_err() {
            db.execute_unprepared("CREATE TABLE instead (x INT)")
                .await?;
        }
        Ok(())
    });
    migrator!(Careless, |db| {
        drop(db.execute_unprepared("DROP TABLE a").await);
        Ok(())
    });
    migrator!(Committing, |db| {
        let tx = db.begin().await?;
        tx.execute_unprepared("INSERT INTO a VALUES (1)").await?;
        tx.commit().await
    });
    migrator!(Dropping, |db| {
        let tx = db.begin().await?;
        tx.execute_unprepared("INSERT INTO a VALUES (1)").await?;
        tx.rollback().await
    });

    #[tokio::test]
    async fn counts_only_if_it_says_everything() {
        let postgres = DbBackend::Postgres;
        let plain = record::<Plain>(postgres).await.unwrap();
        assert!(plain.contains("CREATE TABLE a (x INT)"), "{plain}");
        assert_eq!(record::<Plain>(postgres).await, Some(plain.clone()));
        assert_ne!(record::<Changed>(postgres).await, Some(plain));
        assert_eq!(record::<Asking>(postgres).await, None);
        assert_eq!(record::<Failing>(postgres).await, None);
        assert_eq!(record::<Demanding>(postgres).await, None);
        assert_eq!(record::<Whimsical>(postgres).await, None);
        assert_eq!(record::<Counting>(postgres).await, None);
        assert_eq!(record::<Referring>(postgres).await, None);
        assert_eq!(record::<Forgiving>(postgres).await, None);
        assert_eq!(record::<Careless>(postgres).await, None);
        let committed = record::<Committing>(postgres).await;
        assert!(committed.is_some());
        assert_ne!(record::<Dropping>(postgres).await, committed);
    }
}

//! What migrations do, told from the statements they send: they are compiled code, which cannot be read.
//!
//! Each `up` runs on a connection that writes statements down and executes none. The record counts only
//! if it says everything: a migration that asks the database anything may do something else when it gets
//! an answer, so it does not count; one that sends something else the second time (the time
//! of day, a random key) would never be the same migration again.

use std::{
    future::{Future as _, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    task::Poll,
};

use sea_orm::{
    DatabaseConnection, DatabaseConnectionType, DbBackend, DbErr, ExecResult, MockDatabase,
    MockDatabaseConnection, MockDatabaseTrait, MockExecResult, QueryResult, Statement, Transaction,
};
use sea_orm_migration::{MigratorTrait, SchemaManager};

/// The statements of the migrations of `M`, if they are all that these do.
pub(super) async fn record<M: MigratorTrait>(dialect: DbBackend) -> Option<String> {
    let first = once::<M>(dialect).await?;
    let second = once::<M>(dialect).await?;
    (first == second).then_some(first)
}

async fn once<M: MigratorTrait>(dialect: DbBackend) -> Option<String> {
    let record = Arc::new(Mutex::new(Record::default()));
    let recorder = MockDatabaseConnection::new(Recorder {
        dialect,
        record: Arc::clone(&record),
    });
    let recorder = DatabaseConnectionType::MockDatabaseConnection(Arc::new(recorder));
    let db = DatabaseConnection::from(recorder);
    for migration in M::migrations() {
        write(&record, |record| {
            record.text += &format!("migration {}\n", migration.name());
        });
        let manager = SchemaManager::new(&db);
        let mut up = pin!(migration.up(&manager));
        poll_fn(|context| {
            // A migration that cannot do without an answer may panic.
            match catch_unwind(AssertUnwindSafe(|| up.as_mut().poll(context))) {
                Ok(Poll::Ready(Ok(()))) => Poll::Ready(Some(())),
                Ok(Poll::Pending) => Poll::Pending,
                Ok(Poll::Ready(Err(_))) | Err(_) => Poll::Ready(None),
            }
        })
        .await?;
        if write(&record, |record| record.asked) {
            return None;
        }
    }
    Some(write(&record, |record| std::mem::take(&mut record.text)))
}

#[derive(Debug, Default)]
struct Record {
    text: String,
    /// Whether anybody wanted to know something.
    asked: bool,
}

fn write<T>(record: &Mutex<Record>, change: impl FnOnce(&mut Record) -> T) -> T {
    change(&mut record.lock().unwrap_or_else(PoisonError::into_inner))
}

/// A database that writes down what it is told.
#[derive(Debug)]
struct Recorder {
    dialect: DbBackend,
    record: Arc<Mutex<Record>>,
}

impl MockDatabaseTrait for Recorder {
    fn execute(&mut self, _: usize, statement: Statement) -> Result<ExecResult, DbErr> {
        write(&self.record, |record| {
            record.text += &format!("{} {:?}\n", statement.sql, statement.values);
        });
        // The only way to make a result.
        MockDatabase::new(self.dialect)
            .append_exec_results([MockExecResult::default()])
            .execute(0, statement)
    }

    fn query(&mut self, _: usize, _: Statement) -> Result<Vec<QueryResult>, DbErr> {
        write(&self.record, |record| record.asked = true);
        let reason = "this connection writes down what a migration sends and has no answers";
        Err(DbErr::Custom(reason.to_owned()))
    }

    fn begin(&mut self) {}

    fn commit(&mut self) {}

    fn rollback(&mut self) {}

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

    use sea_orm::ConnectionTrait as _;
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
    }
}

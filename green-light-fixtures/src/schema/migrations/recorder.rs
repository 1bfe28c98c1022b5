//! Finds out what migrations do from the statements that they send: they are compiled code, which cannot be read.
//!
//! Each `up` runs once, on a connection that writes statements down and executes none. The record counts
//! only if the migration would send the same to a database, so recording ends, and there is no record,
//! with the first thing that only a database can decide:
//!
//! * a query;
//! * a statement whose number of changed rows depends on the rows that are there, such as `UPDATE`: a
//!   migration may repeat it until there is nothing left to change;
//! * the use of the key that an `INSERT` has made;
//! * an error or a panic of the migration;
//! * more statements, or more time, than [`Bounds`] allow.
//!
//! A migration may also go on after a statement that fails. Here none fails; where one does on the
//! database, [`recorded`](super::recorded) notes it, and the record is not used.
//!
//! A migration that blocks its thread cannot be ended. When the time is over, the thread is abandoned, and each
//! statement that it sends fails.

use std::{
    fmt::Write as _,
    future::{Future as _, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::pin,
    sync::{Arc, MutexGuard},
    task::Poll,
    thread,
    time::Duration,
};

use green_light_core::{Mutex, quietly};
use sea_orm::{
    DatabaseConnection, DatabaseConnectionType, DbBackend, DbErr, ExecResult, MockDatabase,
    MockDatabaseConnection, MockDatabaseTrait, MockExecResult, QueryResult, Statement, Transaction,
};
use sea_orm_migration::{MigrationTrait, MigratorTrait, SchemaManager};
use sha2::{Digest as _, Sha256};
use tokio::{runtime::Handle, sync::oneshot, time};

use crate::digest::hex;
use crate::schema::migrations::rows_affected::rows_affected;
use crate::sql::dialect::Dialect;

/// The key that every `INSERT` is said to have made. It fits a column of any usual type.
const KEY: u64 = 1_918_273_645;

/// How many statements of a migration get an error, after which it is ended by unwinding it: it sends
/// them again and again.
const LATE: usize = 100;

/// What all migrations of a schema together may take while they are recorded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) time: Duration,
    pub(crate) statements: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            time: Duration::from_secs(2),
            statements: 10_000,
        }
    }
}

/// What recording has come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Recorded {
    /// A digest of all statements.
    Statements(String),
    /// Only a database can tell what the migrations do.
    Undecided,
    /// A bound was reached: which one, and by which migration.
    OutOfBounds(String),
}

/// Records the migrations of `M`.
pub(crate) async fn record<M: MigratorTrait>(
    dialect: &'static dyn Dialect,
    bounds: Bounds,
) -> Recorded {
    let record = Arc::new(Mutex::new(Record::new(bounds)));
    let (sender, receiver) = oneshot::channel();
    let (runtime, shared) = (Handle::current(), Arc::clone(&record));
    let recording = thread::Builder::new()
        .name("green-light-record".to_owned())
        .spawn(move || {
            let all = async || time::timeout(bounds.time, run::<M>(dialect, &shared)).await;
            // A migration that cannot do without an answer may panic.
            let ended = quietly(|| catch_unwind(AssertUnwindSafe(|| runtime.block_on(all()))));
            let mut record = lock(&shared);
            let outcome = match ended {
                Ok(Err(_)) => record.out_of_time(),
                Ok(Ok(())) | Err(_) => Recorded::Undecided,
            };
            record.end(outcome);
            drop(record);
            let _ = sender.send(());
        });
    // The system has no thread left.
    if recording.is_err() {
        return Recorded::Undecided;
    }
    // Longer than the thread gives itself, unless it is blocked.
    let _ = time::timeout(bounds.time + bounds.time / 4, receiver).await;
    let mut record = lock(&record);
    let out_of_time = record.out_of_time();
    record.end(out_of_time);
    record.outcome.clone().unwrap_or(Recorded::Undecided)
}

async fn run<M: MigratorTrait>(dialect: &'static dyn Dialect, record: &Arc<Mutex<Record>>) {
    let recorder = MockDatabaseConnection::new(Recorder {
        dialect,
        record: Arc::clone(record),
    });
    let recorder = DatabaseConnectionType::MockDatabaseConnection(Arc::new(recorder));
    let db = DatabaseConnection::from(recorder);
    for migration in M::migrations() {
        lock(record).begin(migration.name());
        if !is_complete(&*migration, &db, record).await {
            lock(record).end(Recorded::Undecided);
            return;
        }
    }
    let mut record = lock(record);
    let digest = hex(record.hash.clone());
    record.end(Recorded::Statements(digest));
}

/// Runs one migration, as long as nothing has ended the record.
async fn is_complete(
    migration: &dyn MigrationTrait,
    db: &DatabaseConnection,
    record: &Mutex<Record>,
) -> bool {
    let manager = SchemaManager::new(db);
    let mut up = pin!(migration.up(&manager));
    poll_fn(|context| {
        let polled = catch_unwind(AssertUnwindSafe(|| up.as_mut().poll(context)));
        let is_over = lock(record).outcome.is_some();
        match polled {
            Ok(Poll::Pending) if !is_over => Poll::Pending,
            Ok(Poll::Ready(Ok(()))) => Poll::Ready(!is_over),
            _ => Poll::Ready(false),
        }
    })
    .await
}

fn lock(record: &Mutex<Record>) -> MutexGuard<'_, Record> {
    record.lock()
}

#[derive(Debug)]
struct Record {
    hash: Sha256,
    bounds: Bounds,
    /// How many statements have come.
    sent: usize,
    /// How many have come since the record has ended.
    late: usize,
    /// The migration that runs.
    migration: String,
    outcome: Option<Recorded>,
}

impl Record {
    fn new(bounds: Bounds) -> Self {
        Self {
            hash: Sha256::new(),
            bounds,
            sent: 0,
            late: 0,
            migration: "the list of migrations".to_owned(),
            outcome: None,
        }
    }

    fn begin(&mut self, migration: &str) {
        self.write(&format!("migration {migration}"));
        migration.clone_into(&mut self.migration);
    }

    fn write(&mut self, text: &str) {
        self.hash.update(text.len().to_le_bytes());
        self.hash.update(text);
    }

    fn end(&mut self, outcome: Recorded) {
        self.outcome.get_or_insert(outcome);
    }

    fn out_of_time(&self) -> Recorded {
        let (migration, time) = (&self.migration, self.bounds.time);
        Recorded::OutOfBounds(format!("`{migration}` had not ended after {time:?}"))
    }

    /// Writes a statement down. The rows that it is said to have changed.
    fn statement(&mut self, statement: &Statement, dialect: &'static dyn Dialect) -> Option<u64> {
        let mut text = statement.sql.clone();
        if let Some(values) = &statement.values {
            let _ = write!(text, "\n{values:?}");
        }
        self.sent += 1;
        if self.sent > self.bounds.statements {
            let (migration, statements) = (&self.migration, self.bounds.statements);
            let fact = format!("`{migration}` had sent {statements} statements");
            self.end(Recorded::OutOfBounds(fact));
        }
        let rows = rows_affected(&statement.sql, dialect);
        if rows.is_none() || text.contains(&KEY.to_string()) {
            self.end(Recorded::Undecided);
        }
        self.write(&text);
        rows.filter(|_| self.outcome.is_none())
    }
}

/// A database that writes statements down and executes none.
#[derive(Debug)]
struct Recorder {
    dialect: &'static dyn Dialect,
    record: Arc<Mutex<Record>>,
}

impl Recorder {
    fn note(&self, text: &str) {
        lock(&self.record).write(text);
    }

    /// The error of a statement that comes when the record has ended.
    fn no_answer(&self) -> DbErr {
        let mut record = lock(&self.record);
        record.late += 1;
        if record.late > LATE {
            drop(record);
            // Not a panic, which would be printed.
            resume_unwind(Box::new("green-light has ended this migration"));
        }
        let reason = "green-light reads here what a migration sends, and no database answers";
        DbErr::Custom(reason.to_owned())
    }
}

impl MockDatabaseTrait for Recorder {
    fn execute(&mut self, _: usize, statement: Statement) -> Result<ExecResult, DbErr> {
        let rows_affected = lock(&self.record).statement(&statement, self.dialect);
        let rows_affected = rows_affected.ok_or_else(|| self.no_answer())?;
        // The only way to make a result.
        MockDatabase::new(self.dialect.backend().dialect())
            .append_exec_results([MockExecResult {
                last_insert_id: KEY,
                rows_affected,
            }])
            .execute(0, statement)
    }

    fn query(&mut self, _: usize, _: Statement) -> Result<Vec<QueryResult>, DbErr> {
        lock(&self.record).end(Recorded::Undecided);
        Err(self.no_answer())
    }

    fn begin(&mut self) {
        self.note("begin");
    }

    fn commit(&mut self) {
        self.note("commit");
    }

    fn rollback(&mut self) {
        self.note("rollback");
    }

    fn drain_transaction_log(&mut self) -> Vec<Transaction> {
        Vec::new()
    }

    fn get_database_backend(&self) -> DbBackend {
        self.dialect.backend().dialect()
    }

    fn ping(&self) -> Result<(), DbErr> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use sea_orm::{ConnectionTrait as _, TransactionTrait as _};
    use sea_orm_migration::prelude::*;

    use super::*;
    use crate::postgres::dialect::PostgresDialect;

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

    /// Sends one statement.
    macro_rules! sends {
        ($name:ident, $sql:literal) => {
            migrator!($name, |db| db.execute_unprepared($sql).await.map(drop));
        };
    }

    async fn of<M: MigratorTrait>() -> Recorded {
        record::<M>(&PostgresDialect, Bounds::default()).await
    }

    async fn digest<M: MigratorTrait>() -> String {
        match of::<M>().await {
            Recorded::Statements(digest) => digest,
            other => panic!("{other:?}"),
        }
    }

    sends!(Plain, "CREATE TABLE a (x INT)");
    sends!(Changed, "CREATE TABLE a (y INT)");
    migrator!(Rows, |db| {
        let rows = db.execute_unprepared("INSERT INTO a VALUES (1), (2)");
        assert_eq!(rows.await?.rows_affected(), 2);
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
    async fn equal_records_are_those_of_equal_migrations() {
        let plain = digest::<Plain>().await;
        assert_eq!(digest::<Plain>().await, plain);
        assert_ne!(digest::<Changed>().await, plain);
        assert_ne!(digest::<Committing>().await, digest::<Dropping>().await);
        digest::<Rows>().await;
    }

    migrator!(Asking, |db| {
        let sql = Statement::from_string(db.get_database_backend(), "SELECT 1");
        drop(db.query_all_raw(sql).await);
        Ok(())
    });
    migrator!(Failing, |_db| Err(DbErr::Custom("not today".to_owned())));
    migrator!(Demanding, |_db| panic!("no row is there"));
    migrator!(Batched, |db| {
        let sql = "UPDATE a SET x = 1 WHERE id IN (SELECT id FROM a WHERE x IS NULL LIMIT 10)";
        while db.execute_unprepared(sql).await?.rows_affected() > 0 {}
        Ok(())
    });
    migrator!(BatchedAndStubborn, |db| loop {
        let deleted = db.execute_unprepared("DELETE FROM a").await;
        if deleted.is_ok_and(|done| done.rows_affected() == 0) {
            return Ok(());
        }
    });
    migrator!(Referring, |db| {
        let done = db.execute_unprepared("INSERT INTO a VALUES (1)").await?;
        let sql = format!("INSERT INTO b VALUES ({})", done.last_insert_id());
        db.execute_unprepared(&sql).await.map(drop)
    });

    #[tokio::test]
    async fn what_only_a_database_can_decide_has_no_record() {
        assert_eq!(of::<Asking>().await, Recorded::Undecided);
        assert_eq!(of::<Failing>().await, Recorded::Undecided);
        assert_eq!(of::<Demanding>().await, Recorded::Undecided);
        assert_eq!(of::<Batched>().await, Recorded::Undecided);
        assert_eq!(of::<BatchedAndStubborn>().await, Recorded::Undecided);
        assert_eq!(of::<Referring>().await, Recorded::Undecided);
    }

    static RUNS: AtomicUsize = AtomicUsize::new(0);

    migrator!(Counted, |db| {
        RUNS.fetch_add(1, Ordering::Relaxed);
        db.execute_unprepared("CREATE TABLE a (x INT)").await?;
        Ok(())
    });

    #[tokio::test]
    async fn each_up_runs_once() {
        digest::<Counted>().await;
        assert_eq!(RUNS.load(Ordering::Relaxed), 1);
    }

    migrator!(Pausing, |_db| {
        time::sleep(Duration::from_secs(60 * 60)).await;
        Ok(())
    });
    migrator!(Blocking, |_db| {
        thread::sleep(Duration::from_secs(60 * 60));
        Ok(())
    });
    migrator!(Talkative, |db| loop {
        db.execute_unprepared("CREATE TABLE a (x INT)").await?;
    });
    migrator!(TalkativeAndStubborn, |db| loop {
        drop(db.execute_unprepared("CREATE TABLE a (x INT)").await);
    });

    #[tokio::test]
    async fn time_and_statements_are_bounded() {
        let bounds = Bounds {
            time: Duration::from_millis(40),
            statements: 100,
        };
        let time = Recorded::OutOfBounds("`m1` had not ended after 40ms".to_owned());
        assert_eq!(record::<Pausing>(&PostgresDialect, bounds).await, time);
        assert_eq!(record::<Blocking>(&PostgresDialect, bounds).await, time);
        let bounds = Bounds {
            statements: 100,
            ..Bounds::default()
        };
        let many = Recorded::OutOfBounds("`m1` had sent 100 statements".to_owned());
        assert_eq!(record::<Talkative>(&PostgresDialect, bounds).await, many);
        let stubborn = record::<TalkativeAndStubborn>(&PostgresDialect, bounds);
        assert_eq!(stubborn.await, many);
    }
}

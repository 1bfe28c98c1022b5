//! What can be done with a job.

use serde_json::Value;
use sqlx::{FromRow, PgPool};

/// How often a job is tried.
pub const MAX_ATTEMPTS: i32 = 3;

/// A job that a worker has.
#[derive(Clone, Debug, FromRow, PartialEq)]
pub struct Job {
    pub id: i64,
    pub kind: String,
    pub payload: Value,
    /// How often it was tried, with this time.
    pub attempts: i32,
}

/// The jobs of a database.
#[derive(Clone, Debug)]
pub struct Queue {
    db: PgPool,
}

impl Queue {
    #[must_use]
    pub fn new(db: PgPool) -> Self {
        Self { db }
    }

    pub(crate) fn db(&self) -> &PgPool {
        &self.db
    }

    /// Puts a job into the queue. It may run at once.
    ///
    /// # Errors
    ///
    /// If the database cannot be asked.
    pub async fn enqueue(&self, kind: &str, payload: &Value) -> sqlx::Result<i64> {
        let insert = "INSERT INTO job (kind, payload) VALUES ($1, $2) RETURNING id";
        let insert = sqlx::query_scalar(insert).bind(kind).bind(payload);
        insert.fetch_one(&self.db).await
    }

    /// Takes the job that waits longest. No other worker gets it, and none waits for another.
    ///
    /// # Errors
    ///
    /// If the database cannot be asked.
    pub async fn claim(&self) -> sqlx::Result<Option<Job>> {
        let claim = "UPDATE job SET state = 'running', attempts = attempts + 1
            WHERE id = (
                SELECT id FROM job WHERE state = 'waiting' AND run_at <= clock_timestamp()
                ORDER BY run_at, id LIMIT 1
                FOR UPDATE SKIP LOCKED
            )
            RETURNING id, kind, payload, attempts";
        sqlx::query_as(claim).fetch_optional(&self.db).await
    }

    /// The job is done.
    ///
    /// # Errors
    ///
    /// If the database cannot be asked.
    pub async fn complete(&self, job: &Job) -> sqlx::Result<()> {
        let complete = "UPDATE job SET state = 'done', error = NULL WHERE id = $1";
        let complete = sqlx::query(complete).bind(job.id);
        complete.execute(&self.db).await.map(drop)
    }

    /// The job has failed: it waits, each time twice as long, or is given up after [`MAX_ATTEMPTS`].
    ///
    /// # Errors
    ///
    /// If the database cannot be asked.
    pub async fn fail(&self, job: &Job, error: &str) -> sqlx::Result<()> {
        let fail = "UPDATE job SET error = $2,
                state = CASE WHEN attempts < $3 THEN 'waiting' ELSE 'dead' END,
                run_at = clock_timestamp() + make_interval(secs => 2 ^ attempts)
            WHERE id = $1";
        let fail = sqlx::query(fail).bind(job.id).bind(error);
        fail.bind(MAX_ATTEMPTS).execute(&self.db).await.map(drop)
    }

    /// How many jobs are in `state`.
    ///
    /// # Errors
    ///
    /// If the database cannot be asked.
    pub async fn count(&self, state: &str) -> sqlx::Result<i64> {
        let count = "SELECT count(*) FROM job WHERE state = $1";
        sqlx::query_scalar(count)
            .bind(state)
            .fetch_one(&self.db)
            .await
    }
}

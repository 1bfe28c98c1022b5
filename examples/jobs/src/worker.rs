//! What takes jobs from the queue.

use std::{future::Future, time::Duration};

use sqlx::postgres::PgListener;
use tokio::{sync::watch, time::timeout};

use crate::queue::{Job, Queue};

/// How long a worker waits for a notification before it looks: jobs that failed become due without one.
const PATIENCE: Duration = Duration::from_secs(1);

/// What does the jobs of a queue.
pub struct Worker<F> {
    queue: Queue,
    handle: F,
}

impl<F, Done> Worker<F>
where
    F: Fn(Job) -> Done,
    Done: Future<Output = Result<(), String>>,
{
    /// `handle` does one job.
    pub fn new(queue: Queue, handle: F) -> Self {
        Self { queue, handle }
    }

    /// Does one job, if there is one that is due.
    ///
    /// # Errors
    ///
    /// If the database cannot be asked. A job that fails is no error.
    pub async fn step(&self) -> sqlx::Result<bool> {
        let Some(job) = self.queue.claim().await? else {
            return Ok(false);
        };
        match (self.handle)(job.clone()).await {
            Ok(()) => self.queue.complete(&job).await?,
            Err(error) => self.queue.fail(&job, &error).await?,
        }
        Ok(true)
    }

    /// Does jobs as they come, until `stop` is true.
    ///
    /// # Errors
    ///
    /// If the database cannot be asked.
    pub async fn run(&self, mut stop: watch::Receiver<bool>) -> sqlx::Result<()> {
        let mut listener = PgListener::connect_with(self.queue.db()).await?;
        listener.listen("job").await?;
        while !*stop.borrow_and_update() {
            if self.step().await? {
                continue;
            }
            tokio::select! {
                // Either is a reason to look again.
                _ = timeout(PATIENCE, listener.recv()) => {}
                _ = stop.changed() => {}
            }
        }
        Ok(())
    }
}

/// Does jobs on so many workers, until `stop` is true.
///
/// # Errors
///
/// If the database cannot be asked.
pub async fn work<F, Done>(
    queue: &Queue,
    workers: usize,
    handle: F,
    stop: &watch::Receiver<bool>,
) -> sqlx::Result<()>
where
    F: Fn(Job) -> Done + Clone + Send + Sync + 'static,
    Done: Future<Output = Result<(), String>> + Send + 'static,
{
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..workers {
        let worker = Worker::new(queue.clone(), handle.clone());
        let stop = stop.clone();
        running.spawn(async move { worker.run(stop).await });
    }
    while let Some(ended) = running.join_next().await {
        ended.map_err(|error| sqlx::Error::Protocol(error.to_string()))??;
    }
    Ok(())
}

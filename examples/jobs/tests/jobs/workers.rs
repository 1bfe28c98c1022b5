//! Several workers at once, which need real commits and a connection each: a database for each test.

use std::{collections::BTreeMap, sync::Arc};

use green_light::prelude::*;
use jobs::{Job, Queue, work};
use serde_json::json;
use sqlx::{PgPool, postgres::PgListener};
use tokio::sync::{Mutex, mpsc, watch};

use crate::queue;

const WORKERS: usize = 4;

#[green_light::test(isolation = database)]
async fn each_job_is_done_by_one_worker(queue: Queue) -> sqlx::Result<()> {
    const JOBS: usize = 40;
    for number in 0..JOBS {
        queue.enqueue("count", &json!(number)).await?;
    }
    let (stop, stopped) = watch::channel(false);
    let done: Arc<Mutex<BTreeMap<i64, usize>>> = Arc::default();
    let count = Arc::clone(&done);
    let handle = move |job: Job| {
        let (done, stop) = (Arc::clone(&done), stop.clone());
        async move {
            let mut done = done.lock().await;
            *done.entry(job.id).or_default() += 1;
            if done.len() == JOBS {
                stop.send_replace(true);
            }
            Ok(())
        }
    };
    work(&queue, WORKERS, handle, &stopped).await?;
    assert_eq!(queue.count("done").await?, JOBS as i64);
    let count = count.lock().await;
    assert!(count.values().all(|times| *times == 1), "{count:?}");
    Ok(())
}

#[green_light::test(isolation = database)]
async fn a_new_job_wakes_a_worker_that_waits(queue: Queue) -> sqlx::Result<()> {
    let (stop, stopped) = watch::channel(false);
    let (report, mut done) = mpsc::unbounded_channel();
    let handle = move |job: Job| {
        let report = report.clone();
        async move { report.send(job.kind).map_err(|error| error.to_string()) }
    };
    let workers = work(&queue, WORKERS, handle, &stopped);
    let jobs = async {
        for kind in ["mail", "bill"] {
            queue.enqueue(kind, &json!({})).await?;
            assert_eq!(done.recv().await.as_deref(), Some(kind));
        }
        stop.send_replace(true);
        sqlx::Result::Ok(())
    };
    tokio::try_join!(workers, jobs)?;
    Ok(())
}

#[green_light::test(isolation = database)]
async fn a_job_that_was_rolled_back_is_not_announced(
    pg_pool: PgPool,
    queue: Queue,
) -> sqlx::Result<()> {
    let mut listener = PgListener::connect_with(&pg_pool).await?;
    listener.listen("job").await?;
    let mut tx = pg_pool.begin().await?;
    sqlx::query("INSERT INTO job (kind, payload) VALUES ('never', 'null')")
        .execute(&mut *tx)
        .await?;
    tx.rollback().await?;
    queue.enqueue("mail", &json!({})).await?;
    assert_eq!(listener.recv().await?.payload(), "mail");
    Ok(())
}

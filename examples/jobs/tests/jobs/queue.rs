//! One worker at a time, each test in a transaction: nothing is committed, nothing is cleaned up.

use green_light::prelude::*;
use jobs::{Job, MAX_ATTEMPTS, Queue, Worker};
use serde_json::json;
use sqlx::PgPool;

use crate::{mail, queue};

/// Makes jobs due that wait for their next attempt, so that no test has to.
async fn let_time_pass(db: &PgPool) -> sqlx::Result<()> {
    let earlier = "UPDATE job SET run_at = run_at - interval '1 hour'";
    sqlx::query(earlier).execute(db).await.map(drop)
}

#[green_light::test]
async fn a_job_is_claimed_once(queue: Queue, mail: i64) -> sqlx::Result<()> {
    let job = queue.claim().await?.expect("a job");
    let expected = Job {
        id: mail,
        kind: "mail".to_owned(),
        payload: json!({ "to": "ann" }),
        attempts: 1,
    };
    assert_eq!(job, expected);
    assert_eq!(queue.claim().await?, None);
    Ok(())
}

#[green_light::test]
async fn jobs_come_in_the_order_in_which_they_are_due(
    queue: Queue,
    pg_pool: PgPool,
) -> sqlx::Result<()> {
    let (first, late) = (
        queue.enqueue("first", &json!({})).await?,
        queue.enqueue("late", &json!({})).await?,
    );
    let earlier = "UPDATE job SET run_at = run_at - interval '1 minute' WHERE id = $1";
    sqlx::query(earlier).bind(late).execute(&pg_pool).await?;
    let order = [queue.claim().await?, queue.claim().await?];
    let order = order.map(|job| job.map(|job| job.id));
    assert_eq!(order, [Some(late), Some(first)]);
    Ok(())
}

#[green_light::test]
async fn what_fails_waits_and_is_given_up_in_the_end(
    queue: Queue,
    mail: i64,
    pg_pool: PgPool,
) -> sqlx::Result<()> {
    let worker = Worker::new(queue.clone(), async |_| Err("no such address".to_owned()));
    for attempt in 1..=MAX_ATTEMPTS {
        assert!(worker.step().await?, "attempt {attempt}");
        // It is not due before it has waited.
        assert!(!worker.step().await?, "attempt {attempt}");
        let_time_pass(&pg_pool).await?;
    }
    let end = "SELECT state, attempts, error FROM job WHERE id = $1";
    let end: (String, i32, String) = sqlx::query_as(end).bind(mail).fetch_one(&pg_pool).await?;
    assert_eq!(
        end,
        (
            "dead".to_owned(),
            MAX_ATTEMPTS,
            "no such address".to_owned()
        )
    );
    Ok(())
}

#[green_light::test]
#[case::done(Ok(()), "done")]
#[case::failed(Err("full".to_owned()), "waiting")]
async fn a_step_says_what_became_of_the_job(
    #[case] outcome: Result<(), String>,
    #[case] state: &str,
    queue: Queue,
    mail: i64,
) -> sqlx::Result<()> {
    let worker = Worker::new(queue.clone(), async |job: Job| {
        assert_eq!(job.id, mail);
        outcome.clone()
    });
    assert!(worker.step().await?);
    assert_eq!(queue.count(state).await?, 1);
    Ok(())
}

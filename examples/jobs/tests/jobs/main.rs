//! The queue, its workers, and what wakes them.

mod queue;
mod workers;

use green_light::prelude::*;
use jobs::Queue;
use serde_json::json;
use sqlx::PgPool;

#[fixture(overrides = green_light::fixtures::schema)]
fn schema() -> Schema {
    Schema::sqlx(sqlx::migrate!())
}

#[fixture]
fn queue(pg_pool: PgPool) -> Queue {
    Queue::new(pg_pool)
}

/// A queue in which one job waits.
#[fixture]
async fn mail(queue: &Queue) -> sqlx::Result<i64> {
    queue.enqueue("mail", &json!({ "to": "ann" })).await
}

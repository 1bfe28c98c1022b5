//! What users hold can be printed, and says what it is.

use std::fmt::Debug;

use green_light::{context, fixtures, prelude::*};

#[track_caller]
fn says(value: &impl Debug, parts: &[&str]) {
    let text = format!("{value:?}");
    for part in parts {
        assert!(text.contains(part), "`{part}` is not in {text}");
    }
}

#[fixture(around)]
async fn wrapped(next: Next<'_>) -> Outcome {
    says(&next, &["Next"]);
    next.run().await
}

#[fixture]
async fn given(out: Yield<u16>, request: &Request) {
    says(&out, &["Yield", "u16"]);
    says(
        &request,
        &["Request", "given", "Test", "prints_what_it_holds"],
    );
    out.give(7).await;
}

#[green_light::test(uses(wrapped))]
async fn prints_what_it_holds(
    request: &Request,
    crowd: Crowd,
    session: Session,
    transaction: &Transaction,
    #[from(fixtures::schema)] schema: &Schema,
    engine: &Engine,
) {
    let lent = request.get(given).await;
    says(&lent, &["7"]);
    says(&lent.clone(), &["7"]);
    says(&request, &["Request", "prints_what_it_holds", "debug"]);
    says(&crowd, &["Crowd"]);
    crowd.spawn(|member| says(&member, &["Member", "0"]));
    says(&session, &["Session", "sqlite"]);
    says(&transaction, &["Transaction"]);
    says(&schema, &["Schema"]);
    says(
        &engine,
        &["Engine", "Sqlite", "sqlite::memory:", "slots_opened"],
    );
    let mut waiting = Box::pin(context::run_sync(
        || context::wait(tokio::task::yield_now()),
    ));
    says(&waiting, &["RunSync", "new"]);
    waiting.as_mut().await;
    says(&waiting, &["RunSync", "ended"]);
}

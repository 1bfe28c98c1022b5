//! The `crowd` fixture.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use green_light::prelude::*;

const MEMBERS: u32 = 100;

/// How many members have come to their end. All of them, when this fixture ends.
#[fixture]
async fn ended(out: Yield<Arc<AtomicU32>>) {
    let ended = Arc::new(AtomicU32::new(0));
    out.give(Arc::clone(&ended)).await;
    assert_eq!(ended.load(Ordering::Relaxed), MEMBERS);
}

fn send(crowd: &Crowd, ended: &Arc<AtomicU32>) {
    for _ in 0..MEMBERS {
        let ended = Arc::clone(ended);
        crowd.spawn(move |member| {
            member.wait(tokio::time::sleep(Duration::from_millis(1)));
            ended.fetch_add(1, Ordering::Relaxed);
        });
    }
}

#[green_light::test]
fn members_end_before_the_fixtures_that_were_set_up_earlier(ended: Arc<AtomicU32>, crowd: Crowd) {
    send(&crowd, &ended);
}

#[green_light::test]
async fn a_test_may_join_and_look(ended: &Arc<AtomicU32>, crowd: &Crowd) {
    send(crowd, ended);
    crowd.join(Duration::from_secs(60)).await.unwrap();
    assert_eq!(ended.load(Ordering::Relaxed), MEMBERS);
}

#[green_light::test]
async fn dropping_a_clone_leaves_the_members_alone(ended: &Arc<AtomicU32>, crowd: Crowd) {
    send(&crowd.clone(), ended);
    drop(crowd.clone());
}

//! Around fixtures of a user: in which order they stand, and what they are for.

use std::cell::RefCell;

use green_light::prelude::*;

thread_local! {
    /// Each test has a thread of its own.
    static SEEN: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

fn see(what: &'static str) {
    SEEN.with_borrow_mut(|seen| seen.push(what));
}

tokio::task_local! {
    static TENANT: u32;
}

/// What stands around every part of a test is there in every part.
#[fixture(around)]
async fn tenant(next: Next<'_>) -> Outcome {
    TENANT.scope(7, next.run()).await
}

#[fixture]
async fn seen_by_a_fixture(request: &Request, out: Yield<u32>) {
    request.on_teardown(async { assert_eq!(TENANT.get(), 7) });
    out.give(TENANT.get()).await;
    assert_eq!(TENANT.get(), 7);
}

#[green_light::test(uses(tenant))]
async fn a_task_local_reaches_set_up_body_and_teardown(seen_by_a_fixture: u32) {
    assert_eq!((seen_by_a_fixture, TENANT.get()), (7, 7));
}

#[green_light::test(uses(tenant))]
fn a_task_local_reaches_synchronous_code_too(seen_by_a_fixture: u32) {
    assert_eq!((seen_by_a_fixture, TENANT.get()), (7, 7));
}

mod order {
    use super::{SEEN, see};
    use green_light::prelude::*;

    #[fixture(around, autouse)]
    async fn outer(next: Next<'_>) -> Outcome {
        assert!(green_light::context::is_active());
        see("outer");
        next.run().await
    }

    mod below {
        use super::super::{SEEN, see};
        use green_light::prelude::*;

        #[fixture(around)]
        async fn a_requested(next: Next<'_>) -> Outcome {
            see("a_requested");
            next.run().await
        }

        #[fixture(around, autouse)]
        async fn z_autouse(next: Next<'_>) -> Outcome {
            see("z_autouse");
            next.run().await
        }

        #[fixture(around, autouse)]
        async fn b_autouse(next: Next<'_>) -> Outcome {
            see("b_autouse");
            next.run().await
        }

        #[green_light::test(uses(a_requested))]
        fn autouse_ones_stand_outside_by_reach_and_name_then_requested_ones() {
            assert_eq!(
                SEEN.take(),
                ["outer", "b_autouse", "z_autouse", "a_requested"]
            );
        }
    }

    #[green_light::test]
    fn a_sibling_is_not_reached() {
        assert_eq!(SEEN.take(), ["outer"]);
    }
}

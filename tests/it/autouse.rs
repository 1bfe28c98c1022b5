//! Fixtures that nobody asks for.

use std::cell::RefCell;

thread_local! {
    /// Each test has a thread of its own.
    static SEEN: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

fn see(what: &'static str) {
    SEEN.with_borrow_mut(|seen| seen.push(what));
}

fn seen() -> Vec<&'static str> {
    SEEN.take()
}

mod reached {
    use super::{see, seen};
    use green_light::prelude::*;

    #[fixture(autouse)]
    fn outer() {
        see("outer");
    }

    #[green_light::test]
    fn by_the_fixtures_of_its_module() {
        assert_eq!(seen(), ["outer"]);
    }

    mod below {
        use super::super::{see, seen};
        use green_light::prelude::*;

        #[fixture(autouse)]
        fn b_inner() {
            see("b_inner");
        }

        #[fixture(autouse)]
        fn a_inner() {
            see("a_inner");
        }

        #[fixture]
        fn asked_for() {
            see("asked_for");
        }

        #[green_light::test(uses(asked_for))]
        fn outermost_first_then_by_name_then_what_is_asked_for() {
            assert_eq!(seen(), ["outer", "a_inner", "b_inner", "asked_for"]);
        }

        #[green_light::test(without(a_inner, super::outer))]
        fn except_those_left_out() {
            assert_eq!(seen(), ["b_inner"]);
        }
    }
}

mod not_reached {
    use super::seen;

    #[green_light::test]
    fn by_the_fixtures_of_its_siblings() {
        assert!(seen().is_empty());
    }
}

mod around {
    use super::{see, seen};
    use green_light::prelude::*;

    #[fixture]
    async fn value(request: &Request) -> u32 {
        see("set-up");
        request.on_teardown(async { see("teardown") });
        1
    }

    #[fixture(around, autouse)]
    async fn b_around(next: Next<'_>, request: &Request) -> Outcome {
        assert_eq!(request.fixture_name(), Some("b_around"));
        see("b before");
        let outcome = next.run().await;
        see("b after");
        outcome
    }

    #[fixture(around, autouse)]
    async fn a_around(next: Next<'_>) -> Outcome {
        assert!(
            green_light::context::is_active(),
            "the coroutine context comes first"
        );
        see("a before");
        let outcome = next.run().await;
        see("a after");
        assert_eq!(
            seen(),
            [
                "a before", "b before", "set-up", "body", "teardown", "b after", "a after"
            ],
        );
        outcome
    }

    #[green_light::test(uses(value))]
    fn wraps_set_up_body_and_teardown() {
        see("body");
    }
}

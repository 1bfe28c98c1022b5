//! Overrides that override themselves or each other. Nothing runs.

use green_light::prelude::*;

mod alone {
    use super::*;

    #[fixture(overrides = super::alone::city, scope = "test")]
    fn city() -> u32 {
        unreachable!()
    }

    #[green_light::test]
    fn lives_in_a_city(city: u32) {
        unreachable!("{city}");
    }

    #[green_light::test]
    fn is_reached_without_asking() {
        unreachable!();
    }
}

mod two {
    use super::*;

    #[fixture(overrides = inner::river, scope = "test")]
    pub(super) fn river() -> u32 {
        unreachable!()
    }

    mod inner {
        use super::*;

        #[fixture(overrides = super::river, scope = "test")]
        pub fn river() -> u32 {
            unreachable!()
        }

        #[green_light::test]
        fn sees_both(river: u32) {
            unreachable!("{river}");
        }
    }
}

mod three {
    use super::*;

    #[fixture(overrides = second, scope = "module")]
    fn first(#[from(third)] _third: u32) -> u32 {
        unreachable!()
    }

    #[fixture(overrides = third, scope = "module")]
    fn second() -> u32 {
        unreachable!()
    }

    #[fixture(overrides = first, scope = "module", autouse)]
    fn third() -> u32 {
        unreachable!()
    }

    #[green_light::test]
    fn goes_round(#[from(second)] _number: u32) {
        unreachable!();
    }
}

mod wrapped {
    use super::*;

    #[fixture(around, autouse, overrides = outer)]
    async fn inner(next: Next<'_>) -> Outcome {
        next.run().await
    }

    #[fixture(around, autouse, overrides = inner)]
    async fn outer(next: Next<'_>) -> Outcome {
        next.run().await
    }

    #[green_light::test]
    fn is_wrapped() {
        unreachable!();
    }
}

mod by_name {
    #[green_light::test]
    fn asks_from_where_it_does_not_reach(#[from(super::two::river)] river: u32) {
        unreachable!("{river}");
    }

    #[green_light::test]
    fn is_not_concerned() {}
}

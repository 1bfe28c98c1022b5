//! Private fixtures that nothing requests are dead code; no others are.

use green_light::prelude::*;

#[fixture]
#[expect(dead_code, reason = "requested by nothing")]
fn greeting() -> String {
    "Hello".to_owned()
}

#[fixture(scope = "process")]
#[expect(dead_code, reason = "requested by nothing")]
async fn server(out: Yield<u16>) {
    out.give(8080).await;
}

#[fixture(around)]
#[expect(dead_code, reason = "requested by nothing")]
async fn timed(next: Next<'_>) -> Outcome {
    next.run().await
}

#[fixture(fresh)]
#[expect(dead_code, reason = "requested by nothing")]
fn book(#[default("Emma")] title: &str) -> String {
    title.to_owned()
}

/// What lives.
mod living {
    use green_light::prelude::*;

    #[fixture]
    fn requested() -> u8 {
        1
    }

    #[fixture(autouse)]
    fn autouse(requested: u8) {
        let _ = requested;
    }

    #[fixture(overrides = green_light::fixtures::schema)]
    fn schema(for_schema: &str) -> Schema {
        Schema::sql(for_schema.to_owned())
    }

    #[fixture(scope = "process")]
    fn for_schema() -> String {
        String::new()
    }

    #[fixture]
    pub(super) fn public(for_public: u8) -> u8 {
        for_public
    }

    #[fixture]
    fn for_public() -> u8 {
        1
    }

    mod inner {
        use super::*;

        green_light::uses!(used);

        #[fixture]
        pub(crate) fn elsewhere() -> u8 {
            1
        }

        #[fixture]
        fn used() -> u8 {
            1
        }
    }

    #[fixture(autouse)]
    async fn dynamic(request: &Request, #[from(inner::elsewhere)] _elsewhere: u8) {
        let _ = request.get(by_request).await;
        assert!(!request.has(asked));
    }

    #[fixture]
    fn by_request() -> u8 {
        1
    }

    #[fixture]
    fn asked() -> u8 {
        1
    }

    #[fixture]
    fn of_a_test() -> u8 {
        1
    }

    #[green_light::test]
    async fn requests(of_a_test: u8) {
        assert_eq!(of_a_test, 1);
    }
}

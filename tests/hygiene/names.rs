//! Functions that have the name of what they request.

use green_light::prelude::*;

mod app {
    use green_light::prelude::*;

    #[fixture]
    pub(super) fn schema() -> String {
        "v1".to_owned()
    }
}

mod replaced {
    use green_light::prelude::*;

    use super::app;

    #[fixture(overrides = app::schema)]
    fn schema(#[from(app::schema)] schema: &str) -> String {
        format!("{schema}, extended")
    }

    #[green_light::test]
    fn extends_what_it_overrides(#[from(app::schema)] text: &str) {
        assert_eq!(text, "v1, extended");
    }
}

mod same_name {
    use super::app::schema as table;

    mod inner {
        use super::table;

        #[green_light::test]
        fn requests_under_another_name(table: &str) {
            assert_eq!(table, "v1");
        }
    }

    #[green_light::test]
    fn schema(#[from(super::app::schema)] schema: String, _table: String) {
        assert_eq!(schema, "v1");
    }
}

#[fixture]
fn setup() -> u8 {
    1
}

#[fixture]
fn request(setup: u8) -> u8 {
    setup + 1
}

#[fixture]
fn value(request: &u8) -> u8 {
    request + 1
}

#[green_light::test]
fn names_of_the_expansion_are_free(value: &u8, request: u8, setup: u8) {
    assert_eq!((*value, request, setup), (3, 2, 1));
}

#[green_light::test]
fn a_borrow_is_coerced(#[from(app::schema)] text: &str) {
    assert_eq!(text.len(), 2);
}

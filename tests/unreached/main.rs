//! Fixtures that are declared where they have no effect. `output.rs` runs this and compares what is printed.

use green_light::prelude::*;

#[fixture]
fn number() -> u32 {
    7
}

/// Nothing stands in this module but fixtures.
mod common {
    use super::number;
    use green_light::prelude::*;

    #[fixture(autouse)]
    fn logging() {}

    #[fixture(overrides = number)]
    fn other_number() -> u32 {
        8
    }

    #[fixture(autouse, reach = "crate")]
    fn reaches_all() {}
}

/// Meant to be an override.
#[fixture(scope = "process")]
fn schema() -> Schema {
    Schema::sql("CREATE TABLE user (id INTEGER PRIMARY KEY)")
}

mod of_another_type {
    use green_light::prelude::*;

    #[fixture]
    fn session() -> u32 {
        9
    }

    #[green_light::test]
    fn a_fixture_of_ones_own_may_be_called_session(session: u32) {
        assert_eq!(session, 9);
    }
}

#[green_light::test]
fn passes(number: u32) {
    assert_eq!(number, 7);
}

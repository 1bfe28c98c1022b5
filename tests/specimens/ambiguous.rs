//! Two overrides of one fixture in one module.

use green_light::prelude::*;
#[fixture]
fn port() -> u16 {
    80
}

mod inner {
    #![expect(
        unused_qualifications,
        reason = "the original is named, not the import"
    )]
    use super::port;
    use green_light::prelude::*;

    #[fixture(overrides = super::port)]
    fn one() -> u16 {
        1
    }

    #[fixture(overrides = super::port)]
    fn other() -> u16 {
        2
    }

    #[green_light::test]
    fn needs_a_port(port: u16) {
        unreachable!("{port}");
    }
}

//! Shared fixtures of two modules, and tests that libtest selects by each of its arguments.

use green_light::prelude::*;

#[fixture(scope = "process")]
async fn hub(out: Yield<u16>) {
    out.give(80).await;
}

#[fixture(scope = "module")]
async fn desk(hub: &u16, out: Yield<u16>) {
    out.give(hub + 1).await;
}

mod one {
    use super::desk;

    #[green_light::test]
    fn first(desk: u16) {
        assert_eq!(desk, 81);
    }

    #[green_light::test]
    fn second(desk: u16) {
        assert_eq!(desk, 81);
    }

    #[green_light::test]
    #[should_panic(expected = "on purpose")]
    fn third(desk: u16) {
        panic!("on purpose: {desk}");
    }
}

mod two {
    use super::desk;

    #[green_light::test]
    fn fourth(desk: u16) {
        assert_eq!(desk, 81);
    }

    #[green_light::test]
    #[ignore = "runs when it is asked for"]
    fn fifth(desk: u16) {
        assert_eq!(desk, 81);
    }

    #[green_light::test]
    fn sixth(desk: u16) {
        assert_eq!(desk, 81);
    }
}

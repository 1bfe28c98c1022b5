//! A test in a trait.

use green_light::prelude::*;

trait Tests {
    #[green_light::test]
    async fn reads(session: Session);
}

fn main() {}

//! A test in an `impl` block.

use green_light::prelude::*;

struct Tests;

impl Tests {
    #[green_light::test]
    async fn reads(session: Session) {}
}

fn main() {}

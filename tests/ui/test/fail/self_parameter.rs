//! A method is not a test.

struct Service;

impl Service {
    #[green_light::test]
    async fn saves(self) {}
}

fn main() {}

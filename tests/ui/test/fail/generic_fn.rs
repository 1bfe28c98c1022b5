//! Nothing would choose the type.

#[green_light::test]
async fn saves<T: Default>(value: T) {
    drop(value);
}

fn main() {}

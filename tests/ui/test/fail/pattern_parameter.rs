//! A parameter without a name.

#[green_light::test]
async fn saves((a, b): (u16, u16)) {
    assert_eq!(a, b);
}

fn main() {}

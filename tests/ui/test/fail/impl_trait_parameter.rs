//! A parameter has the type of its fixture.

#[green_light::test]
async fn saves(value: impl Copy) {
    let _ = value;
}

fn main() {}

#[green_light::test(backends())]
async fn saves() {}

fn main() {}

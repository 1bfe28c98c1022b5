#[green_light::test(backends(sqlite, postgresql, oracle))]
async fn saves() {}

fn main() {}

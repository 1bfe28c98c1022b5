#[green_light::test(backends(sqlite, sqlite))]
async fn saves() {}

fn main() {}

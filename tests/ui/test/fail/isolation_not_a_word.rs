#[green_light::test(isolation = "database")]
async fn saves() {}

fn main() {}

#[green_light::test(isolation = datbase)]
async fn saves() {}

fn main() {}

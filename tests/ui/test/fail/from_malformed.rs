#[green_light::test(from(author))]
async fn saves(_author: &str) {}

#[green_light::test(from())]
async fn loads(_author: &str) {}

fn main() {}

use green_light::fixture;

#[fixture]
fn author() -> String {
    String::new()
}

#[green_light::test(from(writer = author))]
async fn saves(_write: &str) {}

fn main() {}

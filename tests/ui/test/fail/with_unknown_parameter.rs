use green_light::fixture;

#[fixture]
fn author(#[default(1)] _id: u32) -> String {
    String::new()
}

#[green_light::test(with(writer(id = 1)))]
async fn saves(_author: &str) {}

#[green_light::test(with(author = 1))]
async fn loads(_author: &str) {}

#[green_light::test]
#[case(1)]
async fn deletes(
    #[case]
    #[with(id = 1)]
    _author: u32,
) {
}

fn main() {}

//! A shared value cannot be lent mutably.

#[green_light::test]
async fn saves(names: &mut Vec<String>) {
    names.push("ann".to_owned());
}

fn main() {}

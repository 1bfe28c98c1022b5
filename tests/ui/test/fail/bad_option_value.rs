//! Values that the options do not have.

#[green_light::test(context = "no")]
async fn not_a_bool() {}

#[green_light::test(context)]
async fn no_bool() {}

#[green_light::test(uses = session)]
async fn not_a_list() {}

#[green_light::test(without())]
async fn empty_list() {}

#[green_light::test(crate = "green_light")]
async fn not_a_path() {}

fn main() {}

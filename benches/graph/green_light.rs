//! Tests that ask for ten fixtures: two chains, a diamond, one autouse, one torn down.

use green_light::prelude::*;

#[fixture]
fn clock() -> u64 {
    1
}

#[fixture(autouse)]
fn seed(clock: &u64) -> u64 {
    clock + 1
}

#[fixture]
fn settings() -> String {
    String::new()
}

#[fixture]
async fn client(settings: &str, clock: &u64) -> usize {
    settings.len() + usize::from(*clock > 1)
}

#[fixture]
async fn author(client: &usize) -> usize {
    *client
}

#[fixture]
async fn book(author: &usize, client: &usize) -> usize {
    author + client
}

#[fixture]
async fn stock(book: &usize) -> usize {
    *book
}

#[fixture]
async fn customer(client: &usize, out: Yield<usize>) {
    out.give(*client).await;
}

#[fixture]
async fn basket(customer: &usize, stock: &usize) -> usize {
    customer + stock
}

#[fixture]
async fn order(basket: &usize, book: &usize) -> usize {
    basket + book
}

// Repeated.
#[green_light::test]
async fn test_0(order: &usize, customer: &usize) {
    assert_eq!(order + customer, 0);
}

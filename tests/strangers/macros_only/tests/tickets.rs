//! No two callers have the same number.

use green_light::prelude::*;
use macros_only::Tickets;

#[fixture(scope = "process")]
async fn tickets() -> Tickets {
    Tickets::default()
}

#[fixture]
fn ticket(tickets: &Tickets) -> u64 {
    tickets.next()
}

#[green_light::test]
fn a_ticket_is_taken_once(ticket: u64, tickets: &Tickets) {
    assert!(tickets.next() > ticket);
}

#[green_light::test]
async fn in_async_code_as_well(ticket: u64, tickets: &Tickets) {
    assert!(tickets.next() > ticket);
}

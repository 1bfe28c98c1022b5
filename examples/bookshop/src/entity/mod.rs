//! The tables as SeaORM entities; `migration` creates them.
#![expect(
    missing_docs,
    reason = "SeaORM's macros generate public items without docs"
)]

pub mod author;
pub mod book;
pub mod customer;
pub mod order;
pub mod order_line;
pub mod stock;

pub mod prelude;

//! What the shop does, without a word about HTTP.
//!
//! * [`authors`] and [`books`] are the catalogue, [`search`] finds things in it;
//! * [`customers`] registers who buys;
//! * [`checkout`] sells;
//! * [`orders`] looks back and cancels.
//!
//! Every function takes the database first. Those that change several tables do so in one
//! transaction; none of them retries, for none needs to: a condition and the change that depends on
//! it are one `UPDATE`.

pub mod authors;
pub mod books;
pub mod checkout;
pub mod customers;
mod isbn;
pub mod orders;
mod page;
pub mod search;
mod text;

pub use page::{Page, Paging};

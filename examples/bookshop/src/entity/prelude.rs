//! The entities under the names one reads in queries.

pub use super::{
    author::Entity as Author, book::Entity as Book, customer::Entity as Customer,
    order::Entity as Order, order_line::Entity as OrderLine, stock::Entity as Stock,
};

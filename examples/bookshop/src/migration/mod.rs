//! How the tables came to be, one small step per file.
//!
//! Steps that have been released are never edited; a change is a new step.

mod m20250101_000001_create_authors;
mod m20250101_000002_create_books;
mod m20250108_000001_create_stock;
mod m20250115_000001_create_customers;
mod m20250115_000002_create_orders;
mod m20250115_000003_create_order_lines;
mod m20250203_000001_index_books_by_title;
mod m20250210_000001_add_year_to_books;
mod migrator;

pub use migrator::Migrator;

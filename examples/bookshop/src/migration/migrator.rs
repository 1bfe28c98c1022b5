//! The list of steps, oldest first.

use sea_orm_migration::prelude::*;

use super::{
    m20250101_000001_create_authors, m20250101_000002_create_books, m20250108_000001_create_stock,
    m20250115_000001_create_customers, m20250115_000002_create_orders,
    m20250115_000003_create_order_lines, m20250203_000001_index_books_by_title,
    m20250210_000001_add_year_to_books,
};

/// Brings a database up to date: `Migrator::up(&db, None).await?`.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20250101_000001_create_authors::Migration),
            Box::new(m20250101_000002_create_books::Migration),
            Box::new(m20250108_000001_create_stock::Migration),
            Box::new(m20250115_000001_create_customers::Migration),
            Box::new(m20250115_000002_create_orders::Migration),
            Box::new(m20250115_000003_create_order_lines::Migration),
            Box::new(m20250203_000001_index_books_by_title::Migration),
            Box::new(m20250210_000001_add_year_to_books::Migration),
        ]
    }
}

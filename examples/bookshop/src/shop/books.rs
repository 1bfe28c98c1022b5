//! Books and their copies.

use sea_orm::{
    ActiveValue::Set, DatabaseConnection, ExprTrait, JoinType, QuerySelect, SelectModel, Selector,
    SqlErr, TransactionTrait, entity::prelude::*,
};
use serde::{Deserialize, Serialize};

use super::{isbn, text::tidy};
use crate::{
    Error, Result,
    entity::{
        author, book,
        prelude::{Book, Stock},
        stock,
    },
};

/// A book to be added, with its first copies.
#[derive(Clone, Debug, Deserialize)]
pub struct NewBook {
    /// Thirteen digits; hyphens are dropped.
    pub isbn: String,
    /// What the cover says.
    pub title: String,
    /// Who wrote it.
    pub author_id: i32,
    /// What a copy costs.
    pub price_cents: i32,
    /// When it came out.
    pub published_year: Option<i32>,
    /// How many copies there are to begin with.
    #[serde(default)]
    pub copies: i32,
}

/// A book as customers see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, sea_orm::FromQueryResult)]
pub struct BookView {
    /// The book.
    pub id: i32,
    /// Thirteen digits.
    pub isbn: String,
    /// What the cover says.
    pub title: String,
    /// Who wrote it.
    pub author_id: i32,
    /// The name on the cover.
    pub author: String,
    /// What a copy costs.
    pub price_cents: i32,
    /// When it came out.
    pub published_year: Option<i32>,
    /// How many copies are left.
    pub copies: i32,
}

/// Adds a book and its first copies, both or neither.
///
/// # Errors
///
/// [`Error::Invalid`] for a field that cannot be, [`Error::Duplicate`] for an ISBN that is taken,
/// [`Error::UnknownReference`] for an author who does not exist.
pub async fn add(db: &DatabaseConnection, new: NewBook) -> Result<BookView> {
    let isbn = isbn::tidy(&new.isbn)?;
    let title = tidy("title", &new.title)?;
    not_negative("price_cents", new.price_cents)?;
    not_negative("copies", new.copies)?;

    let txn = db.begin().await?;
    let row = book::ActiveModel {
        isbn: Set(isbn.clone()),
        title: Set(title),
        author_id: Set(new.author_id),
        price_cents: Set(new.price_cents),
        published_year: Set(new.published_year),
        ..Default::default()
    };
    let book = row
        .insert(&txn)
        .await
        .map_err(|error| match error.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(_)) => Error::Duplicate {
                what: "book",
                field: "isbn",
                value: isbn,
            },
            Some(SqlErr::ForeignKeyConstraintViolation(_)) => Error::UnknownReference {
                what: "author",
                id: new.author_id,
            },
            _ => error.into(),
        })?;
    stock::ActiveModel {
        book_id: Set(book.id),
        copies: Set(new.copies),
    }
    .insert(&txn)
    .await?;
    txn.commit().await?;

    read(db, book.id).await
}

/// Reads a book.
///
/// # Errors
///
/// [`Error::NotFound`].
pub async fn read(db: &DatabaseConnection, id: i32) -> Result<BookView> {
    views(Book::find_by_id(id))
        .one(db)
        .await?
        .ok_or(Error::NotFound { what: "book", id })
}

/// Adds copies of a book.
///
/// # Errors
///
/// [`Error::Invalid`] unless `copies` is 1 or more, [`Error::NotFound`] for an unknown book.
pub async fn restock(db: &DatabaseConnection, id: i32, copies: i32) -> Result<BookView> {
    if copies < 1 {
        return Err(Error::Invalid {
            field: "copies",
            why: "must be 1 or more",
        });
    }
    let room = i32::MAX - copies;
    let done = Stock::update_many()
        .col_expr(
            stock::Column::Copies,
            Expr::col(stock::Column::Copies).add(copies),
        )
        .filter(stock::COLUMN.book_id.eq(id))
        .filter(stock::COLUMN.copies.lte(room))
        .exec(db)
        .await?;
    let book = read(db, id).await?;
    if done.rows_affected == 0 {
        return Err(Error::Invalid {
            field: "copies",
            why: "is more than the shelf holds",
        });
    }
    Ok(book)
}

/// Books with what customers want to know about them.
pub(super) fn views(select: Select<Book>) -> Selector<SelectModel<BookView>> {
    select
        .join(JoinType::InnerJoin, book::Relation::Author.def())
        .join(JoinType::InnerJoin, book::Relation::Stock.def())
        .column_as(author::Column::Name, "author")
        .column_as(stock::Column::Copies, "copies")
        .into_model::<BookView>()
}

fn not_negative(field: &'static str, number: i32) -> Result<()> {
    if number < 0 {
        Err(Error::Invalid {
            field,
            why: "must not be negative",
        })
    } else {
        Ok(())
    }
}

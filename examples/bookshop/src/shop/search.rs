//! Finding books by a part of the title or of the author's name.

use sea_orm::{
    DatabaseConnection, ExprTrait, QueryOrder,
    entity::prelude::*,
    sea_query::{BinOper, Func},
};
use serde::Deserialize;

use super::{
    Page, Paging,
    books::{self, BookView},
};
use crate::{
    Result,
    entity::{author, book, prelude::Book, stock},
};

/// Which books are wanted; all of them unless told otherwise.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Search {
    /// A part of the title or of the author's name, in any case.
    pub q: Option<String>,
    /// Only books of this author.
    pub author_id: Option<i32>,
    /// Only books of which a copy is left.
    pub in_stock: bool,
}

/// Lists books by title.
///
/// # Errors
///
/// [`Error::Invalid`](crate::Error::Invalid) for a page that cannot be.
pub async fn find(
    db: &DatabaseConnection,
    search: Search,
    paging: Paging,
) -> Result<Page<BookView>> {
    let paging = paging.checked()?;
    let mut select = Book::find()
        .order_by_asc(book::COLUMN.title)
        .order_by_asc(book::COLUMN.id);
    if let Some(q) = search.q.as_deref().map(str::trim).filter(|q| !q.is_empty()) {
        let title = contains(book::Entity, book::Column::Title, q);
        let name = contains(author::Entity, author::Column::Name, q);
        select = select.filter(title.or(name));
    }
    if let Some(author_id) = search.author_id {
        select = select.filter(book::COLUMN.author_id.eq(author_id));
    }
    if search.in_stock {
        select = select.filter(stock::COLUMN.copies.gt(0));
    }
    Page::read(books::views(select).paginate(db, paging.per_page), paging).await
}

/// Whether a column contains `part`, in any case, with nothing in `part` being a wildcard.
///
/// Both sides are folded by the database: it and Rust disagree on letters beyond ASCII.
fn contains<E: EntityTrait, C: ColumnTrait>(table: E, column: C, part: &str) -> Expr {
    let mut pattern = String::from("%");
    for letter in part.chars() {
        if matches!(letter, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    let pattern = Expr::from(Func::lower(Expr::value(pattern)))
        .binary(BinOper::Escape, Expr::Constant('!'.into()));
    Expr::from(Func::lower(Expr::col((table, column)))).binary(BinOper::Like, pattern)
}

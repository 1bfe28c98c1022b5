//! Loads what many resolvers ask for, in one statement.

use std::{collections::HashMap, sync::Arc};

use async_graphql::dataloader::{DataLoader, Loader};
use sea_orm::{ColumnTrait, DatabaseConnection, DbErr, EntityTrait, QueryFilter, QueryOrder};

use crate::entity::{author, book};

/// The loader of a service. It keeps no rows: what was written is seen by the next request.
pub(crate) fn loader(db: DatabaseConnection) -> DataLoader<Rows> {
    DataLoader::new(Rows { db }, tokio::spawn)
}

/// Loads rows of a database.
pub(crate) struct Rows {
    db: DatabaseConnection,
}

/// The key of an author.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct AuthorId(pub(crate) i32);

/// The key of an author's books.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct BooksOf(pub(crate) i32);

impl Loader<AuthorId> for Rows {
    type Value = author::Model;
    type Error = Arc<DbErr>;

    async fn load(&self, keys: &[AuthorId]) -> Result<HashMap<AuthorId, Self::Value>, Self::Error> {
        let ids = keys.iter().map(|key| key.0);
        let authors = author::Entity::find().filter(author::Column::Id.is_in(ids));
        let authors = authors.all(&self.db).await?;
        Ok(authors
            .into_iter()
            .map(|author| (AuthorId(author.id), author))
            .collect())
    }
}

impl Loader<BooksOf> for Rows {
    type Value = Vec<book::Model>;
    type Error = Arc<DbErr>;

    async fn load(&self, keys: &[BooksOf]) -> Result<HashMap<BooksOf, Self::Value>, Self::Error> {
        let ids = keys.iter().map(|key| key.0);
        let books = book::Entity::find()
            .filter(book::Column::AuthorId.is_in(ids))
            .order_by_asc(book::Column::Title)
            .all(&self.db)
            .await?;
        let mut found: HashMap<BooksOf, Self::Value> = HashMap::new();
        for book in books {
            found.entry(BooksOf(book.author_id)).or_default().push(book);
        }
        Ok(found)
    }
}

//! What can be asked, and what can be changed.

use async_graphql::{
    Context, EmptySubscription, ErrorExtensions as _, Object, Result, dataloader::DataLoader,
};
use sea_orm::{ActiveValue::Set, DatabaseConnection, EntityTrait, QueryOrder, TransactionTrait};

use crate::{
    entity::{author, book},
    loaders::{AuthorId, BooksOf, Rows, loader},
};

/// The schema of the service.
pub type Library = async_graphql::Schema<Query, Mutation, EmptySubscription>;

/// The service on `db`.
#[must_use]
pub fn library(db: DatabaseConnection) -> Library {
    async_graphql::Schema::build(Query, Mutation, EmptySubscription)
        .data(loader(db.clone()))
        .data(db)
        .finish()
}

pub struct Query;

#[Object]
impl Query {
    /// All books, by title.
    async fn books(&self, context: &Context<'_>) -> Result<Vec<Book>> {
        let db = context.data::<DatabaseConnection>()?;
        let books = book::Entity::find().order_by_asc(book::Column::Title);
        Ok(books.all(db).await?.into_iter().map(Book).collect())
    }

    /// All authors, by name.
    async fn authors(&self, context: &Context<'_>) -> Result<Vec<Author>> {
        let db = context.data::<DatabaseConnection>()?;
        let authors = author::Entity::find().order_by_asc(author::Column::Name);
        Ok(authors.all(db).await?.into_iter().map(Author).collect())
    }
}

pub struct Mutation;

#[Object]
impl Mutation {
    /// An author with books: all of them, or nothing.
    async fn add_author(
        &self,
        context: &Context<'_>,
        name: String,
        titles: Vec<String>,
    ) -> Result<Author> {
        let tx = context.data::<DatabaseConnection>()?.begin().await?;
        let author = author::ActiveModel {
            name: Set(name),
            ..Default::default()
        };
        let author = author::Entity::insert(author)
            .exec_with_returning(&tx)
            .await?;
        for title in titles {
            if title.trim().is_empty() {
                let error = async_graphql::Error::new("a book has a title");
                return Err(error.extend_with(|_, extensions| extensions.set("code", "NO_TITLE")));
            }
            let book = book::ActiveModel {
                title: Set(title),
                author_id: Set(author.id),
                ..Default::default()
            };
            book::Entity::insert(book).exec(&tx).await?;
        }
        tx.commit().await?;
        Ok(Author(author))
    }
}

pub struct Book(book::Model);

#[Object]
impl Book {
    async fn title(&self) -> &str {
        &self.0.title
    }

    async fn author(&self, context: &Context<'_>) -> Result<Option<Author>> {
        let rows = context.data::<DataLoader<Rows>>()?;
        let author = rows.load_one(AuthorId(self.0.author_id)).await?;
        Ok(author.map(Author))
    }
}

pub struct Author(author::Model);

#[Object]
impl Author {
    async fn name(&self) -> &str {
        &self.0.name
    }

    async fn books(&self, context: &Context<'_>) -> Result<Vec<Book>> {
        let rows = context.data::<DataLoader<Rows>>()?;
        let books = rows.load_one(BooksOf(self.0.id)).await?;
        Ok(books.unwrap_or_default().into_iter().map(Book).collect())
    }
}

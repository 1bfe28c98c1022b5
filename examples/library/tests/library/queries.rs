//! Queries and mutations.

use green_light::prelude::*;
use library::{Library, entity::author, entity::book};
use sea_orm::{DbErr, EntityTrait, PaginatorTrait};

use crate::{answer, books, library};

#[green_light::test(uses(books))]
async fn books_have_their_authors(library: Library) {
    let found = answer(library.execute("{ books { title author { name } } }").await);
    let expected = "{books: [\
        {title: \"Dune\", author: {name: \"Herbert\"}}, \
        {title: \"Lavinia\", author: {name: \"Le Guin\"}}, \
        {title: \"The Dispossessed\", author: {name: \"Le Guin\"}}]}";
    assert_eq!(found, expected);
}

#[green_light::test(uses(books))]
async fn authors_have_their_books(library: Library) {
    let found = answer(
        library
            .execute("{ authors { name books { title } } }")
            .await,
    );
    let expected = "{authors: [\
        {name: \"Herbert\", books: [{title: \"Dune\"}]}, \
        {name: \"Le Guin\", books: [{title: \"Lavinia\"}, {title: \"The Dispossessed\"}]}]}";
    assert_eq!(found, expected);
}

#[green_light::test]
async fn an_author_without_books_has_none(library: Library) {
    answer(
        library
            .execute("mutation { addAuthor(name: \"Kafka\", titles: []) { name } }")
            .await,
    );
    let found = answer(library.execute("{ authors { books { title } } }").await);
    assert_eq!(found, "{authors: [{books: []}]}");
}

#[green_light::test(uses(books))]
async fn a_book_without_a_title_takes_its_author_along(
    library: Library,
    session: Session,
) -> Result<(), DbErr> {
    let request = "mutation { addAuthor(name: \"Lem\", titles: [\"Solaris\", \" \"]) { name } }";
    let answer = library.execute(request).await;
    assert_eq!(answer.errors[0].message, "a book has a title");
    assert_eq!(author::Entity::find().count(&session).await?, 2);
    assert_eq!(book::Entity::find().count(&session).await?, 3);
    Ok(())
}

#[green_light::test(uses(books))]
async fn a_name_is_taken_once(library: Library) {
    let answer = library
        .execute("mutation { addAuthor(name: \"Herbert\", titles: []) { name } }")
        .await;
    assert!(answer.errors[0].message.contains("UNIQUE"), "{answer:?}");
}

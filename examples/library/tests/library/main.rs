//! The service, asked as its clients ask it.

mod queries;

use async_graphql::Response;
use green_light::prelude::*;
use library::{
    Library,
    entity::{author, book},
};

#[fixture(overrides = green_light::fixtures::schema)]
fn schema() -> Schema {
    Schema::entities(|tables| tables.register(author::Entity).register(book::Entity))
}

#[fixture]
fn library(session: &Session) -> Library {
    library::library(session.connection().clone())
}

/// What a client sees of an answer, as JSON.
fn answer(response: Response) -> String {
    let errors: Vec<_> = response
        .errors
        .iter()
        .map(|error| &*error.message)
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
    response.data.to_string()
}

/// Two authors and three books, by the service itself.
#[fixture]
async fn books(library: &Library) {
    for request in [
        r#"mutation { addAuthor(name: "Le Guin", titles: ["The Dispossessed", "Lavinia"]) { name } }"#,
        r#"mutation { addAuthor(name: "Herbert", titles: ["Dune"]) { name } }"#,
    ] {
        answer(library.execute(request).await);
    }
}

//! An application with a `Session`, a `Schema` and a `Request` of its own.

use async_graphql::*;

/// What a visitor of the shop has in the cart.
#[derive(Default)]
pub struct Session {
    pub books: Vec<String>,
}

/// The queries.
pub struct Query;

#[Object]
impl Query {
    /// How many books there are.
    async fn books(&self) -> u32 {
        2
    }
}

/// The whole API.
pub fn api() -> Schema<Query, EmptyMutation, EmptySubscription> {
    Schema::new(Query, EmptyMutation, EmptySubscription)
}

/// Unit tests see all of the application, and so both of its names and those of the prelude.
#[cfg(test)]
mod tests {
    // These decide what the names mean, whatever the globs bring.
    use green_light::{Request, Schema, Session};

    use super::*;
    use green_light::prelude::*;

    #[fixture(overrides = green_light::fixtures::schema)]
    fn schema() -> Schema {
        Schema::sql("CREATE TABLE book (title TEXT)")
    }

    #[fixture]
    fn cart() -> super::Session {
        super::Session {
            books: vec!["Emma".to_owned()],
        }
    }

    #[green_light::test]
    async fn a_cart_is_beside_a_session(
        cart: &super::Session,
        session: Session,
        request: &Request,
    ) {
        assert_eq!(cart.books, ["Emma"]);
        assert!(!session.url().to_string().is_empty());
        assert_eq!(request.test_name(), Some("a_cart_is_beside_a_session"));
    }

    #[green_light::test]
    async fn the_api_answers() {
        let answer = api().execute("{ books }").await;
        assert!(answer.errors.is_empty());
    }
}

//! All that the rest of the crate knows of a database.

use std::pin::Pin;

/// What an `async` method of a trait object returns.
pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

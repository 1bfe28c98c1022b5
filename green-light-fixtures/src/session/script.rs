//! Texts of SQL that a test runs.

use std::time::Instant;

use crate::error::Error;
use crate::schema::sql_files::run_script;
use crate::session::handle::Session;

impl Session {
    /// Runs the statements of `sql`, one after the other. Errors call the text `name`.
    ///
    /// The text is cut into statements as that of [`Schema::sql`](crate::Schema::sql) is. Rows that all
    /// tests have are better part of the schema, where they are made once.
    ///
    /// # Errors
    ///
    /// When a statement fails, which is named with its line, or is one that only a client program knows.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use green_light_fixtures::{Engine, Isolation, Schema};
    /// # let schema = Schema::sql("CREATE TABLE guest (name TEXT)");
    /// # let engine = Engine::builder().schema(schema).build().await?;
    /// # let session = engine.session(Isolation::Transaction).await?;
    /// let guests = "INSERT INTO guest VALUES ('Ann');\nINSERT INTO guest VALUES ('Bob');";
    /// session.run_script("guests", guests).await?;
    ///
    /// let wrong = session.run_script("guests", "\nINSERT INTO gust VALUES ('Ann')").await;
    /// assert!(wrong.unwrap_err().to_string().contains("of `guests`, on its line 2, failed"));
    /// # session.finish().await?;
    /// # Ok(()) }
    /// ```
    pub async fn run_script(&self, name: &str, sql: &str) -> Result<(), Error> {
        let (isolated, begun) = (&self.shared.isolated, Instant::now());
        isolated.announce(sql);
        let result = run_script(self.pool(), name, sql).await;
        isolated.ran_text(sql, begun.elapsed(), result.is_err());
        result
    }
}

//! A step that is SQL text.

use std::fmt;

use crate::database_pool::{BoxFuture, DatabasePool, ScriptConnection};
use crate::error::{Error, Kind};
use crate::schema::new_database::NewDatabase;
use crate::schema::step::{Step, failed};
use crate::sql::dialect::Dialect;
use crate::sql::shorten::shorten_to_line;
use crate::sql::split::{Statement, statements};

/// A text and how errors call it.
#[derive(Clone)]
pub(crate) struct Script {
    pub(crate) name: String,
    pub(crate) sql: String,
}

impl Step for Script {
    fn apply<'a>(&'a self, new: &'a NewDatabase) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(self.run(new.pool()))
    }

    fn identity(&self) -> String {
        format!("sql {}", self.sql)
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sql of {} bytes", self.sql.len())
    }
}

impl Script {
    /// Runs its statements one after the other, all on one connection.
    ///
    /// A dump changes settings of its session, so later steps get a new connection.
    pub(crate) async fn run(&self, db: &DatabasePool) -> Result<(), Error> {
        let session = self.run_all(db, Dialect::repeatable).await?;
        let name = &self.name;
        session
            .end()
            .await
            .map_err(|error| failed(format!("after `{name}` the connection failed"), &error))
    }

    /// The connection on which all statements have run.
    ///
    /// What `instead` says of a statement is run in its place.
    async fn run_all(
        &self,
        db: &DatabasePool,
        instead: impl Fn(&'static dyn Dialect, &str) -> Option<String>,
    ) -> Result<Box<dyn ScriptConnection>, Error> {
        let no_connection = |error| failed(format!("`{}` found no connection", self.name), &error);
        let dialect = db.dialect().ok_or(sqlx::Error::PoolClosed);
        let dialect = dialect.map_err(no_connection)?;
        let all = self.statements(dialect)?;
        let mut session = db.script_connection().await.map_err(no_connection)?;
        for (index, statement) in all.iter().enumerate() {
            let other = instead(dialect, statement.text);
            let text = other.as_deref().unwrap_or(statement.text);
            if let Err(error) = session.run(text).await {
                let number = format!("statement {} of {}", index + 1, all.len());
                return Err(self.failed(&number, statement, dialect, &error));
            }
        }
        Ok(session)
    }

    fn statements(&self, dialect: &'static dyn Dialect) -> Result<Vec<Statement<'_>>, Error> {
        statements(&self.sql, dialect).map_err(|rejected| {
            let (text, line) = (shorten_to_line(&rejected.text), rejected.line);
            let fact = rejected.fact;
            Error::new(
                Kind::Schema,
                format!("`{text}` of `{}`, on its line {line}, {fact}", self.name),
            )
            .help(rejected.help)
        })
    }

    fn failed(
        &self,
        number: &str,
        statement: &Statement<'_>,
        dialect: &'static dyn Dialect,
        error: &sqlx::Error,
    ) -> Error {
        let what = format!(
            "{number} of `{}`, on its line {}, failed: `{}`",
            self.name,
            statement.line,
            shorten_to_line(statement.text),
        );
        let help = dialect.refusal_help(&error.to_string());
        failed(what, error)
            .help(help.unwrap_or("correct the statement; line 1 is the first line of the text"))
    }
}

/// Runs the statements of `sql`, which errors call `name`, on the connection of a test, which keeps its settings.
pub(crate) async fn run_script(db: &DatabasePool, name: &str, sql: &str) -> Result<(), Error> {
    let (name, sql) = (name.to_owned(), sql.to_owned());
    Script { name, sql }
        .run_all(db, |_, _| None)
        .await
        .map(drop)
}

//! What green-light needs of a connection of sqlx to ask a server, and queries that own all they need.
//!
//! `Executor` of sqlx cannot be implemented outside of it, so nothing here is generic over executors.

use futures_util::stream::BoxStream;
use sqlx::{Connection, Database, Either, Execute, SqlStr};

use crate::sql::shorten::shorten;

/// A connection to a server that green-light works with.
pub(crate) trait ServerConnection: Connection {
    /// The server, in messages.
    const SERVER: &'static str;
    /// The variable that names a server to use.
    const URL_VARIABLE: &'static str;
    /// The statements that set up a connection of our own; nothing if it is empty.
    const SETTINGS: &'static str = "";
    /// Where the server is, without a password.
    fn place(options: &Self::Options) -> String;
    /// What to do about an error of the server.
    fn help(error: &sqlx::Error) -> String;
    /// Whether the server refused a connection because it has no more.
    fn is_full(error: &sqlx::Error) -> bool;
    /// Whether the server has ended the connection with this error.
    fn has_ended(error: &sqlx::Error) -> bool;
    /// Sends a query. How long the reply may take is not bounded here.
    fn send(&mut self, query: OwnedQuery<Self::Database>) -> ReplyStream<'_, Self::Database>;
}

/// A reply, item by item.
pub(crate) type ReplyStream<'a, DB> = BoxStream<'a, Result<ReplyItem<DB>, sqlx::Error>>;

/// A part of a reply.
pub(crate) type ReplyItem<DB> = Either<<DB as Database>::QueryResult, <DB as Database>::Row>;

/// A query, taken apart to know its text.
pub(crate) struct OwnedQuery<DB: Database> {
    sql: SqlStr,
    arguments: Option<DB::Arguments>,
    is_persistent: bool,
}

impl<DB: Database> OwnedQuery<DB> {
    pub(crate) fn new<'q>(mut query: impl Execute<'q, DB>) -> Result<Self, sqlx::Error> {
        Ok(Self {
            arguments: query.take_arguments().map_err(sqlx::Error::Encode)?,
            is_persistent: query.persistent(),
            sql: query.sql(),
        })
    }

    /// What is waited for once it is sent, in words.
    pub(crate) fn reply_in_words(&self) -> String {
        format!("an answer to `{}`", shorten(self.sql.as_str()))
    }
}

impl<DB: Database> Execute<'_, DB> for OwnedQuery<DB> {
    fn sql(self) -> SqlStr {
        self.sql
    }

    fn statement(&self) -> Option<&DB::Statement> {
        None
    }

    fn take_arguments(&mut self) -> Result<Option<DB::Arguments>, sqlx::error::BoxDynError> {
        Ok(self.arguments.take())
    }

    fn persistent(&self) -> bool {
        self.is_persistent
    }
}

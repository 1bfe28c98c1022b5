//! A connection for what green-light itself asks of a server. Each of its answers is waited for in bounded
//! time, and what was asked is in the error.
//!
//! Invariant: after an answer that did not come nothing more is asked. It may still come, and would be taken
//! for the answer to something else. The connection stays open for as long as the line lives, and with it
//! the locks that say that its process does.

use std::fmt;

use futures_util::{StreamExt as _, stream::BoxStream};
use sqlx::{ConnectOptions as _, Connection, Database, Either, Execute, SqlStr};

use crate::server::response_timeout::{Served, Silence, answered, answered_at_last};
use crate::sql::classify::shorten;

/// A connection that waits for no answer for ever.
pub(crate) struct Line<C: Connection> {
    connection: C,
    options: C::Options,
    /// What was asked last and not answered.
    lost: Option<Silence>,
    /// Whether what is asked now may take long, as copying a database does.
    takes_long: bool,
}

impl<C: Served> Line<C> {
    /// Connects.
    pub(crate) async fn to(options: &C::Options) -> Result<Self, sqlx::Error> {
        Ok(Self {
            connection: answered::<C, _>(options, "a login", options.connect()).await?,
            options: options.clone(),
            lost: None,
            takes_long: false,
        })
    }

    /// The connection, for what it knows without asking.
    #[cfg(feature = "postgres")]
    pub(crate) fn inner(&self) -> &C {
        &self.connection
    }

    /// What was asked and not answered; nothing is asked any more then.
    pub(crate) fn silence(&self) -> Option<&Silence> {
        self.lost.as_ref()
    }

    /// What is asked from here on may take long.
    pub(crate) fn taking_long(mut self) -> Self {
        self.takes_long = true;
        self
    }

    /// Runs statements that may take long, none of them with values.
    pub(crate) async fn run_long(
        &mut self,
        sql: impl sqlx::SqlSafeStr + Send,
    ) -> Result<(), sqlx::Error> {
        let before = std::mem::replace(&mut self.takes_long, true);
        let done = self.execute(sql.into_sql_str()).await;
        self.takes_long = before;
        done.map(drop)
    }

    /// Runs statements.
    pub(crate) async fn execute<'q>(
        &mut self,
        query: impl Execute<'q, C::Database>,
    ) -> Result<<C::Database as Database>::QueryResult, sqlx::Error> {
        let mut all = <C::Database as Database>::QueryResult::default();
        let add = |step| {
            if let Either::Left(one) = step {
                all.extend([one]);
            }
        };
        self.ask(Asked::new(query), add).await?;
        Ok(all)
    }

    /// The rows that a query answers with.
    pub(crate) async fn fetch_all<'q>(
        &mut self,
        query: impl Execute<'q, C::Database>,
    ) -> Result<Vec<<C::Database as Database>::Row>, sqlx::Error> {
        let mut rows = Vec::new();
        let add = |step| rows.extend(Either::right(step));
        self.ask(Asked::new(query), add).await?;
        Ok(rows)
    }

    /// The first of them, if there is one.
    pub(crate) async fn fetch_optional<'q>(
        &mut self,
        query: impl Execute<'q, C::Database>,
    ) -> Result<Option<<C::Database as Database>::Row>, sqlx::Error> {
        Ok(self.fetch_all(query).await?.into_iter().next())
    }

    /// The first of them.
    pub(crate) async fn fetch_one<'q>(
        &mut self,
        query: impl Execute<'q, C::Database>,
    ) -> Result<<C::Database as Database>::Row, sqlx::Error> {
        let row = self.fetch_optional(query).await?;
        row.ok_or(sqlx::Error::RowNotFound)
    }

    /// Asks, and reads the answer to its end.
    async fn ask(
        &mut self,
        asked: Result<Asked<C::Database>, sqlx::Error>,
        mut each: impl FnMut(Step<C::Database>) + Send,
    ) -> Result<(), sqlx::Error> {
        if let Some(silence) = &self.lost {
            return Err(silence.to_error());
        }
        let asked = asked?;
        let what = asked.text();
        let mut steps = self.connection.ask(asked);
        loop {
            let step = async { steps.next().await.transpose() };
            let step = if self.takes_long {
                answered_at_last::<C, _>(&self.options, &what, step).await
            } else {
                answered::<C, _>(&self.options, &what, step).await
            };
            match step {
                Ok(Some(step)) => each(step),
                Ok(None) => return Ok(()),
                Err(error) => {
                    self.lost = Silence::of(&error).cloned();
                    return Err(error);
                }
            }
        }
    }

    /// Closes the connection in good order, which frees its locks.
    pub(crate) async fn close(self) {
        // One that is not answered any more is closed without a word.
        if self.lost.is_none() {
            let _ = answered::<C, _>(&self.options, "a logout", self.connection.close()).await;
        }
    }
}

impl<C: Connection> fmt::Debug for Line<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line")
            .field("lost", &self.lost)
            .finish_non_exhaustive()
    }
}

/// An answer, part by part.
pub(crate) type Answer<'a, DB> = BoxStream<'a, Result<Step<DB>, sqlx::Error>>;

/// A query, taken apart to know its text.
pub(crate) struct Asked<DB: Database> {
    sql: SqlStr,
    arguments: Option<DB::Arguments>,
    is_persistent: bool,
}

impl<DB: Database> Asked<DB> {
    fn new<'q>(mut query: impl Execute<'q, DB>) -> Result<Self, sqlx::Error> {
        Ok(Self {
            arguments: query.take_arguments().map_err(sqlx::Error::Encode)?,
            is_persistent: query.persistent(),
            sql: query.sql(),
        })
    }

    fn text(&self) -> String {
        format!("an answer to `{}`", shorten(self.sql.as_str()))
    }
}

impl<DB: Database> Execute<'_, DB> for Asked<DB> {
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

/// A part of an answer.
pub(crate) type Step<DB> = Either<<DB as Database>::QueryResult, <DB as Database>::Row>;

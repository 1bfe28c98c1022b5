//! A connection for what green-light itself asks of a server. Each of its answers is waited for in bounded
//! time, and what was asked is in the error.
//!
//! Invariant: after an answer that did not come nothing more is asked. It may still come, and would be taken
//! for the answer to something else. The connection stays open for as long as the line lives, and with it
//! the locks that say that its process does.

use std::fmt;

use futures_util::{
    StreamExt as _,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use sqlx::{ConnectOptions as _, Connection, Database, Either, Execute, Executor, SqlStr};

use super::silence::{Served, Silence, answered, answered_at_last};
use crate::sandbox::shorten;

/// A connection that waits for no answer for ever.
pub(crate) struct Line<C: Connection> {
    connection: C,
    options: C::Options,
    /// What was asked last and not answered.
    lost: Option<Silence>,
    /// Whether what is asked now may take long, as copying a database does.
    takes_long: bool,
}

impl<C> Line<C>
where
    C: Served,
    for<'a> &'a mut C: Executor<'a, Database = C::Database>,
{
    /// Connects.
    pub(crate) async fn to(options: &C::Options) -> Result<Self, sqlx::Error> {
        Ok(Self {
            connection: answered::<C, _>(options, "a login", options.connect()).await?,
            options: options.clone(),
            lost: None,
            takes_long: false,
        })
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

/// A query, taken apart to know its text.
struct Asked<DB: Database> {
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

type Step<DB> = Either<<DB as Database>::QueryResult, <DB as Database>::Row>;

impl<'c, C> Executor<'c> for &'c mut Line<C>
where
    C: Served,
    for<'a> &'a mut C: Executor<'a, Database = C::Database>,
{
    type Database = C::Database;

    fn fetch_many<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxStream<'e, Result<Step<C::Database>, sqlx::Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, C::Database>,
    {
        let Line {
            connection,
            options,
            lost,
            takes_long,
        } = self;
        let asked = match (&*lost, Asked::new(query)) {
            (Some(silence), _) => Err(silence.to_error()),
            (None, asked) => asked,
        };
        let asked = match asked {
            Ok(asked) => asked,
            Err(error) => return stream::once(async { Err(error) }).boxed(),
        };
        let what = asked.text();
        let steps = connection.fetch_many(asked);
        let (options, takes_long) = (&*options, *takes_long);
        stream::try_unfold(
            (steps, lost, what),
            move |(mut steps, lost, what)| async move {
                let step = async { steps.next().await.transpose() };
                let step = if takes_long {
                    answered_at_last::<C, _>(options, &what, step).await
                } else {
                    answered::<C, _>(options, &what, step).await
                };
                if let Err(error) = &step {
                    *lost = Silence::of(error).cloned();
                }
                Ok(step?.map(|step| (step, (steps, lost, what))))
            },
        )
        .boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxFuture<'e, Result<Option<<C::Database as Database>::Row>, sqlx::Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, C::Database>,
    {
        let mut steps = self.fetch_many(query);
        Box::pin(async move {
            // To the end, so that nothing of the answer is left to be read.
            let mut found = None;
            while let Some(step) = steps.next().await {
                if let Either::Right(row) = step? {
                    found.get_or_insert(row);
                }
            }
            Ok(found)
        })
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [<C::Database as Database>::TypeInfo],
    ) -> BoxFuture<'e, Result<<C::Database as Database>::Statement, sqlx::Error>>
    where
        'c: 'e,
    {
        let Line {
            connection,
            options,
            lost,
            ..
        } = self;
        Box::pin(async move {
            if let Some(silence) = lost {
                return Err(silence.to_error());
            }
            let what = format!("an answer to `{}`", shorten(sql.as_str()));
            let preparing = connection.prepare_with(sql, parameters);
            let prepared = answered::<C, _>(options, &what, preparing).await;
            if let Err(error) = &prepared {
                *lost = Silence::of(error).cloned();
            }
            prepared
        })
    }
}

//! A connection for what green-light itself asks of a server. Each reply is waited for in bounded time, and
//! the error of a missing one says what was asked.
//!
//! Invariants:
//!
//! * After a timeout, and after a reply that was not read to its end, the connection is not used again. A late
//!   reply would be taken for the reply to the next query.
//! * Idle timeouts of the server are off in it.

use std::{
    fmt,
    future::Future,
    io,
    time::{Duration, Instant},
};

use futures_util::StreamExt as _;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection, Database};

use crate::server::admin_query::AdminQuery;
use crate::server::response_timeout::{ResponseTimeout, with_long_timeout, with_timeout};
use crate::server::server_connection::{OwnedQuery, ReplyItem, ServerConnection};
use crate::server::shortage::{when_free, when_free_to_enter};

/// For how long a connection that has replied is taken for one that still does.
const FRESH: Duration = Duration::from_millis(50);

/// A connection all of whose replies have a timeout.
pub(crate) struct AdminConnection<C: Connection> {
    connection: C,
    options: C::Options,
    /// Set once a reply did not come in time.
    timed_out: Option<ResponseTimeout>,
    /// Why it cannot be used any more, if something else has ended it.
    ended: Option<String>,
    /// A reply was not read to its end.
    is_midway: bool,
    replied: Instant,
}

impl<C: ServerConnection> AdminConnection<C> {
    /// Connects.
    pub(crate) async fn connect(options: &C::Options) -> Result<Self, sqlx::Error> {
        // An application has no use for a log of what green-light sends.
        let options = options.clone().disable_statement_logging();
        Ok(Self {
            connection: with_timeout::<C, _>(&options, "a login", options.connect()).await?,
            options,
            timed_out: None,
            ended: None,
            is_midway: false,
            replied: Instant::now(),
        })
    }

    /// Connects with our own settings. Waits a little while the server has no connection left.
    pub(crate) async fn connect_when_free(options: &C::Options) -> Result<Self, sqlx::Error> {
        let connection = when_free::<C, _, _>(|| Self::connect(options)).await?;
        connection.prepared().await
    }

    /// The same for a process that has no place on the server yet: it waits long.
    pub(crate) async fn connect_to_enter(options: &C::Options) -> Result<Self, sqlx::Error> {
        let connection = when_free_to_enter::<C, _, _>(|| Self::connect(options)).await?;
        connection.prepared().await
    }

    async fn prepared(mut self) -> Result<Self, sqlx::Error> {
        if !C::SETTINGS.is_empty() {
            self.execute(C::SETTINGS).await?;
        }
        Ok(self)
    }

    /// The reply that did not come in time, if there is one.
    pub(crate) fn timed_out(&self) -> Option<&ResponseTimeout> {
        self.timed_out.as_ref()
    }

    /// Whether it still replies. Asks the server if it has not replied just now.
    pub(crate) async fn replies(&mut self) -> bool {
        if self.timed_out.is_some() || self.ended.is_some() || self.is_midway {
            return false;
        }
        if self.replied.elapsed() < FRESH {
            return true;
        }
        self.is_midway = true;
        let asked = with_timeout::<C, _>(&self.options, "a sign of life", self.connection.ping());
        if asked.await.is_err() {
            return false;
        }
        self.is_midway = false;
        self.replied = Instant::now();
        true
    }

    /// It has ended, and no other one could be opened because of `error`.
    pub(crate) fn give_up(&mut self, error: &sqlx::Error) {
        self.timed_out = ResponseTimeout::of(error).cloned();
        self.ended = Some(error.to_string());
    }

    /// Runs statements, none of them with values.
    pub(crate) async fn run(&mut self, sql: String) -> Result<(), sqlx::Error> {
        self.send(OwnedQuery::new(AssertSqlSafe(sql)), false, drop)
            .await
    }

    /// The same for statements that may take long, as those that copy a database do.
    pub(crate) async fn run_slow(&mut self, sql: String) -> Result<(), sqlx::Error> {
        self.send(OwnedQuery::new(AssertSqlSafe(sql)), true, drop)
            .await
    }

    /// Runs a query for what it changes.
    pub(crate) fn execute<'q>(
        &mut self,
        query: impl AdminQuery<'q, C::Database>,
    ) -> impl Future<Output = Result<<C::Database as Database>::QueryResult, sqlx::Error>> + Send
    {
        let query = OwnedQuery::new(query);
        async move {
            let mut all = <C::Database as Database>::QueryResult::default();
            let add = |item: ReplyItem<C::Database>| all.extend(item.left());
            self.send(query, false, add).await?;
            Ok(all)
        }
    }

    /// What a query finds.
    pub(crate) fn fetch_all<'q, Q: AdminQuery<'q, C::Database>>(
        &mut self,
        query: Q,
    ) -> impl Future<Output = Result<Vec<Q::Output>, sqlx::Error>> + Send {
        let query = OwnedQuery::new(query);
        async move {
            let mut rows = Vec::new();
            let add = |item: ReplyItem<C::Database>| rows.extend(item.right());
            self.send(query, false, add).await?;
            rows.into_iter().map(Q::convert).collect()
        }
    }

    /// The first of it, if there is any.
    pub(crate) fn fetch_optional<'q, Q: AdminQuery<'q, C::Database>>(
        &mut self,
        query: Q,
    ) -> impl Future<Output = Result<Option<Q::Output>, sqlx::Error>> + Send {
        let all = self.fetch_all(query);
        async { Ok(all.await?.into_iter().next()) }
    }

    /// The first of it.
    pub(crate) fn fetch_one<'q, Q: AdminQuery<'q, C::Database>>(
        &mut self,
        query: Q,
    ) -> impl Future<Output = Result<Q::Output, sqlx::Error>> + Send {
        let first = self.fetch_optional(query);
        async { first.await?.ok_or(sqlx::Error::RowNotFound) }
    }

    /// Sends a query, and reads the reply to its end.
    async fn send(
        &mut self,
        query: Result<OwnedQuery<C::Database>, sqlx::Error>,
        is_slow: bool,
        mut each: impl FnMut(ReplyItem<C::Database>) + Send,
    ) -> Result<(), sqlx::Error> {
        if let Some(timeout) = &self.timed_out {
            return Err(timeout.to_error());
        }
        if let Some(ended) = &self.ended {
            let text = format!("the connection has ended: {ended}");
            return Err(sqlx::Error::Io(io::Error::new(
                io::ErrorKind::NotConnected,
                text,
            )));
        }
        let query = query?;
        let what = query.reply_in_words();
        self.is_midway = true;
        let mut items = self.connection.send(query);
        loop {
            let item = async { items.next().await.transpose() };
            let item = if is_slow {
                with_long_timeout::<C, _>(&self.options, &what, item).await
            } else {
                with_timeout::<C, _>(&self.options, &what, item).await
            };
            match item {
                Ok(Some(item)) => each(item),
                Ok(None) => break,
                Err(error) => {
                    self.timed_out = ResponseTimeout::of(&error).cloned();
                    let is_reply = matches!(error, sqlx::Error::Database(_));
                    self.is_midway = !is_reply || C::has_ended(&error);
                    return Err(error);
                }
            }
        }
        self.is_midway = false;
        self.replied = Instant::now();
        Ok(())
    }

    /// Closes the connection in good order, which frees its locks.
    pub(crate) async fn close(self) {
        // After a timeout it is dropped without a logout.
        if self.timed_out.is_none() {
            let _ = with_timeout::<C, _>(&self.options, "a logout", self.connection.close()).await;
        }
    }
}

/// The connection, for what it knows without asking.
impl<C: Connection> AsRef<C> for AdminConnection<C> {
    fn as_ref(&self) -> &C {
        &self.connection
    }
}

impl<C: Connection> fmt::Debug for AdminConnection<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdminConnection")
            .field("timed_out", &self.timed_out)
            .finish_non_exhaustive()
    }
}

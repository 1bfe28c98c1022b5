//! Runs queries of sqlx on an [`AdminConnection`].
//!
//! `Executor` of sqlx cannot be implemented outside of it: it has one more method with features that another
//! crate of the build may turn on.

use std::future::Future;

use sqlx::{
    Database, Execute, FromRow,
    query::{Query, QueryAs, QueryScalar},
};

use crate::server::admin_connection::AdminConnection;
use crate::server::server_connection::ServerConnection;

/// A query that knows what its rows become.
pub(crate) trait QueryExt<'q, DB: Database>: Execute<'q, DB> {
    type Output: Send;

    fn convert(row: DB::Row) -> Result<Self::Output, sqlx::Error>;

    fn execute_with<C: ServerConnection<Database = DB>>(
        self,
        connection: &mut AdminConnection<C>,
    ) -> impl Future<Output = Result<DB::QueryResult, sqlx::Error>> + Send {
        connection.execute(self)
    }

    fn fetch_all_with<C: ServerConnection<Database = DB>>(
        self,
        connection: &mut AdminConnection<C>,
    ) -> impl Future<Output = Result<Vec<Self::Output>, sqlx::Error>> + Send {
        async {
            connection
                .fetch_all(self)
                .await?
                .into_iter()
                .map(Self::convert)
                .collect()
        }
    }

    fn fetch_optional_with<C: ServerConnection<Database = DB>>(
        self,
        connection: &mut AdminConnection<C>,
    ) -> impl Future<Output = Result<Option<Self::Output>, sqlx::Error>> + Send {
        async {
            connection
                .fetch_optional(self)
                .await?
                .map(Self::convert)
                .transpose()
        }
    }

    fn fetch_one_with<C: ServerConnection<Database = DB>>(
        self,
        connection: &mut AdminConnection<C>,
    ) -> impl Future<Output = Result<Self::Output, sqlx::Error>> + Send {
        async { Self::convert(connection.fetch_one(self).await?) }
    }
}

impl<'q, DB: Database, A> QueryExt<'q, DB> for Query<'q, DB, A>
where
    Self: Execute<'q, DB>,
{
    type Output = DB::Row;

    fn convert(row: DB::Row) -> Result<DB::Row, sqlx::Error> {
        Ok(row)
    }
}

impl<'q, DB: Database, O, A> QueryExt<'q, DB> for QueryAs<'q, DB, O, A>
where
    Self: Execute<'q, DB>,
    O: Send + for<'r> FromRow<'r, DB::Row>,
{
    type Output = O;

    fn convert(row: DB::Row) -> Result<O, sqlx::Error> {
        O::from_row(&row)
    }
}

impl<'q, DB: Database, O, A> QueryExt<'q, DB> for QueryScalar<'q, DB, O, A>
where
    Self: Execute<'q, DB>,
    O: Send,
    (O,): for<'r> FromRow<'r, DB::Row>,
{
    type Output = O;

    fn convert(row: DB::Row) -> Result<O, sqlx::Error> {
        <(O,)>::from_row(&row).map(|(value,)| value)
    }
}

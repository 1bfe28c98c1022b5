//! Queries of sqlx, asked of a [`Line`].
//!
//! `Executor` of sqlx cannot be implemented outside of it: whether it has one more method depends on
//! features that somebody else in the tree may choose.

use std::future::Future;

use sqlx::{
    Database, Execute, FromRow,
    query::{Query, QueryAs, QueryScalar},
};

use crate::server::admin_connection::Line;
use crate::server::response_timeout::Served;

/// A query that knows what its rows become.
pub(crate) trait Asking<'q, DB: Database>: Execute<'q, DB> {
    type Found: Send;

    fn found(row: DB::Row) -> Result<Self::Found, sqlx::Error>;

    fn execute_on<C: Served<Database = DB>>(
        self,
        line: &mut Line<C>,
    ) -> impl Future<Output = Result<DB::QueryResult, sqlx::Error>> + Send {
        line.execute(self)
    }

    fn all_on<C: Served<Database = DB>>(
        self,
        line: &mut Line<C>,
    ) -> impl Future<Output = Result<Vec<Self::Found>, sqlx::Error>> + Send {
        async {
            line.fetch_all(self)
                .await?
                .into_iter()
                .map(Self::found)
                .collect()
        }
    }

    fn optional_on<C: Served<Database = DB>>(
        self,
        line: &mut Line<C>,
    ) -> impl Future<Output = Result<Option<Self::Found>, sqlx::Error>> + Send {
        async {
            line.fetch_optional(self)
                .await?
                .map(Self::found)
                .transpose()
        }
    }

    fn one_on<C: Served<Database = DB>>(
        self,
        line: &mut Line<C>,
    ) -> impl Future<Output = Result<Self::Found, sqlx::Error>> + Send {
        async { Self::found(line.fetch_one(self).await?) }
    }
}

impl<'q, DB: Database, A> Asking<'q, DB> for Query<'q, DB, A>
where
    Self: Execute<'q, DB>,
{
    type Found = DB::Row;

    fn found(row: DB::Row) -> Result<DB::Row, sqlx::Error> {
        Ok(row)
    }
}

impl<'q, DB: Database, O, A> Asking<'q, DB> for QueryAs<'q, DB, O, A>
where
    Self: Execute<'q, DB>,
    O: Send + for<'r> FromRow<'r, DB::Row>,
{
    type Found = O;

    fn found(row: DB::Row) -> Result<O, sqlx::Error> {
        O::from_row(&row)
    }
}

impl<'q, DB: Database, O, A> Asking<'q, DB> for QueryScalar<'q, DB, O, A>
where
    Self: Execute<'q, DB>,
    O: Send,
    (O,): for<'r> FromRow<'r, DB::Row>,
{
    type Found = O;

    fn found(row: DB::Row) -> Result<O, sqlx::Error> {
        <(O,)>::from_row(&row).map(|(value,)| value)
    }
}

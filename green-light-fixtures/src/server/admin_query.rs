//! What an [`AdminConnection`](super::admin_connection::AdminConnection) can send: a text, or a query of sqlx with
//! its values, which also knows what its rows become.
//!
//! `Executor` of sqlx cannot be implemented outside of it: it has one more method with features that another
//! crate of the build may turn on.

use sqlx::{
    AssertSqlSafe, Database, Execute, FromRow,
    query::{Query, QueryAs, QueryScalar},
};

pub(crate) trait AdminQuery<'q, DB: Database>: Execute<'q, DB> {
    type Output: Send;

    fn convert(row: DB::Row) -> Result<Self::Output, sqlx::Error>;
}

macro_rules! rows_stay_rows {
    ($query:ty $(, $arguments:ident)?) => {
        impl<'q, DB: Database $(, $arguments)?> AdminQuery<'q, DB> for $query
        where
            Self: Execute<'q, DB>,
        {
            type Output = DB::Row;

            fn convert(row: DB::Row) -> Result<DB::Row, sqlx::Error> {
                Ok(row)
            }
        }
    };
}
rows_stay_rows!(&'static str);
rows_stay_rows!(AssertSqlSafe<String>);
rows_stay_rows!(Query<'q, DB, A>, A);

impl<'q, DB: Database, O, A> AdminQuery<'q, DB> for QueryAs<'q, DB, O, A>
where
    Self: Execute<'q, DB>,
    O: Send + for<'r> FromRow<'r, DB::Row>,
{
    type Output = O;

    fn convert(row: DB::Row) -> Result<O, sqlx::Error> {
        O::from_row(&row)
    }
}

impl<'q, DB: Database, O, A> AdminQuery<'q, DB> for QueryScalar<'q, DB, O, A>
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

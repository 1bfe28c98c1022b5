//! SeaORM's traits for a session, so that it fits generic code.
//!
//! Each method is the connection's own, with errors explained. The `begin` methods are written
//! without `async` so that they know their caller.

use std::{future::Future, panic::Location, pin::Pin};

use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr,
    ExecResult, IsolationLevel, QueryResult, QueryStream, Statement, StreamTrait, TransactionError,
    TransactionOptions as SeaOptions, TransactionTrait, entity::prelude::async_trait,
};

use crate::session::handle::Session;

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

#[async_trait::async_trait]
impl ConnectionTrait for Session {
    fn get_database_backend(&self) -> DbBackend {
        self.backend().dialect()
    }

    async fn execute_raw(&self, stmt: Statement) -> Result<ExecResult, DbErr> {
        self.explained(self.connection().execute_raw(stmt).await)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let started = std::time::Instant::now();
        self.shared.isolated.announce(sql);
        let result = self.connection().execute_unprepared(sql).await;
        if !matches!(result, Err(DbErr::ConnectionAcquire(_))) {
            let isolated = &self.shared.isolated;
            isolated.ran_text(sql, started.elapsed(), result.is_err());
        }
        self.explained(result)
    }

    async fn query_one_raw(&self, stmt: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.explained(self.connection().query_one_raw(stmt).await)
    }

    async fn query_all_raw(&self, stmt: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.explained(self.connection().query_all_raw(stmt).await)
    }
}

impl StreamTrait for Session {
    type Stream<'a> = QueryStream;

    fn get_database_backend(&self) -> DbBackend {
        self.backend().dialect()
    }

    #[track_caller]
    fn stream_raw<'a>(&'a self, stmt: Statement) -> Boxed<'a, Result<QueryStream, DbErr>> {
        let place = Location::caller();
        Box::pin(async move {
            let result = self.connection().stream_raw(stmt).await;
            self.begun_at(&result, place);
            self.explained(result)
        })
    }
}

impl TransactionTrait for Session {
    type Transaction = DatabaseTransaction;

    #[track_caller]
    fn begin<'life0, 'async_trait>(
        &'life0 self,
    ) -> Boxed<'async_trait, Result<DatabaseTransaction, DbErr>>
    where
        'life0: 'async_trait,
    {
        self.beginning(
            DatabaseConnection::begin(self.connection()),
            Location::caller(),
        )
    }

    #[track_caller]
    fn begin_with_config<'life0, 'async_trait>(
        &'life0 self,
        isolation_level: Option<IsolationLevel>,
        access_mode: Option<AccessMode>,
    ) -> Boxed<'async_trait, Result<DatabaseTransaction, DbErr>>
    where
        'life0: 'async_trait,
    {
        let begin = self
            .connection()
            .begin_with_config(isolation_level, access_mode);
        self.beginning(begin, Location::caller())
    }

    #[track_caller]
    fn begin_with_options<'life0, 'async_trait>(
        &'life0 self,
        options: SeaOptions,
    ) -> Boxed<'async_trait, Result<DatabaseTransaction, DbErr>>
    where
        'life0: 'async_trait,
    {
        self.beginning(
            self.connection().begin_with_options(options),
            Location::caller(),
        )
    }

    #[track_caller]
    fn transaction<'life0, 'async_trait, F, T, E>(
        &'life0 self,
        callback: F,
    ) -> Boxed<'async_trait, Result<T, TransactionError<E>>>
    where
        F: for<'c> FnOnce(&'c DatabaseTransaction) -> Boxed<'c, Result<T, E>> + Send + 'async_trait,
        T: Send + 'async_trait,
        E: std::fmt::Display + std::fmt::Debug + Send + 'async_trait,
        'life0: 'async_trait,
    {
        TransactionTrait::transaction_with_config(self, callback, None, None)
    }

    #[track_caller]
    fn transaction_with_config<'life0, 'async_trait, F, T, E>(
        &'life0 self,
        callback: F,
        isolation_level: Option<IsolationLevel>,
        access_mode: Option<AccessMode>,
    ) -> Boxed<'async_trait, Result<T, TransactionError<E>>>
    where
        F: for<'c> FnOnce(&'c DatabaseTransaction) -> Boxed<'c, Result<T, E>> + Send + 'async_trait,
        T: Send + 'async_trait,
        E: std::fmt::Display + std::fmt::Debug + Send + 'async_trait,
        'life0: 'async_trait,
    {
        let begin = self.begin_with_config(isolation_level, access_mode);
        Box::pin(async move {
            let transaction = begin.await.map_err(TransactionError::Connection)?;
            match callback(&transaction).await {
                Ok(value) => {
                    transaction
                        .commit()
                        .await
                        .map_err(TransactionError::Connection)?;
                    Ok(value)
                }
                Err(error) => {
                    transaction
                        .rollback()
                        .await
                        .map_err(TransactionError::Connection)?;
                    Err(TransactionError::Transaction(error))
                }
            }
        })
    }
}

impl Session {
    fn beginning<'a>(
        &'a self,
        begin: Boxed<'a, Result<DatabaseTransaction, DbErr>>,
        place: &'static Location<'static>,
    ) -> Boxed<'a, Result<DatabaseTransaction, DbErr>> {
        Box::pin(async move {
            let result = begin.await;
            self.begun_at(&result, place);
            self.explained(result)
        })
    }
}

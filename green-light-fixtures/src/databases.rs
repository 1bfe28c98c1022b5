//! The list of databases, and the feature that each of them needs.

/// Calls the macro `$call` with all databases, each after the attribute that asks for its feature. By what is said of a
/// database: its folder; its type in sqlx and its variant of [`Backend`](crate::backend::Backend); its name in texts;
/// the method that returns a pool; the fixtures that return a pool and a connection.
macro_rules! with_databases {
    ($call:ident) => {
        $call! {
            #[cfg(feature = "sqlite")]
            sqlite, Sqlite, "SQLite", sqlite_pool, sqlite_pool, sqlite_connection;
            #[cfg(feature = "postgres")]
            postgres, Postgres, "PostgreSQL", postgres_pool, pg_pool, pg_connection;
            #[cfg(feature = "mysql")]
            mysql, MySql, "MySQL", mysql_pool, mysql_pool, mysql_connection;
        }
    };
}

pub(crate) use with_databases;

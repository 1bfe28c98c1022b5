//! Asks two databases how they are reached.

use sqlx::{Connection as _, MySqlConnection, PgConnection};

/// The version of TLS by which PostgreSQL is reached.
pub async fn postgres_tls(url: &str) -> sqlx::Result<Option<String>> {
    let mut connection = PgConnection::connect(url).await?;
    let version = "SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    sqlx::query_scalar(version).fetch_one(&mut connection).await
}

/// The version of TLS by which MariaDB is reached.
pub async fn mysql_tls(url: &str) -> sqlx::Result<String> {
    let mut connection = MySqlConnection::connect(url).await?;
    let version = "SELECT variable_value FROM information_schema.session_status WHERE variable_name = 'ssl_version'";
    sqlx::query_scalar(version).fetch_one(&mut connection).await
}

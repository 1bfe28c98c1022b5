//! What a started server is set to, as its first user sees it.

use crate::local_server::program::ServerProgram;
use crate::local_server::{hints, start};
use crate::url::DatabaseUrl;

/// Of a server that is started, whichever the environment names.
fn own_url(program: &ServerProgram) -> String {
    let (used, _) = start::join_or_start(program, crate::files::base::base().unwrap()).unwrap();
    let url = (program.url)(&used.sockets);
    // Used until this process ends.
    std::mem::forget(used);
    url
}

#[tokio::test]
async fn postgres_takes_connections_and_is_not_durable() {
    use sqlx::Connection as _;

    let url = own_url(&crate::postgres::local_server::POSTGRES);
    let mut connection = sqlx::PgConnection::connect(&url).await.unwrap();
    for (setting, value) in [
        ("fsync", "off"),
        ("synchronous_commit", "off"),
        ("full_page_writes", "off"),
        ("autovacuum", "off"),
        ("max_connections", "300"),
        ("listen_addresses", ""),
        ("server_encoding", "UTF8"),
    ] {
        let sql = format!("SHOW {setting}");
        let shown: String = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .fetch_one(&mut connection)
            .await
            .unwrap();
        assert_eq!(shown, value, "{setting}");
    }
    connection.close().await.unwrap();
    let url = DatabaseUrl::new(url);
    assert_eq!(
        hint(&crate::postgres::local_server::POSTGRES, &url).await,
        None,
        "as fast as can be"
    );
}

#[tokio::test]
async fn mysql_takes_connections_and_is_not_durable() {
    use sqlx::Connection as _;

    let url = own_url(&crate::mysql::local_server::MYSQL_OR_MARIADB);
    let mut connection = sqlx::MySqlConnection::connect(&url).await.unwrap();
    for (setting, value) in [
        ("innodb_flush_log_at_trx_commit", "0"),
        ("innodb_doublewrite", "OFF"),
        ("log_bin", "OFF"),
        ("skip_networking", "ON"),
        ("character_set_server", "utf8mb4"),
    ] {
        let sql = format!("SHOW GLOBAL VARIABLES LIKE '{setting}'");
        let shown: (String, String) = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .fetch_one(&mut connection)
            .await
            .unwrap();
        assert_eq!(shown.1, value, "{setting}");
    }
    connection.close().await.unwrap();
    let url = DatabaseUrl::new(url);
    assert_eq!(
        hint(&crate::mysql::local_server::MYSQL_OR_MARIADB, &url).await,
        None,
        "as fast as can be"
    );
}

async fn hint(program: &ServerProgram, url: &DatabaseUrl) -> Option<String> {
    hints::hint(program, &(program.settings)(url).await.unwrap())
}

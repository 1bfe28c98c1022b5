//! What has been committed to a copy of a template, where the server does not say it otherwise.

use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, MySqlConnection, Row as _,
    mysql::MySqlConnectOptions,
};

use crate::mysql::admin::{literal, quoted};
use crate::server::shortage::when_free;

/// How many tables are read for one message.
const CHUNK: usize = 50;

/// Whether the database of `options`, a copy of `template` whose definitions have not changed, has other rows than that.
pub(crate) async fn has_other_rows(
    options: &MySqlConnectOptions,
    template: &str,
) -> Result<bool, sqlx::Error> {
    let options = options.clone().disable_statement_logging();
    let mut connection = when_free::<MySqlConnection, _, _>(|| options.connect()).await?;
    let database = options.get_database().unwrap_or_default();
    let found = have_other_rows(&mut connection, database, template).await;
    connection.close().await?;
    found
}

async fn have_other_rows(
    connection: &mut MySqlConnection,
    database: &str,
    template: &str,
) -> Result<bool, sqlx::Error> {
    let tables = format!(
        "SELECT table_name FROM information_schema.tables \
         WHERE table_schema = {} AND table_type = 'BASE TABLE'",
        literal(template)
    );
    let tables = connection.fetch_all(AssertSqlSafe(tables)).await?;
    let names = tables.iter().map(|row| row.try_get_unchecked(0));
    let names: Vec<String> = names.collect::<Result<_, _>>()?;
    let mut sums = Vec::with_capacity(2);
    for schema in [database, template] {
        let mut of_schema = Vec::new();
        for names in names.chunks(CHUNK) {
            let names = names.iter();
            let names = names.map(|name| format!("{}.{}", quoted(schema), quoted(name)));
            let names: Vec<_> = names.collect();
            let checksum = format!("CHECKSUM TABLE {}", names.join(", "));
            for row in connection.fetch_all(AssertSqlSafe(checksum)).await? {
                of_schema.push(row.try_get_unchecked::<Option<i64>, _>(1)?);
            }
        }
        sums.push(of_schema);
    }
    Ok(sums[0] != sums[1])
}

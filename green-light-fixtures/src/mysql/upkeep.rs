//! The databases of green-light on a server of MySQL or MariaDB, as a person sees them, and how one is opened.

use sqlx::{AssertSqlSafe, Row as _, mysql::MySqlConnectOptions};

use crate::driver::listed_database::{DatabaseState, Shell};
use crate::mysql::admin::AdminConnection;
use crate::mysql::local_server::SERVER;
use crate::mysql::process_name::home_of;
use crate::mysql::server::MySqlServer;
use crate::server::driver::{RegisteredDatabase, UpkeepSql, state_of};
use crate::url::DatabaseUrl;

/// All that are there. The server does not remember of which test one is.
const LISTED: &str = "SELECT l.name, l.state, coalesce(l.run, ''), \
    CAST(TIMESTAMPDIFF(SECOND, l.since, now(6)) AS SIGNED), \
    CAST((SELECT coalesce(sum(t.data_length + t.index_length), 0) FROM information_schema.tables t \
      WHERE t.table_schema = l.name) AS SIGNED), \
    CAST((SELECT count(*) FROM information_schema.processlist s WHERE s.db = l.name) AS SIGNED) \
    FROM (SELECT name, state, run, since FROM green_light.test_databases \
      UNION ALL SELECT name, 'template', NULL, used FROM green_light.templates) l \
    JOIN information_schema.schemata s ON s.schema_name = l.name ORDER BY l.since, l.name";

impl UpkeepSql for MySqlServer {
    async fn registered(
        &self,
        admin: &mut AdminConnection,
    ) -> Result<Vec<RegisteredDatabase>, sqlx::Error> {
        let rows = admin.fetch_all(AssertSqlSafe(LISTED.to_owned())).await?;
        let abandoned = self.abandoned(admin, None).await?;
        let mut databases = Vec::new();
        for row in rows {
            let name: String = row.try_get_unchecked(0)?;
            let word: String = row.try_get_unchecked(1)?;
            let run: String = row.try_get_unchecked(2)?;
            let age: i64 = row.try_get_unchecked(3)?;
            databases.push(RegisteredDatabase {
                state: match abandoned.contains(&name) {
                    true => DatabaseState::Left,
                    false => state_of(&word),
                },
                name,
                test: None,
                home: home_of(&run).map(str::to_owned),
                #[expect(clippy::cast_precision_loss, reason = "seconds of a database's life")]
                age: Some(age as f64),
                size: Some(row.try_get_unchecked(4)?),
                sessions: row.try_get_unchecked(5)?,
            });
        }
        Ok(databases)
    }
}

/// The programs of MySQL and MariaDB take no URL.
pub(crate) fn shell(url: &DatabaseUrl) -> Shell {
    let (plain, password) = url.without_password();
    let mut arguments = Vec::new();
    if let Ok(options) = plain.parse::<MySqlConnectOptions>() {
        match options.get_socket() {
            Some(socket) => arguments.push(format!("--socket={}", socket.display())),
            None => arguments.extend([
                "--protocol=tcp".to_owned(),
                format!("--host={}", options.get_host()),
                format!("--port={}", options.get_port()),
            ]),
        }
        arguments.push(format!("--user={}", options.get_username()));
        arguments.extend(options.get_database().map(str::to_owned));
    }
    let server = SERVER.facts().program;
    Shell {
        programs: &["mariadb", "mysql"],
        arguments,
        password: password.map(|password| ("MYSQL_PWD", password)),
        directory: server.and_then(|server| Some(server.parent()?.parent()?.join("bin"))),
        install: "`apt-get install mariadb-client`, `brew install mariadb`",
    }
}

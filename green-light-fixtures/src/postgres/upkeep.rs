//! The databases of green-light on a PostgreSQL server, as a person sees them, and how one is opened.

use std::path::PathBuf;

use crate::driver::listed_database::{DatabaseState, Shell};
use crate::postgres::admin::AdminConnection;
use crate::postgres::local_server::SERVER;
use crate::postgres::server::PostgresServer;
use crate::server::driver::{RegisteredDatabase, UpkeepSql, state_of};
use crate::url::DatabaseUrl;

/// All that are there: of the registry, and marked without being in it. A user may ask for the size of what it may
/// connect to.
const LISTED: &str = "
WITH listed AS (
  SELECT r.name, r.state, r.test, p.home, r.since FROM green_light.database r
    LEFT JOIN green_light.process p ON p.key = r.owner
  UNION ALL SELECT name, 'template', NULL, NULL, used FROM green_light.template
  UNION ALL SELECT d.datname, CASE WHEN d.datistemplate
      OR EXISTS (SELECT FROM pg_stat_activity a WHERE a.datid = d.oid) THEN 'making' ELSE 'done' END,
    NULL, NULL, NULL FROM pg_database d
    WHERE position($1 IN coalesce(shobj_description(d.oid, 'pg_database'), '')) > 0
      AND NOT EXISTS (SELECT FROM green_light.database r WHERE r.name = d.datname)
      AND NOT EXISTS (SELECT FROM green_light.template t WHERE t.name = d.datname))
SELECT l.name, l.state, l.test, l.home, extract(epoch FROM clock_timestamp() - l.since)::float8,
  CASE WHEN has_database_privilege(d.oid, 'CONNECT') THEN pg_database_size(d.oid) END,
  (SELECT count(*) FROM pg_stat_activity a WHERE a.datid = d.oid)
FROM listed l JOIN pg_database d ON d.datname = l.name ORDER BY l.since, l.name";

impl UpkeepSql for PostgresServer {
    async fn registered(
        &self,
        admin: &mut AdminConnection,
    ) -> Result<Vec<RegisteredDatabase>, sqlx::Error> {
        type Row = (
            String,
            String,
            Option<String>,
            Option<String>,
            Option<f64>,
            Option<i64>,
            i64,
        );
        let listed = sqlx::query_as::<_, Row>(LISTED).bind(self.mark());
        let listed = admin.fetch_all(listed).await?;
        let abandoned = self.abandoned(admin, None).await?;
        let databases = listed.into_iter().map(|row| {
            let (name, word, test, home, age, size, sessions) = row;
            RegisteredDatabase {
                state: match abandoned.contains(&name) {
                    true => DatabaseState::Left,
                    false => state_of(&word),
                },
                name,
                test,
                home,
                age,
                size,
                sessions,
            }
        });
        Ok(databases.collect())
    }
}

/// psql understands the URL.
pub(crate) fn shell(url: &DatabaseUrl) -> Shell {
    let (url, password) = url.without_password();
    let server = SERVER.facts().program;
    Shell {
        programs: &["psql"],
        arguments: vec![url],
        password: password.map(|password| ("PGPASSWORD", password)),
        directory: server.and_then(|server| server.parent().map(PathBuf::from)),
        install: "`apt-get install postgresql-client`, `brew install libpq`",
    }
}

//! How a template is found and built on a PostgreSQL server, and how databases are cloned from it.
//!
//! The name of a template is made from its digest. A draft is renamed to it last.

use sqlx::Row as _;

use crate::error::{Error, Kind};
use crate::postgres::admin::{AdminConnection, literal, quoted};
use crate::postgres::database_properties;
use crate::postgres::errors::failed;
use crate::postgres::guard::SANDBOX_OBJECTS;
use crate::postgres::registry::test_of;
use crate::postgres::registry_tables::TEMPLATE_IN_USE;
use crate::postgres::server::PostgresServer;
use crate::server::driver::{
    Losses as _, Purpose, ReaperSql as _, ServerAccess as _, TemplateInfo, TemplateSql,
};
use crate::server::names::new_name;

fn name_of(digest: &str) -> String {
    format!("gl_t_{digest}")
}

impl TemplateSql for PostgresServer {
    /// Statements that give a clone what it does not inherit.
    type TemplateDetails = Vec<String>;

    const SANDBOX_OBJECTS: Option<&'static str> = Some(SANDBOX_OBJECTS);
    const DRAFT: &'static str = "b";
    /// One creates a database, and one is the first to connect to it.
    const PREFETCH_CONNECTIONS: usize = 2;

    async fn find_template(
        &self,
        admin: &mut AdminConnection,
        digest: &str,
        rebuilt_in: Option<&str>,
    ) -> Result<Option<TemplateInfo<Self>>, sqlx::Error> {
        let name = name_of(digest);
        if let Some(run) = rebuilt_in
            && !was_rebuilt(admin, &name, run).await?
        {
            return Ok(None);
        }
        let find = sqlx::query(
            "UPDATE green_light.template t SET used = now() FROM pg_database d \
             WHERE t.name = $1 AND d.datname = $1 AND d.datistemplate AND NOT d.datallowconn \
             RETURNING t.likeness, pg_advisory_lock_shared($2, hashtext($1))",
        );
        let find = find.bind(&name).bind(TEMPLATE_IN_USE);
        let Some(row) = admin.fetch_optional(find).await? else {
            return Ok(None);
        };
        self.templates_in_use.lock().insert(name.clone());
        Ok(Some(TemplateInfo {
            name,
            losses: self.losses(),
            details: row.try_get(0)?,
        }))
    }

    async fn lock_template(admin: &mut AdminConnection, digest: &str) -> Result<bool, sqlx::Error> {
        let lock = sqlx::query_scalar("SELECT pg_try_advisory_lock(hashtextextended($1, 0))");
        admin.fetch_one(lock.bind(name_of(digest))).await
    }

    async fn create_draft(
        &self,
        admin: &mut AdminConnection,
        draft: &str,
        digest: &str,
        base: Option<&TemplateInfo<Self>>,
        rebuilt_in: Option<&str>,
    ) -> Result<(), Error> {
        let cannot = |error| failed("the template cannot be built", error);
        let name = name_of(digest);
        if rebuilt_in.is_some() {
            forget_template(admin, &name).await.map_err(cannot)?;
        }
        let is_ours = sqlx::query_scalar(
            "SELECT datistemplate AND position($2 IN coalesce(shobj_description(oid, 'pg_database'), '')) > 0 \
             FROM pg_database WHERE datname = $1",
        );
        let is_ours = admin.fetch_optional(is_ours.bind(&name).bind(self.mark()));
        match is_ours.await.map_err(cannot)? {
            None => {}
            // It is not listed any more.
            Some(true) => self.drop_database(admin, &name).await.map_err(cannot)?,
            Some(false) => {
                return Err(Error::new(
                    Kind::Configuration,
                    format!("the database `{name}` has the name of a template, but is none"),
                )
                .help("drop it, unless something needs it"));
            }
        }
        if base.is_none() {
            let watching = self.watch.begin_draft(admin, draft).await;
            watching.map_err(cannot)?;
        }
        let created = self.create(admin, draft, &name, None, base).await;
        created.map_err(cannot)
    }

    async fn make_room(
        &self,
        admin: &mut AdminConnection,
        error: &Error,
    ) -> Result<bool, sqlx::Error> {
        let text = format!("{error:?} {error}");
        self.drop_role_in_the_way(admin, &text).await
    }

    async fn forget_draft(&self, draft: &str) {
        self.watch.forget_draft(draft).await;
    }

    async fn publish_template(
        &self,
        admin: &mut AdminConnection,
        draft: &str,
        digest: &str,
        rebuilt_in: Option<&str>,
    ) -> Result<(), sqlx::Error> {
        let (name, quoted_draft) = (name_of(digest), quoted(draft));
        let close =
            format!("ALTER DATABASE {quoted_draft} WITH ALLOW_CONNECTIONS false IS_TEMPLATE true");
        admin.run(close).await?;
        // A seed may have left a connection behind, and a template must have none.
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1";
        admin.execute(sqlx::query(end).bind(draft)).await?;
        self.watch.end_draft(admin, draft).await?;
        let details = database_properties::read(admin, draft, &self.mark()).await?;
        // It is found once there is a database of this name, too.
        let insert = sqlx::query(
            "INSERT INTO green_light.template (name, strategy, likeness, measured) \
             VALUES ($1, '', $2, '') ON CONFLICT (name) DO UPDATE SET likeness = $2, used = now()",
        );
        admin.execute(insert.bind(&name).bind(details)).await?;
        let rename = format!("ALTER DATABASE {quoted_draft} RENAME TO {}", quoted(&name));
        admin.run(rename).await?;
        let forget = sqlx::query("DELETE FROM green_light.database WHERE name = $1");
        admin.execute(forget.bind(draft)).await?;
        if let Some(run) = rebuilt_in {
            let note = sqlx::query(
                "INSERT INTO green_light.rebuilt VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET run = $2",
            );
            admin.execute(note.bind(name).bind(run)).await?;
        }
        Ok(())
    }

    async fn create_database(
        &self,
        admin: &mut AdminConnection,
        template: &TemplateInfo<Self>,
        purpose: Option<&Purpose>,
    ) -> Result<String, sqlx::Error> {
        let name = new_name("d");
        let test = purpose.map(test_of);
        self.create(admin, &name, &template.name, test, Some(template))
            .await?;
        let ready = sqlx::query(
            "UPDATE green_light.database SET state = CASE WHEN test IS NULL THEN 'free' ELSE 'taken' END, \
             owner = CASE WHEN test IS NULL THEN NULL ELSE owner END, \
             oid = (SELECT oid FROM pg_database WHERE datname = $1) WHERE name = $1",
        );
        admin.execute(ready.bind(&name)).await?;
        if test.is_none()
            && self.strategy.is_empty()
            && let Ok(first) = AdminConnection::connect(&self.options_of(&name)).await
        {
            // The first connection to a new database writes down what all need of its catalog, and takes
            // longer than the next ones. Among copied files is what was written down for the template.
            first.close().await;
        }
        Ok(name)
    }
}

/// What depends on a role: databases by name, whether each is a template or waits for a test, and whether that template
/// is in use.
const DEPENDENTS: &str = "
SELECT DISTINCT d.datname::text, t.name IS NOT NULL, t.name IS NOT NULL OR coalesce(r.state IN ('free', 'done'), false),
  EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND granted
    AND classid = $2::oid AND objid = hashtext(coalesce(t.name, r.template))::oid
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
FROM pg_shdepend s JOIN pg_database d ON d.oid = s.dbid
  LEFT JOIN green_light.template t ON t.name = d.datname LEFT JOIN green_light.database r ON r.name = d.datname
WHERE s.refclassid = 'pg_authid'::regclass AND s.refobjid = $1::bigint::oid";

impl PostgresServer {
    /// Drops templates, and databases made ahead from them, that depend on a role. `false` if something is in use.
    pub(crate) async fn drop_dependents(
        &self,
        admin: &mut AdminConnection,
        role: i64,
    ) -> Result<bool, sqlx::Error> {
        let dependents = sqlx::query_as(DEPENDENTS).bind(role);
        let dependents = dependents.bind(i64::from(TEMPLATE_IN_USE));
        let dependents: Vec<(String, bool, bool, bool)> = admin.fetch_all(dependents).await?;
        if dependents
            .iter()
            .any(|(_, _, is_idle, is_used)| !is_idle || *is_used)
        {
            return Ok(false);
        }
        for (name, is_template, _, _) in &dependents {
            if *is_template {
                forget_template(admin, name).await?;
            }
        }
        for (name, ..) in &dependents {
            self.drop_database(admin, name).await?;
        }
        Ok(true)
    }

    /// Registers the database `name` of `template`, and creates it: empty, or like `base`.
    ///
    /// From here on `admin` holds the lock of this process as well. A server goes on creating a database when
    /// its client is killed, and until it is there it cannot be dropped.
    async fn create(
        &self,
        admin: &mut AdminConnection,
        name: &str,
        template: &str,
        test: Option<&str>,
        base: Option<&TemplateInfo<Self>>,
    ) -> Result<(), sqlx::Error> {
        let insert = sqlx::query(
            "INSERT INTO green_light.database (name, template, state, owner, test) \
             VALUES ($1, $2, 'making', $3, $4) RETURNING pg_advisory_lock_shared($3)",
        );
        let insert = insert.bind(name).bind(template).bind(self.key).bind(test);
        admin.execute(insert).await?;
        let quoted_name = quoted(name);
        let (create, properties) = match base {
            None => (
                format!("CREATE DATABASE {quoted_name}"),
                format!(
                    "COMMENT ON DATABASE {quoted_name} IS {}",
                    literal(&self.mark())
                ),
            ),
            Some(base) => (
                format!(
                    "CREATE DATABASE {quoted_name} TEMPLATE {} {}",
                    quoted(&base.name),
                    self.strategy
                ),
                database_properties::of(&base.details, name),
            ),
        };
        admin.run_slow(create).await?;
        admin.run(properties).await
    }
}

/// Takes the template `name` off the list, with all that was created from it ahead of tests.
async fn forget_template(admin: &mut AdminConnection, name: &str) -> Result<(), sqlx::Error> {
    for sql in [
        "DELETE FROM green_light.template WHERE name = $1",
        "UPDATE green_light.database SET state = 'done' WHERE template = $1 AND state = 'free'",
        // A database that is leased now is not recycled.
        "UPDATE green_light.database SET template = '' WHERE template = $1 AND state = 'taken'",
    ] {
        admin.execute(sqlx::query(sql).bind(name)).await?;
    }
    Ok(())
}

/// Whether the template `name` was built in this run.
async fn was_rebuilt(
    admin: &mut AdminConnection,
    name: &str,
    run_id: &str,
) -> Result<bool, sqlx::Error> {
    // The first version of the registry did not have this table.
    let exists = "SELECT FROM green_light.rebuilt LIMIT 0";
    if admin.execute(exists).await.is_err() {
        let create = "CREATE TABLE IF NOT EXISTS green_light.rebuilt (name text PRIMARY KEY, run text NOT NULL)";
        // Of several processes that create it at once, some fail.
        if admin.execute(create).await.is_err() {
            admin.execute(exists).await?;
        }
    }
    let was_rebuilt = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM green_light.rebuilt WHERE name = $1 AND run = $2)",
    );
    admin.fetch_one(was_rebuilt.bind(name).bind(run_id)).await
}

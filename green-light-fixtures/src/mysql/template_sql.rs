//! How a template is found and built on a server of MySQL or MariaDB, and how databases are copied from it.
//!
//! A template keeps the name of its draft. It is one once it is listed.

use std::sync::Arc;

use tokio::sync::OnceCell;

use crate::error::Error;
use crate::mysql::accounts;
use crate::mysql::admin::{AdminConnection, end_connections, lock, names, quoted, unlock};
use crate::mysql::counters::Counters;
use crate::mysql::dump::DatabaseDump;
use crate::mysql::errors::failed;
use crate::mysql::registry::{insert, set_state};
use crate::mysql::registry_tables::forget_template;
use crate::mysql::server::MySqlServer;
use crate::server::driver::{Losses as _, Purpose, TemplateInfo, TemplateSql};
use crate::server::names::new_name;

/// What a template is made of.
#[derive(Debug, Default)]
pub(crate) struct TemplateDetails {
    pub(crate) digest: String,
    dump: OnceCell<Arc<DatabaseDump>>,
    /// Set once it is known that every table takes part in transactions, too.
    pub(crate) traces: OnceCell<Arc<TemplateTraces>>,
}

/// What a rollback does not take away of a test in a copy of a template.
#[derive(Debug)]
pub(crate) struct TemplateTraces {
    /// The name of the template.
    pub(crate) template: String,
    /// Whether one of its triggers, functions, views or sequences may leave something in the session of any test.
    pub(crate) programs_dirty_session: bool,
    pub(crate) counters: Counters,
}

impl TemplateInfo<MySqlServer> {
    /// The statements that make a database like it, read when they are first needed.
    pub(crate) async fn dump(
        &self,
        admin: &mut AdminConnection,
    ) -> Result<&Arc<DatabaseDump>, sqlx::Error> {
        let read = async || DatabaseDump::read(admin, &self.name).await.map(Arc::new);
        self.details.dump.get_or_try_init(read).await
    }
}

impl TemplateSql for MySqlServer {
    type TemplateDetails = TemplateDetails;

    const SANDBOX_OBJECTS: Option<&'static str> = None;
    const DRAFT: &'static str = "t";
    const PREFETCH_CONNECTIONS: usize = 1;

    async fn find_template(
        &self,
        admin: &mut AdminConnection,
        digest: &str,
        rebuilt_in: Option<&str>,
    ) -> Result<Option<TemplateInfo<Self>>, sqlx::Error> {
        if let Some(run_id) = rebuilt_in {
            let built = format!(
                "SELECT run FROM green_light.rebuilds WHERE digest = '{digest}' AND run = '{run_id}'"
            );
            if names(admin, built).await?.is_empty() {
                return Ok(None);
            }
        }
        let find = format!(
            "INSERT IGNORE INTO green_light.template_uses VALUES ('{digest}', '{}'); \
             UPDATE green_light.templates SET used = now(6) WHERE digest = '{digest}'; \
             SELECT name FROM green_light.templates t WHERE digest = '{digest}' AND EXISTS \
             (SELECT 1 FROM information_schema.schemata s WHERE s.schema_name = t.name)",
            self.process
        );
        let name = names(admin, find).await?.pop();
        self.templates_in_use.lock().insert(digest.to_owned());
        Ok(name.map(|name| TemplateInfo {
            name,
            losses: self.losses(),
            details: TemplateDetails {
                digest: digest.to_owned(),
                ..TemplateDetails::default()
            },
        }))
    }

    async fn lock_template(admin: &mut AdminConnection, digest: &str) -> Result<bool, sqlx::Error> {
        lock(admin, &format!("green_light.template.{digest}")).await
    }

    async fn create_draft(
        &self,
        admin: &mut AdminConnection,
        draft: &str,
        digest: &str,
        _base: Option<&TemplateInfo<Self>>,
        _rebuilt_in: Option<&str>,
    ) -> Result<(), Error> {
        let created = async {
            insert(admin, draft, digest, "making", &self.process).await?;
            if !self.is_ours {
                self.watch.begin_draft(admin, draft).await?;
            }
            accounts::note_those_before(admin, draft).await?;
            admin
                .run(format!("CREATE DATABASE {}", quoted(draft)))
                .await
        };
        let cannot = |error| failed("the template cannot be built", error);
        created.await.map_err(cannot)
    }

    async fn make_room(
        &self,
        admin: &mut AdminConnection,
        error: &Error,
    ) -> Result<bool, sqlx::Error> {
        accounts::drop_those_in_the_way(admin, &format!("{error:?}"), self.is_ours).await
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
        // A seed may have left a connection behind, and a template must have none.
        end_connections(admin, draft).await?;
        accounts::note_those_of_template(admin, draft).await?;
        self.watch.end_draft(admin, draft).await?;
        let forget = rebuilt_in.map(|run_id| {
            let forget = forget_template(digest);
            format!("{forget}REPLACE INTO green_light.rebuilds VALUES ('{digest}', '{run_id}'); ")
        });
        let forget = forget.unwrap_or_default();
        let list = format!(
            "START TRANSACTION; {forget}\
             REPLACE INTO green_light.templates (digest, name) VALUES ('{digest}', '{draft}'); \
             DELETE FROM green_light.test_databases WHERE name = '{draft}'; COMMIT"
        );
        admin.run(list).await
    }

    async fn create_database(
        &self,
        admin: &mut AdminConnection,
        template: &TemplateInfo<Self>,
        purpose: Option<&Purpose>,
    ) -> Result<String, sqlx::Error> {
        let (before, after) = match purpose {
            Some(_) => ("making", "taken"),
            None => ("ahead", "free"),
        };
        let name = new_name("d");
        let dump = template.dump(admin).await?;
        insert(
            admin,
            &name,
            &template.details.digest,
            before,
            &self.process,
        )
        .await?;
        dump.create(admin, &name, &template.name).await?;
        set_state(admin, &name, after).await?;
        unlock(admin, &name).await?;
        Ok(name)
    }
}

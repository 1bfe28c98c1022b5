//! The template of one schema on a server: found, or built once by the first process that needs it; and
//! databases made from it.
//!
//! A template that is being built is a draft: a row in the registry, and a database under a name of its own.
//! Only the last step, publishing, makes it the template. Up to there it is garbage if its builder is killed.
//!
//! A server that crashes may take rows of a template along. The process that notices it finds or builds another
//! [`Edition`] before the next database is made.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use green_light_core::{Mutex, progress, wait_for};
use tokio::sync::{Mutex as AsyncMutex, OnceCell};

use crate::backoff::Backoff;
use crate::database_pool::{DatabasePool, PoolDriver as _};
use crate::digest::short_digest;
use crate::env;
use crate::error::{Error, Kind};
use crate::schema::definition::Schema;
use crate::schema::new_database::NewDatabase;
use crate::server::admin_connection::AdminConnection;
use crate::server::build_id::content_id;
use crate::server::client::ServerClient;
use crate::server::clients::client_of;
use crate::server::connection_budget::ConnectionPermits;
use crate::server::database_lease::DatabaseLease;
use crate::server::driver::{Admin, Purpose, ServerDriver, TemplateInfo};
use crate::server::names::new_name;
use crate::server::ready_pool;
use crate::server::response_timeout::while_server_alive;
use crate::server::server_connection::ServerConnection as _;
use crate::url::DatabaseUrl;

/// A template on a server, and how databases are made from it.
#[derive(Debug)]
pub(crate) struct ServerTemplate<D: ServerDriver> {
    pub(crate) client: Arc<ServerClient<D>>,
    pub(crate) schema: Schema,
    /// How long a pool waits while the schema is applied.
    wait: Duration,
    latest: Mutex<Arc<Edition<D>>>,
    /// Held while another edition is looked for.
    renewing: AsyncMutex<()>,
    /// How often this process has built it.
    builds: AtomicU64,
}

/// A template as it is found until the server loses rows.
#[derive(Debug)]
pub(crate) struct Edition<D: ServerDriver> {
    pub(crate) info: Arc<TemplateInfo<D>>,
    /// The same with what the sandbox needs, made when the first slot is.
    with_sandbox: OnceCell<Arc<TemplateInfo<D>>>,
}

impl<D: ServerDriver> Edition<D> {
    fn new(info: TemplateInfo<D>) -> Arc<Self> {
        Arc::new(Self {
            info: Arc::new(info),
            with_sandbox: OnceCell::new(),
        })
    }
}

impl<D: ServerDriver> ServerTemplate<D> {
    /// Finds the template of `schema` on the server at `url`, or builds it.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached, or the schema cannot be applied.
    pub(crate) async fn obtain(
        url: &DatabaseUrl,
        is_ours: bool,
        schema: &Schema,
        wait: Duration,
    ) -> Result<Self, Error> {
        let client = client_of::<D>(url, is_ours).await?;
        let content = schema.persistent_digest(D::Db::DIALECT, content_id).await;
        let source = Source::Schema(schema, wait);
        let (info, was_built) = find_or_build(&client, source, &content).await?;
        Ok(Self {
            client,
            schema: schema.clone(),
            wait,
            latest: Mutex::new(Edition::new(info)),
            renewing: AsyncMutex::default(),
            builds: AtomicU64::new(u64::from(was_built)),
        })
    }

    /// How often this process has built it.
    pub(crate) fn builds(&self) -> u64 {
        self.builds.load(Ordering::Relaxed)
    }

    /// The latest edition that is known.
    pub(crate) fn latest(&self) -> Arc<Edition<D>> {
        Arc::clone(&self.latest.lock())
    }

    /// The latest edition: if the server has lost rows meanwhile, the template is found or built again.
    ///
    /// # Errors
    ///
    /// When that fails.
    pub(crate) async fn edition(&self) -> Result<Arc<Edition<D>>, Error> {
        self.client.look().await;
        if let Some(edition) = self.unless_lost() {
            return Ok(edition);
        }
        let _renewing = self.renewing.lock().await;
        if let Some(edition) = self.unless_lost() {
            return Ok(edition);
        }
        let schema = &self.schema;
        let content = schema.persistent_digest(D::Db::DIALECT, content_id).await;
        let source = Source::Schema(schema, self.wait);
        let (info, was_built) = find_or_build(&self.client, source, &content).await?;
        if was_built {
            self.builds.fetch_add(1, Ordering::Relaxed);
            progress(&format!(
                "{} {}: the database of the schema made at {} was built again",
                D::Connection::SERVER,
                D::LOSS,
                schema.place(),
            ));
        }
        let edition = Edition::new(info);
        *self.latest.lock() = Arc::clone(&edition);
        Ok(edition)
    }

    /// The latest edition, unless the server has lost rows since it was found.
    fn unless_lost(&self) -> Option<Arc<Edition<D>>> {
        Some(self.latest()).filter(|edition| !self.client.has_lost(&edition.info))
    }

    /// A database for `test` alone, as `edition` made it, with permits for its connections.
    ///
    /// # Errors
    ///
    /// When none can be created, or there is no connection for it within the time of a long test.
    pub(crate) async fn lease(
        &self,
        edition: &Edition<D>,
        test: &str,
    ) -> Result<DatabaseLease<D>, Error> {
        let purpose = Purpose::Test(test.to_owned());
        ready_pool::acquire(&self.client, &edition.info, purpose).await
    }

    /// A database for a slot of the sandbox that `test` is the first to have, with a permit for one connection.
    ///
    /// # Errors
    ///
    /// As [`lease`](Self::lease).
    pub(crate) async fn lease_for_slot(
        &self,
        edition: &Edition<D>,
        test: &str,
    ) -> Result<DatabaseLease<D>, Error> {
        let info = match D::SANDBOX_OBJECTS {
            None => &edition.info,
            Some(objects) => {
                let build = async || {
                    let source = Source::Sandbox(&edition.info, objects);
                    let content = short_digest([&*edition.info.name, objects]);
                    let (info, _) = find_or_build(&self.client, source, &content).await?;
                    Ok::<_, Error>(Arc::new(info))
                };
                edition.with_sandbox.get_or_try_init(build).await?
            }
        };
        ready_pool::acquire(&self.client, info, Purpose::Slot(test.to_owned())).await
    }
}

/// What a template holds.
enum Source<'a, D: ServerDriver> {
    /// Its pool waits so long for a connection.
    Schema(&'a Schema, Duration),
    /// What this template holds, and what the sandbox needs besides.
    Sandbox(&'a TemplateInfo<D>, &'static str),
}

/// Finds the template of `source`, whose digest is `content`, or builds it. Whether it was built here.
async fn find_or_build<D: ServerDriver>(
    client: &ServerClient<D>,
    source: Source<'_, D>,
    content: &str,
) -> Result<(TemplateInfo<D>, bool), Error> {
    let mut parts = client.driver.fingerprint();
    parts.push(content.to_owned());
    let building = Building {
        client,
        source,
        digest: &short_digest(parts),
        rebuilt_in: env::forced_rebuild()?,
    };
    if let Some(info) = building.find(&mut *client.admin().await).await? {
        return Ok((info, false));
    }
    let was_built = building.wait_or_build().await?;
    // From here on it is the connection of this process that keeps it from being dropped.
    let info = building.find(&mut *client.admin().await).await?;
    let info = info.ok_or_else(|| {
        let text = "the template of this schema was dropped as soon as it was built";
        Error::new(Kind::Held, text).help("look for something that drops databases of green-light")
    })?;
    Ok((info, was_built))
}

struct Building<'a, D: ServerDriver> {
    client: &'a ServerClient<D>,
    source: Source<'a, D>,
    digest: &'a str,
    /// The run in which it is built whether it is there or not.
    rebuilt_in: Option<&'static str>,
}

impl<D: ServerDriver> Building<'_, D> {
    async fn find(&self, admin: &mut Admin<D>) -> Result<Option<TemplateInfo<D>>, Error> {
        let driver = &self.client.driver;
        let found = driver.find_template(admin, self.digest, self.rebuilt_in);
        let cannot = |error| D::failed("the templates of this server cannot be read", error);
        found.await.map_err(cannot)
    }

    /// Waits for another process that builds the template, or builds it. Whether it was built here.
    async fn wait_or_build(&self) -> Result<bool, Error> {
        // For the connection that holds the lock, and for those of the schema.
        let budget = &self.client.budget;
        let permits = budget.permits_of_template().await?;
        let cannot = |error| D::failed("the template cannot be built", error);
        let mut admin = self.client.driver.connect().await.map_err(cannot)?;
        let built = match self.wait_for_lock(&mut admin).await {
            Ok(true) => self.build(&mut admin, &permits).await.map(|()| true),
            other => other,
        };
        // Which frees the lock.
        admin.close().await;
        drop(permits);
        built
    }

    /// Waits for the right to build. `false` if another process has built the template meanwhile.
    async fn wait_for_lock(&self, admin: &mut Admin<D>) -> Result<bool, Error> {
        let cannot = |error| D::failed("the template cannot be looked for", error);
        let mut backoff = Backoff::new();
        let mut waiting = None;
        loop {
            let is_locked = D::lock_template(admin, self.digest).await;
            let is_locked = is_locked.map_err(cannot)?;
            if self.find(admin).await?.is_some() {
                return Ok(false);
            }
            if is_locked {
                return Ok(true);
            }
            if backoff.expired() {
                return Err(Error::new(
                    Kind::Held,
                    "another process has been building the template of this schema for too long",
                )
                .help("look for a test process that hangs in a migration or a seed, and end it"));
            }
            waiting.get_or_insert_with(|| wait_for("the template that another process builds"));
            backoff
                .pause(|| "another process builds the template of this schema".to_owned())
                .await;
        }
    }

    async fn build(
        &self,
        admin: &mut Admin<D>,
        permits: &ConnectionPermits<D>,
    ) -> Result<(), Error> {
        let mut last = String::new();
        loop {
            let Err(error) = self.try_to_build(admin, permits).await else {
                return Ok(());
            };
            // What is in its own way is there again.
            let text = format!("{error:?}");
            if text == last {
                return Err(error);
            }
            last = text;
            let has_room = self.client.driver.make_room(admin, &error).await;
            // If even that is refused, the error of the schema says more.
            if !has_room.unwrap_or(false) {
                return Err(error);
            }
        }
    }

    async fn try_to_build(
        &self,
        admin: &mut Admin<D>,
        permits: &ConnectionPermits<D>,
    ) -> Result<(), Error> {
        let driver = &self.client.driver;
        let draft = &new_name(D::DRAFT);
        let base = match self.source {
            Source::Schema(..) => None,
            Source::Sandbox(base, _) => Some(base),
        };
        let filled = async {
            let created = driver.create_draft(admin, draft, self.digest, base, self.rebuilt_in);
            created.await?;
            self.fill(draft, permits).await
        };
        if let Err(error) = filled.await {
            driver.forget_draft(draft).await;
            // If this fails, it is garbage once the process has gone.
            let _ = driver.mark_garbage(admin, draft).await;
            return Err(error);
        }
        let published = driver.publish_template(admin, draft, self.digest, self.rebuilt_in);
        let cannot = |error| D::failed("the template cannot be built", error);
        published.await.map_err(cannot)
    }

    /// Fills the database `draft`.
    async fn fill(&self, draft: &str, permits: &ConnectionPermits<D>) -> Result<(), Error> {
        let cannot = |error| D::failed("the template cannot be built", error);
        let options = self.client.driver.options_of(draft);
        let (schema, wait) = match self.source {
            Source::Schema(schema, wait) => (schema, wait),
            Source::Sandbox(_, objects) => {
                let connection = AdminConnection::<D::Connection>::connect_when_free(&options);
                let mut connection = connection.await.map_err(cannot)?;
                let filled = connection.execute(objects).await;
                connection.close().await;
                return filled.map(drop).map_err(cannot);
            }
        };
        // One of them has the lock.
        let connections = permits.connections().saturating_sub(1).max(1);
        let pool = self
            .client
            .open_pool(options.clone(), connections, permits.is_counted(), wait)
            .await;
        let pool = DatabasePool::new(pool.map_err(cannot)?);
        let db = NewDatabase::new(pool.clone(), self.client.url_of(draft));
        let what = format!("the schema made at {}", schema.place());
        let applied =
            while_server_alive::<D::Connection, _>(&options, &what, schema.apply(&db)).await;
        drop(db);
        // This waits for connections that a seed may have leaked, so not for long: they are ended later.
        let _ = tokio::time::timeout(Duration::from_millis(500), pool.close()).await;
        applied.map_err(cannot)?
    }
}

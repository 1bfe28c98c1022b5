//! The generic layers over a server that is a value in memory.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, LazyLock},
    time::Duration,
};

use green_light_core::Mutex;
use sqlx::{
    Executor as _, Sqlite, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqlitePool},
};

use crate::error::Error;
use crate::schema::definition::Schema;
use crate::server::admin_connection::AdminConnection;
use crate::server::background::Background;
use crate::server::database_lease::DatabaseLease;
use crate::server::driver::{
    ConnectionLocks, Entered, Losses, Purpose, ReaperSql, Registry, ServerAccess, ServerWide,
    TemplateInfo, TemplateSql,
};
use crate::server::names::new_name;
use crate::server::server_connection::{OwnedQuery, ReplyStream, ServerConnection};
use crate::server::template::ServerTemplate;
use crate::url::DatabaseUrl;

const WAIT: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Ready,
    Leased,
    Garbage,
    Kept,
}

#[derive(Debug, Default)]
struct Rows {
    /// Names by digest.
    templates: HashMap<String, String>,
    databases: BTreeMap<String, State>,
    dropped: Vec<String>,
    refuses_drops: bool,
    losses: i64,
}

type Server = Arc<Mutex<Rows>>;
type Admin = AdminConnection<SqliteConnection>;

static SERVERS: LazyLock<Mutex<HashMap<String, Server>>> = LazyLock::new(Mutex::default);

fn server_at(url: &DatabaseUrl) -> Server {
    let mut servers = SERVERS.lock();
    Arc::clone(servers.entry(url.expose().to_owned()).or_default())
}

/// A server whose registry is in this process.
#[derive(Debug)]
struct MemoryServer {
    rows: Server,
    options: SqliteConnectOptions,
}

impl MemoryServer {
    fn count(&self, state: State) -> i64 {
        let rows = self.rows.lock();
        let of_state = rows.databases.values().filter(|known| **known == state);
        i64::try_from(of_state.count()).unwrap_or(i64::MAX)
    }
}

impl ServerConnection for SqliteConnection {
    const SERVER: &'static str = "a server in memory";
    const URL_VARIABLE: &'static str = "GREEN_LIGHT_MEMORY_URL";

    fn place(_: &SqliteConnectOptions) -> String {
        "memory".to_owned()
    }

    fn help(_: &sqlx::Error) -> String {
        "look at the cause".to_owned()
    }

    fn is_full(_: &sqlx::Error) -> bool {
        false
    }

    fn has_ended(_: &sqlx::Error) -> bool {
        false
    }

    fn send(&mut self, query: OwnedQuery<Sqlite>) -> ReplyStream<'_, Sqlite> {
        self.fetch_many(query)
    }
}

impl ServerWide for MemoryServer {}

impl ServerAccess for MemoryServer {
    type Db = Sqlite;
    type Connection = SqliteConnection;

    async fn enter(url: &DatabaseUrl, _is_ours: bool) -> Result<Entered<Self>, Error> {
        let options = SqliteConnectOptions::new().in_memory(true);
        let cannot = |error| Self::failed("no connection", error);
        Ok(Entered {
            admin: AdminConnection::connect(&options).await.map_err(cannot)?,
            connections: 100,
            driver: Self {
                rows: server_at(url),
                options,
            },
        })
    }

    fn admin_options(&self) -> &SqliteConnectOptions {
        &self.options
    }

    fn options_of(&self, _name: &str) -> SqliteConnectOptions {
        self.options.clone()
    }

    fn public_url(url: &DatabaseUrl) -> DatabaseUrl {
        url.clone()
    }

    fn fingerprint(&self) -> Vec<String> {
        vec![self.losses().to_string()]
    }
}

impl ConnectionLocks for MemoryServer {
    async fn lock(
        _: &mut Admin,
        total: i32,
        count: usize,
        held: &[i32],
    ) -> Result<Vec<i32>, sqlx::Error> {
        let free = (1..=total).filter(|number| !held.contains(number));
        Ok(free.take(count).collect())
    }

    async fn lock_again(_: &mut Admin, numbers: &[i32]) -> Result<Vec<i32>, sqlx::Error> {
        Ok(numbers.to_vec())
    }

    async fn unlock(_: &mut Admin, _: &[i32]) -> Result<(), sqlx::Error> {
        Ok(())
    }

    async fn sessions(&self, _: &mut Admin) -> Result<String, sqlx::Error> {
        Ok(String::new())
    }

    async fn holders(_: &mut Admin) -> Result<Vec<(String, i64)>, sqlx::Error> {
        Ok(Vec::new())
    }
}

impl Registry for MemoryServer {
    async fn end_former(&self, _: &mut Admin, _: &[i32]) -> Result<(), sqlx::Error> {
        Ok(())
    }

    async fn register(&self, _: &mut Admin) -> Result<(), sqlx::Error> {
        Ok(())
    }

    async fn release_all(&self, _: &mut Admin) -> Result<(), sqlx::Error> {
        Ok(())
    }

    async fn unregister(&self, _: &mut Admin) -> Result<(), sqlx::Error> {
        Ok(())
    }

    async fn pop_ready(
        &self,
        _: &mut Admin,
        _: &TemplateInfo<Self>,
        _: &Purpose,
    ) -> Result<Option<(String, i64)>, sqlx::Error> {
        let mut rows = self.rows.lock();
        let mut ready = rows.databases.iter_mut();
        let ready = ready.find(|(_, state)| **state == State::Ready);
        let popped = ready.map(|(name, state)| {
            *state = State::Leased;
            name.clone()
        });
        drop(rows);
        Ok(popped.map(|name| (name, self.count(State::Ready))))
    }

    async fn count_ready(
        &self,
        _: &mut Admin,
        _: &TemplateInfo<Self>,
        _: &Purpose,
    ) -> Result<i64, sqlx::Error> {
        Ok(self.count(State::Ready))
    }

    async fn end_session(pool: &SqlitePool) -> Result<(), sqlx::Error> {
        pool.close().await;
        Ok(())
    }

    async fn recycle(&self, _: &mut Admin, name: &str) -> Result<bool, sqlx::Error> {
        self.rows
            .lock()
            .databases
            .insert(name.to_owned(), State::Ready);
        Ok(true)
    }

    async fn keep(&self, _: &mut Admin, name: &str, _: usize) -> Result<(), sqlx::Error> {
        self.rows
            .lock()
            .databases
            .insert(name.to_owned(), State::Kept);
        Ok(())
    }

    async fn mark_garbage(&self, _: &mut Admin, name: &str) -> Result<(), sqlx::Error> {
        self.rows
            .lock()
            .databases
            .insert(name.to_owned(), State::Garbage);
        Ok(())
    }
}

impl TemplateSql for MemoryServer {
    type TemplateDetails = ();

    const SANDBOX_OBJECTS: Option<&'static str> = None;
    const DRAFT: &'static str = "t";
    const PREFETCH_CONNECTIONS: usize = 1;

    async fn find_template(
        &self,
        _: &mut Admin,
        digest: &str,
        _: Option<&str>,
    ) -> Result<Option<TemplateInfo<Self>>, sqlx::Error> {
        let name = self.rows.lock().templates.get(digest).cloned();
        Ok(name.map(|name| TemplateInfo {
            name,
            losses: self.losses(),
            details: (),
        }))
    }

    async fn lock_template(_: &mut Admin, _: &str) -> Result<bool, sqlx::Error> {
        Ok(true)
    }

    async fn create_draft(
        &self,
        _: &mut Admin,
        _: &str,
        _: &str,
        _: Option<&TemplateInfo<Self>>,
        _: Option<&str>,
    ) -> Result<(), Error> {
        Ok(())
    }

    async fn publish_template(
        &self,
        _: &mut Admin,
        draft: &str,
        digest: &str,
        _: Option<&str>,
    ) -> Result<(), sqlx::Error> {
        let mut rows = self.rows.lock();
        rows.templates.insert(digest.to_owned(), draft.to_owned());
        Ok(())
    }

    async fn create_database(
        &self,
        _: &mut Admin,
        _: &TemplateInfo<Self>,
        purpose: Option<&Purpose>,
    ) -> Result<String, sqlx::Error> {
        let name = new_name("d");
        let state = match purpose {
            Some(_) => State::Leased,
            None => State::Ready,
        };
        self.rows.lock().databases.insert(name.clone(), state);
        Ok(name)
    }
}

impl Losses for MemoryServer {
    const LOSS: &'static str = "has forgotten rows";

    fn losses(&self) -> i64 {
        self.rows.lock().losses
    }

    async fn note_losses(&self, _: &mut Admin) -> Result<(), sqlx::Error> {
        Ok(())
    }

    async fn may_lose(&self, _: &mut Admin, _: &str) -> Result<bool, sqlx::Error> {
        Ok(true)
    }
}

impl ReaperSql for MemoryServer {
    async fn lock_reaper(_: &mut Admin) -> Result<bool, sqlx::Error> {
        Ok(true)
    }

    async fn count_garbage(&self, _: &mut Admin) -> Result<(i64, i64), sqlx::Error> {
        let all = self.count(State::Garbage);
        Ok((all, all))
    }

    async fn list_garbage(&self, _: &mut Admin) -> Result<Vec<String>, sqlx::Error> {
        let rows = self.rows.lock();
        let garbage = rows
            .databases
            .iter()
            .filter(|(_, state)| **state == State::Garbage);
        Ok(garbage.map(|(name, _)| name.clone()).collect())
    }

    async fn retire_templates(&self, _: &mut Admin) -> Result<Vec<String>, sqlx::Error> {
        Ok(Vec::new())
    }

    async fn drop_database(&self, _: &mut Admin, name: &str) -> Result<(), sqlx::Error> {
        let mut rows = self.rows.lock();
        if rows.refuses_drops {
            return Err(sqlx::Error::Protocol(
                "somebody is connected to it".to_owned(),
            ));
        }
        rows.databases.remove(name);
        rows.dropped.push(name.to_owned());
        Ok(())
    }
}

async fn template_at(url: &str) -> ServerTemplate<MemoryServer> {
    let (url, schema) = (DatabaseUrl::new(url), Schema::empty());
    ServerTemplate::obtain(&url, false, &schema, WAIT)
        .await
        .expect("a server in memory has it")
}

/// Leases a database for a test.
async fn leased(
    template: &ServerTemplate<MemoryServer>,
    test: &str,
) -> Result<DatabaseLease<MemoryServer>, Error> {
    let edition = template.edition().await?;
    template.lease(&edition, test).await
}

/// Waits for what goes on in the background.
async fn until(is_so: impl Fn() -> bool) {
    while !is_so() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn a_template_is_built_once_and_databases_are_created_ahead_of_tests() {
    let first = template_at("memory://ahead/x").await;
    let second = template_at("memory://ahead/x").await;
    assert_eq!((first.builds(), second.builds()), (1, 0));

    let driver = &first.client.driver;
    let lease = leased(&first, "one").await.unwrap();
    assert_eq!(driver.rows.lock().databases[lease.name()], State::Leased);
    until(|| driver.count(State::Ready) == Background::ready_target()).await;
    let ready: Vec<String> = driver.rows.lock().databases.keys().cloned().collect();
    let next = leased(&second, "two").await.unwrap();
    assert!(ready.iter().any(|name| name == next.name()));
}

#[tokio::test]
async fn databases_that_tests_have_left_are_dropped_and_a_kept_one_stays() {
    let template = template_at("memory://dropped/x").await;
    let driver = &template.client.driver;
    let kept = leased(&template, "kept").await.unwrap();
    let name = kept.name().to_owned();
    kept.keep(1).await.unwrap();
    for _ in 0..8 {
        drop(leased(&template, "one").await.unwrap());
    }
    until(|| driver.rows.lock().dropped.len() == 8).await;
    assert_eq!(driver.rows.lock().databases[&name], State::Kept);
}

#[tokio::test]
async fn a_process_whose_databases_cannot_be_dropped_gets_no_more_of_them() {
    let template = template_at("memory://refused/x").await;
    template.client.driver.rows.lock().refuses_drops = true;
    let error = loop {
        match leased(&template, "one").await {
            Ok(lease) => drop::<DatabaseLease<_>>(lease),
            Err(error) => break format!("{error:?}"),
        }
    };
    assert!(
        error.contains("databases of this process could not be dropped, so no more are made"),
        "{error}"
    );
    assert!(error.contains("somebody is connected to it"), "{error}");
    template.client.driver.rows.lock().refuses_drops = false;
    drop(leased(&template, "two").await.unwrap());
}

#[tokio::test]
async fn after_a_loss_the_template_is_built_again_and_what_was_asked_for_before_is_refused() {
    let template = template_at("memory://lost/x").await;
    let before = template.edition().await.unwrap();
    drop(template.lease(&before, "one").await.unwrap());
    template.client.driver.rows.lock().losses += 1;
    let error = template.lease(&before, "two").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "a server in memory has forgotten rows, while a database for a test was being made\n  help: run the test \
         again, and look into the log of the server for what has ended it"
    );
    let after = template.edition().await.unwrap();
    assert!(!Arc::ptr_eq(&before, &after));
    drop(template.lease(&after, "two").await.unwrap());
    assert!(Arc::ptr_eq(&after, &template.edition().await.unwrap()));
    assert_eq!(template.builds(), 2);
}

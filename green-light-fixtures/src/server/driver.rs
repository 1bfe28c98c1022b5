//! What differs between servers. All else in this folder is written once over these traits.
//!
//! A [`ServerDriver`] is one server as this process sees it: how to reach it, what it said of itself, and under
//! which key or name this process is registered there. Each trait is implemented in a file of its own.
//!
//! The registry on a server has a row for each database. Its states are stored as short words that earlier
//! versions of green-light wrote too, so that two versions on one server drop each other's leftovers:
//!
//! | stored | what it says |
//! |---|---|
//! | `making` | being created: for a test on MySQL, for a test or ahead of tests on PostgreSQL |
//! | `ahead` | being created ahead of tests, on MySQL |
//! | `free` | ready for any test |
//! | `used` | ready for the sandbox, which had it before, on MySQL |
//! | `taken` | leased to a test or a slot |
//! | `done` | garbage: the reaper drops it |
//! | `kept` | kept for a person to look at |

use std::{fmt, future::Future, time::Duration};

use sqlx::Connection;

use crate::database_pool::PoolDriver;
use crate::driver::listed_database::DatabaseState;
use crate::error::Error;
use crate::server::admin_connection::AdminConnection;
use crate::server::failure::failed;
use crate::server::running_tests::{RunningTest, RunningTests, Settled};
use crate::server::server_connection::ServerConnection;
use crate::url::DatabaseUrl;

/// After how long without its lock a process of another machine is gone. One that lives takes it again sooner.
pub(crate) const LOST: Duration = Duration::from_secs(3);

/// A connection for what green-light itself asks.
pub(crate) type Admin<D> = AdminConnection<<D as ServerAccess>::Connection>;
/// How to connect to a database.
pub(crate) type Options<D> = <<D as ServerAccess>::Connection as Connection>::Options;
pub(crate) type Pool<D> = sqlx::Pool<<D as ServerAccess>::Db>;

/// All that differs between servers.
pub(crate) trait ServerDriver:
    ConnectionLocks + Registry + TemplateSql + Losses + ReaperSql + ServerWide
{
}

impl<D: ConnectionLocks + Registry + TemplateSql + Losses + ReaperSql + ServerWide> ServerDriver
    for D
{
}

/// How to reach a server.
pub(crate) trait ServerAccess: fmt::Debug + Send + Sync + Sized + 'static {
    type Db: PoolDriver<Connection = Self::Connection>;
    type Connection: ServerConnection<Database = Self::Db>;

    /// Connects to the server at `url`, which green-light started if `is_ours`, and prepares its registry.
    fn enter(
        url: &DatabaseUrl,
        is_ours: bool,
    ) -> impl Future<Output = Result<Entered<Self>, Error>> + Send;

    /// How to reach the registry, from where databases are created and dropped.
    fn admin_options(&self) -> &Options<Self>;

    /// How to reach the database `name`.
    fn options_of(&self, name: &str) -> Options<Self>;

    /// How a test reaches its database `name`.
    fn options_of_test(&self, name: &str) -> Options<Self> {
        self.options_of(name)
    }

    /// The URL by which a test reaches its database, which `url` leads to.
    fn test_url(&self, url: DatabaseUrl) -> DatabaseUrl {
        url
    }

    /// The URL of a database, in the form that most drivers read.
    fn public_url(url: &DatabaseUrl) -> DatabaseUrl;

    /// What contents of a template depend on, besides its schema: the format of the registry, and what the
    /// server says of itself.
    fn fingerprint(&self) -> Vec<String>;

    /// Something that green-light itself asked for failed.
    fn failed(what: impl Into<String>, error: sqlx::Error) -> Error {
        failed::<Self::Connection>(what, error)
    }

    fn connect(&self) -> impl Future<Output = Result<Admin<Self>, sqlx::Error>> + Send {
        AdminConnection::connect_when_free(self.admin_options())
    }
}

/// A process that has connected, and may have to leave again because there is no room.
pub(crate) struct Entered<D: ServerAccess> {
    pub(crate) driver: D,
    pub(crate) admin: Admin<D>,
    /// How many connections the server gives its user.
    pub(crate) connections: i32,
}

/// Locks by which processes count their connections. They end with the connection that holds them.
pub(crate) trait ConnectionLocks: ServerAccess {
    /// Takes the locks of `count` numbers up to `total` that are not `held`, or none.
    ///
    /// The same connection can take a lock twice, so it must know what it holds already.
    fn lock(
        admin: &mut Admin<Self>,
        total: i32,
        count: usize,
        held: &[i32],
    ) -> impl Future<Output = Result<Vec<i32>, sqlx::Error>> + Send;

    /// Takes the locks of `numbers` that are free. `admin` has none of them.
    fn lock_again(
        admin: &mut Admin<Self>,
        numbers: &[i32],
    ) -> impl Future<Output = Result<Vec<i32>, sqlx::Error>> + Send;

    fn unlock(
        admin: &mut Admin<Self>,
        numbers: &[i32],
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// Something that differs once a session of the user has begun or ended.
    fn sessions(
        &self,
        admin: &mut Admin<Self>,
    ) -> impl Future<Output = Result<String, sqlx::Error>> + Send;

    /// Who holds how many, the most first.
    fn holders(
        admin: &mut Admin<Self>,
    ) -> impl Future<Output = Result<Vec<(String, i64)>, sqlx::Error>> + Send;
}

/// What a database is for. Tests are known by their paths.
#[derive(Clone, Debug)]
pub(crate) enum Purpose {
    /// For this test alone, which may commit to it.
    Test(String),
    /// For a slot of the sandbox. This test is the first to have it.
    Slot(String),
}

/// What is known of a template.
#[derive(Debug)]
pub(crate) struct TemplateInfo<D: TemplateSql> {
    /// The name of its database.
    pub(crate) name: String,
    /// How often the server had lost rows when it was found.
    pub(crate) losses: i64,
    pub(crate) details: D::TemplateDetails,
}

/// The rows of processes and of databases.
pub(crate) trait Registry: TemplateSql {
    /// Ends what the server still has of the connection that had the locks of this process before `admin`, among
    /// them those of the numbers `held`. It may not have noticed yet that the connection has ended.
    fn end_former(
        &self,
        admin: &mut Admin<Self>,
        held: &[i32],
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// Registers this process, as long as `admin` is open, with the templates that it uses. May be called again for
    /// another connection.
    fn register(
        &self,
        admin: &mut Admin<Self>,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// Frees all that this process still has, at its end. The databases become garbage.
    fn release_all(
        &self,
        admin: &mut Admin<Self>,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// Frees the locks of this process before its connection ends: the server may notice that late.
    fn unregister(
        &self,
        admin: &mut Admin<Self>,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// Leases a ready database, if there is one. Returns its name and how many are left.
    fn pop_ready(
        &self,
        admin: &mut Admin<Self>,
        template: &TemplateInfo<Self>,
        purpose: &Purpose,
    ) -> impl Future<Output = Result<Option<(String, i64)>, sqlx::Error>> + Send;

    /// How many databases are ready, or are being created ahead.
    fn count_ready(
        &self,
        admin: &mut Admin<Self>,
        template: &TemplateInfo<Self>,
        purpose: &Purpose,
    ) -> impl Future<Output = Result<i64, sqlx::Error>> + Send;

    /// Undoes what a rollback does not, and ends the connection of a slot whose database is recycled.
    fn end_session(pool: &Pool<Self>) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// Makes the leased database of a slot ready for another one. `false` if there are enough, or it is not fit
    /// for that.
    fn recycle(
        &self,
        admin: &mut Admin<Self>,
        name: &str,
    ) -> impl Future<Output = Result<bool, sqlx::Error>> + Send;

    /// Keeps a database for a person to look at. Only the latest `at_most` stay.
    fn keep(
        &self,
        admin: &mut Admin<Self>,
        name: &str,
        at_most: usize,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// The reaper may drop a database. If it was garbage before, it comes after all others now.
    fn mark_garbage(
        &self,
        admin: &mut Admin<Self>,
        name: &str,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;
}

/// How templates are found and built, and databases created from them.
pub(crate) trait TemplateSql: ServerAccess {
    /// What it takes to create a database like a template.
    type TemplateDetails: fmt::Debug + Send + Sync;

    /// What slots of the sandbox need in their template, as SQL. Such a template is made from that of tests.
    const SANDBOX_OBJECTS: Option<&'static str>;
    /// Names of templates that are being built begin with `gl_` and this.
    const DRAFT: &'static str;
    /// How many connections it takes to create databases ahead of tests.
    const PREFETCH_CONNECTIONS: usize;

    /// Finds the template `digest`, if it is complete, and if it was built in the run `rebuilt_in` where one is
    /// named. It is not dropped as long as this process lives.
    fn find_template(
        &self,
        admin: &mut Admin<Self>,
        digest: &str,
        rebuilt_in: Option<&str>,
    ) -> impl Future<Output = Result<Option<TemplateInfo<Self>>, sqlx::Error>> + Send;

    /// Takes the lock that the builder of a template holds until its connection is closed.
    fn lock_template(
        admin: &mut Admin<Self>,
        digest: &str,
    ) -> impl Future<Output = Result<bool, sqlx::Error>> + Send;

    /// Creates the database `draft`, which becomes the template `digest`: empty, or like `base`.
    fn create_draft(
        &self,
        admin: &mut Admin<Self>,
        draft: &str,
        digest: &str,
        base: Option<&TemplateInfo<Self>>,
        rebuilt_in: Option<&str>,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Removes what an earlier template has made outside of its database, if `error` says that this keeps a draft from
    /// being filled. Whether to try again. `admin` holds what it has locked for that until it is closed.
    fn make_room(
        &self,
        _admin: &mut Admin<Self>,
        _error: &Error,
    ) -> impl Future<Output = Result<bool, sqlx::Error>> + Send {
        async { Ok(false) }
    }

    /// The schema could not be applied to the database `draft`.
    fn forget_draft(&self, _draft: &str) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// Ends all connections to `draft`, and makes it the template `digest`.
    fn publish_template(
        &self,
        admin: &mut Admin<Self>,
        draft: &str,
        digest: &str,
        rebuilt_in: Option<&str>,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// Creates a database from `template`: one that is leased, or one that is ready if there is no `purpose`.
    fn create_database(
        &self,
        admin: &mut Admin<Self>,
        template: &TemplateInfo<Self>,
        purpose: Option<&Purpose>,
    ) -> impl Future<Output = Result<String, sqlx::Error>> + Send;
}

/// What a server loses of its tables when it crashes or is started again. A template that may have lost rows is not
/// used any more, nor what was made from it ahead of tests.
pub(crate) trait Losses: ServerAccess {
    /// What has happened to the server, and to which tables, after the name of the server.
    const LOSS: &'static str;

    /// How often that has happened, as far as this process knows.
    fn losses(&self) -> i64;

    /// Finds out how often it has happened. The first process that does so after a loss takes off the list what may
    /// have lost rows. Called with each connection that takes the locks of this process, before any other one asks.
    fn note_losses(
        &self,
        admin: &mut Admin<Self>,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// Whether the database `name` has tables whose rows are lost so.
    fn may_lose(
        &self,
        admin: &mut Admin<Self>,
        name: &str,
    ) -> impl Future<Output = Result<bool, sqlx::Error>> + Send;
}

/// How garbage is found and dropped.
pub(crate) trait ReaperSql: ServerAccess {
    /// Takes the lock of the reaper until the connection is closed.
    fn lock_reaper(
        admin: &mut Admin<Self>,
    ) -> impl Future<Output = Result<bool, sqlx::Error>> + Send;

    /// Prepares another connection that drops databases.
    fn bound_drops(
        _admin: &mut Admin<Self>,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send {
        async { Ok(()) }
    }

    /// How much of the garbage this process has left, and how much there is.
    fn count_garbage(
        &self,
        admin: &mut Admin<Self>,
    ) -> impl Future<Output = Result<(i64, i64), sqlx::Error>> + Send;

    /// Makes garbage of databases that are ready without need, and lists all garbage, that of this process first.
    ///
    /// What a process has is garbage once the process has ended. If that is not known, as of one on another machine,
    /// it is garbage when the process has had no lock for [`LOST`], and no session is in it.
    fn list_garbage(
        &self,
        admin: &mut Admin<Self>,
    ) -> impl Future<Output = Result<Vec<String>, sqlx::Error>> + Send;

    /// Makes garbage of templates that no process has used for an hour, but for the latest, and lists it.
    fn retire_templates(
        &self,
        admin: &mut Admin<Self>,
    ) -> impl Future<Output = Result<Vec<String>, sqlx::Error>> + Send;

    /// Drops a database that is still garbage, and its row.
    fn drop_database(
        &self,
        admin: &mut Admin<Self>,
        name: &str,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// Why a database could not be dropped, in words.
    fn explain_refusal(
        &self,
        _admin: &mut Admin<Self>,
        error: &sqlx::Error,
    ) -> impl Future<Output = String> + Send {
        let text = error.to_string();
        async { text }
    }
}

/// What a server is asked for its databases.
pub(crate) trait UpkeepSql: ServerAccess {
    /// The databases of green-light that are there, with those of which only the mark tells.
    fn registered(
        &self,
        admin: &mut Admin<Self>,
    ) -> impl Future<Output = Result<Vec<RegisteredDatabase>, sqlx::Error>> + Send;
}

/// What the registry of a server says of a database.
#[derive(Debug)]
pub(crate) struct RegisteredDatabase {
    pub(crate) name: String,
    pub(crate) state: DatabaseState,
    pub(crate) test: Option<String>,
    /// Where the process runs, or ran, that has or had it.
    pub(crate) home: Option<String>,
    /// In seconds.
    pub(crate) age: Option<f64>,
    pub(crate) size: Option<i64>,
    pub(crate) sessions: i64,
}

/// The state that a word of the registry says, if nothing else is known.
pub(crate) fn state_of(word: &str) -> DatabaseState {
    match word {
        "kept" => DatabaseState::Kept,
        "done" => DatabaseState::Left,
        "free" | "used" | "ahead" => DatabaseState::Ready,
        "template" => DatabaseState::Template,
        _ => DatabaseState::InUse,
    }
}

/// How a server is looked after. By default it is not: its tests can do nothing of that kind, or their report says at
/// once that they did.
pub(crate) trait ServerWide: ServerAccess {
    /// The tests that run, if it is looked after.
    fn running(&self) -> Option<&RunningTests> {
        None
    }

    /// Looks at what has changed, and undoes it if the server is ours. `ended` is the test that has ended.
    fn settle(
        &self,
        _admin: &mut Admin<Self>,
        _ended: Option<&RunningTest>,
    ) -> impl Future<Output = Result<Settled, sqlx::Error>> + Send {
        async { Ok(Settled::default()) }
    }

    /// Whether there is a prepared transaction that the test of one database may have left, and that can be ended.
    fn has_prepared(
        &self,
        _admin: &mut Admin<Self>,
    ) -> impl Future<Output = Result<bool, sqlx::Error>> + Send {
        async { Ok(false) }
    }

    /// Ends it if it belongs to the database `name`, which no test has any more.
    fn end_prepared(
        &self,
        _connection: &mut Admin<Self>,
        _name: &str,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send {
        async { Ok(()) }
    }
}

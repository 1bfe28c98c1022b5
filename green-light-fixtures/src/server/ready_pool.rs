//! Databases that are created ahead of the tests that need them, for all processes together.
//!
//! A test takes a ready one, or one is created for it; either way another is then created in the background, if
//! there are few. A database that a test had becomes garbage when its lease is dropped. Only one of the sandbox
//! may become ready again.

use std::sync::Arc;

use crate::error::Error;
use crate::server::background::{Background, on_own_runtime, spawn};
use crate::server::client::ServerClient;
use crate::server::database_lease::DatabaseLease;
use crate::server::driver::{Purpose, ServerDriver, TemplateInfo};
use crate::server::reaper;

/// How many databases are to be ready.
fn target(purpose: &Purpose) -> i64 {
    match purpose {
        Purpose::Test(_) => Background::ready_target(),
        Purpose::Slot(_) => Background::MIN_READY,
    }
}

/// Leases a database like `template`, with permits for its connections.
pub(crate) async fn acquire<D: ServerDriver>(
    client: &Arc<ServerClient<D>>,
    template: &Arc<TemplateInfo<D>>,
    purpose: Purpose,
) -> Result<DatabaseLease<D>, Error> {
    let (client, template) = (Arc::clone(client), Arc::clone(template));
    on_own_runtime(async move {
        reaper::throttle(&client).await?;
        let (permits, _opening) = match &purpose {
            Purpose::Test(test) => (client.budget.permits_of(test).await?, None),
            Purpose::Slot(test) => {
                let (permits, opening) = client.budget.permits_of_slot(test).await?;
                (permits, Some(opening))
            }
        };
        let name = pop_or_create(&client, &template, purpose).await?;
        Ok(DatabaseLease::new(client, name, Some(permits)))
    })
    .await
}

/// Leases one that is ready, or creates one. Returns its name.
pub(crate) async fn pop_or_create<D: ServerDriver>(
    client: &Arc<ServerClient<D>>,
    template: &Arc<TemplateInfo<D>>,
    purpose: Purpose,
) -> Result<String, Error> {
    let driver = &*client.driver;
    let mut admin = client.admin().await;
    // It may have crashed while the test waited for connections.
    if client.has_lost(template) {
        return Err(client.loss("while a database for a test was being made"));
    }
    let popped = driver.pop_ready(&mut admin, template, &purpose).await;
    drop(admin);
    let popped = popped.map_err(|error| D::failed("no database can be taken", error))?;
    let (name, left) = match popped {
        Some(popped) => popped,
        None => (create_now(driver, template, &purpose).await?, 0),
    };
    if left < target(&purpose) {
        replenish(client, template, purpose);
    }
    Ok(name)
}

async fn create_now<D: ServerDriver>(
    driver: &D,
    template: &TemplateInfo<D>,
    purpose: &Purpose,
) -> Result<String, Error> {
    let cannot = |error| D::failed("a database cannot be made from the template", error);
    // The connections of the test are not open yet, so this is one of them.
    let mut admin = driver.connect().await.map_err(cannot)?;
    let created = driver
        .create_database(&mut admin, template, Some(purpose))
        .await;
    admin.close().await;
    created.map_err(cannot)
}

/// Creates databases in the background until enough are ready.
fn replenish<D: ServerDriver>(
    client: &Arc<ServerClient<D>>,
    template: &Arc<TemplateInfo<D>>,
    purpose: Purpose,
) {
    let (client, template) = (Arc::clone(client), Arc::clone(template));
    if !client.background.begin_replenishing(&template.name) {
        return;
    }
    spawn(async move {
        let guard = client.background.work_guard().await;
        // After an error here, a database is created when a test needs it, and that reports the error.
        let _ = fill_up(&client, &template, &purpose).await;
        drop(guard);
        client.background.end_replenishing(&template.name);
    });
}

async fn fill_up<D: ServerDriver>(
    client: &Arc<ServerClient<D>>,
    template: &TemplateInfo<D>,
    purpose: &Purpose,
) -> Result<(), Error> {
    let cannot = |error| D::failed("no database can be made ahead", error);
    let is_below_target = async || {
        let mut admin = client.admin().await;
        if client.has_lost(template) {
            return Ok(false);
        }
        let ready = client.driver.count_ready(&mut admin, template, purpose);
        ready.await.map(|ready| ready < target(purpose))
    };
    if !is_below_target().await.map_err(cannot)? {
        return Ok(());
    }
    let Some(permits) = client.budget.try_permits(D::PREFETCH_CONNECTIONS).await? else {
        return Ok(());
    };
    let mut admin = client.driver.connect().await.map_err(cannot)?;
    let filled = async {
        let background = &client.background;
        let is_due = || !background.is_closing() && !background.backlog.is_full();
        while is_due() && is_below_target().await? {
            let created = client.driver.create_database(&mut admin, template, None);
            created.await?;
        }
        Ok(())
    };
    let filled = filled.await;
    admin.close().await;
    drop(permits);
    filled.map_err(cannot)
}

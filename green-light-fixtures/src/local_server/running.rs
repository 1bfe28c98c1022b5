//! The servers of this process: one of each kind, whichever engine asks first.

use std::sync::{Mutex, Once};

use green_light_core::progress;

use crate::env::value;
use crate::error::{Error, Kind};
use crate::files::temp_dir::default_base;
use crate::local_server::program::Product;
use crate::local_server::watchdog::Use;
use crate::local_server::{hints, origin, start};
use crate::server::admission_lock::AdmissionLock;
use crate::url::DatabaseUrl;

/// A server of this process.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    url: DatabaseUrl,
    /// Whether we started it.
    ours: bool,
}

impl Server {
    /// Where its administrator connects: a database to start from, not one for tests.
    pub(crate) fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    /// Whether it is of green-light's own.
    pub(crate) fn is_ours(&self) -> bool {
        self.ours
    }
}

/// PostgreSQL: the one of `GREEN_LIGHT_POSTGRES_URL`, or one started from the installed programs.
///
/// # Errors
///
/// When the variable holds something else, nothing is installed, or the server does not start.
#[cfg(feature = "postgres")]
pub(crate) async fn postgres() -> Result<Server, Error> {
    static RUNNING: Mutex<Option<Use>> = Mutex::new(None);
    let product = &crate::postgres::local_server::POSTGRES;
    let server = find_or_start(product, &RUNNING).await?;
    static SAID: Once = Once::new();
    if !server.ours && !SAID.is_completed() {
        let _admission = AdmissionLock::acquire(&server.url).await;
        let hint = hints::postgres(product.variable, &server.url).await;
        SAID.call_once(|| hint.iter().for_each(|hint| progress(hint)));
    }
    Ok(server)
}

/// MySQL or MariaDB: the one of `GREEN_LIGHT_MYSQL_URL`, or one started from the installed programs.
///
/// # Errors
///
/// When the variable holds something else, nothing is installed, or the server does not start.
#[cfg(feature = "mysql")]
pub(crate) async fn mysql() -> Result<Server, Error> {
    static RUNNING: Mutex<Option<Use>> = Mutex::new(None);
    let product = &crate::mysql::local_server::MYSQL_OR_MARIADB;
    let server = find_or_start(product, &RUNNING).await?;
    static SAID: Once = Once::new();
    if !server.ours && !SAID.is_completed() {
        let _admission = AdmissionLock::acquire(&server.url).await;
        let hint = hints::mysql(product.variable, &server.url).await;
        SAID.call_once(|| hint.iter().for_each(|hint| progress(hint)));
    }
    Ok(server)
}

async fn find_or_start(
    product: &'static Product,
    running: &'static Mutex<Option<Use>>,
) -> Result<Server, Error> {
    if let Some(url) = named(product, value(product.variable))? {
        return Ok(Server { url, ours: false });
    }
    // Processes are waited for, which no task may do.
    let started = tokio::task::spawn_blocking(move || {
        let mut running = running.lock().unwrap_or_else(|poison| poison.into_inner());
        if running.is_none() {
            let (used, home) = start::running(product, &default_base())?;
            origin::remember(product, home);
            *running = Some(used);
        }
        let sockets = running.as_ref().map(|used| used.sockets.clone());
        Ok(sockets.expect("it was just started"))
    });
    let sockets = match started.await {
        Ok(sockets) => sockets?,
        Err(gone) => {
            return Err(Error::new(
                Kind::Server,
                format!("the start of {} was cut short", product.name),
            )
            .because(gone));
        }
    };
    Ok(Server {
        url: DatabaseUrl::new((product.url)(&sockets)),
        ours: true,
    })
}

/// The URL in the variable of `product`, if it holds one.
fn named(product: &Product, value: Option<String>) -> Result<Option<DatabaseUrl>, Error> {
    let Some(value) = value else {
        return Ok(None);
    };
    if product
        .schemes
        .iter()
        .any(|scheme| value.starts_with(scheme))
    {
        return Ok(Some(DatabaseUrl::new(value)));
    }
    Err(Error::new(
        Kind::Configuration,
        format!("`{}` is not a URL of {}", product.variable, product.name),
    )
    .help(format!(
        "write `{}={}user@localhost/name`, with `:` and the password behind the user, or unset it",
        product.variable, product.schemes[0]
    )))
}

#[cfg(all(test, feature = "postgres"))]
mod tests {
    use super::*;
    use crate::postgres::local_server::POSTGRES;

    #[test]
    fn a_named_server_is_used_as_it_is() {
        for url in ["postgres://a:b@host/c?sslmode=require", "postgresql://host"] {
            let found = named(&POSTGRES, Some(url.to_owned())).unwrap();
            assert_eq!(found.unwrap().expose(), url);
        }
        assert_eq!(named(&POSTGRES, None).unwrap(), None);
    }

    #[test]
    fn a_url_of_another_server_is_refused_without_showing_it() {
        let error = named(&POSTGRES, Some("mysql://root:hunter2@host/x".to_owned())).unwrap_err();
        assert!(error.is_configuration());
        assert_eq!(
            error.to_string(),
            "`GREEN_LIGHT_POSTGRES_URL` is not a URL of PostgreSQL\n  help: write \
             `GREEN_LIGHT_POSTGRES_URL=postgres://user@localhost/name`, with `:` and the password \
             behind the user, or unset it"
        );
    }
}

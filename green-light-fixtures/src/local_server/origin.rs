//! Whose server this process works with, in messages: the one of a variable, or one of green-light's own.
//!
//! What to do about a lost connection differs. One looks at a server of one's own; a server that
//! green-light has started was ended by something, and the next run starts it again.

use std::{
    fs::File,
    io,
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use green_light_core::help_for;

use crate::env::value;
use crate::error::{Error, Kind};
use crate::local_server::program::Product;
use crate::local_server::server_dir::Home;
use crate::local_server::start::log_tail;
use crate::url::DatabaseUrl;

/// How much of the log is shown.
const LOG_LINES: usize = 4;

/// A server that this process has started, or joined.
#[derive(Debug)]
struct Started {
    product: &'static str,
    home: Home,
    is_there: fn(&Home) -> bool,
}

static STARTED: Mutex<Vec<Started>> = Mutex::new(Vec::new());

/// Remembers a server that was started for this process.
pub(crate) fn remember(product: &'static Product, home: Home) {
    let is_there = product.is_there;
    let mut started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
    started.push(Started {
        product: product.name,
        home,
        is_there,
    });
}

/// Which server of one kind the process works with.
#[derive(Clone, Copy)]
pub(crate) struct Origin(&'static Product);

impl Origin {
    #[cfg(feature = "postgres")]
    pub(crate) const POSTGRES: Self = Self(&crate::postgres::local_server::POSTGRES);
    #[cfg(feature = "mysql")]
    pub(crate) const MYSQL: Self = Self(&crate::mysql::local_server::MYSQL_OR_MARIADB);

    /// Whether a variable names the server.
    fn is_named(self) -> bool {
        value(self.0.variable).is_some()
    }

    /// The server, as a part of a sentence.
    pub(crate) fn name(self) -> String {
        if self.is_named() {
            format!("the server of `{}`", self.0.variable)
        } else {
            format!("the {} that green-light started", self.0.name)
        }
    }

    /// What to do if the server cannot be reached, does not answer in time, or has closed a connection;
    /// `named` is for a server that a variable names, for which `{}` stands there.
    pub(crate) fn look(self, named: &str) -> String {
        match self.end() {
            Some(End { fact, help }) => format!("{fact}: {help}"),
            None if self.is_named() => named.replace("{}", &format!("`{}`", self.0.variable)),
            None => format!(
                "{} still runs: look whether the machine has too much to do; `{}` names another server to use",
                self.name(),
                self.0.variable
            ),
        }
    }

    /// How to get another version of it.
    pub(crate) fn newer(self) -> String {
        let variable = self.0.variable;
        if self.is_named() {
            return format!(
                "let `{variable}` name a newer server; or unset it, and green-light starts one from the installed \
                 programs"
            );
        }
        format!(
            "install a newer one and put its programs into `PATH`, before others; or let `{variable}` name a newer \
             server"
        )
    }

    /// What to know of a server of green-light's own that has ended before its time.
    pub(crate) fn end(self) -> Option<End> {
        if self.is_named() {
            return None;
        }
        let started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
        let own = started.iter().find(|own| own.product == self.0.name)?;
        if (own.is_there)(&own.home) {
            return None;
        }
        let log = own.home.file("server.log");
        let mut help = format!(
            "run the tests again, which starts it again, and find out what has stopped or killed it; its log is \
             `{}`",
            log.display()
        );
        for line in log_tail(self.0, &log, LOG_LINES) {
            help.push_str("\n  | ");
            help.push_str(&line);
        }
        Some(End {
            fact: format!("{} has ended while tests use it", self.name()),
            help,
        })
    }
}

/// What to know of a server of green-light's own that has ended before its time.
pub(crate) struct End {
    pub(crate) fact: String,
    pub(crate) help: String,
}

/// How long a killed server may still take connections after it has closed one.
///
/// The system closes the files of a killed process one after the other, and the listening socket is not the first.
const DYING: Duration = Duration::from_millis(300);

/// The server of `origin` has ended before its time, and is one of green-light's own: in words.
///
/// For use after a lost connection: if the server still takes connections, this looks again for [`DYING`].
pub(crate) fn end_of(origin: Origin) -> Option<String> {
    let give_up_at = Instant::now() + DYING;
    let End { fact, help } = loop {
        match origin.end() {
            Some(end) => break end,
            None if origin.is_named() || Instant::now() >= give_up_at => return None,
            None => thread::sleep(Duration::from_millis(10)),
        }
    };
    Some(format!("{fact}\n  help: {help}"))
}

/// What to do if the connection to a server of `origin` failed with this error of the system.
pub(crate) fn unreachable(origin: Origin, error: &io::Error) -> String {
    // rustls reports what is wrong with a certificate in this way.
    if error.kind() == io::ErrorKind::InvalidData {
        return tls(&error.to_string(), origin.0.variable);
    }
    if let Some(url) = value(origin.0.variable)
        && let Some(missing) = missing_file(&DatabaseUrl::new(url))
    {
        return format!("{missing}, in `{}`", origin.0.variable);
    }
    origin.look(where_to_look(error))
}

/// Where to look if a server cannot be reached; `{}` stands for the variable.
fn where_to_look(error: &io::Error) -> &'static str {
    let text = error.to_string();
    match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            "no server listens there: look at host and port in {}, and whether the server runs"
        }
        io::ErrorKind::NotFound => {
            "the socket does not exist: look at the path in {}, and whether the server runs"
        }
        io::ErrorKind::PermissionDenied => {
            "the user of the tests may not use the socket in {}: let that user into its directory, or connect by \
             host and port"
        }
        _ if text.contains("SUN_LEN") => {
            "the path of a socket may have 107 bytes, 103 on macOS: move the socket of the server, or connect by \
             host and port in {}"
        }
        _ if text.contains("lookup address") => "no host has this name: look at the host in {}",
        _ => "look at host and port in {}, whether its server runs, and at its log",
    }
}

/// A file for TLS that `url` names and that cannot be read.
fn missing_file(url: &DatabaseUrl) -> Option<String> {
    const FILES: [&str; 9] = [
        "sslrootcert",
        "ssl-root-cert",
        "ssl-ca",
        "sslcert",
        "ssl-cert",
        "ssl-client-cert",
        "sslkey",
        "ssl-key",
        "ssl-client-key",
    ];
    url.parameters()
        .filter(|(name, value)| FILES.contains(&name.as_ref()) && !value.contains("-----BEGIN"))
        .find_map(|(name, path)| {
            let error = File::open(&*path).err()?;
            Some(format!(
                "the file `{path}` cannot be read ({error}): look at `{name}`"
            ))
        })
}

/// What to do about an error of TLS with the server of `variable`.
pub(crate) fn tls(text: &str, variable: &str) -> String {
    let help = help_for(text).unwrap_or("look at the parameters of the URL that are about TLS");
    format!("{help}; the URL is that of `{variable}`")
}

/// The URL of a variable is one that the driver does not understand.
pub(crate) fn not_a_url(origin: Origin, url: &DatabaseUrl, error: sqlx::Error) -> Error {
    let Product {
        variable, schemes, ..
    } = origin.0;
    let fact = format!(
        "`{variable}={}` is not a URL that sqlx understands",
        url.redacted()
    );
    let help = help_for(&error.to_string()).map_or_else(
        || {
            format!(
                "write `{variable}={}user@localhost/name`, with `:` and the password behind the user, and `:` and \
                 the port behind the host",
                schemes[0]
            )
        },
        str::to_owned,
    );
    let cause = match error {
        sqlx::Error::Configuration(cause) => cause,
        other => other.into(),
    };
    Error::new(Kind::Configuration, fact)
        .help(help)
        .because(cause)
}

//! What to do about errors of the connection to a server, in messages.
//!
//! That differs: a user can look at a server that a variable names. A server that green-light started was ended by
//! something, and the next run starts it again.

use std::{fs::File, io, str::FromStr};

use green_light_core::help_for;

use crate::env::value;
use crate::error::{Error, Kind};
use crate::local_server::running::RunningServer;
use crate::server::response_timeout::ResponseTimeout;
use crate::server::shortage::NoConnection;
use crate::url::DatabaseUrl;

impl RunningServer {
    /// What to do about an error for which the database has no help of its own.
    pub(crate) fn help(&self, error: &sqlx::Error) -> String {
        match error {
            _ if ResponseTimeout::of(error).is_some() => ResponseTimeout::HELP.to_owned(),
            _ if NoConnection::of(error).is_some() => NoConnection::HELP.to_owned(),
            sqlx::Error::PoolTimedOut => self.look(
                "look whether the server of {} is stopped, overloaded or out of connections; \
                 `Engine::builder().connection_timeout(..)` makes it wait longer",
            ),
            sqlx::Error::Io(error) => self.unreachable(error),
            sqlx::Error::Tls(_) => self.tls_help(&error.to_string()),
            _ => match help_for(&error.to_string()) {
                Some(help) => help.to_owned(),
                None => self.look("look at the cause, and whether the server of {} runs"),
            },
        }
    }

    /// What to do if the server cannot be reached, does not answer in time, or has closed a connection; `named` is
    /// for a server that a variable names, for which `{}` stands there.
    fn look(&self, named: &str) -> String {
        let variable = self.program.variable;
        match self.unexpected_end() {
            Some((fact, help)) => format!("{fact}: {help}"),
            None if self.is_named() => named.replace("{}", &format!("`{variable}`")),
            None => format!(
                "{} still runs: look whether the machine has too much to do; `{variable}` names another server to use",
                self.name()
            ),
        }
    }

    /// What to do if the connection failed with this error of the system.
    fn unreachable(&self, error: &io::Error) -> String {
        // rustls reports what is wrong with a certificate in this way.
        if error.kind() == io::ErrorKind::InvalidData {
            return self.tls_help(&error.to_string());
        }
        let variable = self.program.variable;
        let url = value(variable).map(DatabaseUrl::new);
        match url.and_then(|url| missing_file(&url)) {
            Some(missing) => format!("{missing}, in `{variable}`"),
            None => self.look(where_to_look(error)),
        }
    }

    /// What to do about an error of TLS.
    pub(crate) fn tls_help(&self, text: &str) -> String {
        let help = help_for(text).unwrap_or("look at the parameters of the URL that are about TLS");
        format!("{help}; the URL is that of `{}`", self.program.variable)
    }

    /// The options of sqlx to connect to `url`.
    ///
    /// # Errors
    ///
    /// When sqlx does not understand the URL.
    pub(crate) fn parse<O: FromStr<Err = sqlx::Error>>(
        &self,
        url: &DatabaseUrl,
    ) -> Result<O, Error> {
        url.expose().parse().map_err(|error: sqlx::Error| {
            let variable = self.program.variable;
            let fact = format!("`{variable}={}` is not a URL that sqlx understands", url.redacted());
            let help = help_for(&error.to_string()).map_or_else(
                || {
                    format!(
                        "write `{variable}={}user@localhost/name`, with `:` and the password behind the user, and \
                         `:` and the port behind the host",
                        self.program.schemes[0]
                    )
                },
                str::to_owned,
            );
            let cause = match error {
                sqlx::Error::Configuration(cause) => cause,
                other => other.into(),
            };
            Error::new(Kind::Configuration, fact).help(help).because(cause)
        })
    }

    /// The server is older than green-light supports.
    pub(crate) fn too_old(&self, found: &str, needed: &str) -> Error {
        let variable = self.program.variable;
        let help = if self.is_named() {
            format!(
                "let `{variable}` name a newer server; or unset it, and green-light starts one from the installed \
                 programs"
            )
        } else {
            format!(
                "install a newer one and put its programs into `PATH`, before others; or let `{variable}` name a \
                 newer server"
            )
        };
        let fact = format!(
            "{} is {found}, and green-light needs {needed} or later",
            self.name()
        );
        Error::new(Kind::Server, fact).help(help)
    }
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

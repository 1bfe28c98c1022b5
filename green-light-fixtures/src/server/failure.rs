//! Errors of what green-light itself asks of a server.

use crate::error::{Error, Kind};
use crate::server::response_timeout::ResponseTimeout;
use crate::server::server_connection::ServerConnection;

/// The error of something that green-light itself asked for.
pub(crate) fn failed<C: ServerConnection>(what: impl Into<String>, error: sqlx::Error) -> Error {
    let help = C::help(&error);
    Error::new(Kind::Connection, what).help(help).because(error)
}

/// The error if the connection of a test cannot be opened.
pub(crate) fn cannot_open<C: ServerConnection>(error: sqlx::Error) -> Error {
    let fact = match error {
        sqlx::Error::PoolTimedOut => {
            "did not answer in time, while a connection for a test was being made"
        }
        _ if ResponseTimeout::of(&error).is_some() => "does not answer",
        _ => "cannot be reached",
    };
    failed::<C>(format!("{} {fact}", C::SERVER), error)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::server::admin_connection::AdminConnection;

    /// Checks that no connection can be made with `options`, and that the error names the feature of sqlx that is
    /// missing.
    pub(crate) async fn expect_feature_named<C: ServerConnection>(options: &C::Options) {
        let connected = AdminConnection::<C>::connect_to_enter(options).await;
        let error = failed::<C>("no connection", connected.unwrap_err()).to_string();
        let feature = "help: in `Cargo.toml`, add `tls-rustls`";
        let url = format!("the URL is that of `{}`", C::URL_VARIABLE);
        assert!(error.contains(feature) && error.ends_with(&url), "{error}");
    }
}

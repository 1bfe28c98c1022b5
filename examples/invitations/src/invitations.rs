//! The open invitations, in Redis.

use redis::AsyncCommands as _;
use redis::aio::MultiplexedConnection;

use crate::error::Error;
use crate::mail::{Mail, Provider};

/// How long an invitation is open, in seconds.
const DAY: u64 = 24 * 60 * 60;

/// The open invitations.
#[derive(Clone, Debug)]
pub struct Invitations {
    store: MultiplexedConnection,
    /// What each key begins with.
    prefix: String,
    provider: Provider,
    http: reqwest::Client,
}

impl Invitations {
    /// Keeps invitations in `store`, in keys that begin with `prefix`.
    #[must_use]
    pub fn new(store: MultiplexedConnection, prefix: String, provider: Provider) -> Self {
        Self {
            store,
            prefix,
            provider,
            http: reqwest::Client::new(),
        }
    }

    /// Invites `guest`.
    ///
    /// # Errors
    ///
    /// If there is an open invitation, and if Redis or the provider fails.
    pub async fn invite(&self, guest: &str) -> Result<(), Error> {
        let key = self.key(guest);
        let mut store = self.store.clone();
        if !store.set_nx(&key, "open").await? {
            return Err(Error::AlreadyInvited(guest.to_owned()));
        }
        let () = store.expire(&key, DAY.cast_signed()).await?;
        let mail = Mail {
            to: guest.to_owned(),
            text: format!("Hello {guest}, you are invited."),
        };
        let Provider { url, account } = &self.provider;
        let sent = self
            .http
            .post(format!("{url}/mails?account={account}"))
            .json(&mail);
        sent.send().await?.error_for_status()?;
        Ok(())
    }

    /// Accepts the invitation of `guest`. Returns whether there was one.
    ///
    /// # Errors
    ///
    /// If Redis fails.
    pub async fn accept(&self, guest: &str) -> Result<bool, Error> {
        let removed: u64 = self.store.clone().del(self.key(guest)).await?;
        Ok(removed == 1)
    }

    /// How many invitations are open.
    ///
    /// # Errors
    ///
    /// If Redis fails.
    pub async fn open(&self) -> Result<usize, Error> {
        let keys: Vec<String> = self.store.clone().keys(self.key("*")).await?;
        Ok(keys.len())
    }

    fn key(&self, guest: &str) -> String {
        format!("{}:invitation:{guest}", self.prefix)
    }
}

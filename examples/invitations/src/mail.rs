//! Mail, and the provider that sends it.

use serde::{Deserialize, Serialize};

/// A mail, as the provider takes it.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Mail {
    /// The address it is for.
    pub to: String,
    /// What it says.
    pub text: String,
}

/// The provider that sends mail.
#[derive(Clone, Debug)]
pub struct Provider {
    /// Where its interface is.
    pub url: String,
    /// The account that sends.
    pub account: String,
}

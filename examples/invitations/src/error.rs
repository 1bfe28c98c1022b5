//! What can go wrong.

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Redis does not answer.
    #[error("the invitations are not available")]
    Store(#[from] redis::RedisError),
    /// The provider does not take the mail.
    #[error("the mail could not be sent")]
    Mail(#[from] reqwest::Error),
    /// The guest has an invitation.
    #[error("`{0}` has been invited already")]
    AlreadyInvited(String),
}

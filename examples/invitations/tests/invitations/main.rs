//! Tests that share one Redis and one provider of mail, whichever processes they run in.
//!
//! `cargo nextest run -p invitations` runs them in a process each.

// Fixtures of scope `run` need Linux.
#![cfg(target_os = "linux")]

mod mail;
mod redis_server;

use green_light::prelude::*;
use invitations::{Error, Invitations, Mail, Provider};
use mail::provider;
use redis_server::{Keys, keys};

/// The service, with keys and an account that no other test has.
#[fixture]
fn invitations(keys: &Keys, provider: &Provider) -> Invitations {
    Invitations::new(keys.redis.clone(), keys.prefix.clone(), provider.clone())
}

#[green_light::test]
async fn a_guest_is_invited_once(
    invitations: &Invitations,
    provider: &Provider,
) -> Result<(), Error> {
    invitations.invite("ann").await?;
    let again = invitations.invite("ann").await;
    assert!(matches!(again, Err(Error::AlreadyInvited(guest)) if guest == "ann"));
    let expected = Mail {
        to: "ann".to_owned(),
        text: "Hello ann, you are invited.".to_owned(),
    };
    assert_eq!(mail::sent(provider).await?, [expected]);
    Ok(())
}

#[green_light::test]
async fn an_invitation_is_accepted_once(invitations: &Invitations) -> Result<(), Error> {
    invitations.invite("bob").await?;
    assert!(invitations.accept("bob").await?);
    assert!(!invitations.accept("bob").await?);
    Ok(())
}

/// Under nextest these are 200 processes. They invite the same guests, and see no mail and no invitation of each other.
#[green_light::test]
async fn every_test_has_its_own_guests(
    invitations: &Invitations,
    provider: &Provider,
    #[values(1, 2, 3, 4, 5, 6, 7, 8, 9, 10)] guests: usize,
    #[values(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20)]
    accepted: usize,
) -> Result<(), Error> {
    let accepted = accepted % (guests + 1);
    for guest in 0..guests {
        invitations.invite(&format!("guest {guest}")).await?;
    }
    for guest in 0..accepted {
        assert!(invitations.accept(&format!("guest {guest}")).await?);
    }
    assert_eq!(invitations.open().await?, guests - accepted);
    assert_eq!(mail::sent(provider).await?.len(), guests);
    Ok(())
}

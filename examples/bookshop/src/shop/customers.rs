//! Registration of customers.

use sea_orm::{ActiveValue::Set, DatabaseConnection, EntityTrait, SqlErr, entity::prelude::*};
use serde::Deserialize;

use super::text::tidy;
use crate::{
    Error, Result,
    entity::{customer, prelude::Customer},
};

/// What a customer tells about himself.
#[derive(Clone, Debug, Deserialize)]
pub struct Registration {
    /// Where to write to; upper and lower case make no difference.
    pub email: String,
    /// What to write above the letter.
    pub name: String,
}

/// Adds a customer.
///
/// # Errors
///
/// [`Error::Invalid`] for an empty name or something that is no address, [`Error::Duplicate`] when
/// the address is registered already.
pub async fn register(
    db: &DatabaseConnection,
    registration: Registration,
) -> Result<customer::Model> {
    let name = tidy("name", &registration.name)?;
    let email = address(&registration.email)?;
    // The unique index decides, not a look beforehand: two registrations may come at once.
    customer::ActiveModel {
        email: Set(email.clone()),
        name: Set(name),
        ..Default::default()
    }
    .insert(db)
    .await
    .map_err(|error| match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => Error::Duplicate {
            what: "customer",
            field: "email",
            value: email,
        },
        _ => error.into(),
    })
}

/// Reads a customer.
///
/// # Errors
///
/// [`Error::NotFound`].
pub async fn read(db: &DatabaseConnection, id: i32) -> Result<customer::Model> {
    Customer::find_by_id(id)
        .one(db)
        .await?
        .ok_or(Error::NotFound {
            what: "customer",
            id,
        })
}

/// An address in lower case, so that it is unique on every database, whatever its collation.
fn address(email: &str) -> Result<String> {
    let email = tidy("email", email)?.to_lowercase();
    let wrong = Error::Invalid {
        field: "email",
        why: "must be an e-mail address",
    };
    match email.split_once('@') {
        Some((who, host))
            if !who.is_empty()
                && host.contains('.')
                && !host.starts_with('.')
                && !host.ends_with('.')
                && !host.contains('@')
                && !email.contains(char::is_whitespace) =>
        {
            Ok(email)
        }
        _ => Err(wrong),
    }
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn an_address_is_kept_in_lower_case() {
        assert_eq!(address(" Ann@Example.ORG ").unwrap(), "ann@example.org");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for wrong in [
            "",
            "ann",
            "@example.org",
            "ann@",
            "ann@org",
            "a b@example.org",
            "a@b@c.d",
        ] {
            assert!(address(wrong).is_err(), "{wrong:?} passed");
        }
    }
}

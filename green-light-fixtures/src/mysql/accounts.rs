//! Accounts and roles that schemas make. They belong to the server, and so outlive their template.
//!
//! A schema with `CREATE USER` would work once: when its template is built again, the account is there. So what a
//! template has made is dropped when another one is to make it. On a server of green-light's own, that is every account
//! but those of the server, since tests may make none. On another server, the accounts that came while a template was
//! built are noted, and no others are ever dropped.

use std::time::Duration;

use sqlx::AssertSqlSafe;

use crate::backoff::Backoff;
use crate::mysql::admin::{AdminConnection, lock, number};
use crate::mysql::test_account;

/// Who has it drops accounts, and builds a template with them.
const LOCK: &str = "green_light.accounts";
/// How long to wait for templates that others are building: they may have made an account and not used it yet.
const OTHERS: Duration = Duration::from_secs(10);
/// Accounts that the server needs, or green-light.
const KEPT: [&str; 6] = [
    "root",
    "mysql",
    "mariadb.sys",
    "mysql.sys",
    "mysql.session",
    test_account::NAME,
];
/// Accounts as an error names them.
const ALL: &str = "SELECT CONVERT(if(host = '', quote(user), concat(quote(user), '@', quote(host))) USING utf8mb4) \
    COLLATE utf8mb4_bin AS account FROM mysql.user";

/// Notes which accounts there are before the schema of `draft` is applied.
pub(crate) async fn note_those_before(
    admin: &mut AdminConnection,
    draft: &str,
) -> Result<(), sqlx::Error> {
    let note = format!("INSERT INTO green_light.accounts SELECT account, '{draft}' FROM ({ALL}) a");
    if_allowed(admin.run(note).await)
}

/// Notes which accounts the schema of `draft` has made.
pub(crate) async fn note_those_of_template(
    admin: &mut AdminConnection,
    draft: &str,
) -> Result<(), sqlx::Error> {
    let known = format!("SELECT account FROM green_light.accounts WHERE draft = '{draft}'");
    let note = format!(
        "INSERT IGNORE INTO green_light.accounts \
         SELECT account, '' FROM ({ALL}) a WHERE EXISTS ({known}) AND account NOT IN ({known}); \
         DELETE FROM green_light.accounts WHERE draft = '{draft}'"
    );
    if_allowed(admin.run(note).await)
}

/// A user of a named server need not be allowed to see accounts, and then makes none.
fn if_allowed(noted: Result<(), sqlx::Error>) -> Result<(), sqlx::Error> {
    match noted {
        Err(sqlx::Error::Database(_)) => Ok(()),
        other => other,
    }
}

/// If `error` says that a schema could not make accounts because they are there, and a template has made these, drops
/// them. Whether it did. No other process does so until `admin` is closed.
pub(crate) async fn drop_those_in_the_way(
    admin: &mut AdminConnection,
    error: &str,
    is_ours: bool,
) -> Result<bool, sqlx::Error> {
    let Some((kind, accounts)) = in_the_way(error) else {
        return Ok(false);
    };
    for account in &accounts {
        let name = account.split('\'').nth(1).unwrap_or_default();
        if KEPT.contains(&name) || !is_ours && !is_of_template(admin, account).await? {
            return Ok(false);
        }
    }
    let mut backoff = Backoff::within(OTHERS);
    while !backoff.expired() {
        if lock(admin, LOCK).await? && number(admin, drafts()).await? == 0 {
            break;
        }
        let waits = "another process builds a template that may need the same accounts";
        backoff.pause(|| waits.to_owned()).await;
    }
    let drop = format!("DROP {kind} IF EXISTS {}", accounts.join(", "));
    admin.run(drop).await?;
    Ok(true)
}

fn drafts() -> String {
    "SELECT count(*) FROM green_light.test_databases WHERE state = 'making' AND name LIKE 'gl\\_t\\_%'"
        .to_owned()
}

async fn is_of_template(admin: &mut AdminConnection, account: &str) -> Result<bool, sqlx::Error> {
    let query = "SELECT account FROM green_light.accounts WHERE account = ? AND draft = ''";
    let found = admin.fetch_all(sqlx::query(AssertSqlSafe(query)).bind(account.to_owned()));
    Ok(!found.await?.is_empty())
}

/// The accounts that an error says to be there already, as SQL writes them, and whether they are users or roles.
fn in_the_way(error: &str) -> Option<(&'static str, Vec<String>)> {
    let found = ["USER", "ROLE"].into_iter().find_map(|kind| {
        let (_, rest) = error.split_once(&format!("Operation CREATE {kind} failed for "))?;
        Some((kind, rest))
    });
    let (kind, mut rest) = found?;
    let mut accounts = Vec::new();
    while let Some(length) = account(rest) {
        accounts.push(rest[..length].to_owned());
        rest = rest[length..].trim_start_matches(',');
    }
    (!accounts.is_empty()).then_some((kind, accounts))
}

/// The length of the account that a text begins with.
fn account(text: &str) -> Option<usize> {
    let quoted = |text: &str| {
        let inner = text.strip_prefix('\'')?;
        inner.find('\'').map(|end| end + 2)
    };
    let name = quoted(text)?;
    let host = text[name..].strip_prefix('@').and_then(quoted);
    Some(name + host.map_or(0, |host| host + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_accounts_from_an_error() {
        let error = "1396 (HY000): Operation CREATE USER failed for 'app'@'%','b'@'localhost'\n  help: look";
        let accounts = ["'app'@'%'", "'b'@'localhost'"].map(str::to_owned).to_vec();
        assert_eq!(in_the_way(error), Some(("USER", accounts)));
        let error = "Operation CREATE ROLE failed for 'reader'\"";
        assert_eq!(
            in_the_way(error),
            Some(("ROLE", vec!["'reader'".to_owned()]))
        );
        assert_eq!(in_the_way("Operation DROP USER failed for 'a'"), None);
    }
}

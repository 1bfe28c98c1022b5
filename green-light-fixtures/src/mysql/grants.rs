//! Privileges on a database and what is in it. They belong to the server, name the database, and outlive it.
//!
//! Those that a schema gives in its template are given in each copy. Those on a database that is dropped are taken back.
//! A user of a named server who may not see the privileges of others has given none.

use std::collections::BTreeSet;

use sqlx::{AssertSqlSafe, Row as _, mysql::MySqlRow};

use crate::mysql::admin::{AdminConnection, literal, names, quoted};

/// The kind of the rows that [`accounts`] finds.
pub(crate) const ACCOUNT: &str = "ACCOUNT";

/// Finds the accounts that have privileges on the database `name`, some of them more than once. Not each user may ask.
pub(crate) fn accounts(name: &str) -> String {
    let tables = ["db", "tables_priv", "columns_priv", "procs_priv"];
    let selects = tables.map(|table| {
        format!("SELECT '{ACCOUNT}', user, host FROM mysql.{table} WHERE db = '{name}'")
    });
    selects.join(" UNION ALL ")
}

/// The account in a row, as SQL writes it.
pub(crate) fn account(row: &MySqlRow) -> Result<String, sqlx::Error> {
    let (user, host): (String, String) = (row.try_get_unchecked(1)?, row.try_get_unchecked(2)?);
    Ok(match &*host {
        "" => literal(&user),
        host => format!("{}@{}", literal(&user), literal(host)),
    })
}

/// The statements that give them.
async fn on(admin: &mut AdminConnection, name: &str) -> Result<Vec<String>, sqlx::Error> {
    let rows = match admin.fetch_all(AssertSqlSafe(accounts(name))).await {
        Err(sqlx::Error::Database(_)) => return Ok(Vec::new()),
        rows => rows?,
    };
    let accounts: Result<_, _> = rows.iter().map(account).collect();
    of_accounts(admin, name, accounts?).await
}

/// The statements that give privileges on the database `name` to these accounts.
pub(crate) async fn of_accounts(
    admin: &mut AdminConnection,
    name: &str,
    accounts: BTreeSet<String>,
) -> Result<Vec<String>, sqlx::Error> {
    let mut given = Vec::new();
    for account in accounts {
        given.extend(names(admin, format!("SHOW GRANTS FOR {account}")).await?);
    }
    let on = on_database(name);
    given.retain(|grant| grant.contains(&on));
    Ok(given)
}

/// Takes back all privileges on the database `name`.
pub(crate) async fn take_back(admin: &mut AdminConnection, name: &str) -> Result<(), sqlx::Error> {
    for grant in on(admin, name).await? {
        for revoke in revoke(&grant) {
            admin.execute(AssertSqlSafe(revoke)).await?;
        }
    }
    Ok(())
}

/// `grant` on the database `name` in place of `template`.
pub(crate) fn in_copy(grant: &str, template: &str, name: &str) -> String {
    grant.replacen(&quoted(template), &quoted(name), 1)
}

/// What a statement that gives something on the database `name` has in it.
fn on_database(name: &str) -> String {
    format!("{}.", quoted(name))
}

/// The statements that take back what `grant` gives.
fn revoke(grant: &str) -> Vec<String> {
    const OPTION: &str = " WITH GRANT OPTION";
    let Some((what, who)) = grant
        .strip_prefix("GRANT ")
        .and_then(|grant| grant.rsplit_once(" TO "))
    else {
        return Vec::new();
    };
    let mut statements = Vec::new();
    if let Some(who) = who.strip_suffix(OPTION)
        && let Some((_, on)) = what.split_once(" ON ")
    {
        statements.push(format!("REVOKE GRANT OPTION ON {on} FROM {who}"));
    }
    let who = who.strip_suffix(OPTION).unwrap_or(who);
    statements.push(format!("REVOKE {what} FROM {who}"));
    statements
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_is_taken_back_by_its_own_words() {
        assert_eq!(
            revoke("GRANT SELECT (`a`, `b`), INSERT ON `gl_d_x`.`u` TO `app`@`%`"),
            ["REVOKE SELECT (`a`, `b`), INSERT ON `gl_d_x`.`u` FROM `app`@`%`"]
        );
        assert_eq!(
            revoke("GRANT SELECT ON `gl_d_x`.* TO `app` WITH GRANT OPTION"),
            [
                "REVOKE GRANT OPTION ON `gl_d_x`.* FROM `app`",
                "REVOKE SELECT ON `gl_d_x`.* FROM `app`"
            ]
        );
        let grant = "GRANT EXECUTE ON FUNCTION `gl_t_y`.`f` TO `app`@`%`";
        assert!(grant.contains(&on_database("gl_t_y")));
        assert_eq!(
            in_copy(grant, "gl_t_y", "gl_d_x"),
            "GRANT EXECUTE ON FUNCTION `gl_d_x`.`f` TO `app`@`%`"
        );
    }
}

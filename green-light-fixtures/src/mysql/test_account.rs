//! The account by which tests use a server that green-light has started.
//!
//! It may do everything in the databases of tests, and nothing elsewhere but read time zones: what a test does to
//! accounts, global variables, plugins, other databases or a template would reach all tests of all processes, so the
//! server refuses it. Schemas are applied by the administrator.

use crate::mysql::admin::{AdminConnection, number};
use crate::mysql::local_server::ADMINISTRATOR;
use crate::url::DatabaseUrl;

pub(crate) const NAME: &str = "green_light";

/// The last grant is looked for to know whether all of it was done.
const CREATE: &str = "CREATE USER IF NOT EXISTS green_light@localhost; \
    GRANT PROCESS ON *.* TO green_light@localhost; \
    GRANT SELECT, SHOW VIEW ON `gl\\_t\\_%`.* TO green_light@localhost; \
    GRANT ALL ON `gl\\_d\\_%`.* TO green_light@localhost; \
    GRANT SELECT ON mysql.time_zone TO green_light@localhost; \
    GRANT SELECT ON mysql.time_zone_leap_second TO green_light@localhost; \
    GRANT SELECT ON mysql.time_zone_name TO green_light@localhost; \
    GRANT SELECT ON mysql.time_zone_transition TO green_light@localhost; \
    GRANT SELECT ON mysql.time_zone_transition_type TO green_light@localhost; \
    /*!80014 GRANT SESSION_VARIABLES_ADMIN ON *.* TO green_light@localhost */";

/// Creates the account, unless it is there.
pub(crate) async fn create(admin: &mut AdminConnection) -> Result<(), sqlx::Error> {
    let known = format!(
        "SELECT count(*) FROM mysql.tables_priv WHERE user = '{NAME}' AND table_name = 'time_zone_transition_type'"
    );
    match number(admin, known).await? {
        0 => admin.execute(CREATE).await.map(drop),
        _ => Ok(()),
    }
}

/// The URL of a database on the server of ours, for this account.
pub(crate) fn url(url: &DatabaseUrl) -> DatabaseUrl {
    let (administrator, account) = (format!("//{ADMINISTRATOR}@"), format!("//{NAME}@"));
    DatabaseUrl::new(url.expose().replacen(&administrator, &account, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_get_an_account_of_their_own() {
        let administrator = DatabaseUrl::new("mysql://root@localhost/gl_d_x?socket=/s");
        assert_eq!(
            url(&administrator).expose(),
            "mysql://green_light@localhost/gl_d_x?socket=/s"
        );
    }
}

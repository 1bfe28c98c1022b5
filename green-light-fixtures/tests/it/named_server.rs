//! A server that a variable names: used as it is. What would make it faster is told, and not done.

use std::process::Command;

use green_light_fixtures::{Backend, Engine, Isolation, Schema};
use sqlx::{AssertSqlSafe, Connection, Executor, MySqlConnection, PgConnection};

use crate::{
    children::{output, part},
    mysql_server::MySqlServer,
    role::Role,
    support::run,
};

/// The part of a process: two engines, and a test with each isolation on each.
async fn tests(backend: Backend) {
    for table in ["one", "two"] {
        let engine = Engine::builder()
            .backend(backend)
            .schema(Schema::sql(format!("CREATE TABLE {table} (x INT)")))
            .build()
            .await
            .unwrap();
        for isolation in [
            Isolation::Transaction,
            Isolation::Database,
            Isolation::Shared,
        ] {
            let session = engine.session(isolation).await.unwrap();
            session.finish().await.unwrap();
        }
    }
}

/// The one hint that a process tells.
fn hint(command: &mut Command) -> String {
    let output = output(command.spawn().unwrap());
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{told}");
    let hints: Vec<_> = told.lines().filter(|line| line.contains("hint:")).collect();
    assert_eq!(hints.len(), 1, "{told}");
    hints[0].to_owned()
}

/// All settings of the server, and what is set for the role and given to it.
async fn of_postgres(admin: &mut PgConnection, role: &str) -> Vec<String> {
    let all = format!(
        "SELECT concat(name, ' = ', setting) FROM pg_settings \
         UNION ALL SELECT concat('role: ', setconfig) FROM pg_db_role_setting \
           WHERE setrole = '{role}'::regrole \
         UNION ALL SELECT concat('role: ', r) FROM pg_roles r WHERE rolname = '{role}' ORDER BY 1"
    );
    let found = sqlx::query_scalar(AssertSqlSafe(all)).fetch_all(admin);
    found.await.unwrap()
}

#[test]
fn a_durable_server_of_postgres_is_told_of_once_and_left_as_it_is() {
    if part().is_some() {
        return run(tests(Backend::Postgres));
    }
    let test = "named_server::a_durable_server_of_postgres_is_told_of_once_and_left_as_it_is";
    let role = run(Role::new());
    let mut admin = run(role.admin());
    let durable = format!("ALTER ROLE {} SET synchronous_commit = on", role.name);
    run(admin.execute(AssertSqlSafe(durable))).unwrap();
    let before = run(of_postgres(&mut admin, &role.name));
    assert!(
        before
            .iter()
            .any(|line| line.contains("synchronous_commit=on"))
    );
    let hint = hint(&mut role.playing(test, "tests"));
    assert!(hint.contains("`GREEN_LIGHT_POSTGRES_URL`"), "{hint}");
    let cure = "after `ALTER SYSTEM SET synchronous_commit = off; SELECT pg_reload_conf()`";
    assert!(hint.contains(cure), "{hint}");
    assert_eq!(run(of_postgres(&mut admin, &role.name)), before);
    run(admin.close()).unwrap();
    run(role.drop());
}

/// All settings of the server, and its users with their rights.
async fn of_mysql(admin: &mut MySqlConnection) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = sqlx::query_as("SHOW GLOBAL VARIABLES")
        .fetch_all(&mut *admin)
        .await
        .unwrap();
    let users = "SELECT CONCAT(user, '@', host) FROM mysql.user ORDER BY 1";
    let users: Vec<String> = sqlx::query_scalar(users)
        .fetch_all(&mut *admin)
        .await
        .unwrap();
    all.extend(users.into_iter().map(|user| ("user".to_owned(), user)));
    let rights: Vec<String> = sqlx::query_scalar("SHOW GRANTS FOR tester@localhost")
        .fetch_all(&mut *admin)
        .await
        .unwrap();
    all.extend(rights.into_iter().map(|right| ("right".to_owned(), right)));
    all
}

#[test]
fn a_durable_server_of_mysql_is_told_of_once_and_left_as_it_is() {
    if part().is_some() {
        return run(tests(Backend::MySql));
    }
    let test = "named_server::a_durable_server_of_mysql_is_told_of_once_and_left_as_it_is";
    let server = MySqlServer::start(50);
    let mut admin = run(server.admin());
    run(admin.execute("SET GLOBAL innodb_flush_log_at_trx_commit = 1")).unwrap();
    let before = run(of_mysql(&mut admin));
    let hint = hint(&mut server.playing(test, "tests"));
    assert!(hint.contains("`GREEN_LIGHT_MYSQL_URL`"), "{hint}");
    let cure = "after `SET GLOBAL innodb_flush_log_at_trx_commit = 0`";
    assert!(hint.contains(cure), "{hint}");
    assert_eq!(run(of_mysql(&mut admin)), before);
    run(admin.close()).unwrap();
    server.end();
}

//! What belongs to a whole server of MySQL or MariaDB: reports name what tests change there where it is not
//! refused, and what all of them read is there.

use std::process::Command;

use green_light_fixtures::{Backend, Engine, Isolation, Schema, Session};
use sea_orm::{ConnectionTrait as _, TransactionTrait as _};
use sqlx::{Connection as _, Executor as _, MySqlConnection};

use crate::{
    checkout::Checkout,
    children::{output, part, said, say, value},
    mysql_server::{MySqlServer, Started},
    support::{
        count, engine_of, engine_on, expect_clean, insert, number, outside, run, schema_on, text,
    },
};

/// What tests of their own do, one after the other, and how the reports name it.
const CHANGES: [(&str, &str); 12] = [
    (
        "CREATE USER left_here@localhost IDENTIFIED BY 'secret word'",
        "new: the account `left_here`@`localhost`",
    ),
    ("CREATE ROLE left_role", "new: the account `left_role`"),
    (
        "GRANT left_role TO left_here@localhost",
        "new: the membership of `left_here`@`localhost` in `left_role`",
    ),
    (
        "GRANT SELECT ON mysql.* TO left_here@localhost",
        "new: privileges of `left_here`@`localhost` on `mysql`",
    ),
    (
        "GRANT INSERT ON mysql.servers TO left_here@localhost",
        "new: privileges of `left_here`@`localhost` on `mysql`.`servers`",
    ),
    (
        "GRANT SELECT ON *.* TO left_here@localhost",
        "changed: the account `left_here`@`localhost`",
    ),
    (
        "ALTER USER left_here@localhost IDENTIFIED BY 'another word'",
        "changed: the account `left_here`@`localhost`",
    ),
    (
        "SET GLOBAL net_retry_count = 11",
        "changed: the global variable `net_retry_count`",
    ),
    (
        "CREATE DATABASE left_database",
        "new: the database `left_database`",
    ),
    (
        "CREATE EVENT left_database.e ON SCHEDULE EVERY 1 DAY DO SELECT 1",
        "new: the event `left_database`.`e`",
    ),
    (
        "CREATE SERVER left_server FOREIGN DATA WRAPPER mysql OPTIONS (HOST 'localhost')",
        "new: the server `left_server`",
    ),
    (
        "DROP USER left_here@localhost",
        "gone: the account `left_here`@`localhost`",
    ),
];

/// What only MariaDB has under this name.
const PLUGIN: (&str, &str) = (
    "INSTALL SONAME 'metadata_lock_info'",
    "new: the plugin `METADATA_LOCK_INFO`",
);

const TOLD: &str =
    "the server itself was changed; nothing was undone, since green-light did not start it";

async fn is_mariadb(session: &Session) -> bool {
    number(&**session, "SELECT version() LIKE '%MariaDB%'").await == 1
}

/// What a process said that ended well, on both of its streams.
#[track_caller]
fn all_said(command: &mut Command) -> String {
    let output = output(command.spawn().unwrap());
    let text = [output.stdout, output.stderr];
    let text = text.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let text = text.concat();
    assert!(output.status.success(), "{text}");
    text
}

/// Tests that change the server, on an engine whose schema does so as well.
async fn change() {
    let schema = Schema::sql("CREATE USER of_the_schema@localhost");
    let engine = engine_of(Backend::MySql, schema_on(Backend::MySql).then(schema)).await;
    for (sql, _) in CHANGES {
        let session = engine.session(Isolation::Database).await.unwrap();
        session.execute_unprepared(sql).await.unwrap();
        session.finish().await.unwrap();
    }
    let session = engine.session(Isolation::Shared).await.unwrap();
    let has_plugin = is_mariadb(&session).await;
    if has_plugin {
        session.execute_unprepared(PLUGIN.0).await.unwrap();
    }
    session.finish().await.unwrap();
    say("plugin", &has_plugin.to_string());
    let session = engine.session(Isolation::Transaction).await.unwrap();
    let set = "SET GLOBAL net_read_timeout = 31";
    session.execute_unprepared(set).await.unwrap();
    session.finish().await.unwrap();
    for sql in [
        "XA START 'left'; INSERT INTO u (email) VALUES ('xa'); XA END 'left'; XA PREPARE 'left'",
        "XA ROLLBACK 'left'",
    ] {
        let session = engine.session(Isolation::Database).await.unwrap();
        let mut own = MySqlConnection::connect(session.url().expose())
            .await
            .unwrap();
        own.execute(sql).await.unwrap();
        own.close().await.unwrap();
        session.finish().await.unwrap();
    }
}

#[test]
fn what_a_test_changes_in_a_named_server_of_mysql_is_told_and_stays() {
    let test =
        "mysql_server_wide::what_a_test_changes_in_a_named_server_of_mysql_is_told_and_stays";
    match part().as_deref() {
        None => {}
        Some("change") => return run(change()),
        Some(_) => {
            return run(async {
                let engine = engine_on(Backend::MySql).await;
                for isolation in [Isolation::Database, Isolation::Transaction] {
                    let session = engine.session(isolation).await.unwrap();
                    let variable = "SET @@session.sql_mode = ''";
                    session.execute_unprepared(variable).await.unwrap();
                    session.finish().await.unwrap();
                }
            });
        }
    }
    let server = MySqlServer::start(50);
    let said = all_said(
        server
            .playing(test, "change")
            .env("GREEN_LIGHT_MYSQL_URL", server.server()),
    );
    let mut expected: Vec<_> = CHANGES.iter().map(|(_, told)| *told).collect();
    if value(&said, "plugin") == "true" {
        expected.push(PLUGIN.1);
    }
    expected.extend([
        "changed: the global variable `net_read_timeout`",
        "new: the transaction X'6c656674',X'',1, which is prepared",
        "gone: the transaction X'6c656674',X'',1, which is prepared",
    ]);
    let mut rest = &*said;
    for told in &expected {
        let after = rest.split_once(TOLD).map_or("", |(_, after)| after);
        let found = after.split("\n  help: ").next().unwrap_or_default();
        assert!(found.contains(&format!("\n  {told}")), "`{told}`: {said}");
        rest = after;
    }
    assert_eq!(said.matches(TOLD).count(), expected.len(), "{said}");
    for part in [
        "of_the_schema",
        "secret word",
        "another word",
        "by it, or by",
    ] {
        assert!(!said.contains(part), "{part}: {said}");
    }
    let left =
        "SELECT schema_name FROM information_schema.schemata WHERE schema_name = 'left_database'";
    assert_eq!(run(server.names(left)).len(), 1);
    // A user who may see little gets no report, not even that green-light could not look.
    let said = all_said(&mut server.playing(test, "look"));
    for part in ["the server itself", "the server was changed"] {
        assert!(!said.contains(part), "{said}");
    }
    server.end();
}

/// A zone of a schema, as `mysql_tzinfo_to_sql` writes one.
const ZONE: &str = "INSERT IGNORE INTO mysql.time_zone (Time_zone_id, Use_leap_seconds) VALUES (9999, 'N');
    INSERT IGNORE INTO mysql.time_zone_name (Name, Time_zone_id) VALUES ('Green/Light', 9999);
    INSERT IGNORE INTO mysql.time_zone_transition_type
    (Time_zone_id, Transition_type_id, `Offset`, Is_DST, Abbreviation) VALUES (9999, 0, 7200, 0, 'GL')";

#[test]
fn tests_know_the_time_zones_of_the_server() {
    let test = "mysql_server_wide::tests_know_the_time_zones_of_the_server";
    if part().is_some() {
        return run(async {
            let schema = schema_on(Backend::MySql).then(Schema::sql(ZONE));
            let engine = engine_of(Backend::MySql, schema).await;
            let session = engine.session(Isolation::Database).await.unwrap();
            let data = text(&*session, "SELECT @@datadir").await;
            say("data", data.trim_end_matches('/'));
            session.finish().await.unwrap();
            for isolation in [
                Isolation::Transaction,
                Isolation::Database,
                Isolation::Shared,
            ] {
                let session = engine.session(isolation).await.unwrap();
                insert(&*session, "before").await.unwrap();
                for hours in [
                    "SELECT hour(CONVERT_TZ('2024-01-01 00:00:00', '+00:00', 'Green/Light'))",
                    "SELECT hour(CONVERT_TZ('2024-01-01 04:00:00', 'Green/Light', '+00:00'))",
                ] {
                    assert_eq!(number(&*session, hours).await, 2, "{isolation:?}: {hours}");
                }
                // Nothing is lost by what the server has read for that.
                let tx = session.begin().await.unwrap();
                insert(&tx, "inside").await.unwrap();
                tx.commit().await.unwrap();
                assert_eq!(count(&*session).await, 3);
                let known = "SELECT count(*) FROM mysql.time_zone_name n \
                    JOIN mysql.time_zone USING (time_zone_id) JOIN mysql.time_zone_transition_type USING (time_zone_id) \
                    WHERE n.name = 'Green/Light'";
                assert_eq!(number(&*session, known).await, 1);
                let set = "SET time_zone = 'Green/Light'";
                session.execute_unprepared(set).await.unwrap();
                session.finish().await.unwrap();
            }
        });
    }
    let checkout = Checkout::new();
    let said = said(checkout.playing(test, "play").spawn().unwrap());
    checkout.end(value(&said, "data").as_ref());
}

#[test]
fn a_lock_that_ends_the_whole_transaction_when_it_is_not_given_is_told_as_a_deadlock() {
    let test = "mysql_server_wide::a_lock_that_ends_the_whole_transaction_when_it_is_not_given_is_told_as_a_deadlock";
    if part().is_some() {
        return run(async {
            let engine: Engine = engine_on(Backend::MySql).await;
            let test = engine.transaction_for("shop::innocent").await.unwrap();
            let session = test.session();
            insert(&session, "gone").await.unwrap();
            let rival = outside(session.url().expose()).await;
            let other = rival.begin().await.unwrap();
            insert(&other, "rival").await.unwrap();
            let late = insert(&session, "rival").await.unwrap_err().to_string();
            assert!(late.contains("Lock wait timeout exceeded"), "{late}");
            assert_eq!(count(&session).await, 1, "the template alone");
            insert(&session, "after").await.unwrap();
            other.rollback().await.unwrap();
            rival.close().await.unwrap();
            drop(session);
            test.clone().finish().await.unwrap();
            let told = test.contention().unwrap();
            assert!(told.contains("`innodb_rollback_on_timeout`"), "{told}");
            expect_clean(&engine).await;
        });
    }
    let server = Started::with("--innodb-rollback-on-timeout=ON");
    said(
        crate::children::playing(test, "play")
            .env("GREEN_LIGHT_MYSQL_URL", server.url())
            .spawn()
            .unwrap(),
    );
    server.end();
}

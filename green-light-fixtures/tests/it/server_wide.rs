//! What a test of PostgreSQL changes in the server itself, where no database of a test ends: a server of green-light's
//! own is as before when the test has ended, and another one is left as it is; either way the test's output says so.

use std::process::Command;

use green_light_fixtures::{Backend, Engine, Isolation, Schema, Session};
use sea_orm::ConnectionTrait;
use sqlx::{Connection, PgConnection};

use crate::{
    checkout::Checkout,
    children::{Partner, output, part, playing, say, value, wait_for_a_line},
    support::{engine_of, engine_on, run, text},
};

/// What belongs to the server. The catalog has other numbers for a membership that was made again.
const STATE: &str = "SELECT concat_ws(E'\\n',
  (SELECT string_agg(r::text, ';' ORDER BY oid) FROM pg_authid r WHERE rolname !~ '^(gl|green_light)_'),
  (SELECT string_agg(concat_ws(' ', roleid, member, admin_option), ';' ORDER BY roleid, member) FROM pg_auth_members),
  (SELECT string_agg(s::text, ';' ORDER BY setdatabase, setrole) FROM pg_db_role_setting s
   WHERE setdatabase NOT IN (SELECT oid FROM pg_database WHERE datname ~ '^(gl|green_light)_')),
  (SELECT string_agg(concat_ws(' ', oid, datname, datdba, datconnlimit, datacl), ';' ORDER BY oid) FROM pg_database
   WHERE datname !~ '^(gl|green_light)_'),
  (SELECT string_agg(t::text, ';' ORDER BY oid) FROM pg_tablespace t),
  (SELECT string_agg(slot_name, ';') FROM pg_replication_slots),
  (SELECT string_agg(roname, ';') FROM pg_replication_origin),
  (SELECT string_agg(description, ';' ORDER BY objoid) FROM pg_shdescription WHERE description !~ 'green-light'),
  (SELECT string_agg(name || setting, ';' ORDER BY name) FROM pg_file_settings
   WHERE sourcefile LIKE '%postgresql.auto.conf'))";

/// What tests send, and what is said of that.
const CHANGES: [(&[&str], &[&str]); 14] = [
    (
        &[
            "CREATE ROLE undone LOGIN PASSWORD 'x' IN ROLE pg_monitor",
            "ALTER TABLE u OWNER TO undone",
            "GRANT CONNECT ON DATABASE postgres TO undone",
            "COMMENT ON ROLE undone IS 'x'",
            "ALTER ROLE undone SET work_mem = '7MB'",
        ],
        &["new: the role `undone`", "changed: the database `postgres`"],
    ),
    (&["CREATE DATABASE undone"], &["new: the database `undone`"]),
    (
        &[
            "COPY (SELECT 1) TO PROGRAM 'mkdir -p undone'",
            "CREATE TABLESPACE undone LOCATION '<data>/undone'",
            "CREATE TABLE t (x int) TABLESPACE undone",
            "DROP TABLE t",
        ],
        &["new: the tablespace `undone`"],
    ),
    (
        &["SELECT pg_create_physical_replication_slot('undone')"],
        &["new: the replication slot `undone`"],
    ),
    (
        &["SELECT pg_replication_origin_create('undone')"],
        &["new: the replication origin `undone`"],
    ),
    (
        &[
            "ALTER SYSTEM SET work_mem = '7MB'",
            "SELECT pg_reload_conf()",
        ],
        &["new: the setting `work_mem` of the server"],
    ),
    (
        &["ALTER ROLE postgres SET search_path = a, b"],
        &["new: settings of the role `postgres`"],
    ),
    (
        &["ALTER ROLE ALL IN DATABASE postgres SET app.x = '1'"],
        &["new: settings of the database `postgres`"],
    ),
    (
        &["ALTER ROLE postgres PASSWORD 'secret word' VALID UNTIL '2001-01-01' NOLOGIN"],
        &["changed: the role `postgres`"],
    ),
    (
        &["ALTER DATABASE postgres RENAME TO undone"],
        &["changed: the database `undone`"],
    ),
    (
        &["REVOKE pg_read_all_settings FROM pg_monitor"],
        &["gone: the membership of `pg_monitor` in `pg_read_all_settings`"],
    ),
    (
        &[
            "COMMENT ON DATABASE template1 IS 'x'",
            "COMMENT ON TABLESPACE pg_default IS 'x'",
        ],
        &[
            "changed: the comment on database `template1`",
            "new: the comment on tablespace `pg_default`",
        ],
    ),
    (
        &["ALTER TABLESPACE pg_default SET (random_page_cost = 7)"],
        &["changed: the tablespace `pg_default`"],
    ),
    (
        &["ALTER DATABASE template1 CONNECTION LIMIT 7"],
        &["changed: the database `template1`"],
    ),
];

async fn engine() -> Engine {
    engine_on(Backend::Postgres).await
}

async fn state(engine: &Engine) -> String {
    let session = engine.session(Isolation::Database).await.unwrap();
    let state = text(&*session, STATE).await;
    session.finish().await.unwrap();
    state
}

async fn send(session: &Session, texts: &[&str]) {
    let data = text(&**session, "SHOW data_directory").await;
    for sql in texts {
        let sql = sql.replace("<data>", &data);
        session.execute_unprepared(&sql).await.unwrap();
    }
}

/// The same by a connection of its own.
async fn send_by_url(session: &Session, texts: &'static [&'static str]) {
    let mut own = PgConnection::connect(session.url().expose()).await.unwrap();
    for sql in texts {
        sqlx::raw_sql(*sql).execute(&mut own).await.unwrap();
    }
    own.close().await.unwrap();
}

/// What a process said that ended well, on both of its streams.
#[track_caller]
fn all_said(command: &mut Command) -> String {
    let output = output(command.spawn().unwrap());
    let text =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let text = text.concat();
    assert!(output.status.success(), "{text}");
    text
}

async fn say_where() {
    let session = engine().await.session(Isolation::Database).await.unwrap();
    say("data", &text(&*session, "SHOW data_directory").await);
    session.finish().await.unwrap();
}

#[test]
fn what_a_test_changes_in_the_server_is_undone_and_told() {
    let test = "server_wide::what_a_test_changes_in_the_server_is_undone_and_told";
    if part().is_some() {
        return run(async {
            let engine = engine().await;
            let before = state(&engine).await;
            for (n, (texts, _)) in CHANGES.into_iter().enumerate() {
                let isolation = [Isolation::Database, Isolation::Shared][n % 2];
                let session = engine.session(isolation).await.unwrap();
                send(&session, texts).await;
                session.finish().await.unwrap();
                assert_eq!(state(&engine).await, before, "{texts:?}");
            }
            let session = engine.session(Isolation::Transaction).await.unwrap();
            send_by_url(&session, &["BEGIN READ WRITE; CREATE ROLE by_url; COMMIT"]).await;
            drop(session.finish().await);
            assert_eq!(state(&engine).await, before);
            let session = engine.session(Isolation::Transaction).await.unwrap();
            let slot = "SELECT pg_create_physical_replication_slot('in_a_transaction')";
            send(&session, &["CREATE ROLE rolled_back", slot]).await;
            session.finish().await.unwrap();
            assert_eq!(state(&engine).await, before);
            say_where().await;
        });
    }
    let checkout = Checkout::new();
    let said = all_said(&mut checkout.playing(test, "tests"));
    for part in CHANGES.iter().flat_map(|(_, parts)| parts.iter()) {
        assert!(said.contains(part), "{part}\n{said}");
    }
    for part in [
        "while test `",
        "` ran, the server itself was changed; it was undone",
        "new: the role `by_url`",
        "new: the replication slot `in_a_transaction`",
        "make it in the schema of the engine",
    ] {
        assert!(said.contains(part), "{part}\n{said}");
    }
    for part in [
        "not undone",
        "rolled_back",
        "secret word",
        "SCRAM",
        "by it, or by",
    ] {
        assert!(!said.contains(part), "{part}\n{said}");
    }
    checkout.end(value(&said, "data").as_ref());
}

#[test]
fn what_a_test_makes_is_there_until_it_ends_whatever_ends_before() {
    let test = "server_wide::what_a_test_makes_is_there_until_it_ends_whatever_ends_before";
    let is_there = "SELECT count(*)::text FROM pg_roles WHERE rolname = 'of_a_test'";
    match part().as_deref() {
        None => {}
        Some("hold") => {
            return run(async {
                let session = engine().await.session(Isolation::Database).await.unwrap();
                say("data", &text(&*session, "SHOW data_directory").await);
                send(&session, &["CREATE ROLE of_a_test"]).await;
                say("made", "");
                assert!(wait_for_a_line());
                say("there", &text(&*session, is_there).await);
                session.finish().await.unwrap();
                say("ended", "");
                wait_for_a_line();
            });
        }
        Some(_) => {
            return run(async {
                let engine = engine().await;
                let other = engine
                    .isolate(Isolation::Database, "shop::other")
                    .await
                    .unwrap();
                let session = other.session();
                let before = text(&session, is_there).await;
                let maker = engine
                    .isolate(Isolation::Database, "shop::maker")
                    .await
                    .unwrap();
                send(&maker.session(), &["CREATE ROLE of_another"]).await;
                drop(session);
                other.finish().await.unwrap();
                let own = "SELECT count(*)::text FROM pg_roles WHERE rolname = 'of_another'";
                assert_eq!(text(&maker.session(), own).await, "1");
                maker.finish().await.unwrap();
                let session = engine.session(Isolation::Database).await.unwrap();
                say("roles", &format!("{before} {}", text(&*session, own).await));
                session.finish().await.unwrap();
            });
        }
    }
    let checkout = Checkout::new();
    let alone = all_said(&mut checkout.playing(test, "alone"));
    assert!(alone.contains("roles=0 0"), "{alone}");
    let blame = "while test `shop::maker` ran, the server itself was changed; it was undone\n  new: the role `of_another`\n  \
                 by it, or by what ran at the same time: `shop::other`";
    assert!(alone.contains(blame), "{alone}");

    let mut holder = Partner::start(&mut checkout.playing(test, "hold"));
    let data = holder.hear("data");
    holder.hear("made");
    let beside = all_said(&mut checkout.playing(test, "beside"));
    // It makes a role itself, and may not know whose it is.
    assert!(beside.contains("roles=1 1"), "{beside}");
    assert!(beside.contains("tests of other processes"), "{beside}");
    holder.tell("go on");
    assert_eq!(holder.hear("there"), "1");
    holder.hear("ended");
    holder.tell("end");
    holder.end();
    let after = all_said(&mut checkout.playing(test, "after"));
    assert!(after.contains("roles=0 0"), "{after}");
    checkout.end(data.as_ref());
}

#[test]
fn what_a_killed_test_has_made_is_undone_by_the_next_process() {
    let test = "server_wide::what_a_killed_test_has_made_is_undone_by_the_next_process";
    if let Some(part) = part() {
        return run(async {
            let session = engine().await.session(Isolation::Database).await.unwrap();
            say("data", &text(&*session, "SHOW data_directory").await);
            if part == "killed" {
                send(
                    &session,
                    &[
                        "CREATE ROLE of_a_killed_test",
                        "ALTER TABLE u OWNER TO of_a_killed_test",
                    ],
                )
                .await;
                say("made", "");
                wait_for_a_line();
            }
            let roles = "SELECT count(*)::text FROM pg_roles WHERE rolname = 'of_a_killed_test'";
            say("roles", &text(&*session, roles).await);
            session.finish().await.unwrap();
        });
    }
    let checkout = Checkout::new();
    let mut killed = Partner::start(&mut checkout.playing(test, "killed"));
    let data = killed.hear("data");
    killed.hear("made");
    killed.kill();
    let next = all_said(&mut checkout.playing(test, "next"));
    assert!(next.contains("roles=0"), "{next}");
    let told = "outside of the tests of this process, the server itself was changed; it was undone\n  \
                new: the role `of_a_killed_test`";
    assert!(next.contains(told), "{next}");
    checkout.end(data.as_ref());
}

#[test]
fn on_a_server_that_is_named_it_is_told_and_stays() {
    let test = "server_wide::on_a_server_that_is_named_it_is_told_and_stays";
    match part().as_deref() {
        None => {}
        Some("hold") => {
            return run(async {
                let session = engine().await.session(Isolation::Database).await.unwrap();
                say("url", session.url().rsplit_once('/').unwrap().0);
                say("data", &text(&*session, "SHOW data_directory").await);
                session.finish().await.unwrap();
                wait_for_a_line();
            });
        }
        Some(_) => {
            return run(async {
                let engine = engine().await;
                let session = engine.session(Isolation::Database).await.unwrap();
                send(&session, &["CREATE ROLE named_and_left LOGIN"]).await;
                session.finish().await.unwrap();
                let next = engine.session(Isolation::Database).await.unwrap();
                let roles = "SELECT count(*)::text FROM pg_roles WHERE rolname = 'named_and_left'";
                say("roles", &text(&*next, roles).await);
                next.finish().await.unwrap();
            });
        }
    }
    let checkout = Checkout::new();
    let mut holder = Partner::start(&mut checkout.playing(test, "hold"));
    let (url, data) = (holder.hear("url"), holder.hear("data"));
    let named =
        all_said(playing(test, "named").env("GREEN_LIGHT_POSTGRES_URL", format!("{url}/postgres")));
    let told = "the server itself was changed; nothing was undone, since green-light did not start it\n  \
                new: the role `named_and_left`";
    assert_eq!(named.matches(told).count(), 1, "{named}");
    assert!(named.contains("roles=1"), "{named}");
    holder.tell("end");
    holder.end();
    checkout.end(data.as_ref());
}

#[test]
fn a_role_of_a_schema_stays_whatever_tests_do_to_it() {
    let test = "server_wide::a_role_of_a_schema_stays_whatever_tests_do_to_it";
    if let Some(part) = part() {
        return run(async {
            let schema = format!(
                "CREATE ROLE of_the_schema; GRANT SELECT ON u TO of_the_schema; SELECT '{part}'"
            );
            let schema = crate::support::schema_on(Backend::Postgres).then(Schema::sql(schema));
            let engine = engine_of(Backend::Postgres, schema).await;
            for sql in [
                "COMMENT ON ROLE of_the_schema IS 'mine'",
                "ALTER ROLE of_the_schema LOGIN PASSWORD 'x'",
                "REASSIGN OWNED BY of_the_schema TO CURRENT_USER; DROP OWNED BY of_the_schema",
                "GRANT pg_monitor TO of_the_schema",
            ] {
                let session = engine.session(Isolation::Database).await.unwrap();
                let role = "SELECT concat_ws(' ', rolcanlogin, shobj_description(oid, 'pg_authid'),
                    (SELECT count(*) FROM pg_auth_members WHERE member = r.oid))
                    FROM pg_roles r WHERE rolname = 'of_the_schema'";
                assert_eq!(text(&*session, role).await, "f 0", "before `{sql}`");
                send(&session, &[sql]).await;
                session.finish().await.unwrap();
            }
            say_where().await;
        });
    }
    let checkout = Checkout::new();
    let first = all_said(&mut checkout.playing(test, "one"));
    let second = all_said(&mut checkout.playing(test, "two"));
    assert!(!second.contains("outside of the tests"), "{second}");
    checkout.end(value(&first, "data").as_ref());
}

#[test]
fn a_subscription_does_not_keep_a_database_from_being_dropped() {
    let test = "server_wide::a_subscription_does_not_keep_a_database_from_being_dropped";
    if let Some(part) = part() {
        return run(async {
            let session = engine().await.session(Isolation::Database).await.unwrap();
            say("data", &text(&*session, "SHOW data_directory").await);
            let subscriptions = "SELECT count(*)::text FROM pg_subscription";
            say("before", &text(&*session, subscriptions).await);
            if part == "subscribes" {
                let subscribe = "CREATE SUBSCRIPTION one CONNECTION 'host=/nowhere' PUBLICATION p WITH (connect = false)";
                send(&session, &[subscribe]).await;
            }
            session.finish().await.unwrap();
        });
    }
    let checkout = Checkout::new();
    all_said(&mut checkout.playing(test, "subscribes"));
    let next = all_said(&mut checkout.playing(test, "next"));
    assert!(next.contains("before=0"), "{next}");
    checkout.end(value(&next, "data").as_ref());
}

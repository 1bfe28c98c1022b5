//! A process stays known on its server: the connection that has its locks ends, by an administrator, an idle
//! timeout or a restart of the server, and its databases stay, and its later tests go on.

use std::{
    thread,
    time::{Duration, Instant},
};

use green_light_fixtures::{Backend, Engine, Isolation, Session};
use sea_orm::ConnectionTrait;

use crate::{
    children::{LONG, Partner, part, said, say, wait_for_a_line},
    own_server::{OwnServer, database, strings},
    processes::one_test,
    restartable::{Restartable, STOP, keeps},
    support::{On, insert, number, outside, run, schema_on},
};

on_each_server!(
    a_process_whose_connections_are_ended_keeps_its_databases_and_goes_on,
    a_process_outlives_a_restart_of_its_server,
    idle_timeouts_of_a_server_end_neither_a_process_nor_a_test_in_a_transaction,
    a_process_that_has_lost_its_lock_and_cannot_be_asked_is_left_alone_while_it_has_sessions,
);

const ALL: [Isolation; 3] = [
    Isolation::Database,
    Isolation::Shared,
    Isolation::Transaction,
];

async fn one_of_each(engine: &Engine, row: &str) {
    for isolation in ALL {
        let session = engine.session(isolation).await.unwrap();
        insert(&*session, row).await.unwrap();
        session.finish().await.unwrap();
    }
}

/// A test that has a database, in the middle of which something happens to its process; and some after it.
async fn lives(on: On) {
    let engine = on.engine_of(schema_on(on.backend)).await;
    one_of_each(&engine, "before").await;
    let session = engine.session(Isolation::Database).await.unwrap();
    insert(&*session, "begun").await.unwrap();
    say("database", &database(&session));
    assert!(wait_for_a_line());
    insert(&*session, "goes on").await.unwrap();
    let rows = number(&*session, "SELECT count(*) FROM u").await;
    assert_eq!(rows, 3, "the seed, and one before and after");
    session.finish().await.unwrap();
    for _ in 0..3 {
        one_of_each(&engine, "after").await;
    }
    say("ended", "well");
}

/// Another process, which drops what it takes for left over.
fn drops(on: On) {
    run(one_test(on, "CREATE TABLE other (x INT)"));
}

/// Ends all connections of the processes of a server.
fn end_connections(server: &OwnServer) {
    let user = server.user();
    let sql = match server.on().backend {
        Backend::Postgres => format!(
            "SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity WHERE usename = '{user}'"
        ),
        _ => format!(
            "SELECT concat('KILL ', id) FROM information_schema.processlist WHERE user = '{user}'"
        ),
    };
    run(async {
        let admin = server.admin().await;
        let ended = strings(&admin, &sql).await;
        assert!(!ended.is_empty(), "nobody is connected");
        if server.on().backend == Backend::MySql {
            for kill in ended {
                let _ = admin.execute_unprepared(&kill).await;
            }
        }
        admin.close().await.unwrap();
    });
}

fn a_process_whose_connections_are_ended_keeps_its_databases_and_goes_on(on: On) {
    match part().as_deref() {
        Some("lives") => return run(lives(on)),
        Some(_) => return drops(on),
        None => {}
    }
    let server = OwnServer::start(on);
    let mut living = Partner::start(&mut server.playing("lives"));
    let kept = living.hear("database");
    for _ in 0..3 {
        end_connections(&server);
        server.said("drops");
        let names = server.databases();
        assert!(names.contains(&kept), "{kept} is not in {names:?}");
        // It takes its locks again.
        let started = Instant::now();
        while connections_of_processes(&server) == 0 {
            assert!(started.elapsed() < LONG, "it has no connection again");
            thread::sleep(Duration::from_millis(20));
        }
    }
    living.tell("go on");
    assert_eq!(living.hear("ended"), "well");
    living.end();
    server.said("drops");
    let names = server.databases();
    assert!(!names.contains(&kept), "{kept} is in {names:?}");
    server.end();
}

fn connections_of_processes(server: &OwnServer) -> i64 {
    let all = match server.on().backend {
        Backend::Postgres => "pg_stat_activity WHERE usename",
        _ => "information_schema.processlist WHERE user",
    };
    let count = format!("SELECT count(*) FROM {all} = '{}'", server.user());
    run(async {
        let admin = server.admin().await;
        let count = number(&admin, &count).await;
        admin.close().await.unwrap();
        count
    })
}

fn a_process_outlives_a_restart_of_its_server(on: On) {
    match part().as_deref() {
        Some("keeps") => return run(keeps(on)),
        Some("lives") => return run(lives(on)),
        Some(_) => return drops(on),
        None => {}
    }
    let server = Restartable::start(on);
    let mut living = Partner::start(&mut server.playing("lives"));
    living.hear("database");
    let server = server.restart(STOP);
    said(server.playing("drops").spawn().unwrap());
    living.tell("go on");
    assert_eq!(living.hear("ended"), "well");
    living.end();
    server.end();
}

/// Has a session of each isolation, and is idle for longer than its server allows.
async fn is_idle(on: On) {
    let engine = on.engine_of(schema_on(on.backend)).await;
    let mut sessions: Vec<Session> = Vec::new();
    for isolation in ALL {
        let session = engine.session(isolation).await.unwrap();
        insert(&*session, "begun").await.unwrap();
        sessions.push(session);
    }
    say("idle", &database(&sessions[0]));
    assert!(wait_for_a_line());
    for session in sessions {
        insert(&*session, "goes on").await.unwrap();
        assert_eq!(number(&*session, "SELECT count(*) FROM u").await, 3);
        session.finish().await.unwrap();
    }
    one_of_each(&engine, "after").await;
    say("ended", "well");
}

fn idle_timeouts_of_a_server_end_neither_a_process_nor_a_test_in_a_transaction(on: On) {
    match part().as_deref() {
        Some("idle") => return run(is_idle(on)),
        Some(_) => return drops(on),
        None => {}
    }
    let server = OwnServer::start(on);
    // Makes the database by which processes agree.
    server.said("drops");
    run(async {
        let admin = server.admin().await;
        let timeouts = match on.backend {
            Backend::Postgres => {
                let role = server.user();
                format!(
                    "ALTER ROLE {role} SET idle_session_timeout = '1s'; \
                     ALTER ROLE {role} SET idle_in_transaction_session_timeout = '1s'; \
                     ALTER DATABASE green_light_{role} SET idle_session_timeout = '1s'; \
                     ALTER ROLE {role} IN DATABASE green_light_{role} SET idle_session_timeout = '1s'"
                )
            }
            _ => "SET GLOBAL wait_timeout = 1, GLOBAL interactive_timeout = 1".to_owned(),
        };
        admin.execute_unprepared(&timeouts).await.unwrap();
        admin.close().await.unwrap();
    });
    let mut idle = Partner::start(&mut server.playing("idle"));
    let kept = idle.hear("idle");
    thread::sleep(Duration::from_secs(3));
    server.said("drops");
    let names = server.databases();
    assert!(names.contains(&kept), "{kept} is not in {names:?}");
    idle.tell("go on");
    assert_eq!(idle.hear("ended"), "well");
    idle.end();
    server.end();
}

/// As of a process on another machine: nothing says whether it lives, but that sessions are in its database.
fn a_process_that_has_lost_its_lock_and_cannot_be_asked_is_left_alone_while_it_has_sessions(
    on: On,
) {
    if part().is_some() {
        return drops(on);
    }
    let server = OwnServer::start(on);
    server.said("drops");
    let name = "gl_d_00112233445566778899";
    server.make_databases(&[name.to_owned()]);
    let enter = match on.backend {
        Backend::Postgres => format!(
            "INSERT INTO green_light.process (key, home) VALUES (7, 'elsewhere_1_1'); \
             INSERT INTO green_light.database (name, template, state, owner, test) \
             VALUES ('{name}', 'gl_t_0', 'taken', 7, 'a test')"
        ),
        _ => format!(
            "INSERT INTO green_light.processes VALUES ('gl_p_elsewhere_1_1_0', 1, 'tests'); \
             INSERT INTO green_light.test_databases (name, digest, state, run) \
             VALUES ('{name}', '0', 'taken', 'gl_p_elsewhere_1_1_0')"
        ),
    };
    let inside = run(async {
        let registry = server.registry().await;
        registry.execute_unprepared(&enter).await.unwrap();
        registry.close().await.unwrap();
        outside(&server.url_of(name)).await
    });
    // Its lock is missed, and it is lost for good only after some seconds.
    server.said("drops");
    thread::sleep(Duration::from_secs(4));
    server.said("drops");
    assert!(server.databases().contains(&name.to_owned()), "in use");
    run(inside.close()).unwrap();
    server.said("drops");
    assert!(!server.databases().contains(&name.to_owned()));
    server.end();
}

//! A process that makes databases on MySQL faster than they can be dropped waits, and says so.

use std::{
    thread,
    time::{Duration, Instant},
};

use green_light_fixtures::{Backend, Engine, Isolation, Schema};
use sqlx::{Connection, Executor};

use crate::{
    children::{LONG, output, part},
    my_server::MyServer,
    support::run,
};

/// As many databases may wait to be dropped, and some more are ready or being made.
const MOST: usize = 32 + 16;
/// So many tests, one after the other.
const TESTS: usize = 80;

async fn tests() {
    let engine = Engine::builder()
        .backend(Backend::MySql)
        .schema(Schema::sql("CREATE TABLE backlog (x INT)"))
        .build()
        .await
        .unwrap();
    for _ in 0..TESTS {
        let session = engine.session(Isolation::Database).await.unwrap();
        session.finish().await.unwrap();
    }
}

#[test]
fn a_process_on_mysql_waits_while_too_many_of_its_databases_are_not_dropped() {
    if part().is_some() {
        run(tests());
        println!("all done");
        return;
    }
    let server = MyServer::start(50);
    let mut keeper = run(server.admin());
    run(async {
        let lock = "SELECT GET_LOCK('green_light.janitor', 60)";
        keeper.execute(lock).await.unwrap();
    });
    let test =
        "my_backlog::a_process_on_mysql_waits_while_too_many_of_its_databases_are_not_dropped";
    let mut child = server.playing(test, "tests").spawn().unwrap();
    let (started, mut last, mut since, mut most) = (Instant::now(), 0, Instant::now(), 0);
    // Until it has waited for longer than it waits without a word.
    while (last < 32 || since.elapsed() < Duration::from_secs(8)) && started.elapsed() < LONG {
        let names = run(server.databases());
        let number = names
            .iter()
            .filter(|name| name.starts_with("gl_d_"))
            .count();
        if number != last {
            (last, since) = (number, Instant::now());
        }
        most = most.max(number);
        thread::sleep(Duration::from_millis(50));
    }
    assert!(child.try_wait().unwrap().is_none(), "it waits");
    run(async { keeper.close().await.unwrap() });
    let output = output(child);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("all done"), "{said}{told}");
    for part in [
        "databases of this process wait to be dropped",
        "another process is dropping databases",
    ] {
        assert!(told.contains(part), "{part} is missing: {told}");
    }
    assert!(most <= MOST, "{most} databases at once");
    server.end();
}

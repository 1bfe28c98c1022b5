//! The fixtures, and the tests that use them, which only the other tests here run.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;
use std::process;
use std::thread;
use std::time::Duration;

use green_light_core::fixture::{Request, Yield};
use green_light_macros::fixture;

/// The files of the run.
fn directory() -> PathBuf {
    std::env::var_os("RUN_DIRECTORY")
        .expect("`Run` sets it")
        .into()
}

/// Writes down what happens, in one piece: this process may be killed at any time.
fn note(what: &str) {
    let journal = directory().join("journal");
    let mut journal = OpenOptions::new()
        .create(true)
        .append(true)
        .open(journal)
        .unwrap();
    journal.write_all(format!("{what}\n").as_bytes()).unwrap();
}

/// Waits until the file `name` is there.
fn wait_for(name: &str) {
    while !directory().join(name).exists() {
        thread::sleep(Duration::from_millis(2));
    }
}

/// Each has the process that keeps it in its value.
#[fixture(scope = "run", crate = green_light_core)]
async fn server(out: Yield<(u32, String)>) -> Result<(), String> {
    note("server up");
    out.give((process::id(), "http://\"server\"\n".to_owned()))
        .await;
    note("server down");
    Ok(())
}

#[fixture(scope = "run", crate = green_light_core)]
fn client(server: &(u32, String), request: &Request) -> u32 {
    assert_eq!(request.test_name(), None);
    assert_ne!(server.0, process::id());
    note("client up");
    request.on_teardown(async { note("client down") });
    process::id()
}

#[fixture(scope = "process", crate = green_light_core)]
async fn narrower(client: &u32, out: Yield<u32>) {
    note("process up");
    out.give(*client).await;
    note("process down");
}

/// One of several tests of a run.
fn uses(server: &(u32, String)) {
    assert_eq!(server.1, "http://\"server\"\n");
    note(&format!("used {}", server.0));
}

mod plain {
    use super::*;

    #[green_light_macros::test(crate = green_light_core)]
    #[ignore = "a test of a run"]
    fn one(server: &(u32, String)) {
        uses(server);
    }

    #[green_light_macros::test(crate = green_light_core)]
    #[ignore = "a test of a run"]
    async fn two(server: (u32, String)) {
        uses(&server);
    }

    #[green_light_macros::test(crate = green_light_core)]
    #[ignore = "a test of a run"]
    async fn three(request: &Request) {
        uses(&*request.get(server).await);
    }
}

mod costs {
    #[green_light_macros::test(crate = green_light_core)]
    #[ignore = "a test of a run"]
    fn nothing() {}
}

mod unasked {
    use super::*;

    #[fixture(scope = "run", autouse, crate = green_light_core)]
    async fn background(server: &(u32, String), out: Yield<u32>) {
        assert_ne!(server.0, process::id());
        note("background up");
        out.give(process::id()).await;
        note("background down");
    }

    #[green_light_macros::test(crate = green_light_core)]
    #[ignore = "a test of a run"]
    fn one() {
        note("used");
    }

    #[green_light_macros::test(crate = green_light_core)]
    #[ignore = "a test of a run"]
    fn two() {
        note("used");
    }
}

mod talking {
    use super::*;

    #[fixture(scope = "run", crate = green_light_core)]
    #[expect(clippy::print_stdout, reason = "it is to be in the log")]
    async fn talker(out: Yield<u32>) {
        println!("it listens on port 4711");
        out.give(process::id()).await;
        println!("it has answered 3 requests");
    }

    #[green_light_macros::test(crate = green_light_core)]
    #[ignore = "a test of a run"]
    fn fails(talker: &u32) {
        note(&format!("used {talker}"));
        panic!("as it should");
    }
}

mod ordered {
    use super::*;

    #[green_light_macros::test(crate = green_light_core)]
    #[ignore = "a test of a run"]
    fn depends_on_both(narrower: &u32, client: &u32, server: &(u32, String)) {
        assert_eq!(narrower, client);
        assert_ne!(*client, server.0);
        note("used");
    }
}

mod overridden {
    use super::*;

    #[fixture(scope = "run", overrides = super::server, crate = green_light_core)]
    fn server(server: &(u32, String)) -> (u32, String) {
        note("override up");
        (
            process::id(),
            format!("{} below {}", process::id(), server.0),
        )
    }

    #[green_light_macros::test(crate = green_light_core)]
    #[ignore = "a test of a run"]
    fn gets_the_override_by_way_of_another_fixture(client: &u32, server: &(u32, String)) {
        assert_ne!(*client, server.0);
        assert!(server.1.starts_with(&format!("{} below ", server.0)));
        note("used");
    }
}

mod alone {
    use super::*;

    #[green_light_macros::test(crate = green_light_core)]
    #[ignore = "a test of a run"]
    fn the_keeper_has_nothing_of_the_test(server: &(u32, String)) {
        let keeper = format!("/proc/{}", server.0);
        for entry in fs::read_dir(format!("{keeper}/fd")).unwrap().flatten() {
            let leads_to = fs::read_link(entry.path()).unwrap_or_default();
            let leads_to = leads_to.to_string_lossy();
            assert!(!leads_to.starts_with("pipe:"), "{entry:?} is {leads_to}");
        }
        let status = fs::read_to_string(format!("{keeper}/stat")).unwrap();
        let (_, fields) = status.rsplit_once(')').unwrap();
        let fields: Vec<_> = fields.split_whitespace().collect();
        let (parent, session, terminal) = (fields[1], fields[3], fields[4]);
        assert_ne!(parent, process::id().to_string());
        let own = fs::read_to_string("/proc/self/stat").unwrap();
        let own: Vec<_> = own.rsplit_once(')').unwrap().1.split_whitespace().collect();
        assert_ne!(session, own[3]);
        assert_eq!(terminal, "0");
        note("used");
    }
}

mod waiting {
    use super::*;

    #[fixture(scope = "run", crate = green_light_core)]
    async fn slow(out: Yield<u32>, request: &Request) {
        note(&format!("setting up {}", process::id()));
        request.on_teardown(async { note("slow down") });
        while !directory().join("go").exists() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        note("slow up");
        out.give(process::id()).await;
    }

    #[green_light_macros::test(crate = green_light_core)]
    #[ignore = "a test of a run"]
    async fn holds(slow: &u32) {
        note(&format!("holding {slow} in {}", process::id()));
        wait_for("end");
    }
}

mod failing {
    use super::*;

    #[fixture(scope = "run", crate = green_light_core)]
    fn refused() -> Result<u32, std::io::Error> {
        note("set-up");
        Err(std::io::Error::other("no port is free"))
    }

    #[green_light_macros::test(crate = green_light_core)]
    #[ignore = "a test of a run"]
    fn in_set_up(refused: &u32) {
        unreachable!("{refused}");
    }

    #[fixture(scope = "run", crate = green_light_core)]
    fn skipped() -> u32 {
        green_light_core::skip("no such program")
    }

    #[green_light_macros::test(crate = green_light_core)]
    #[ignore = "a test of a run"]
    fn skips(skipped: &u32) {
        unreachable!("{skipped}");
    }

    #[fixture(scope = "run", crate = green_light_core)]
    async fn asking(request: &Request) -> u32 {
        *request.get(client).await
    }

    #[green_light_macros::test(crate = green_light_core)]
    #[ignore = "a test of a run"]
    fn asks(asking: &u32) {
        unreachable!("{asking}");
    }

    #[fixture(scope = "run", crate = green_light_core)]
    fn unreadable() -> f64 {
        f64::NAN
    }

    #[green_light_macros::test(crate = green_light_core)]
    #[ignore = "a test of a run"]
    fn cannot_be_sent(unreadable: &f64) {
        unreachable!("{unreadable}");
    }

    /// Dies in the first set-up.
    #[fixture(scope = "run", crate = green_light_core)]
    #[expect(clippy::print_stdout, reason = "it is to be in the log")]
    fn dying() -> u32 {
        println!("something is wrong");
        if !directory().join("died").exists() {
            fs::write(directory().join("died"), "").unwrap();
            process::abort();
        }
        process::id()
    }

    #[green_light_macros::test(crate = green_light_core)]
    #[ignore = "a test of a run"]
    fn dies(dying: &u32) {
        note(&format!("used {dying}"));
    }

    #[fixture(scope = "run", crate = green_light_core)]
    async fn untidy(out: Yield<u32>) -> Result<(), String> {
        out.give(process::id()).await;
        note("torn down");
        if directory().join("untidy").exists() {
            return Err("the server is still there".to_owned());
        }
        Ok(())
    }

    #[green_light_macros::test(crate = green_light_core)]
    #[ignore = "a test of a run"]
    fn in_teardown(untidy: &u32) {
        note(&format!("used {untidy}"));
    }
}

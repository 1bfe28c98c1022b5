//! What a server has of its surroundings, and what others can do to it there: its environment, its shared memory, and
//! links that another user has put into its directory.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::{MetadataExt as _, symlink},
    path::Path,
};

use crate::local_server::environment::PASSED;
use crate::local_server::tests::products::EXPOSED;
use crate::local_server::tests::support::{
    Process, eventually, expect_gone, on_each_server, processes_with, server_dir, server_process,
    supervisors, target,
};

/// What no server needs.
const SECRETS: [(&str, &str); 9] = [
    ("PGPASSWORD", "hunter2"),
    ("PGOPTIONS", "-c work_mem=64kB"),
    ("MYSQL_PWD", "hunter2"),
    ("DATABASE_URL", "postgres://app:hunter2@db/app"),
    ("AWS_SECRET_ACCESS_KEY", "hunter2"),
    ("GITHUB_TOKEN", "hunter2"),
    ("GREEN_LIGHT_KEEP", "3"),
    ("LC_ALL", "no_SUCH"),
    ("LANG", "no_SUCH"),
];

/// What a shell adds.
const OF_SHELLS: [&str; 4] = ["PWD", "OLDPWD", "SHLVL", "_"];

#[track_caller]
fn expect_limited(environment: &str) {
    let names: BTreeSet<_> = environment
        .split(['\0', '\n'])
        .filter_map(|line| Some(line.split_once('=')?.0))
        .collect();
    assert!(names.contains("PATH"), "{names:?}");
    let unknown: Vec<_> = names
        .iter()
        .filter(|name| !PASSED.contains(name) && !OF_SHELLS.contains(name))
        .collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[test]
fn the_environment_of_a_server_holds_what_it_needs_and_no_secret() {
    on_each_server(|program| {
        let target = target();
        let dir = server_dir(program, &target);
        let mut one = Process::start_with_all(program, &target, &SECRETS);
        one.sockets();
        for process in supervisors(&dir).into_iter().chain([server_process(&dir)]) {
            // Where the system tells.
            if let Ok(environment) = fs::read(format!("/proc/{process}/environ")) {
                expect_limited(&String::from_utf8_lossy(&environment));
            }
        }
        one.end();
        expect_gone(&dir);
    });
    let target = target();
    let mut failing = Process::start_with_all(&EXPOSED, &target, &SECRETS);
    failing.until("error ");
    failing.end();
    let log = server_dir(&EXPOSED, &target).file("initialise.log");
    expect_limited(&fs::read_to_string(log).unwrap());
}

/// Links in the places of all files that this process writes, made by the user who runs the server.
#[test]
fn no_file_is_written_read_or_locked_through_a_link() {
    on_each_server(|program| {
        let target = target();
        let dir = server_dir(program, &target);
        let victim = target.path().join("victim");
        fs::write(&victim, "untouched").unwrap();
        let names = [
            "program",
            "boot",
            "boot.new",
            "endpoint",
            "endpoint.new",
            "watchdog.sh",
            "watchdog.sh.new",
            "sockets",
            "sockets.new",
            "linger",
            "linger.new",
            "initialise.log",
            "server.log",
            "watch.log",
            "users",
        ];
        for name in names {
            let planted = dir.file(name);
            let _ = fs::remove_file(&planted);
            symlink(&victim, planted).unwrap();
        }
        let variables = [("GREEN_LIGHT_LINGER", "1")];
        let mut one = Process::start_with_all(program, &target, &variables);
        one.sockets();
        one.end();
        expect_gone(&dir);
        let seen = |name: &str| fs::symlink_metadata(dir.file(name)).unwrap().is_file();
        assert!(seen("watchdog.sh") && seen("server.log"));
        let cluster = || fs::metadata(dir.data()).unwrap().ino();
        let kept = cluster();
        for name in ["start", "alive", "tmp"] {
            let planted = dir.file(name);
            let _ = fs::remove_file(&planted);
            let _ = fs::remove_dir_all(&planted);
            symlink(&victim, &planted).unwrap();
            let mut refused = Process::start(program, &target);
            // To its end, or until it uses a server.
            let said = refused.until("after ");
            refused.end();
            assert!(
                said.contains("link") && said.contains(name),
                "{name}: {said}"
            );
            fs::remove_file(&planted).unwrap();
        }
        assert_eq!(cluster(), kept, "the cluster was thrown away");
        assert_eq!(fs::read_to_string(&victim).unwrap(), "untouched");
        expect_gone(&dir);
    });
}

/// As by `cargo clean`, while tests run.
#[test]
fn a_server_whose_directory_is_removed_ends_and_leaves_no_shared_memory() {
    on_each_server(|program| {
        let target = target();
        let dir = server_dir(program, &target);
        let mut one = Process::start(program, &target);
        let sockets = one.sockets();
        assert!(program.is_ready(&dir, &sockets));
        let server = server_process(&dir);
        let segments = segments(&server);
        // The server may write a file meanwhile, and so keep a directory for the next try.
        eventually("the directory cannot be removed", || {
            fs::remove_dir_all(target.path()).is_ok()
        });
        one.end();
        eventually("a process is still there", || {
            processes_with(dir.path()).is_empty() && !Path::new("/proc").join(&server).exists()
        });
        let left = fs::read_to_string("/proc/sysvipc/shm").unwrap_or_default();
        let left = left
            .lines()
            .filter_map(|line| line.split_whitespace().nth(1));
        let left: Vec<_> = left.filter(|id| segments.contains(*id)).collect();
        assert!(left.is_empty(), "{left:?}");
        assert!(
            !target.path().exists(),
            "something was written there afterwards"
        );
    });
}

/// The shared memory of the system that a process has, where the system tells. There is none with a name.
fn segments(process: &str) -> BTreeSet<String> {
    let maps = fs::read_to_string(format!("/proc/{process}/maps")).unwrap_or_default();
    assert!(!maps.contains("/dev/shm/"), "{maps}");
    let segments = maps.lines().filter(|line| line.contains("/SYSV"));
    segments
        .filter_map(|line| line.split_whitespace().nth(4).map(str::to_owned))
        .collect()
}

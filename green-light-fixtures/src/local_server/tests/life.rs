//! A server from its first user to its last.

use std::{fs, os::unix::fs::MetadataExt as _, path::Path, thread, time::Duration};

use crate::local_server::tests::support::{
    Process, eventually, expect_gone, group, is_alive, on_each_server, processes_with, server_dir,
    server_process, supervisors, target, target_of_a_long_name, target_of_many_words,
};

#[test]
fn is_shared_and_stops_after_its_last_user_and_keeps_its_cluster() {
    on_each_server(|program| {
        let target = target();
        let dir = server_dir(program, &target);
        let mut one = Process::start(program, &target);
        let sockets = one.sockets();
        let mut two = Process::start(program, &target);
        assert_eq!(two.sockets(), sockets);
        let server = server_process(&dir);
        one.end();
        // Longer than a server without users has.
        thread::sleep(Duration::from_secs(3));
        assert!(is_alive(&dir));
        let mut three = Process::start(program, &target);
        three.sockets();
        assert_eq!(server_process(&dir), server);
        two.end();
        three.end();
        expect_gone(&dir);

        let kept = dir.data().join("kept");
        fs::write(&kept, "").unwrap();
        let mut four = Process::start(program, &target);
        four.sockets();
        assert!(kept.exists());
        four.end();
        expect_gone(&dir);
    });
}

#[test]
fn starts_in_a_directory_whatever_its_name() {
    on_each_server(|program| {
        let target = target_of_many_words();
        let dir = server_dir(program, &target);
        let mut one = Process::start(program, &target);
        let sockets = one.sockets();
        assert!(program.is_ready(&dir, &sockets));
        one.end();
        expect_gone(&dir);
        // On the cluster that is there.
        let mut two = Process::start(program, &target);
        two.sockets();
        two.end();
        expect_gone(&dir);
    });
}

#[test]
fn the_directory_of_its_sockets_goes_with_it() {
    on_each_server(|program| {
        let target = target_of_a_long_name();
        let dir = server_dir(program, &target);
        let mut one = Process::start(program, &target);
        let sockets = one.sockets();
        assert!(!sockets.starts_with(dir.path()) && sockets.exists());
        one.end();
        expect_gone(&dir);
        assert!(!sockets.exists());

        // Also where nothing else is left, as after `cargo clean`.
        let mut two = Process::start(program, &target);
        let sockets = two.sockets();
        assert!(sockets.exists());
        // More than once: the server may write a file into a directory that has just been emptied.
        eventually("the directory is still there", || {
            fs::remove_dir_all(dir.path()).is_ok()
        });
        two.end();
        eventually("the sockets are still there", || !sockets.exists());
    });
}

#[test]
fn stays_as_long_as_the_last_run_has_asked_for() {
    on_each_server(|program| {
        let target = target();
        let dir = server_dir(program, &target);
        let mut one = Process::start_with(program, &target, "GREEN_LIGHT_LINGER", 3600);
        one.sockets();
        let server = server_process(&dir);
        one.end();
        // Longer than a server runs on if no run has asked for more.
        thread::sleep(Duration::from_secs(4));
        assert!(is_alive(&dir));
        // Who comes after that finds it, and asks for nothing.
        let mut two = Process::start(program, &target);
        two.sockets();
        assert_eq!(server_process(&dir), server);
        two.end();
        expect_gone(&dir);
    });
}

#[test]
fn a_time_to_stay_that_is_none_is_an_error() {
    on_each_server(|program| {
        for text in ["long", "-1", "86401"] {
            let target = target();
            let mut process = Process::start_with(program, &target, "GREEN_LIGHT_LINGER", text);
            let said = process.until("  help: ");
            process.end();
            assert!(said.contains(&format!("`GREEN_LIGHT_LINGER={text}` is not understood")));
            assert!(
                said.contains("for how many seconds after the tests"),
                "{said}"
            );
        }
    });
}

#[test]
fn stays_when_somebody_comes_before_it_stops() {
    on_each_server(|program| {
        let target = target();
        let dir = server_dir(program, &target);
        let mut last = Process::start(program, &target);
        last.sockets();
        for quarter in 0..6 {
            let before = server_process(&dir);
            last.end();
            // Now and then in the very moment in which the server is about to stop.
            thread::sleep(Duration::from_millis(250 * quarter));
            last = Process::start(program, &target);
            last.sockets();
            if server_process(&dir) == before {
                thread::sleep(Duration::from_secs(2));
                assert_eq!(server_process(&dir), before);
            }
            assert!(is_alive(&dir));
        }
        last.end();
        expect_gone(&dir);
    });
}

#[test]
fn somebody_without_privileges_starts_one_of_his_own() {
    on_each_server(|program| {
        let target = target();
        let mut user = Process::start_without_privileges(program, &target);
        let sockets = user.sockets();
        let owner = |path: &Path| fs::metadata(path).unwrap().uid();
        assert_ne!(owner(&sockets), 0);
        assert_eq!(owner(&sockets), owner(target.path()));
        user.end();
        eventually("the server is still there", || {
            processes_with(target.path()).is_empty()
        });
    });
}

#[test]
fn each_target_directory_has_its_own() {
    on_each_server(|program| {
        let (here, there) = (target(), target());
        let mut one = Process::start(program, &here);
        let mut two = Process::start(program, &there);
        assert_ne!(one.sockets(), two.sockets());
        one.end();
        expect_gone(&server_dir(program, &here));
        assert!(is_alive(&server_dir(program, &there)));
        two.end();
        expect_gone(&server_dir(program, &there));
    });
}

#[test]
fn has_nothing_of_the_process_that_starts_it() {
    on_each_server(|program| {
        let target = target();
        let dir = server_dir(program, &target);
        let mut first = Process::start(program, &target);
        first.sockets();
        let starter = group(&first.id().to_string());
        let mut second = Process::start(program, &target);
        second.sockets();
        // Returns at the end of the output, which the server would hold open if it had it.
        first.end();
        assert!(is_alive(&dir));
        // Ctrl-C reaches the processes of the terminal's group only.
        for process in supervisors(&dir).into_iter().chain([server_process(&dir)]) {
            assert_ne!(group(&process), starter);
        }
        second.end();
        expect_gone(&dir);
    });
}

#[test]
fn sixteen_processes_at_once_make_one_cluster_and_start_one_server() {
    use crate::local_server::tests::products::COUNTED;

    let target = target();
    let dir = server_dir(&COUNTED, &target);
    let mut processes: Vec<_> = (0..16).map(|_| Process::start(&COUNTED, &target)).collect();
    let mut sockets: Vec<_> = processes.iter_mut().map(Process::sockets).collect();
    sockets.dedup();
    assert_eq!(sockets.len(), 1);
    let made = fs::read_to_string(target.path().join("count")).unwrap();
    assert_eq!(made, "one\n");
    processes.into_iter().for_each(Process::kill);
    expect_gone(&dir);
}

#[test]
fn who_comes_while_it_looks_whether_to_stop_becomes_its_user() {
    on_each_server(|program| {
        let target = target();
        let dir = server_dir(program, &target);
        let mut one = Process::start(program, &target);
        one.sockets();
        let server = server_process(&dir);
        // As the supervisor does until it finds that there is a user.
        let (endpoint, aside) = (dir.file("endpoint"), dir.file("endpoint.off"));
        fs::rename(&endpoint, &aside).unwrap();
        let mut two = Process::start(program, &target);
        thread::sleep(Duration::from_millis(700));
        fs::rename(&aside, &endpoint).unwrap();
        two.sockets();
        assert_eq!(server_process(&dir), server);
        one.end();
        two.end();
        expect_gone(&dir);
    });
}

//! `kill -9` of everybody, and what is found after it.

use std::{
    fs,
    process::{Command, Stdio},
};

use crate::local_server::tests::support::{
    Process, eventually, expect_gone, group, is_alive, kill, kill_all, on_each_server, server_dir,
    server_process, supervisors, target,
};

#[test]
fn is_gone_after_all_its_users_were_killed() {
    on_each_server(|program| {
        let target = target();
        let dir = server_dir(program, &target);
        let mut users: Vec<_> = (0..3).map(|_| Process::start(program, &target)).collect();
        for user in &mut users {
            user.sockets();
        }
        users.into_iter().for_each(Process::kill);
        expect_gone(&dir);
    });
}

#[test]
fn a_user_killed_while_the_server_starts_leaves_nothing() {
    on_each_server(|program| {
        let target = target();
        let dir = server_dir(program, &target);
        for file in ["start", "data.new", "data", "endpoint", "server.pid"] {
            let user = Process::start(program, &target);
            eventually("it does not begin", || {
                dir.file(file).exists() || is_alive(&dir)
            });
            user.kill();
            expect_gone(&dir);
        }
        let mut user = Process::start(program, &target);
        user.sockets();
        user.end();
        expect_gone(&dir);
    });
}

#[test]
fn a_killed_server_is_replaced() {
    on_each_server(|program| {
        let target = target();
        let dir = server_dir(program, &target);
        let mut one = Process::start(program, &target);
        one.sockets();
        let first = server_process(&dir);
        kill(&first);
        let mut two = Process::start(program, &target);
        two.sockets();
        assert_ne!(server_process(&dir), first);
        two.kill();
        expect_gone(&dir);
        one.kill();
    });
}

#[test]
fn is_gone_although_one_of_its_supervisors_was_killed() {
    on_each_server(|program| {
        let target = target();
        let dir = server_dir(program, &target);
        for number in 0..4 {
            let mut user = Process::start(program, &target);
            user.sockets();
            let watching = supervisors(&dir);
            assert_eq!(
                watching.len(),
                4,
                "one serves, one heralds, one keeps, one guards"
            );
            kill(&watching[number]);
            user.kill();
            expect_gone(&dir);
        }
    });
}

#[test]
#[cfg(target_os = "linux")]
fn is_gone_although_all_its_supervisors_were_killed_and_nobody_comes() {
    on_each_server(|program| {
        let target = target();
        let dir = server_dir(program, &target);
        let mut user = Process::start(program, &target);
        user.sockets();
        kill_all(&supervisors(&dir));
        expect_gone(&dir);
        user.kill();
    });
}

#[test]
fn is_gone_although_its_directory_was_removed() {
    on_each_server(|program| {
        let target = target();
        let dir = server_dir(program, &target);
        let mut user = Process::start(program, &target);
        user.sockets();
        let server = server_process(&dir);
        // As `cargo clean` does; the server may write while it is at it.
        eventually("it cannot be removed", || {
            fs::remove_dir_all(dir.path()).is_ok()
        });
        user.kill();
        eventually("the server is still there", || group(&server).is_empty());
        eventually("a supervisor is still there", || {
            supervisors(&dir).is_empty()
        });
    });
}

#[test]
fn an_orphan_is_replaced_when_all_its_supervisors_were_killed() {
    on_each_server(|program| {
        let target = target();
        let dir = server_dir(program, &target);
        let mut one = Process::start(program, &target);
        one.sockets();
        let orphan = server_process(&dir);
        supervisors(&dir).iter().for_each(|process| kill(process));
        let mut two = Process::start(program, &target);
        two.sockets();
        assert_ne!(server_process(&dir), orphan);
        one.kill();
        two.kill();
        expect_gone(&dir);
    });
}

#[test]
fn half_a_cluster_is_never_taken_for_a_whole_one() {
    use crate::local_server::tests::products::STUCK;

    let program = &crate::postgres::local_server::POSTGRES;
    let target = target();
    let dir = server_dir(program, &target);
    let stuck = Process::start(&STUCK, &target);
    let half = dir.file("data.new").join(stuck.id().to_string());
    eventually("it does not begin", || half.join("PG_VERSION").exists());
    stuck.kill();
    let mut user = Process::start(program, &target);
    user.sockets();
    user.end();
    expect_gone(&dir);
}

#[test]
fn a_cluster_that_cannot_be_used_is_made_anew() {
    on_each_server(|program| {
        let vital = match program.slug {
            "postgres" => "global/pg_control",
            _ => "ibdata1",
        };
        let target = target();
        let dir = server_dir(program, &target);
        let mut user = Process::start(program, &target);
        user.sockets();
        user.end();
        expect_gone(&dir);
        fs::write(dir.data().join(vital), "nonsense").unwrap();
        let mut user = Process::start(program, &target);
        user.sockets();
        user.end();
        expect_gone(&dir);
    });
}

#[test]
fn what_a_killed_server_left_is_no_obstacle_even_if_its_number_is_in_use() {
    on_each_server(|program| {
        let target = target();
        let dir = server_dir(program, &target);
        let mut user = Process::start(program, &target);
        user.sockets();
        let stale = dir.data().join(program.stale_file);
        eventually("it has no file with its number", || stale.exists());
        let left = fs::read_to_string(&stale).unwrap();
        user.end();
        expect_gone(&dir);

        // Another process of the same user has the number now.
        let mut command = Command::new("sleep");
        command.arg("600").stdin(Stdio::null());
        dir.user().apply_to(&mut command);
        let mut other = command.spawn().unwrap();
        let rest = left.split_once('\n').map_or("", |(_, rest)| rest);
        let text = format!("{}\n{rest}", other.id());
        let kept = dir.data().join("kept");
        fs::write(&stale, &text).unwrap();
        fs::write(&kept, "").unwrap();
        let mut user = Process::start(program, &target);
        user.sockets();
        assert!(kept.exists(), "the machine has not crashed");
        user.end();
        expect_gone(&dir);

        // The machine has gone down while the server ran: durability was off.
        fs::write(&stale, &text).unwrap();
        fs::write(dir.file("boot"), "before").unwrap();
        let mut user = Process::start(program, &target);
        user.sockets();
        assert!(!kept.exists(), "nobody knows what is in the files");
        user.end();
        expect_gone(&dir);
        other.kill().unwrap();
        other.wait().unwrap();
    });
}

#[test]
fn a_cluster_that_cannot_be_made_shows_what_its_program_says() {
    use crate::local_server::tests::products::BARREN;

    let target = target();
    let mut user = Process::start(&BARREN, &target);
    let said = user.until("  help: ");
    assert!(
        said.contains("does not start: `sh` failed: exit status: 3\n  | there is no room\n"),
        "{said}"
    );
    assert!(said.contains("initialise.log`"), "{said}");
    user.end();
    expect_gone(&server_dir(&BARREN, &target));
}

#[test]
fn a_server_that_does_not_start_shows_the_end_of_its_log() {
    use crate::local_server::tests::products::REFUSING;

    let target = target();
    for _ in 0..2 {
        let mut user = Process::start(&REFUSING, &target);
        let said = user.until("never said");
        for expected in [
            "error PostgreSQL does not start: it ended while it was starting\n  | ",
            "\"fsync\"",
            "\n  help: its log is `",
            "server.log`; to use another server, set `GREEN_LIGHT_POSTGRES_URL`",
        ] {
            assert!(said.contains(expected), "{expected} is not in: {said}");
        }
        user.end();
    }
    expect_gone(&server_dir(&REFUSING, &target));
}

//! Where a run may take place: in a long path, without a home, as another user, and without cargo.

use std::env;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use crate::run::Run;

/// Everything was used, and torn down.
fn is_whole(run: &Run) {
    run.ends();
    for (line, count) in [("used", 3), ("server up", 1), ("server down", 1)] {
        assert_eq!(run.count(line), count, "{line}: {:?}", run.journal());
    }
}

#[test]
fn without_a_home_and_in_a_path_of_two_hundred_bytes() {
    let run = Run::new();
    let long = run.directory.join("long-".repeat(45)).join("target");
    assert!(long.as_os_str().len() > 200);
    fs::create_dir_all(&long).unwrap();
    fs::write(long.join("CACHEDIR.TAG"), "").unwrap();
    fs::hard_link(env::current_exe().unwrap(), long.join("tests")).unwrap();
    let script = format!(
        "unset HOME GREEN_LIGHT_DIR; cd {0}; PROGRAM={0}/tests; t plain",
        long.display()
    );
    run.output(&script, true);
    is_whole(&run);
    let logs = fs::read_dir(long.join("green-light/run")).unwrap();
    assert_eq!(logs.count(), 1);
}

/// Root gives up its rights for that; any other user has none.
#[test]
fn as_a_user_who_can_write_to_the_temporary_directory_alone() {
    let run = Run::below(&env::temp_dir());
    let open = |path: &std::path::Path| fs::set_permissions(path, Permissions::from_mode(0o777));
    open(&run.directory).unwrap();
    // The target directory may be closed to other users.
    fs::copy(env::current_exe().unwrap(), run.directory.join("tests")).unwrap();
    let script = "unset HOME GREEN_LIGHT_DIR; cd $RUN_DIRECTORY; export TMPDIR=$RUN_DIRECTORY\n\
                  as=; [ \"$(id -u)\" = 0 ] && as='setpriv --reuid=65534 --regid=65534 --clear-groups'\n\
                  $as ./tests --ignored specimens::plain";
    run.output(script, true);
    is_whole(&run);
}

/// A program that was started by hand is a run of its own.
#[test]
fn without_cargo_the_run_is_the_process_itself() {
    let run = Run::new();
    // Its parent is this test, and so this cargo, until the shell in between has ended.
    let script = "(sh -c 'while kill -0 $0 2>/dev/null; do sleep 0.01; done
                          exec \"$PROGRAM\" --ignored specimens::plain' $$ >/dev/null 2>&1 &)";
    let mut shell = Command::new("sh");
    shell
        .args(["-c", script])
        .env("PROGRAM", env::current_exe().unwrap());
    run.set_variables(&mut shell);
    assert!(shell.status().unwrap().success());
    run.wait_for("server down", 1);
    is_whole(&run);
    let logs = fs::read_dir(run.directory.join("files/run"))
        .unwrap()
        .flatten();
    let name = logs
        .map(|log| log.file_name().into_string().unwrap())
        .next()
        .unwrap();
    let text = fs::read_to_string(run.directory.join("files/run").join(&name)).unwrap();
    let number = name.rsplit('-').nth(1).unwrap();
    assert!(
        text.contains(&format!("for the run of process {number}\n")),
        "{text}"
    );
    assert_ne!(number, std::process::id().to_string());
}

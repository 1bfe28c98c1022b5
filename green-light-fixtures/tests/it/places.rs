//! Where green-light has its files: in the target directory, elsewhere if a variable says so, and for each user of the
//! system where no other one can write.

use std::{
    env,
    fs::{self, Permissions},
    io::Write as _,
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _, chown},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use green_light_fixtures::{Backend, Engine, Isolation, Schema};
use sea_orm::{ConnectionTrait, Statement};
use tempfile::TempDir;

use crate::{
    children::{LONG, output, part, playing_with, said, say, value},
    support::run,
};

/// Without any rights on the machine.
const NOBODY: u32 = 65_534;

/// The databases whose files are looked for.
const ALL: [(&str, Backend); 3] = [
    ("sqlite", Backend::Sqlite),
    ("postgres", Backend::Postgres),
    ("mysql", Backend::MySql),
];

/// A test on each of the databases that `part` names, which says where its files are; or the error.
async fn tests_on_each(part: &str) {
    for (name, backend) in ALL.into_iter().filter(|(name, _)| part.contains(name)) {
        match file_of(backend).await {
            Ok(file) => say(name, &file),
            Err(error) => say(name, &format!("error: {error}=end")),
        }
    }
}

async fn file_of(backend: Backend) -> Result<String, green_light_fixtures::Error> {
    let schema = Schema::sql("CREATE TABLE one (x INT)");
    let mut engine = Engine::builder().backend(backend).schema(schema);
    if backend == Backend::Sqlite {
        engine = engine.file();
    }
    let engine = engine.build().await?;
    let session = engine.session(Isolation::Database).await?;
    let insert = session.execute_unprepared("INSERT INTO one VALUES (1)");
    insert.await.unwrap();
    let file = match backend {
        Backend::Sqlite => "SELECT file FROM pragma_database_list",
        Backend::Postgres => "SELECT current_setting('data_directory')",
        _ => "SELECT @@datadir",
    };
    let file = Statement::from_string(session.get_database_backend(), file);
    let row = session.query_one_raw(file).await.unwrap().unwrap();
    let file = row.try_get_by_index(0).unwrap();
    session.finish().await?;
    Ok(file)
}

/// A copy of this program where every user can run it, with a temporary directory of its own.
struct Place {
    directory: TempDir,
    test: &'static str,
}

impl Place {
    /// In a target directory.
    fn target(test: &'static str) -> Self {
        let place = Self::outside(test);
        let tag = "Signature: 8a477f597d28d172789f06886806bc55\n";
        fs::write(place.target_directory().join("CACHEDIR.TAG"), tag).unwrap();
        place
    }

    /// In none.
    fn outside(test: &'static str) -> Self {
        // Short, for the sockets.
        let directory = tempfile::tempdir_in("/tmp").unwrap();
        mode(directory.path(), 0o755);
        let place = Self { directory, test };
        for (directory, rights) in [
            (place.target_directory(), 0o755),
            (place.temporary(), 0o1777),
        ] {
            fs::create_dir(&directory).unwrap();
            mode(&directory, rights);
        }
        // Were the copy written by this process, a child that another thread starts meanwhile could hold it.
        let copied = Command::new("cp")
            .arg(env::current_exe().unwrap())
            .arg(place.program())
            .status();
        assert!(copied.unwrap().success());
        mode(&place.program(), 0o755);
        place
    }

    fn target_directory(&self) -> PathBuf {
        self.directory.path().join("t")
    }

    fn temporary(&self) -> PathBuf {
        self.directory.path().join("tmp")
    }

    fn program(&self) -> PathBuf {
        self.target_directory().join("it")
    }

    /// A process that plays `part`.
    fn playing(&self, part: &str) -> Command {
        let mut command = playing_with(self.program(), self.test, part);
        command
            .env_remove("GREEN_LIGHT_POSTGRES_URL")
            .env_remove("GREEN_LIGHT_MYSQL_URL")
            .env("TMPDIR", self.temporary())
            .current_dir("/");
        command
    }

    /// The same, by a user without rights.
    fn playing_as_nobody(&self, part: &str) -> Command {
        let mut command = self.playing(part);
        if is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }

    /// Waits until no server is left that has its files here or in `others`.
    fn end(self, others: &[&Path]) {
        let begun = Instant::now();
        let here = self.directory.path();
        while others.iter().chain([&here]).any(|path| has_processes(path)) {
            assert!(begun.elapsed() < LONG, "a server is still there");
            thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Whether a process has a path below `directory` among its arguments.
fn has_processes(directory: &Path) -> bool {
    let listed = Command::new("ps").args(["-A", "-o", "args="]).output();
    let listed = String::from_utf8_lossy(&listed.unwrap().stdout).into_owned();
    listed.contains(&format!("{}/", directory.display()))
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Whether this process can be several users.
fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// Whether `test` cannot run, which it says past the capture of libtest: only root can be another user.
fn is_skipped(test: &str) -> bool {
    if !is_root() {
        let why = format!("{test}: skipped: only root can be another user\n");
        std::io::stderr().write_all(why.as_bytes()).unwrap();
    }
    !is_root()
}

/// The number of the user that [`Place::playing_as_nobody`] is.
fn nobody() -> u32 {
    let own = tempfile::NamedTempFile::new().unwrap();
    if is_root() {
        NOBODY
    } else {
        fs::metadata(own.path()).unwrap().uid()
    }
}

#[track_caller]
fn expect_below(place: &Path, said: &str) {
    for (name, _) in ALL
        .iter()
        .filter(|(name, _)| said.contains(&format!("{name}=")))
    {
        let file = PathBuf::from(value(said, name));
        assert!(
            file.starts_with(place),
            "{} is not below {}",
            file.display(),
            place.display()
        );
    }
}

#[test]
fn a_variable_moves_all_files_also_into_memory_and_where_nothing_is_yet() {
    let test = "places::a_variable_moves_all_files_also_into_memory_and_where_nothing_is_yet";
    if let Some(part) = part() {
        return run(tests_on_each(&part));
    }
    let place = Place::target(test);
    let memory = if Path::new("/dev/shm").is_dir() {
        "/dev/shm"
    } else {
        "/tmp"
    };
    let memory = tempfile::tempdir_in(memory).unwrap();
    mode(memory.path(), 0o755);
    let named = memory.path().join("not/yet/there");
    let mut process = place.playing("sqlite postgres mysql");
    process.env("GREEN_LIGHT_DIR", &named);
    expect_below(&named, &said(process.spawn().unwrap()));
    // Images, notes about programs and locks as well.
    assert!(!place.target_directory().join("green-light").exists());
    assert_eq!(fs::read_dir(place.temporary()).unwrap().count(), 0);
    let images = fs::read_dir(named.join("images")).unwrap();
    assert!(images.count() > 0);
    place.end(&[memory.path()]);
}

#[test]
fn a_directory_that_cannot_be_used_is_an_error_on_each_database() {
    let test = "places::a_directory_that_cannot_be_used_is_an_error_on_each_database";
    if let Some(part) = part() {
        return run(tests_on_each(&part));
    }
    let place = Place::target(test);
    let forbidden = place.directory.path().join("forbidden");
    fs::create_dir(&forbidden).unwrap();
    mode(&forbidden, 0o555);
    let file = place.program();
    let below = forbidden.join("below");
    for (named, texts) in [
        (
            "cache",
            &[
                "`GREEN_LIGHT_DIR=cache` is not understood",
                "begins with `/`",
                "relative = true",
            ][..],
        ),
        ("~/cache", &["`GREEN_LIGHT_DIR=~/cache` is not understood"]),
        (
            forbidden.to_str().unwrap(),
            &[
                "cannot be used",
                "Permission denied",
                "let the user that runs the tests write",
            ],
        ),
        (
            below.to_str().unwrap(),
            &[
                "cannot be used",
                "Permission denied",
                "name a directory of that user",
            ],
        ),
        (
            file.to_str().unwrap(),
            &["cannot be used", "there is a file in its place"],
        ),
        (
            "/proc/green-light",
            &[
                "cannot be used",
                "help: let `GREEN_LIGHT_DIR` name a directory",
            ],
        ),
    ] {
        let mut process = place.playing_as_nobody("sqlite postgres mysql");
        let said = said(process.env("GREEN_LIGHT_DIR", named).spawn().unwrap());
        for (name, _) in ALL {
            let (_, error) = said.split_once(&format!("{name}=error: ")).expect(&said);
            let (error, _) = error.split_once("=end").unwrap();
            for text in texts.iter().chain(&["GREEN_LIGHT_DIR", "help: "]) {
                assert!(error.contains(text), "`{text}` is not in: {error}");
            }
        }
    }
    place.end(&[]);
}

#[test]
fn a_target_directory_that_cannot_be_written_is_left_alone() {
    let test = "places::a_target_directory_that_cannot_be_written_is_left_alone";
    if let Some(part) = part() {
        return run(tests_on_each(&part));
    }
    let place = Place::target(test);
    mode(&place.target_directory(), 0o555);
    let own = place.temporary().join(format!("green-light-{}", nobody()));
    let all = "sqlite postgres mysql";
    expect_below(&own, &said(place.playing_as_nobody(all).spawn().unwrap()));
    // Or where the variable says, which has a part for each user if every user can write there.
    let named = place.directory.path().join("named");
    fs::create_dir(&named).unwrap();
    mode(&named, 0o1777);
    let mut process = place.playing_as_nobody("sqlite");
    let said_there = said(process.env("GREEN_LIGHT_DIR", &named).spawn().unwrap());
    expect_below(
        &named.join(format!("green-light-{}", nobody())),
        &said_there,
    );
    // If there is no place at all, the error names the variable.
    mode(&place.temporary(), 0o555);
    fs::rename(&own, place.directory.path().join("aside")).unwrap();
    let said = said(place.playing_as_nobody(all).spawn().unwrap());
    assert_eq!(
        said.matches("let `GREEN_LIGHT_DIR` name a directory")
            .count(),
        3,
        "{said}"
    );
    fs::rename(place.directory.path().join("aside"), &own).unwrap();
    place.end(&[]);
}

/// Root and a user without rights, one after the other and at the same time.
#[track_caller]
fn two_users(place: &Place, root: &Path, nobody: &Path) {
    let all = "sqlite postgres mysql";
    let began = [place.playing(all), place.playing_as_nobody(all)]
        .map(|mut process| process.spawn().unwrap());
    let [one, other] = began.map(said);
    expect_below(root, &one);
    expect_below(nobody, &other);
    expect_below(nobody, &said(place.playing_as_nobody(all).spawn().unwrap()));
    expect_below(root, &said(place.playing(all).spawn().unwrap()));
}

#[test]
fn two_users_of_one_target_directory_do_not_disturb_each_other() {
    let test = "places::two_users_of_one_target_directory_do_not_disturb_each_other";
    if let Some(part) = part() {
        return run(tests_on_each(&part));
    }
    if is_skipped(test) {
        return;
    }
    // The first one may be either of them.
    let mine = Place::target(test);
    two_users(
        &mine,
        &mine.target_directory().join("green-light"),
        &mine.temporary().join(format!("green-light-{NOBODY}")),
    );
    let theirs = Place::target(test);
    let target = theirs.target_directory();
    chown(&target, Some(NOBODY), Some(NOBODY)).unwrap();
    let first = said(theirs.playing_as_nobody("sqlite").spawn().unwrap());
    expect_below(&target.join("green-light"), &first);
    two_users(
        &theirs,
        &target.join("green-light/green-light-0"),
        &target.join("green-light"),
    );
    mine.end(&[]);
    theirs.end(&[]);
}

#[test]
fn two_users_without_a_target_directory_do_not_disturb_each_other() {
    let test = "places::two_users_without_a_target_directory_do_not_disturb_each_other";
    if let Some(part) = part() {
        return run(tests_on_each(&part));
    }
    if is_skipped(test) {
        return;
    }
    let place = Place::outside(test);
    let [root, nobody] =
        [0, NOBODY].map(|user| place.temporary().join(format!("green-light-{user}")));
    two_users(&place, &root, &nobody);
    place.end(&[]);
}

/// What another user has put in the place of green-light's directory is not used.
#[test]
fn a_directory_or_a_link_that_another_user_has_planted_is_refused() {
    let test = "places::a_directory_or_a_link_that_another_user_has_planted_is_refused";
    if let Some(part) = part() {
        return run(tests_on_each(&part));
    }
    if is_skipped(test) {
        return;
    }
    let place = Place::outside(test);
    let victim = place.directory.path().join("victim");
    fs::create_dir(&victim).unwrap();
    let planted = place.temporary().join("green-light-0");
    let refused = |place: &Place| {
        let output = output(place.playing("sqlite postgres mysql").spawn().unwrap());
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let theirs = format!("`{}` belongs to another user", planted.display());
        assert_eq!(said.matches(&theirs).count(), 3, "{said}");
        assert!(
            said.contains("let `GREEN_LIGHT_DIR` name a directory of that user"),
            "{said}"
        );
    };
    std::os::unix::fs::symlink(&victim, &planted).unwrap();
    refused(&place);
    assert_eq!(fs::read_dir(&victim).unwrap().count(), 0);
    fs::remove_file(&planted).unwrap();
    fs::create_dir(&planted).unwrap();
    chown(&planted, Some(NOBODY), Some(NOBODY)).unwrap();
    refused(&place);
    place.end(&[]);
}

#[test]
fn a_umask_of_root_that_lets_no_other_user_in_does_not_stop_the_servers() {
    let test = "places::a_umask_of_root_that_lets_no_other_user_in_does_not_stop_the_servers";
    if let Some(part) = part() {
        return run(tests_on_each(&part));
    }
    let (inside, outside) = (Place::target(test), Place::outside(test));
    for place in [&inside, &outside] {
        let mut shell = Command::new("sh");
        shell
            .args(["-c", "umask 077; exec \"$@\"", "sh"])
            .arg(place.program());
        let plain = place.playing("sqlite postgres mysql");
        shell.args(plain.get_args());
        for (name, value) in plain.get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        shell
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped());
        for _ in 0..2 {
            let said = said(shell.spawn().unwrap());
            let base = if place.target_directory().join("CACHEDIR.TAG").exists() {
                place.target_directory().join("green-light")
            } else {
                place.temporary()
            };
            expect_below(&base, &said);
            assert_eq!(said.matches("error: ").count(), 0, "{said}");
        }
    }
    inside.end(&[]);
    outside.end(&[]);
}

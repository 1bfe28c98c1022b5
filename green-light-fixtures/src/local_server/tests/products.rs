//! The servers under test, and some that are made to misbehave.

use std::{fs::OpenOptions, io::Write as _, path::Path, process::Command};

use crate::local_server::program::ServerProgram;

/// The real ones.
pub(crate) const SERVERS: &[&ServerProgram] = &[
    &crate::postgres::local_server::POSTGRES,
    &crate::mysql::local_server::MYSQL_OR_MARIADB,
];

/// Counts the clusters that are made, in the file `count` of the target directory.
pub(crate) const COUNTED: ServerProgram = ServerProgram {
    slug: "counted",
    initialise: |executable, data| {
        let base = data.ancestors().nth(4).expect("it is deep below the base");
        let count = OpenOptions::new()
            .create(true)
            .append(true)
            .open(base.join("count"));
        count.unwrap().write_all(b"one\n").unwrap();
        (crate::postgres::local_server::POSTGRES.initialise)(executable, data)
    },
    ..crate::postgres::local_server::POSTGRES
};

/// Makes half a cluster and goes on for ever: as good as one that is killed in the middle.
pub(crate) const STUCK: ServerProgram = ServerProgram {
    name: "stuck",
    initialise: |_, data: &Path| {
        let mut command = Command::new("sh");
        command
            .args([
                "-c",
                "mkdir \"$1\" && echo 15 >\"$1/PG_VERSION\" && exec sleep 30",
            ])
            .arg("sh")
            .arg(data);
        command
    },
    ..crate::postgres::local_server::POSTGRES
};

/// Makes no cluster, and says why.
pub(crate) const BARREN: ServerProgram = ServerProgram {
    slug: "barren",
    initialise: |_, _| {
        let mut command = Command::new("sh");
        command.args(["-c", "echo there is no room; exit 3"]);
        command
    },
    ..crate::postgres::local_server::POSTGRES
};

/// Makes no cluster, and prints its environment.
pub(crate) const EXPOSED: ServerProgram = ServerProgram {
    slug: "exposed",
    initialise: |_, _| {
        let mut command = Command::new("sh");
        command.args(["-c", "env; exit 3"]);
        command
    },
    ..crate::postgres::local_server::POSTGRES
};

/// Does not start, and says why.
pub(crate) const REFUSING: ServerProgram = ServerProgram {
    slug: "refusing",
    arguments: |_, data, _| {
        vec![
            "-D".into(),
            data.into(),
            "-c".into(),
            "fsync=perhaps".into(),
        ]
    },
    ..crate::postgres::local_server::POSTGRES
};

/// The one of these that the process of a test is to use.
pub(crate) fn by_name(name: &str) -> &'static ServerProgram {
    const SPECIAL: &[&ServerProgram] = &[&COUNTED, &STUCK, &BARREN, &EXPOSED, &REFUSING];
    SERVERS
        .iter()
        .chain(SPECIAL)
        .find(|program| id(program) == name)
        .expect("a test has started this")
}

/// What tells them apart.
pub(crate) fn id(program: &ServerProgram) -> String {
    format!("{} {}", program.name, program.slug)
}

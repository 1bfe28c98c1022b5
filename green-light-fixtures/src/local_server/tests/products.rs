//! The servers under test, and some that are made to misbehave.

use std::{fs::OpenOptions, io::Write as _, path::Path, process::Command};

use crate::local_server::program::Product;

/// The real ones.
pub(crate) const SERVERS: &[&Product] = &[
    #[cfg(feature = "postgres")]
    &crate::postgres::local_server::POSTGRES,
    #[cfg(feature = "mysql")]
    &crate::mysql::local_server::MYSQL_OR_MARIADB,
];

/// Counts the clusters that are made, in the file `count` of the target directory.
#[cfg(feature = "postgres")]
pub(crate) const COUNTED: Product = Product {
    slug: "counted",
    initialise: |program, data| {
        let base = data.ancestors().nth(4).expect("it is deep below the base");
        let count = OpenOptions::new()
            .create(true)
            .append(true)
            .open(base.join("count"));
        count.unwrap().write_all(b"one\n").unwrap();
        (crate::postgres::local_server::POSTGRES.initialise)(program, data)
    },
    ..crate::postgres::local_server::POSTGRES
};

/// Makes half a cluster and goes on for ever: as good as one that is killed in the middle.
#[cfg(feature = "postgres")]
pub(crate) const STUCK: Product = Product {
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
#[cfg(feature = "postgres")]
pub(crate) const BARREN: Product = Product {
    slug: "barren",
    initialise: |_, _| {
        let mut command = Command::new("sh");
        command.args(["-c", "echo there is no room; exit 3"]);
        command
    },
    ..crate::postgres::local_server::POSTGRES
};

/// Does not start, and says why.
#[cfg(feature = "postgres")]
pub(crate) const REFUSING: Product = Product {
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
pub(crate) fn by_name(name: &str) -> &'static Product {
    #[cfg(feature = "postgres")]
    const SPECIAL: &[&Product] = &[&COUNTED, &STUCK, &BARREN, &REFUSING];
    #[cfg(not(feature = "postgres"))]
    const SPECIAL: &[&Product] = &[];
    SERVERS
        .iter()
        .chain(SPECIAL)
        .find(|product| id(product) == name)
        .expect("a test has started this")
}

/// What tells them apart.
pub(crate) fn id(product: &Product) -> String {
    format!("{} {}", product.name, product.slug)
}

//! The servers under test, and some that are made to misbehave.

use std::{fs::OpenOptions, io::Write as _, path::Path, process::Command};

use crate::server::product::Product;

/// The real ones.
pub(super) const SERVERS: &[&Product] = &[
    #[cfg(feature = "postgres")]
    &crate::server::postgres::POSTGRES,
    #[cfg(feature = "mysql")]
    &crate::server::mysql::MYSQL_OR_MARIADB,
];

/// Counts the clusters that are made, in the file `count` of the target directory.
#[cfg(feature = "postgres")]
pub(super) const COUNTED: Product = Product {
    slug: "counted",
    initialise: |program, data| {
        let base = data.ancestors().nth(4).expect("it is deep below the base");
        let count = OpenOptions::new()
            .create(true)
            .append(true)
            .open(base.join("count"));
        count.unwrap().write_all(b"one\n").unwrap();
        (crate::server::postgres::POSTGRES.initialise)(program, data)
    },
    ..crate::server::postgres::POSTGRES
};

/// Makes half a cluster and goes on for ever: as good as one that is killed in the middle.
#[cfg(feature = "postgres")]
pub(super) const STUCK: Product = Product {
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
    ..crate::server::postgres::POSTGRES
};

/// Makes no cluster, and says why.
#[cfg(feature = "postgres")]
pub(super) const BARREN: Product = Product {
    slug: "barren",
    initialise: |_, _| {
        let mut command = Command::new("sh");
        command.args(["-c", "echo there is no room; exit 3"]);
        command
    },
    ..crate::server::postgres::POSTGRES
};

/// Does not start, and says why.
#[cfg(feature = "postgres")]
pub(super) const REFUSING: Product = Product {
    slug: "refusing",
    arguments: |_, data, _| {
        vec![
            "-D".into(),
            data.into(),
            "-c".into(),
            "fsync=perhaps".into(),
        ]
    },
    ..crate::server::postgres::POSTGRES
};

/// The one of these that the process of a test is to use.
pub(super) fn by_name(name: &str) -> &'static Product {
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
pub(super) fn id(product: &Product) -> String {
    format!("{} {}", product.name, product.slug)
}

//! A dev-dependency changes nothing for production code: cargo gives a crate one set of features for all
//! who use it, so what green-light asks for, the user's own code is built with under `cargo test`.
//!
//! Compares the features of sqlx, SeaORM and what they stand on in a project with and without green-light.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

/// The crates whose features change what a user's code means. So do those of their drivers and macros.
const WATCHED: [&str; 14] = [
    "chrono",
    "libsqlite3-sys",
    "sea-orm",
    "sea-orm-macros",
    "sea-query",
    "sea-query-sqlx",
    "sea-schema",
    "sqlx",
    "sqlx-core",
    "sqlx-macros-core",
    "sqlx-mysql",
    "sqlx-postgres",
    "sqlx-sqlite",
    "time",
];

/// What green-light may turn on, with the reason. Nothing else, and no type and no TLS among it.
const ALLOWED: [(&str, &[&str], &str); 16] = [
    (
        "libsqlite3-sys",
        &[
            "bundled",
            "bundled_bindings",
            "cc",
            "default",
            "min_sqlite_version_3_14_0",
            "pkg-config",
            "unlock_notify",
            "vcpkg",
        ],
        "SQLite is embedded",
    ),
    (
        "sea-orm",
        &[
            "ouroboros",
            "runtime-tokio",
            "sea-query-sqlx",
            "sqlx",
            "sqlx-core",
            "sqlx-dep",
            "stream",
        ],
        "a session is a `DatabaseConnection` on tokio, and errors of its streams are explained",
    ),
    (
        "sea-orm",
        &[
            "postgres-array",
            "sqlx-mysql",
            "sqlx-postgres",
            "sqlx-sqlite",
        ],
        "the databases that were asked for; SeaORM's PostgreSQL comes with arrays",
    ),
    (
        "sea-orm",
        &["mock"],
        "with `sea-orm-migration` alone: migrations are read on a connection without a database",
    ),
    (
        "sea-orm-macros",
        &["async", "postgres-array", "sqlx-postgres", "strum"],
        "what SeaORM without features has, and the databases that were asked for",
    ),
    (
        "sea-query",
        &[
            "backend-mysql",
            "backend-postgres",
            "backend-sqlite",
            "derive",
            "hashable-value",
            "itoa",
            "ordered-float",
            "postgres-array",
            "sea-orm",
            "sea-query-derive",
            "thread-safe",
        ],
        "what SeaORM without features has",
    ),
    (
        "sea-query-sqlx",
        &[
            "postgres-array",
            "runtime-tokio",
            "sqlx",
            "sqlx-mysql",
            "sqlx-postgres",
            "sqlx-sqlite",
        ],
        "the databases that were asked for",
    ),
    (
        "sea-schema",
        &[
            "mysql",
            "postgres",
            "sqlite",
            "sqlx-mysql",
            "sqlx-postgres",
            "sqlx-sqlite",
        ],
        "with `sea-orm-migration` alone: the databases that were asked for",
    ),
    (
        "sqlx",
        &["_rt-tokio", "runtime-tokio"],
        "green-light runs on tokio",
    ),
    (
        "sqlx",
        &[
            "_sqlite",
            "mysql",
            "postgres",
            "sqlite",
            "sqlite-bundled",
            "sqlite-deserialize",
            "sqlite-load-extension",
            "sqlite-unlock-notify",
            "sqlx-mysql",
            "sqlx-postgres",
            "sqlx-sqlite",
        ],
        "the databases that were asked for",
    ),
    ("sqlx", &["migrate"], "the feature `sqlx` is `Schema::sqlx`"),
    (
        "sqlx-core",
        &[
            "_rt-tokio",
            "crc",
            "default",
            "migrate",
            "sha2",
            "tokio",
            "tokio-stream",
        ],
        "green-light runs on tokio; the feature `sqlx` is `Schema::sqlx`",
    ),
    (
        "sqlx-macros-core",
        &[
            "_rt-tokio",
            "_sqlite",
            "migrate",
            "mysql",
            "postgres",
            "sqlite",
            "sqlite-load-extension",
            "sqlx-mysql",
            "sqlx-postgres",
            "sqlx-sqlite",
            "tokio",
        ],
        "the databases that were asked for, and `Schema::sqlx`",
    ),
    (
        "sqlx-sqlite",
        &[
            "bundled",
            "deserialize",
            "load-extension",
            "migrate",
            "unlock-notify",
        ],
        "SQLite is embedded; the feature `sqlx` is `Schema::sqlx`",
    ),
    (
        "sqlx-mysql",
        &["migrate"],
        "the feature `sqlx` is `Schema::sqlx`",
    ),
    (
        "sqlx-postgres",
        &["migrate"],
        "the feature `sqlx` is `Schema::sqlx`",
    ),
];

/// A project, by what it has besides green-light.
struct User {
    name: &'static str,
    dependencies: &'static str,
    /// What it asks of green-light besides databases.
    ours: &'static [&'static str],
}

const USERS: [User; 4] = [
    User {
        name: "plain",
        dependencies: "",
        ours: &[],
    },
    User {
        name: "sqlx",
        dependencies: r#"
            sqlx = { version = "0.9", default-features = false, features = ["macros", "postgres", "runtime-tokio"] }
        "#,
        ours: &[],
    },
    User {
        name: "sea-orm",
        dependencies: r#"
            sea-orm = { version = "2", default-features = false, features = ["macros", "runtime-tokio", "sqlx-sqlite"] }
        "#,
        ours: &["sea-orm", "crowd"],
    },
    User {
        name: "sea-orm-migration",
        dependencies: r#"
            sea-orm = { version = "2", features = ["runtime-tokio", "sqlx-postgres"] }
            sea-orm-migration = { version = "2", features = ["runtime-tokio", "sqlx-postgres"] }
        "#,
        ours: &["sea-orm", "sea-orm-migration"],
    },
];

type Features = BTreeMap<String, BTreeSet<String>>;

/// The features of the watched crates in a project, as `cargo test` builds it.
fn features(directory: &Path, user: &User, ours: Option<&[&str]>) -> Features {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let ours = ours.map_or_else(String::new, |features| {
        format!(
            "green-light = {{ path = {:?}, default-features = false, features = {features:?} }}",
            root.display().to_string()
        )
    });
    let manifest = format!(
        "[package]\nname = \"users\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
         [dependencies]\n{}\n\n[dev-dependencies]\n{ours}\n",
        user.dependencies
    );
    fs::write(directory.join("Cargo.toml"), manifest).expect("the manifest is written");
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--edges",
            "normal,build,dev",
            "--prefix",
            "none",
            "--no-dedupe",
        ])
        .args(["--format", "{p}|{f}"])
        .current_dir(directory)
        .output()
        .expect("cargo runs");
    let tree = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let mut found = Features::new();
    for line in tree.lines() {
        let (package, features) = line.split_once('|').unwrap_or((line, ""));
        let name = package.split(' ').next().unwrap_or_default();
        if WATCHED.contains(&name) {
            let features = features.split(',').filter(|feature| !feature.is_empty());
            found
                .entry(name.to_owned())
                .or_default()
                .extend(features.map(str::to_owned));
        }
    }
    found
}

fn is_allowed(package: &str, feature: &str, ours: &[&str]) -> bool {
    let needs = match (package, feature) {
        // sqlx itself has it in sqlx-core always.
        ("sqlx-core", "migrate") => None,
        (_, "migrate") => Some("sqlx"),
        (_, "mock") | ("sea-schema", _) => Some("sea-orm-migration"),
        _ if package.starts_with("sea-") => Some("sea-orm"),
        _ => None,
    };
    let mut allowed = ALLOWED.iter();
    needs.is_none_or(|needed| ours.contains(&needed))
        && allowed.any(|(name, features, _)| *name == package && features.contains(&feature))
}

/// Whether `feature` is one that a new driver has because the user's sqlx had it before.
fn is_inherited(package: &str, feature: &str, before: &Features) -> bool {
    let is_driver = ["sqlx-mysql", "sqlx-postgres", "sqlx-sqlite"].contains(&package);
    let of_sqlx = before.get("sqlx-core");
    let name = if feature == "serde" { "json" } else { feature };
    is_driver && of_sqlx.is_some_and(|before| before.contains(name))
}

/// Every choice among `all`.
fn subsets<'a>(all: &[&'a str]) -> Vec<Vec<&'a str>> {
    (0..1 << all.len())
        .map(|bits| {
            let chosen = all
                .iter()
                .enumerate()
                .filter(|(index, _)| bits & (1 << index) != 0);
            chosen.map(|(_, feature)| *feature).collect()
        })
        .collect()
}

#[test]
fn no_choice_of_our_features_turns_on_a_type_or_tls_of_sqlx_or_sea_orm() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut choices = subsets(&["sqlite", "postgres", "mysql"]);
    choices.push(vec!["sqlite", "postgres", "mysql", "sqlx"]);
    let mut differences = Vec::new();
    for user in USERS {
        let project = tempfile::tempdir().expect("a temporary directory");
        fs::create_dir(project.path().join("src")).expect("the folder is made");
        fs::write(project.path().join("src/lib.rs"), "").expect("the source is written");
        fs::copy(root.join("Cargo.lock"), project.path().join("Cargo.lock")).expect("a lock");
        let before = features(project.path(), &user, None);
        for choice in &choices {
            let ours = [&["macros"], user.ours, choice].concat();
            let after = features(project.path(), &user, Some(&ours));
            let all = after.iter().flat_map(|(package, features)| {
                features.iter().map(move |feature| (package, feature))
            });
            for (package, feature) in all {
                let had = before
                    .get(package)
                    .is_some_and(|before| before.contains(feature));
                if !had
                    && !is_allowed(package, feature, &ours)
                    && !is_inherited(package, feature, &before)
                {
                    differences.push(format!("{} with {ours:?}: {package}/{feature}", user.name));
                }
            }
        }
    }
    assert!(
        differences.is_empty(),
        "green-light turns on what nobody asked for:\n{}",
        differences.join("\n")
    );
}

/// The list itself keeps the promise.
#[test]
fn no_type_and_no_tls_is_allowed() {
    const TYPES: [&str; 15] = [
        "any",
        "bigdecimal",
        "bit-vec",
        "bstr",
        "chrono",
        "ipnet",
        "json",
        "mac_address",
        "native-tls",
        "offline",
        "rust_decimal",
        "rustls",
        "time",
        "tls",
        "uuid",
    ];
    for (package, features, reason) in ALLOWED {
        assert!(!reason.is_empty());
        for feature in features {
            let is_type = TYPES.iter().any(|name| {
                feature
                    .strip_prefix("with-")
                    .unwrap_or(feature)
                    .trim_start_matches('_')
                    .starts_with(name)
            });
            assert!(!is_type, "{package}/{feature}");
        }
    }
}

//! Which database the tests are for.

use std::collections::BTreeSet;
use std::fs;

use cargo_metadata::Package;
use green_light_fixtures::Backend;

use crate::arguments::BackendName;
use crate::error::Error;
use crate::init::member;
use crate::init::tables::Tables;
use crate::print::listed;
use crate::project::Project;

/// The features of drivers by which a package shows its database.
const SIGNS: [(Backend, &[(&str, &str)]); 3] = [
    (
        Backend::Sqlite,
        &[
            ("sqlx", "sqlite"),
            ("sqlx", "sqlite-unbundled"),
            ("sea-orm", "sqlx-sqlite"),
            ("sea-orm-migration", "sqlx-sqlite"),
        ],
    ),
    (
        Backend::Postgres,
        &[
            ("sqlx", "postgres"),
            ("sea-orm", "sqlx-postgres"),
            ("sea-orm-migration", "sqlx-postgres"),
        ],
    ),
    (
        Backend::MySql,
        &[
            ("sqlx", "mysql"),
            ("sea-orm", "sqlx-mysql"),
            ("sea-orm-migration", "sqlx-mysql"),
        ],
    ),
];

pub(crate) struct Database {
    pub(crate) backend: Backend,
    /// How that is known.
    because: String,
}

impl Database {
    /// The feature of green-light, which has its name.
    pub(crate) fn feature(&self) -> &'static str {
        self.backend.name()
    }

    pub(crate) fn words(&self) -> String {
        format!("{}, {}", name(self.backend), self.because)
    }
}

pub(crate) fn name(backend: Backend) -> &'static str {
    match backend {
        Backend::Sqlite => "SQLite",
        Backend::Postgres => "PostgreSQL",
        Backend::MySql => "MySQL",
        _ => backend.name(),
    }
}

/// The database that was asked for, or that the dependencies show.
///
/// # Errors
///
/// When they show none, or several and no `DATABASE_URL` says which.
pub(crate) fn choose(
    project: &Project,
    package: &Package,
    tables: &Tables,
    wanted: Option<BackendName>,
) -> Result<Database, Error> {
    if let Some(wanted) = wanted {
        return Ok(Database {
            backend: wanted.backend(),
            because: "as `--backend` says".to_owned(),
        });
    }
    let mut found = signs(package);
    if found.is_empty() {
        found = tables.holder.as_ref().map(signs).unwrap_or_default();
    }
    if found.is_empty() {
        let beside = project.members.iter();
        let beside = beside.filter(|other| member::depends_on(package, &other.name));
        found = beside.flat_map(signs).collect();
    }
    match &found[..] {
        [(backend, sign)] => Ok(Database {
            backend: *backend,
            because: format!("because of {sign}"),
        }),
        [] => Err(Error::new(format!(
            "the dependencies of `{}` do not say which database it is for",
            package.name
        ))
        .help("turn on the feature of its driver, as production needs it: `cargo add sqlx --features postgres`, \
               `cargo add sea-orm --features sqlx-postgres`; or say it for the tests alone: `--backend postgres`, `sqlite` or `mysql`")),
        several => {
            if let Some(named) = by_url(project, package)
                && several.iter().any(|(backend, _)| *backend == named)
            {
                return Ok(Database {
                    backend: named,
                    because: "because of `DATABASE_URL` in `.env`".to_owned(),
                });
            }
            let signs = listed(several.iter().map(|(_, sign)| sign.clone()));
            let options = listed(several.iter().map(|(backend, _)| format!("`--backend {backend}`")));
            Err(Error::new(format!(
                "`{}` is for several databases, by {signs}",
                package.name
            ))
            .help(format!("say which one the first test is for: {options}")))
        }
    }
}

/// The databases that the features of drivers show, each once, with the feature.
fn signs(package: &Package) -> Vec<(Backend, String)> {
    let by_default = turned_on_by_default(package);
    let mut found = Vec::new();
    for (backend, signs) in SIGNS {
        let sign = signs.iter().find(|(name, feature)| {
            let mut named = member::dependencies(package, name);
            named.any(|named| named.features.iter().any(|on| on == feature))
                || by_default.contains(&format!("{name}/{feature}"))
        });
        if let Some((name, feature)) = sign {
            found.push((backend, format!("the feature `{feature}` of {name}")));
        }
    }
    found
}

/// What the feature `default` of a package turns on, as its manifest writes it.
fn turned_on_by_default(package: &Package) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    let mut next = vec!["default".to_owned()];
    while let Some(name) = next.pop() {
        let on = package.features.get(&name).into_iter().flatten();
        let on = on.map(|feature| feature.replace("?/", "/"));
        next.extend(on.filter(|feature| all.insert(feature.clone())));
    }
    all
}

/// The database of `DATABASE_URL` in the file `.env` that sqlx and SeaORM read.
fn by_url(project: &Project, package: &Package) -> Option<Backend> {
    let directory = package.manifest_path.parent()?.as_std_path();
    let mut directories = directory
        .ancestors()
        .take_while(|above| above.starts_with(&project.root));
    let text = directories.find_map(|above| fs::read_to_string(above.join(".env")).ok())?;
    let line = text.lines().find_map(|line| {
        let line = line.trim().trim_start_matches("export ");
        line.strip_prefix("DATABASE_URL=")
    })?;
    let scheme = line.trim_matches(['"', '\'']).split(':').next()?;
    match scheme {
        "sqlite" => Some(Backend::Sqlite),
        "postgres" | "postgresql" => Some(Backend::Postgres),
        "mysql" | "mariadb" => Some(Backend::MySql),
        _ => None,
    }
}

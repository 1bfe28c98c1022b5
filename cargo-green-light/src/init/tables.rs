//! Where the tables of a project come from: migrations of SeaORM or in SQL, or entities.

use cargo_metadata::Package;

use crate::error::Error;
use crate::init::member;
use crate::init::migrations::{SqlMigrations, Table};
use crate::init::modules::Modules;
use crate::print::{count, listed};
use crate::project::Project;

#[derive(Debug)]
pub(crate) struct Tables {
    pub(crate) source: Source,
    /// The modules of entities that tests of the package can name.
    pub(crate) entities: Vec<String>,
    /// The package of the workspace that holds them, other than the one with the tests.
    pub(crate) holder: Option<Package>,
}

#[derive(Debug)]
pub(crate) enum Source {
    /// A type that is SeaORM's `MigratorTrait`.
    Migrator(String),
    /// By `sqlx::migrate!`, or as plain files; the path as the package writes it.
    Sql {
        path: String,
        count: usize,
        by_macro: bool,
        tables: Vec<Table>,
    },
    /// The entities.
    Entities,
}

impl Tables {
    /// The feature of green-light that reads them.
    pub(crate) fn feature(&self) -> Option<&'static str> {
        match self.source {
            Source::Migrator(_) => Some("sea-orm-migration"),
            Source::Sql { by_macro: true, .. } => Some("sqlx"),
            Source::Sql { .. } | Source::Entities => None,
        }
    }

    /// What was found, for people.
    pub(crate) fn words(&self) -> String {
        match &self.source {
            Source::Migrator(name) => match &self.holder {
                Some(holder) => format!(
                    "the migrations of SeaORM `{name}`, in the package `{}`",
                    holder.name
                ),
                None => format!("the migrations of SeaORM `{name}`"),
            },
            Source::Sql {
                path,
                count: files,
                by_macro,
                ..
            } => format!(
                "{} in `{path}`, {}",
                count(*files, "migration"),
                match by_macro {
                    true => "read by `sqlx::migrate!`",
                    false => "read as files of SQL",
                }
            ),
            Source::Entities => {
                let names = listed(self.entities.iter().map(|name| format!("`{name}`")));
                let entities = match &self.entities[..] {
                    [_] => "1 entity".to_owned(),
                    all => format!("{} entities", all.len()),
                };
                format!("no migrations, and {entities} of SeaORM: {names}")
            }
        }
    }

    /// The package that the tests need and the manifest does not name.
    pub(crate) fn missing_dependency(&self, package: &Package) -> Option<&Package> {
        let holder = self.holder.as_ref();
        holder.filter(|holder| !member::depends_on(package, &holder.name))
    }
}

/// What there is, of which one is chosen.
struct Found {
    /// What a user writes for it after `--from`.
    name: String,
    source: Source,
    holder: Option<Package>,
}

/// Looks into the package and those beside it.
///
/// # Errors
///
/// When there is nothing, or more than one source of migrations, and `from` names none of them.
pub(crate) fn find(
    project: &Project,
    package: &Package,
    from: Option<&str>,
) -> Result<Tables, Error> {
    let own = Modules::of(package);
    let others: Vec<(&Package, Modules)> = beside(project, package);
    let mut entities = own.entities.clone();
    let known = others
        .iter()
        .filter(|(other, _)| member::depends_on(package, &other.name));
    entities.extend(known.flat_map(|(_, modules)| modules.entities.clone()));
    let migrator = |name: &String, holder: Option<&Package>| Found {
        name: name.clone(),
        source: Source::Migrator(name.clone()),
        holder: holder.cloned(),
    };
    let mut found: Vec<Found> = own
        .migrators
        .iter()
        .map(|name| migrator(name, None))
        .collect();
    for (other, modules) in &others {
        found.extend(
            modules
                .migrators
                .iter()
                .map(|name| migrator(name, Some(other))),
        );
    }
    // A workspace may have migrations of several services: those that the package names are its own.
    let is_own = |found: &Found| {
        let holder = found.holder.as_ref();
        holder.is_none_or(|holder| member::depends_on(package, &holder.name))
    };
    if found.iter().any(is_own) {
        found.retain(is_own);
    }
    found.extend(in_sql(project, package));
    let chosen =
        match (from, found.len()) {
            (None, 0) if !entities.is_empty() && member::depends_on(package, "sea-orm") => None,
            (None, 0) => return Err(nothing(project, package, &own, &others)),
            (None, 1) => found.pop(),
            (None, _) => return Err(several(package, &found)),
            (Some(name), _) => match found.iter().position(|found| is_meant(name, &found.name)) {
                Some(at) => Some(found.swap_remove(at)),
                None if name == "entities" && !entities.is_empty() => None,
                None => {
                    let mut names: Vec<_> = found.into_iter().map(|found| found.name).collect();
                    names.extend((!entities.is_empty()).then(|| "entities".to_owned()));
                    let names = listed(names.iter().map(|name| format!("`{name}`")));
                    return Err(Error::new(format!(
                        "`--from {name}` names nothing that was found"
                    ))
                    .help(match names.is_empty() {
                        true => "leave it out: `init` then says what it has looked for".to_owned(),
                        false => format!("write one of {names}"),
                    }));
                }
            },
        };
    Ok(match chosen {
        Some(Found { source, holder, .. }) => Tables {
            source,
            entities,
            holder,
        },
        None => Tables {
            source: Source::Entities,
            entities,
            holder: None,
        },
    })
}

fn is_meant(written: &str, name: &str) -> bool {
    let plain = |text: &str| {
        text.trim_start_matches("./")
            .trim_end_matches('/')
            .to_owned()
    };
    plain(written) == plain(name)
}

/// The other members of the workspace that use SeaORM, with what is in them.
fn beside<'a>(project: &'a Project, package: &Package) -> Vec<(&'a Package, Modules)> {
    let others = project.members.iter().filter(|other| {
        let uses = ["sea-orm", "sea-orm-migration"];
        other.id != package.id && uses.iter().any(|name| member::depends_on(other, name))
    });
    others.map(|other| (other, Modules::of(other))).collect()
}

/// The directory `migrations` of the package, or else of the workspace.
fn in_sql(project: &Project, package: &Package) -> Option<Found> {
    let directory = package.manifest_path.parent()?.as_std_path();
    let mut directories = directory
        .ancestors()
        .take_while(|above| above.starts_with(&project.root));
    let found = directories.find_map(|above| SqlMigrations::read(&above.join("migrations")))?;
    let up = directory.strip_prefix(found.directory.parent()?).ok()?;
    let path = format!("{}migrations", "../".repeat(up.components().count()));
    // An optional dependency is not there in every run.
    let by_macro = found.is_of_sqlx
        && member::dependencies(package, "sqlx").any(|sqlx| {
            let has = |name| sqlx.features.iter().any(|on| on == name);
            let by_default = sqlx.uses_default_features;
            !sqlx.optional && (by_default || (has("migrate") && has("macros")))
        });
    Some(Found {
        name: path.clone(),
        source: Source::Sql {
            path,
            count: found.count,
            by_macro,
            tables: found.tables,
        },
        holder: None,
    })
}

fn several(package: &Package, found: &[Found]) -> Error {
    let names = |before: &str| {
        listed(
            found
                .iter()
                .map(|found| format!("`{before}{}`", found.name)),
        )
    };
    Error::new(format!(
        "`{}` has migrations in several places: {}",
        package.name,
        names("")
    ))
    .help(format!(
        "say which of them make the tables of its tests: {}",
        names("--from ")
    ))
}

/// What was looked for, and what helps.
fn nothing(
    project: &Project,
    package: &Package,
    own: &Modules,
    others: &[(&Package, Modules)],
) -> Error {
    let name = &package.name;
    let hidden = own.hidden.iter();
    let mut hidden = hidden.chain(others.iter().flat_map(|(_, modules)| &modules.hidden));
    if let Some((path, file)) = hidden.next() {
        let file = file.strip_prefix(&project.root).unwrap_or(file).display();
        let has_library = member::library(package).is_some();
        return Error::new(format!("tests cannot name `{path}`, which is in `{file}`")).help(
            match has_library {
                true => "write `pub` before it and before the modules that it stands in".to_owned(),
                false => format!(
                    "`{name}` is a program without a library: move its modules from `src/main.rs` to `src/lib.rs`, with `pub`, \
                     and let `main.rs` call them; tests in `tests/` see the library"
                ),
            },
        );
    }
    if let Some((other, modules)) = others
        .iter()
        .find(|(_, modules)| !modules.entities.is_empty())
    {
        return Error::new(format!(
            "`{name}` does not depend on `{}`, which has the entity `{}`",
            other.name, modules.entities[0]
        ))
        .help(format!(
            "`cargo add --dev --package {name} --path {}`, then `cargo green-light init` again",
            other
                .manifest_path
                .parent()
                .map(ToString::to_string)
                .unwrap_or_default()
        ));
    }
    Error::new(format!(
        "`{name}` has nothing that tables could be made of; looked for\n    \
         * a directory `migrations` with files of SQL, beside its `Cargo.toml` or in the workspace\n    \
         * migrations of SeaORM: a type with `impl MigratorTrait`, here or in another package of the workspace\n    \
         * entities of SeaORM: `#[derive(DeriveEntityModel)]`"
    ))
    .help(
        "with sqlx: `mkdir migrations`, write `CREATE TABLE ..` into `migrations/0001_tables.sql`; with SeaORM: write an entity; \
         then `cargo green-light init` again. For tables from elsewhere (another driver, a dump, code), and for tests without a \
         database: https://green-light-rs.github.io/green-light/start/others.html",
    )
}

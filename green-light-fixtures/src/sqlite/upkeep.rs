//! The databases of failed tests that are kept in files, as a person sees them.

use std::fs;

use crate::database_pool::BoxFuture;
use crate::driver::listed_database::{DatabaseState, ListedDatabase, Shell, not_there};
use crate::driver::upkeep::Upkeep;
use crate::error::{Error, Kind};
use crate::files::base;
use crate::sqlite::driver::SqliteDriver;
use crate::sqlite::file::{beside, kept_directory};
use crate::sqlite::url::url_of_file;
use crate::url::DatabaseUrl;

fn listed() -> Result<Vec<ListedDatabase>, Error> {
    let files = fs::read_dir(kept_directory()?)
        .into_iter()
        .flatten()
        .flatten();
    let files = files.filter(|file| file.path().extension().is_some_and(|end| end == "sqlite"));
    let mut found: Vec<ListedDatabase> = files
        .filter_map(|file| {
            let path = file.path();
            let metadata = file.metadata().ok()?;
            let name = path.file_stem()?.to_string_lossy().into_owned();
            // Behind it is the time.
            let test = name.rsplit_once('-').map(|(test, _)| test.to_owned());
            Some(ListedDatabase {
                name,
                state: DatabaseState::Kept,
                test,
                process: None,
                age: metadata.modified().ok()?.elapsed().ok(),
                size: Some(metadata.len()),
                sessions: 0,
                url: url_of_file(&path),
            })
        })
        .collect();
    found.sort_by_key(|found| (std::cmp::Reverse(found.age), found.name.clone()));
    Ok(found)
}

fn named(name: &str) -> Result<ListedDatabase, Error> {
    let found = listed()?.into_iter().find(|found| found.name == name);
    found.ok_or_else(|| not_there(name))
}

impl Upkeep for SqliteDriver {
    fn list_databases(&self) -> BoxFuture<'_, Result<Vec<ListedDatabase>, Error>> {
        Box::pin(async { listed() })
    }

    fn keep_database<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move { named(name)?.may_be_kept() })
    }

    fn drop_database<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            named(name)?.may_be_dropped()?;
            let path = kept_directory()?.join(format!("{name}.sqlite"));
            for suffix in ["-wal", "-shm", "-journal"] {
                // Mostly there is none.
                let _ = fs::remove_file(beside(&path, suffix));
            }
            fs::remove_file(&path).map_err(|error| {
                let fact = format!("`{}` cannot be removed: {error}", path.display());
                Error::new(Kind::Directory, fact).help(base::cure(error.kind()))
            })
        })
    }

    fn shell(&self, url: &DatabaseUrl) -> Shell {
        let path = url.path().unwrap_or_default();
        Shell {
            programs: &["sqlite3"],
            arguments: vec![path.display().to_string()],
            password: None,
            directory: None,
            install: "`apt-get install sqlite3`, `brew install sqlite`",
        }
    }
}

//! Fixtures, one idea at a time.

use std::{fs, io, path::PathBuf};

use green_light::prelude::*;
use sea_orm::{ConnectionTrait, DbErr};
use tempfile::TempDir;

#[fixture]
fn directory() -> io::Result<TempDir> {
    tempfile::tempdir()
}

#[fixture]
async fn config(directory: &TempDir) -> io::Result<PathBuf> {
    let path = directory.path().join("shop.toml");
    tokio::fs::write(&path, "currency = 'EUR'").await?;
    Ok(path)
}

#[green_light::test]
async fn the_shop_reads_its_file(config: PathBuf, directory: &TempDir) {
    assert!(config.starts_with(directory.path()));
    assert_eq!(fs::read_to_string(config).unwrap(), "currency = 'EUR'");
}

/// A guest, who is written into the database.
#[fixture]
async fn guest(
    session: &Session,
    #[default("ann".to_owned())] name: String,
) -> Result<String, DbErr> {
    let insert = format!("INSERT INTO guest (name) VALUES ('{name}')");
    session.execute_unprepared(&insert).await?;
    Ok(name)
}

#[green_light::test]
async fn two_guests(
    guest: &str,
    #[from(guest)]
    #[with(name = "bob".to_owned())]
    other: &str,
) {
    assert_eq!((guest, other), ("ann", "bob"));
}

#[green_light::test(uses(guest))]
async fn somebody_is_here(session: Session) -> Result<(), DbErr> {
    let all = session
        .execute_unprepared("UPDATE guest SET name = name")
        .await?;
    assert_eq!(all.rows_affected(), 1);
    Ok(())
}

mod prices {
    use green_light::prelude::*;

    #[fixture]
    fn currency() -> String {
        "EUR".to_owned()
    }

    #[fixture]
    fn price(currency: &str) -> String {
        format!("10 {currency}")
    }

    #[green_light::test]
    fn in_euros(price: &str) {
        assert_eq!(price, "10 EUR");
    }

    mod abroad {
        use super::*;

        #[fixture(overrides = super::currency)]
        fn currency() -> String {
            "JPY".to_owned()
        }

        #[green_light::test]
        fn in_yen(price: &str) {
            assert_eq!(price, "10 JPY");
        }
    }
}

mod cleanup {
    use super::*;

    #[fixture(autouse)]
    async fn every_test_here_begins_with_a_guest(session: &Session) -> Result<(), DbErr> {
        let insert = "INSERT INTO guest (name) VALUES ('eve')";
        session.execute_unprepared(insert).await.map(drop)
    }

    #[green_light::test]
    async fn eve_is_here(session: Session) -> Result<(), DbErr> {
        let again = "INSERT INTO guest (name) VALUES ('eve')";
        assert!(session.execute_unprepared(again).await.is_err());
        Ok(())
    }

    #[fixture]
    fn two_files(directory: &TempDir, request: &Request) -> io::Result<()> {
        for name in ["one", "two"] {
            let path = directory.path().join(name);
            fs::write(&path, name)?;
            // Runs after the test, and also if the second file cannot be written.
            request.on_teardown(async move { fs::remove_file(path) });
        }
        Ok(())
    }

    #[green_light::test(uses(two_files))]
    fn there_are_two(directory: &TempDir) -> io::Result<()> {
        assert_eq!(fs::read_dir(directory.path())?.count(), 2);
        Ok(())
    }
}

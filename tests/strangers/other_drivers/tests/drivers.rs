//! Each test has a database of its own, by its URL, and so has each seed.

use green_light::{NewDatabase, prelude::*};

mod on_mysql {
    use super::*;
    use mysql_async::{Conn, Error, Opts, Pool, prelude::*};
    use other_drivers::{guests, sign_in_two};

    #[fixture(overrides = green_light::fixtures::backend)]
    fn backend() -> Backend {
        Backend::MySql
    }

    async fn seed(db: &NewDatabase) -> Result<(), Error> {
        let mut connection = Conn::from_url(db.url()).await?;
        let insert = "INSERT INTO guest (name) VALUES ('eve')";
        connection.query_drop(insert).await?;
        connection.disconnect().await
    }

    #[fixture(overrides = green_light::fixtures::schema)]
    fn schema() -> Schema {
        let table = "CREATE TABLE guest (id SERIAL PRIMARY KEY, name VARCHAR(100) NOT NULL UNIQUE)";
        Schema::sql(table).then(Schema::run("eve", seed))
    }

    #[fixture]
    async fn pool(database_url: &str, out: Yield<Pool>) -> Result<(), Error> {
        let pool = Pool::from_url(database_url)?;
        out.give(pool.clone()).await;
        pool.disconnect().await
    }

    #[green_light::test]
    async fn two_sign_in(pool: Pool, database_url: &str) -> Result<(), Error> {
        sign_in_two(&pool, ["ann", "bob"]).await?;
        let mut other = Conn::new(Opts::from_url(database_url)?).await?;
        assert_eq!(guests(&mut other).await?, ["eve", "ann", "bob"]);
        other.disconnect().await
    }

    #[green_light::test]
    async fn nobody_signs_in_twice(pool: Pool) -> Result<(), Error> {
        sign_in_two(&pool, ["ann", "ann"]).await.unwrap_err();
        let mut other = pool.get_conn().await?;
        assert_eq!(guests(&mut other).await?, ["eve"]);
        Ok(())
    }
}

mod on_sqlite {
    use super::*;
    use other_drivers::{days, write_two};
    use rusqlite::Connection;

    #[fixture(overrides = green_light::fixtures::backend)]
    fn backend() -> Backend {
        Backend::Sqlite
    }

    #[fixture(overrides = green_light::fixtures::schema)]
    fn schema() -> Schema {
        let table = Schema::sql("CREATE TABLE day (text TEXT NOT NULL UNIQUE)");
        table.then(Schema::run("a day", async |db| {
            let path = db.url().path().expect("SQLite is in a file here");
            let diary = Connection::open(path)?;
            diary
                .execute("INSERT INTO day VALUES ('one')", [])
                .map(drop)
        }))
    }

    #[fixture(fresh)]
    fn diary(database_url: &str) -> rusqlite::Result<Connection> {
        // `sqlite:///directory/file` is `file:///directory/file` in the words of SQLite itself.
        Connection::open(database_url.replacen("sqlite:", "file:", 1))
    }

    #[green_light::test]
    fn two_days(mut diary: Connection) -> rusqlite::Result<()> {
        write_two(&mut diary, ["two", "three"])?;
        assert_eq!(days(&diary)?, ["one", "two", "three"]);
        Ok(())
    }

    #[green_light::test]
    fn no_day_twice(mut diary: Connection) -> rusqlite::Result<()> {
        write_two(&mut diary, ["two", "two"]).unwrap_err();
        assert_eq!(days(&diary)?, ["one"]);
        Ok(())
    }

    #[green_light::test(isolation = database)]
    fn by_a_path(session: Session) -> rusqlite::Result<()> {
        let path = session.url().path().expect("SQLite is in a file here");
        assert_eq!(days(&Connection::open(path)?)?, ["one"]);
        Ok(())
    }
}

//! `schema` is overridden for a module, and each module has a database of its own.

use green_light::prelude::*;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement};

pub(crate) async fn number(db: &impl ConnectionTrait, sql: &str) -> Result<i64, DbErr> {
    let row = db
        .query_one_raw(Statement::from_string(DbBackend::Sqlite, sql))
        .await?;
    row.ok_or(DbErr::RecordNotFound(sql.to_owned()))?
        .try_get_by_index(0)
}

const TABLES: &str = "SELECT count(*) FROM sqlite_schema WHERE type = 'table'";

#[green_light::test]
async fn without_an_override_there_are_no_tables(session: Session) -> Result<(), DbErr> {
    assert_eq!(number(&session, TABLES).await?, 0);
    Ok(())
}

mod one_table {
    use super::*;

    async fn ann(db: &DatabaseConnection) -> Result<(), DbErr> {
        db.execute_unprepared("INSERT INTO author (name) VALUES ('ann')")
            .await
            .map(drop)
    }

    #[fixture(overrides = green_light::fixtures::schema)]
    fn schema() -> Schema {
        Schema::sql("CREATE TABLE author (name TEXT UNIQUE)").seed(ann)
    }

    #[green_light::test]
    async fn the_seed_is_there_and_can_be_deleted(session: Session) -> Result<(), DbErr> {
        assert_eq!(number(&session, TABLES).await?, 1);
        assert_eq!(number(&session, "SELECT count(*) FROM author").await?, 1);
        session.execute_unprepared("DELETE FROM author").await?;
        Ok(())
    }

    #[green_light::test]
    async fn and_is_there_again_in_another_test(session: Session) -> Result<(), DbErr> {
        assert_eq!(number(&session, "SELECT count(*) FROM author").await?, 1);
        session.execute_unprepared("DELETE FROM author").await?;
        Ok(())
    }
}

mod two_tables {
    use super::*;

    #[fixture(overrides = green_light::fixtures::schema)]
    fn schema() -> Schema {
        Schema::sql("CREATE TABLE author (name TEXT); CREATE TABLE book (title TEXT)")
    }

    #[green_light::test]
    async fn another_module_has_another_database(session: Session) -> Result<(), DbErr> {
        assert_eq!(number(&session, TABLES).await?, 2);
        Ok(())
    }
}

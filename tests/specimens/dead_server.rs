//! A server that ends under its tests.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use green_light::prelude::*;
use sea_orm::{ConnectionTrait, DbErr, Statement};

/// Kills the server of a session, as the system does when it has no memory left.
async fn kill(session: &Session) -> Result<(), DbErr> {
    let sql = match session.backend() {
        Backend::Postgres => "SHOW data_directory",
        _ => "SELECT @@datadir",
    };
    let sql = Statement::from_string(session.get_database_backend(), sql);
    let row = session.query_one_raw(sql).await?.expect("a row");
    let data: String = row.try_get_by_index(0)?;
    let home = Path::new(&data).parent().expect("the home of the server");
    let number = std::fs::read_to_string(home.join("server.pid")).expect("its number");
    let killed = Command::new("kill").args(["-9", number.trim()]).status();
    assert!(killed.expect("`kill` runs").success());
    Ok(())
}

#[green_light::test(backends(postgres, mysql))]
async fn a_kills_it(session: Session) -> Result<(), DbErr> {
    kill(&session).await?;
    loop {
        session.execute_unprepared("SELECT 1").await?;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[green_light::test(backends(postgres, mysql))]
async fn b_comes_too_late(session: Session) -> Result<(), DbErr> {
    session.execute_unprepared("SELECT 1").await.map(drop)
}

//! A thousand tests in one binary: one runtime, one pool, one engine and one template for all.
//!
//! `crowded.rs` runs this binary again and again, and counts what it leaves behind.

use std::net::SocketAddr;
use std::sync::Arc;

use green_light::prelude::*;
use sea_orm::ConnectionTrait;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;

#[fixture(overrides = green_light::fixtures::schema, scope = "process")]
fn schema() -> Schema {
    Schema::sql("CREATE TABLE visit (id INTEGER PRIMARY KEY, test TEXT NOT NULL UNIQUE)")
}

/// An echo server: its sockets die with the runtime they were made on.
#[fixture(scope = "process")]
async fn echo() -> Result<SocketAddr, std::io::Error> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut byte = [0];
                while socket.read_exact(&mut byte).await.is_ok() {
                    let _ = socket.write_all(&byte).await;
                }
            });
        }
    });
    Ok(address)
}

type Pool = Arc<Vec<Mutex<TcpStream>>>;

/// Connections made by whichever test comes first, and used by all.
#[fixture(scope = "process")]
async fn pool(echo: &SocketAddr) -> Result<Pool, std::io::Error> {
    let mut connections = Vec::new();
    for _ in 0..4 {
        connections.push(Mutex::new(TcpStream::connect(echo).await?));
    }
    Ok(Arc::new(connections))
}

async fn ask(pool: &Pool, byte: u8) -> std::io::Result<u8> {
    let mut connection = pool[usize::from(byte) % pool.len()].lock().await;
    connection.write_all(&[byte]).await?;
    let mut answer = [0];
    connection.read_exact(&mut answer).await?;
    Ok(answer[0])
}

/// What each of the thousand tests does: every name is unique, so a row of another test collides.
async fn visit(session: &Session, pool: &Pool, byte: u8) -> Result<(), Box<dyn std::error::Error>> {
    assert_eq!(ask(pool, byte).await?, byte);
    session
        .execute_unprepared("INSERT INTO visit (test) VALUES ('the same for all')")
        .await?;
    let rows = session.query_all_raw(count(session)).await?;
    assert_eq!(rows[0].try_get::<i64>("", "visits")?, 1);
    Ok(())
}

fn count(session: &Session) -> sea_orm::Statement {
    let backend = session.get_database_backend();
    sea_orm::Statement::from_string(backend, "SELECT count(*) AS visits FROM visit")
}

macro_rules! tests {
    ($($name:ident)*) => {$(
        #[green_light::test]
        async fn $name(session: &Session, pool: &Pool) -> Result<(), Box<dyn std::error::Error>> {
            visit(session, pool, stringify!($name).as_bytes()[1]).await
        }
    )*};
}

macro_rules! modules {
    ($($module:ident)*) => {$(
        mod $module {
            use crate::{Pool, pool, session, visit};
            use green_light::Session;

            tests!(t0 t1 t2 t3 t4 t5 t6 t7 t8 t9);
        }
    )*};
}

macro_rules! groups {
    ($($group:ident)*) => {$(
        mod $group {
            modules!(m0 m1 m2 m3 m4 m5 m6 m7 m8 m9);
        }
    )*};
}

groups!(g0 g1 g2 g3 g4 g5 g6 g7 g8 g9);

//! One runtime for all tests of the process.

use std::sync::Arc;

use green_light::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;

/// An echo server: it dies with the runtime it was made on.
#[fixture(scope = "process")]
async fn echo() -> Result<std::net::SocketAddr, std::io::Error> {
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

/// A pool of connections, made by whichever test comes first.
#[fixture(scope = "process")]
async fn pool(echo: &std::net::SocketAddr) -> Result<Arc<Vec<Mutex<TcpStream>>>, std::io::Error> {
    let mut connections = Vec::new();
    for _ in 0..4 {
        connections.push(Mutex::new(TcpStream::connect(echo).await?));
    }
    Ok(Arc::new(connections))
}

async fn ask(connection: &Mutex<TcpStream>, byte: u8) -> std::io::Result<u8> {
    let mut connection = connection.lock().await;
    connection.write_all(&[byte]).await?;
    let mut answer = [0];
    connection.read_exact(&mut answer).await?;
    Ok(answer[0])
}

macro_rules! tests {
    ($($name:ident)*) => {$(
        #[green_light::test]
        async fn $name(pool: &Arc<Vec<Mutex<TcpStream>>>) -> Result<(), std::io::Error> {
            for (byte, connection) in (7u8..).zip(pool.iter()) {
                assert_eq!(ask(connection, byte).await?, byte);
            }
            Ok(())
        }
    )*};
}

tests!(a_pool_serves_this_test a_pool_serves_that_test a_pool_serves_every_test);

//! A shared fixture with teardown, and one that undoes its steps.
//! Run it with `cargo test --example teardown`.

use std::net::SocketAddr;

use green_light::prelude::*;
use tokio::net::TcpListener;

#[fixture(scope = "process")]
async fn server(out: Yield<SocketAddr>) -> Result<(), std::io::Error> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let accepting = tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    out.give(address).await; // the tests run here
    accepting.abort(); // teardown
    Ok(())
}

#[fixture]
fn url(server: &SocketAddr) -> String {
    format!("http://{server}/")
}

#[green_light::test]
async fn listens(server: &SocketAddr, url: &str) -> Result<(), std::io::Error> {
    tokio::net::TcpStream::connect(server).await?;
    assert_eq!(url, format!("http://{server}/"));
    Ok(())
}

fn main() {}

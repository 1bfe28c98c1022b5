//! A server for a test, and a client that is connected to it.

use bookings::rpc::bookings_client::BookingsClient;
use green_light::prelude::*;
use sqlx::MySqlPool;
use tokio::{net::TcpListener, sync::oneshot};
use tonic::transport::Channel;

pub type Client = BookingsClient<Channel>;

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// A client of a server that writes into the database of the test. The server ends before the database does.
#[fixture]
pub async fn client(mysql_pool: MySqlPool, out: Yield<Client>) -> Result<(), Failed> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}", listener.local_addr()?);
    let (stop, stopped) = oneshot::channel::<()>();
    let server = green_light::spawn(bookings::serve(mysql_pool, listener, async {
        let _ = stopped.await;
    }));
    out.give(Client::connect(address).await?).await;
    drop(stop);
    server.await??;
    Ok(())
}

//! The server.

use std::{future::Future, io};

use sqlx::MySqlPool;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;

use crate::{rpc::bookings_server::BookingsServer, service::Hotel};

/// Serves the bookings of `db` until `stop` is ready.
///
/// # Errors
///
/// If the server cannot go on.
pub async fn serve(
    db: MySqlPool,
    listener: TcpListener,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    Server::builder()
        .add_service(BookingsServer::new(Hotel::new(db)))
        .serve_with_incoming_shutdown(TcpListenerStream::new(listener), stop)
        .await
        .map_err(io::Error::other)
}

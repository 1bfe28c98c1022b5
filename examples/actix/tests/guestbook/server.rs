//! The service on a real socket.

// guide: server
use std::io;

use actix_web::{App, HttpServer};
use green_light::prelude::*;
use guestbook::routes;

/// A running service.
pub(crate) struct Server {
    pub(crate) url: String,
}

/// Serves on a free port while the test runs, and ends before its database does.
#[fixture]
pub(crate) async fn server(session: &Session, out: Yield<Server>) -> io::Result<()> {
    let db = session.connection().clone();
    let server = HttpServer::new(move || App::new().configure(routes(db.clone())))
        .workers(1)
        .disable_signals()
        .bind(("127.0.0.1", 0))?;
    let url = format!("http://{}", server.addrs()[0]);
    let server = server.run();
    let handle = server.handle();
    let serving = tokio::spawn(server);
    out.give(Server { url }).await; // the test runs here
    // A worker gives a connection back in a task of its own, which must not end with the worker.
    session.ping().await.map_err(io::Error::other)?;
    handle.stop(true).await;
    serving.await?
}
// guide: end

//! Serves the bookshop.
//!
//! `DATABASE_URL` names the database (an SQLite file beside the service unless set) and `ADDRESS`
//! where to listen (`127.0.0.1:3000`). The tables are brought up to date first; Ctrl-C ends the
//! service after the requests under way.

use std::{env, error::Error};

use bookshop::{app, migration::Migrator};
use sea_orm::Database;
use sea_orm_migration::MigratorTrait;
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn"));
    tracing_subscriber::fmt().with_env_filter(filter).init();

    let url = variable("DATABASE_URL", "sqlite://bookshop.sqlite?mode=rwc");
    let db = Database::connect(url).await?;
    Migrator::up(&db, None).await?;

    let listener = TcpListener::bind(variable("ADDRESS", "127.0.0.1:3000")).await?;
    tracing::info!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app(db))
        .with_graceful_shutdown(interrupted())
        .await?;
    Ok(())
}

fn variable(name: &str, otherwise: &str) -> String {
    env::var(name).unwrap_or_else(|_| otherwise.to_owned())
}

async fn interrupted() {
    if let Err(error) = tokio::signal::ctrl_c().await {
        // Serving until killed is better than not serving.
        tracing::warn!(%error, "cannot listen for Ctrl-C");
        std::future::pending::<()>().await;
    }
}

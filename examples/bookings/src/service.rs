//! What the service does.

use std::pin::Pin;

use futures_util::{Stream, StreamExt as _};
use sqlx::{MySqlPool, error::ErrorKind};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use crate::{
    message::{Booked, Booking, Night},
    rpc::bookings_server::Bookings,
};

/// How many bookings are read ahead of the client.
const AHEAD: usize = 16;

/// The bookings of a database.
pub struct Hotel {
    db: MySqlPool,
}

impl Hotel {
    #[must_use]
    pub fn new(db: MySqlPool) -> Self {
        Self { db }
    }
}

#[tonic::async_trait]
impl Bookings for Hotel {
    async fn book(&self, request: Request<Booking>) -> Result<Response<Booked>, Status> {
        let Booking { room, night, guest } = request.into_inner();
        let insert = "INSERT INTO booking (room, night, guest) VALUES (?, ?, ?)";
        let insert = sqlx::query(insert).bind(room).bind(&night).bind(guest);
        let done = insert.execute(&self.db).await;
        let done = done.map_err(|error| refusal(room, &night, &error))?;
        let id = done.last_insert_id();
        Ok(Response::new(Booked { id }))
    }

    type ListStream = Pin<Box<dyn Stream<Item = Result<Booking, Status>> + Send>>;

    async fn list(&self, request: Request<Night>) -> Result<Response<Self::ListStream>, Status> {
        let (sender, receiver) = mpsc::channel(AHEAD);
        let (db, Night { night }) = (self.db.clone(), request.into_inner());
        tokio::spawn(async move {
            let select = "SELECT room, night, guest FROM booking WHERE night = ? ORDER BY room";
            let mut rows = sqlx::query_as(select).bind(night).fetch(&db);
            while let Some(row) = rows.next().await {
                let row = row
                    .map(|(room, night, guest)| Booking { room, night, guest })
                    .map_err(|error| Status::internal(error.to_string()));
                if sender.send(row).await.is_err() {
                    return;
                }
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }
}

fn refusal(room: i32, night: &str, error: &sqlx::Error) -> Status {
    match error.as_database_error().map(|refusal| refusal.kind()) {
        Some(ErrorKind::UniqueViolation) => {
            Status::already_exists(format!("room {room} is taken on {night}"))
        }
        Some(ErrorKind::ForeignKeyViolation) => {
            Status::not_found(format!("there is no room {room}"))
        }
        _ => Status::internal(error.to_string()),
    }
}

//! The service: read the book, write into it.

use actix_web::{
    HttpResponse,
    error::{ErrorConflict, ErrorInternalServerError},
    web,
};
use sea_orm::{
    ActiveModelTrait, DatabaseConnection, DbErr, EntityTrait, QueryOrder, Set, SqlErr,
    TransactionTrait,
};
use serde::Deserialize;

use crate::entry;

/// What a guest sends.
#[derive(Debug, Deserialize)]
struct NewEntry {
    guest: String,
    text: String,
}

/// The routes of the service, on this database.
pub fn routes(db: DatabaseConnection) -> impl FnOnce(&mut web::ServiceConfig) {
    move |config| {
        config.app_data(web::Data::new(db)).service(
            web::resource("/entries")
                .route(web::get().to(read))
                .route(web::post().to(write)),
        );
    }
}

async fn read(db: web::Data<DatabaseConnection>) -> actix_web::Result<HttpResponse> {
    let entries = entry::Entity::find()
        .order_by_asc(entry::Column::Id)
        .all(db.as_ref())
        .await
        .map_err(ErrorInternalServerError)?;
    Ok(HttpResponse::Ok().json(entries))
}

async fn write(
    db: web::Data<DatabaseConnection>,
    new: web::Json<NewEntry>,
) -> actix_web::Result<HttpResponse> {
    let entry = insert(&db, new.into_inner()).await.map_err(|error| {
        if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) {
            return ErrorConflict("this guest has written already");
        }
        ErrorInternalServerError(error)
    })?;
    Ok(HttpResponse::Created().json(entry))
}

async fn insert(db: &DatabaseConnection, new: NewEntry) -> Result<entry::Model, DbErr> {
    let transaction = db.begin().await?;
    let entry = entry::ActiveModel {
        guest: Set(new.guest),
        text: Set(new.text),
        ..Default::default()
    };
    let entry = entry.insert(&transaction).await?;
    transaction.commit().await?;
    Ok(entry)
}

//! What the client is told when something went wrong (RFC 9457).
//!
//! The one place that knows which error has which status. Of a failing database the client learns
//! nothing but that; the log has the rest.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::Error;

/// A problem document.
#[derive(Clone, Debug, Serialize)]
pub struct Problem {
    /// Which kind of problem it is, for programs.
    #[serde(rename = "type")]
    kind: String,
    /// The status in words.
    title: &'static str,
    /// The status, again.
    status: u16,
    /// What happened, for people.
    detail: String,
    /// The field of the request at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'static str>,
    /// The book that ran short.
    #[serde(skip_serializing_if = "Option::is_none")]
    book_id: Option<i32>,
    /// How many copies of it are left.
    #[serde(skip_serializing_if = "Option::is_none")]
    available: Option<i32>,
}

impl Problem {
    /// A problem of this kind, which is a word or two with hyphens.
    pub(super) fn new(status: StatusCode, kind: &str, detail: String) -> Self {
        Self {
            kind: format!("urn:bookshop:{kind}"),
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail,
            field: None,
            book_id: None,
            available: None,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self)).into_response();
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        response
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let detail = error.to_string();
        match error {
            Error::NotFound { .. } => Self::new(StatusCode::NOT_FOUND, "not-found", detail),
            Error::UnknownReference { .. } => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "unknown-reference",
                detail,
            ),
            Error::Invalid { field, .. } => Self {
                field: Some(field),
                ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail)
            },
            Error::Duplicate { field, .. } => Self {
                field: Some(field),
                ..Self::new(StatusCode::CONFLICT, "duplicate", detail)
            },
            Error::OutOfStock {
                book_id, available, ..
            } => Self {
                book_id: Some(book_id),
                available: Some(available),
                ..Self::new(StatusCode::CONFLICT, "out-of-stock", detail)
            },
            Error::AlreadyCancelled { .. } => {
                Self::new(StatusCode::CONFLICT, "already-cancelled", detail)
            }
            Error::Database(cause) => {
                tracing::error!(%cause, "the database failed");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
            }
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        Problem::from(self).into_response()
    }
}

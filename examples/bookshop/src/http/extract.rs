//! Bodies, queries and paths of requests, refused with a problem document.
//!
//! axum's own extractors refuse with plain text; these wrap them and say the same as a [`Problem`].

use axum::{
    Json,
    extract::{FromRequest, FromRequestParts, Path, Query, Request, rejection},
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use serde::de::DeserializeOwned;

use super::problem::Problem;

/// A JSON body.
pub(super) struct Body<T>(pub(super) T);

/// The query of a URL.
pub(super) struct Params<T>(pub(super) T);

/// The `{id}` of a path. One that is no number is nothing that exists.
pub(super) struct Id(pub(super) i32);

/// Why a request was refused before the shop saw it.
pub(super) struct Refused {
    status: StatusCode,
    kind: &'static str,
    detail: String,
}

impl Refused {
    fn malformed(status: StatusCode, detail: String) -> Self {
        Self {
            status,
            kind: "malformed",
            detail,
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        Problem::new(self.status, self.kind, self.detail).into_response()
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refused> {
        match Json::<T>::from_request(request, state).await {
            Ok(Json(body)) => Ok(Self(body)),
            Err(error) => Err(Refused::malformed(error.status(), error.body_text())),
        }
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(params)) => Ok(Self(params)),
            Err(error) => Err(Refused::malformed(error.status(), error.body_text())),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        match Path::<i32>::from_request_parts(parts, state).await {
            Ok(Path(id)) => Ok(Self(id)),
            Err(rejection::PathRejection::FailedToDeserializePathParams(_)) => {
                let detail = format!("there is nothing at {}", parts.uri.path());
                Err(Refused {
                    status: StatusCode::NOT_FOUND,
                    kind: "no-route",
                    detail,
                })
            }
            Err(error) => Err(Refused::malformed(error.status(), error.body_text())),
        }
    }
}

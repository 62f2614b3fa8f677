//! What handlers take from a request. Whatever does not parse is a problem with a stable code.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::header;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::app::App;
use crate::problem::Refusal;

/// A JSON body.
#[derive(Debug)]
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Arc<App>> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Refusal> {
        match Json::from_request(request, app).await {
            Ok(Json(body)) => Ok(Self(body)),
            Err(JsonRejection::MissingJsonContentType(_)) => {
                Err(Refusal::new(415, "content_type").detail("send application/json"))
            }
            Err(rejection) if rejection.status() == 413 => Err(Refusal::new(413, "body_too_large")),
            Err(rejection) => Err(Refusal::new(400, "body_invalid").detail(rejection.body_text())),
        }
    }
}

/// The variable parts of an address.
#[derive(Debug)]
pub(super) struct Params<T>(pub(super) T);

impl<T: DeserializeOwned + Send> FromRequestParts<Arc<App>> for Params<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Refusal> {
        match Path::from_request_parts(parts, app).await {
            Ok(Path(params)) => Ok(Self(params)),
            Err(rejection) => Err(Refusal::new(400, "path_invalid").detail(rejection.body_text())),
        }
    }
}

/// Whoever holds the operators' token.
#[derive(Debug)]
pub(super) struct Operator;

impl FromRequestParts<Arc<App>> for Operator {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Refusal> {
        let token = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "));
        if token.is_some_and(|token| app.operator.admits(token)) {
            return Ok(Self);
        }
        Err(Refusal::new(401, "operator_required").detail("send Authorization: Bearer <operator token>"))
    }
}

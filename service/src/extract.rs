//! What handlers take from a request, parsed once. Whatever does not parse is a problem with a code, never plain text.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::JsonRejection;
use axum::extract::{self, FromRequest, FromRequestParts, Request};
use axum::http::header;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::config::OperatorToken;
use crate::problem::ProblemResponse;

/// A JSON body. Values that are not canonical do not get past here: each noun refuses them while it is decoded.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = ProblemResponse;

    async fn from_request(request: Request, state: &S) -> Result<Self, ProblemResponse> {
        match extract::Json::from_request(request, state).await {
            Ok(extract::Json(body)) => Ok(Self(body)),
            Err(JsonRejection::MissingJsonContentType(_)) => {
                Err(ProblemResponse::new(415, "content_type").detail("send application/json"))
            }
            Err(rejection) => Err(body_refused(rejection.status().as_u16(), &rejection.body_text())),
        }
    }
}

/// A body of bytes.
#[derive(Debug)]
pub struct Body(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = ProblemResponse;

    async fn from_request(request: Request, state: &S) -> Result<Self, ProblemResponse> {
        match Bytes::from_request(request, state).await {
            Ok(body) => Ok(Self(body)),
            Err(rejection) => Err(body_refused(rejection.status().as_u16(), &rejection.body_text())),
        }
    }
}

fn body_refused(status: u16, detail: &str) -> ProblemResponse {
    match status {
        413 => ProblemResponse::new(413, "body_too_large"),
        _ => ProblemResponse::new(400, "body_invalid").detail(detail),
    }
}

/// The nouns in an address.
#[derive(Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = ProblemResponse;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ProblemResponse> {
        match extract::Path::from_request_parts(parts, state).await {
            Ok(extract::Path(nouns)) => Ok(Self(nouns)),
            Err(rejection) => Err(ProblemResponse::new(400, "path_invalid").detail(rejection.body_text())),
        }
    }
}

/// A query.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ProblemResponse;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ProblemResponse> {
        match extract::Query::from_request_parts(parts, state).await {
            Ok(extract::Query(query)) => Ok(Self(query)),
            Err(rejection) => Err(ProblemResponse::new(400, "query_invalid").detail(rejection.body_text())),
        }
    }
}

/// Something that operators operate: what their token is.
pub trait Operated {
    /// What `Authorization: Bearer` has to show.
    fn operator_token(&self) -> &OperatorToken;
}

/// Whoever holds the operators' token.
#[derive(Debug)]
pub struct Operator;

impl<A: Operated + Send + Sync> FromRequestParts<Arc<A>> for Operator {
    type Rejection = ProblemResponse;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<A>) -> Result<Self, ProblemResponse> {
        let shown = parts.headers.get(header::AUTHORIZATION);
        let shown = shown.and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
        if shown.is_some_and(|token| app.operator_token().admits(token)) {
            return Ok(Self);
        }
        Err(ProblemResponse::new(401, "operator_required")
            .detail("send Authorization: Bearer <operator token>"))
    }
}

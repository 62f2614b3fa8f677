//! What comes in, parsed once. Everything that cannot be parsed is a problem with a code, never plain text.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, JsonRejection};
use axum::extract::{self, FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::problem::Problem;
use crate::server::App;

fn body_refused(status: StatusCode, detail: &str) -> Problem {
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(status, "body_too_large"),
        _ => Problem::new(StatusCode::BAD_REQUEST, "body_invalid").detail(detail),
    }
}

/// A JSON body. Non-canonical values do not get past here: each noun refuses them while it is decoded.
pub(super) struct Json<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let refused = |error: JsonRejection| body_refused(error.status(), &error.body_text());
        extract::Json::from_request(request, state)
            .await
            .map(|extract::Json(body)| Self(body))
            .map_err(refused)
    }
}

/// A body of bytes.
pub(super) struct Body(pub(super) Bytes);

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let refused = |error: BytesRejection| body_refused(error.status(), &error.body_text());
        Bytes::from_request(request, state).await.map(Self).map_err(refused)
    }
}

/// A noun in the path.
pub(super) struct Path<T>(pub(super) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        extract::Path::from_request_parts(parts, state).await.map(|extract::Path(noun)| Self(noun)).map_err(
            |error| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "path_invalid").detail(error.body_text()),
        )
    }
}

/// A query.
pub(super) struct Query<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        extract::Query::from_request_parts(parts, state)
            .await
            .map(|extract::Query(query)| Self(query))
            .map_err(|error| {
                Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "query_invalid").detail(error.body_text())
            })
    }
}

/// Proof that an operator asks.
pub(super) struct Operator;

impl FromRequestParts<Arc<App>> for Operator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let shown = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.as_bytes().strip_prefix(b"Bearer "))
            .unwrap_or_default();
        // Digests, so that the comparison takes as long for a token of any length.
        let expected = Sha256::digest(app.config.operator_token.expose());
        if bool::from(Sha256::digest(shown).as_slice().ct_eq(expected.as_slice())) {
            Ok(Self)
        } else {
            Err(Problem::new(StatusCode::UNAUTHORIZED, "operator_unauthorized"))
        }
    }
}

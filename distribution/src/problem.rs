//! Errors as they leave the server: [`Refusal`] is a [`Problem`] that can answer a request.
//!
//! Every code a client may meet stands here or in the module whose error it is. Causes go to the log, never to clients.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use unum_identity::problem::{CONTENT_TYPE, Problem};

use crate::store::{StoreError, chain};

/// Seconds after which a client whose request met a database that was away should try again.
const RETRY_AFTER: u64 = 2;

/// A problem on its way out.
#[derive(Debug)]
pub(crate) struct Refusal(pub(crate) Problem);

impl Refusal {
    pub(crate) fn new(status: u16, code: &'static str) -> Self {
        Self(Problem::new(status, code))
    }

    pub(crate) fn detail(self, detail: impl Into<String>) -> Self {
        Self(self.0.detail(detail))
    }

    pub(crate) fn retry_after(self, seconds: u64) -> Self {
        Self(self.0.retry_after(seconds))
    }

    /// Something is wrong with us; the log says what.
    pub(crate) fn internal() -> Self {
        Self::new(500, "internal")
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Unavailable(_)
            | StoreError::Lost(_)
            | StoreError::InDoubt(_)
            | StoreError::Conflict(_) => {
                tracing::warn!(error = chain(&error), "database");
                Self::new(503, "unavailable")
                    .detail("try the same request again: nothing is ever done twice")
                    .retry_after(RETRY_AFTER)
            }
            StoreError::Statement(_) | StoreError::Damaged(_) => {
                tracing::error!(error = chain(&error), "database");
                Self::internal()
            }
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self(problem) = self;
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&problem).expect("a problem has only texts and numbers");
        let mut response = (status, [(header::CONTENT_TYPE, CONTENT_TYPE)], body).into_response();
        if let Some(seconds) = problem.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

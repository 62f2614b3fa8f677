//! Errors as they leave a server: a [`Problem`] that can answer a request. Causes go to the log here, never to clients.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use unum_identity::problem::{CONTENT_TYPE, Problem};

use crate::store::{StoreError, chain};

/// When to come back while Postgres is away, in seconds: a restart takes about as long.
const RETRY_AFTER: u64 = 2;

/// A problem on its way out.
#[derive(Clone, Debug)]
pub struct ProblemResponse(pub Problem);

impl ProblemResponse {
    /// A problem without detail.
    pub fn new(status: u16, code: &'static str) -> Self {
        Self(Problem::new(status, code))
    }

    /// Says more to people.
    #[must_use]
    pub fn detail(self, detail: impl std::fmt::Display) -> Self {
        Self(self.0.detail(detail.to_string()))
    }

    /// Says when to come back.
    #[must_use]
    pub fn retry_after(self, seconds: u64) -> Self {
        Self(self.0.retry_after(seconds))
    }

    /// Something is wrong with us; the log says what.
    pub fn internal() -> Self {
        Self::new(500, "internal")
    }

    /// The stable name, for metrics.
    pub fn code(&self) -> &str {
        &self.0.code
    }
}

impl IntoResponse for ProblemResponse {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after = self.0.retry_after;
        let mut response = (status, Json(self.0)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl From<StoreError> for ProblemResponse {
    fn from(error: StoreError) -> Self {
        let causes = chain(&error);
        match error {
            StoreError::Statement(_) | StoreError::Damaged(_) | StoreError::Outdated { .. } => {
                tracing::error!(causes, "the database refused or is damaged");
                Self::internal()
            }
            StoreError::Unavailable(_)
            | StoreError::Overtaken(_)
            | StoreError::Lost(_)
            | StoreError::InDoubt(_)
            | StoreError::Conflict(_) => {
                tracing::warn!(causes, "the database gave no answer");
                Self::new(503, "unavailable").retry_after(RETRY_AFTER)
            }
        }
    }
}

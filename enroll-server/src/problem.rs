//! Errors as they leave the server: `application/problem+json`, made in one place. Causes go to the log here.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use unum_identity::problem::{self, CONTENT_TYPE};

use crate::enrollment::{EnrollError, Refusal};
use crate::published::PublishedError;
use crate::store::{StoreError, chain};
use crate::verify::VerifyError;

/// When to come back while Postgres is away, in seconds: a restart takes about as long.
const RETRY_AFTER: u64 = 2;

/// [`problem::Problem`] as a response.
#[derive(Clone, Debug)]
pub(crate) struct Problem(problem::Problem);

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str) -> Self {
        Self(problem::Problem::new(status.as_u16(), code))
    }

    pub(crate) fn detail(self, detail: impl std::fmt::Display) -> Self {
        Self(self.0.detail(detail.to_string()))
    }

    pub(crate) fn retry_after(self, seconds: u64) -> Self {
        Self(self.0.retry_after(seconds))
    }

    /// The request took longer than it may.
    pub(crate) fn timeout() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable").retry_after(RETRY_AFTER)
    }

    /// A fault of ours.
    pub(crate) fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal")
    }

    /// The stable name, for metrics.
    pub(crate) fn code(&self) -> &str {
        &self.0.code
    }
}

impl IntoResponse for Problem {
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

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let causes = chain(&error);
        match error {
            StoreError::Statement(_) | StoreError::Damaged(_) => {
                tracing::error!(causes, "the database refused or is damaged");
                Self::internal()
            }
            StoreError::Unavailable(_)
            | StoreError::Lost(_)
            | StoreError::InDoubt(_)
            | StoreError::Conflict(_) => {
                tracing::warn!(causes, "the database gave no answer");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable").retry_after(RETRY_AFTER)
            }
        }
    }
}

impl From<PublishedError> for Problem {
    fn from(error: PublishedError) -> Self {
        match error {
            PublishedError::Unknown => Self::new(StatusCode::NOT_FOUND, "commitment_unknown"),
            PublishedError::Size(error) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "size_invalid").detail(error)
            }
            PublishedError::Store(error) => error.into(),
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let detail = refusal.to_string();
        let (status, code) = match refusal {
            Refusal::Malformed => (StatusCode::BAD_REQUEST, "envelope_malformed"),
            Refusal::DeviceUnknown => (StatusCode::UNAUTHORIZED, "device_unknown"),
            Refusal::Signature => (StatusCode::UNAUTHORIZED, "signature_invalid"),
            Refusal::DeviceRevoked => (StatusCode::FORBIDDEN, "device_revoked"),
            Refusal::NonceUnknown => (StatusCode::UNPROCESSABLE_ENTITY, "nonce_unknown"),
            Refusal::NonceExpired => (StatusCode::UNPROCESSABLE_ENTITY, "nonce_expired"),
            Refusal::NonceUsed => (StatusCode::CONFLICT, "nonce_used"),
            Refusal::Counter { .. } => (StatusCode::CONFLICT, "counter_not_rising"),
            Refusal::Commitment => (StatusCode::UNPROCESSABLE_ENTITY, "commitment_invalid"),
            Refusal::CommitmentKnown => (StatusCode::CONFLICT, "commitment_known"),
            Refusal::Consent { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "consent_outdated"),
            Refusal::Unfit(_) | Refusal::TooLittleOverlap { .. } => {
                (StatusCode::UNPROCESSABLE_ENTITY, "recapture")
            }
            Refusal::Duplicate => (StatusCode::CONFLICT, "duplicate"),
            Refusal::SetFull => (StatusCode::INSUFFICIENT_STORAGE, "set_full"),
        };
        Self::new(status, code).detail(detail)
    }
}

impl From<EnrollError> for Problem {
    fn from(error: EnrollError) -> Self {
        match error {
            EnrollError::Refused(refusal) => refusal.into(),
            EnrollError::Store(error) => error.into(),
        }
    }
}

impl From<VerifyError> for Problem {
    fn from(error: VerifyError) -> Self {
        let detail = error.to_string();
        let (status, code) = match error {
            VerifyError::NullifierUsed { .. } => (StatusCode::CONFLICT, "nullifier_used"),
            VerifyError::RootUnknown => (StatusCode::UNPROCESSABLE_ENTITY, "root_unknown"),
            VerifyError::RootExpired => (StatusCode::UNPROCESSABLE_ENTITY, "root_expired"),
            VerifyError::Proof => (StatusCode::UNPROCESSABLE_ENTITY, "proof_invalid"),
            VerifyError::Store(error) => return error.into(),
        };
        Self::new(status, code).detail(detail)
    }
}

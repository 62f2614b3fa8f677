//! Which code each refusal has. What a code means to a client is in the API's description.

use service::ProblemResponse;

use crate::apps::AppError;
use crate::bridge::BridgeError;
use crate::enrollment::{EnrollError, Refusal};
use crate::erasure::ErasureError;
use crate::limits::TooMany;
use crate::published::PublishedError;
use crate::verify::VerifyError;

/// When to come back while the queue is full, in seconds: by then half of it has been judged, if it takes 20 ms each.
const BUSY_FOR: u64 = 10;

/// When to ask for an answer again, in seconds: a pass over a large set takes about as long.
const WAITS_FOR: u64 = 2;

/// When to come back while too many proofs are under way, in seconds: a thousand are checked by then.
const PROOFS_FOR: u64 = 1;

/// When to come back while too many requests are open, in seconds: of those of a quarter of an hour, a fifteenth is over by then.
const MAILBOXES_FOR: u64 = 60;

impl From<PublishedError> for ProblemResponse {
    fn from(error: PublishedError) -> Self {
        match error {
            PublishedError::Unknown => Self::new(404, "commitment_unknown"),
            PublishedError::Size(error) => Self::new(422, "size_invalid").detail(error),
            PublishedError::Store(error) => error.into(),
        }
    }
}

impl From<Refusal> for ProblemResponse {
    fn from(refusal: Refusal) -> Self {
        let detail = refusal.to_string();
        let (status, code) = match refusal {
            Refusal::Busy => return Self::new(503, "busy").detail(detail).retry_after(BUSY_FOR),
            Refusal::Waits => return Self::new(503, "unavailable").detail(detail).retry_after(WAITS_FOR),
            Refusal::Quarantined => (422, "quarantined"),
            Refusal::Malformed => (400, "envelope_malformed"),
            Refusal::DeviceUnknown => (401, "device_unknown"),
            Refusal::Signature => (401, "signature_invalid"),
            Refusal::DeviceRevoked => (403, "device_revoked"),
            Refusal::NonceUnknown => (422, "nonce_unknown"),
            Refusal::NonceExpired => (422, "nonce_expired"),
            Refusal::NonceUsed => (409, "nonce_used"),
            Refusal::Counter { .. } => (409, "counter_not_rising"),
            Refusal::Commitment => (422, "commitment_invalid"),
            Refusal::CommitmentKnown => (409, "commitment_known"),
            Refusal::Consent { .. } => (422, "consent_outdated"),
            Refusal::Unfit(_) | Refusal::TooLittleOverlap { .. } => (422, "recapture"),
            Refusal::Duplicate => (409, "duplicate"),
            Refusal::NotEnrolled => (404, "not_enrolled"),
            Refusal::NotOnePerson => (409, "not_one_person"),
            Refusal::RecoveredLately { .. } => (409, "recovered_lately"),
            Refusal::SetFull => (507, "set_full"),
        };
        Self::new(status, code).detail(detail)
    }
}

impl From<EnrollError> for ProblemResponse {
    fn from(error: EnrollError) -> Self {
        match error {
            EnrollError::Refused(refusal) => refusal.into(),
            EnrollError::Store(error) => error.into(),
        }
    }
}

impl From<ErasureError> for ProblemResponse {
    fn from(error: ErasureError) -> Self {
        let detail = error.to_string();
        match error {
            ErasureError::Opening => Self::new(422, "opening_invalid").detail(detail),
            ErasureError::Unknown => Self::new(404, "commitment_unknown").detail(detail),
            ErasureError::Store(error) => error.into(),
        }
    }
}

impl From<AppError> for ProblemResponse {
    fn from(error: AppError) -> Self {
        let detail = error.to_string();
        let (status, code) = match error {
            AppError::Unknown => (404, "app_unknown"),
            AppError::Known => (409, "app_known"),
            AppError::Text => (422, "text_invalid"),
            AppError::Set(_) => (422, "set_unknown"),
            AppError::NoUses => (422, "max_uses_invalid"),
            AppError::Narrower(_) => (409, "action_narrower"),
            AppError::Store(error) => return error.into(),
        };
        Self::new(status, code).detail(detail)
    }
}

impl From<BridgeError> for ProblemResponse {
    fn from(error: BridgeError) -> Self {
        let detail = error.to_string();
        let (status, code) = match error {
            BridgeError::Unknown => (404, "request_unknown"),
            BridgeError::Late => (400, "request_over"), // not 404: so says World's bridge
            BridgeError::Answered => (409, "request_answered"),
            BridgeError::Taken => (409, "request_taken"),
            BridgeError::Iv => (422, "iv_invalid"),
            BridgeError::Full => {
                return Self::new(503, "bridge_full").detail(detail).retry_after(MAILBOXES_FOR);
            }
            BridgeError::Store(error) => return error.into(),
        };
        Self::new(status, code).detail(detail)
    }
}

impl From<TooMany> for ProblemResponse {
    fn from(error: TooMany) -> Self {
        Self::new(429, "too_many_requests").detail(error).retry_after(error.seconds)
    }
}

impl From<VerifyError> for ProblemResponse {
    fn from(error: VerifyError) -> Self {
        let detail = error.to_string();
        let (status, code) = match error {
            VerifyError::AppUnknown => (404, "app_unknown"),
            VerifyError::ActionUnknown => (404, "action_unknown"),
            VerifyError::ActionClosed => (422, "action_closed"),
            VerifyError::DayWrong { .. } => (422, "day_wrong"),
            VerifyError::DayOver { .. } => (422, "day_over"),
            VerifyError::NullifierUsed { .. } => (409, "nullifier_used"),
            VerifyError::RootUnknown => (422, "root_unknown"),
            VerifyError::RootExpired => (422, "root_expired"),
            VerifyError::SetNotAccepted { .. } => (422, "set_not_accepted"),
            VerifyError::Proof => (422, "proof_invalid"),
            VerifyError::TooMany(error) => return error.into(),
            VerifyError::Busy => return Self::new(503, "busy").detail(detail).retry_after(PROOFS_FOR),
            VerifyError::BrokenDown => return Self::internal(),
            VerifyError::Store(error) => return error.into(),
        };
        Self::new(status, code).detail(detail)
    }
}

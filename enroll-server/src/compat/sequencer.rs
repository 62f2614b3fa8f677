//! The signup sequencer's read side: paths of people in the set, and proofs verified without counting anybody.
//!
//! Its write side, `insertIdentity` and `deleteIdentity`, has no counterpart: people come through devices. What is in the set is
//! "mined" from the first moment.

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use circuits::Public;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service::ProblemResponse;
use unum_identity::enrollment::InclusionProof;
use unum_identity::field::{Commitment, ExternalNullifier, FieldElement, Nullifier, Root, SignalHash};
use unum_identity::proof::ProofBytes;
use unum_identity::set::MerklePath;
use unum_identity::time::UnixTime;

use super::hex::Loose;
use super::proof::{self, ProofError};
use super::shape;
use crate::published::PublishedError;
use crate::server::App;
use crate::store::log;
use crate::verify::{self, Held, VerifyError};

/// Where a set stands in their life of one: ours has no other state.
const MINED: &str = "mined";

/// Whose path.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PathRequest {
    identity_commitment: Loose,
}

/// A path, as the older address gives it.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct PathAndStatus {
    /// Always `mined`.
    status: &'static str,
    root: Root,
    proof: MerklePath,
    /// Always null.
    message: Option<String>,
}

/// A path, as the newer address gives it.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct Path {
    root: Root,
    proof: MerklePath,
}

/// A statement, and how old its root may be.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ProofRequest {
    root: Loose,
    signal_hash: Loose,
    nullifier_hash: Loose,
    external_nullifier_hash: Loose,
    proof: Value,
    /// Of the newer address; the older one has it in its query.
    #[serde(default)]
    max_root_age_seconds: Option<u64>,
}

/// How old the root may be.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Age {
    max_root_age_seconds: Option<u64>,
}

/// That a proof holds, as the older addresses say it.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct RootStatus {
    root: Root,
    /// Always `mined`.
    status: &'static str,
    /// The last moment at which the root was the newest, RFC 3339: now, unless it was replaced.
    pending_valid_as_of: String,
    /// The same.
    mined_valid_as_of: String,
}

/// Whether a proof holds, as the newer address says it.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct Validity {
    valid: bool,
}

/// Why the answer is no, as the newer addresses say it. The older ones say the words alone.
struct Refusal {
    status: StatusCode,
    id: &'static str,
    words: String,
    retry_after: Option<u64>,
}

impl Refusal {
    fn new(status: StatusCode, id: &'static str, words: impl Into<String>) -> Self {
        Self { status, id, words: words.into(), retry_after: None }
    }

    fn bad(id: &'static str, words: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, id, words)
    }

    fn in_words(self) -> Response {
        let content = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
        let body = (content, self.words).into_response();
        shape::with(self.status, self.retry_after.map(HeaderValue::from), body)
    }

    fn with_id(self) -> Response {
        let body = Json(shape::sequencer_error(self.id, &self.words)).into_response();
        shape::with(self.status, self.retry_after.map(HeaderValue::from), body)
    }

    /// What has the status and the time to come back of a problem.
    fn of_problem(problem: ProblemResponse) -> Self {
        let problem = problem.0;
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let id = match problem.status {
            429 => "too_many_requests",
            503 if problem.code == "busy" => "prover_error",
            _ => "internal_error",
        };
        let words = problem.detail.unwrap_or_else(|| id.to_owned());
        Self { retry_after: problem.retry_after, ..Self::new(status, id, words) }
    }
}

impl From<PublishedError> for Refusal {
    fn from(error: PublishedError) -> Self {
        match error {
            PublishedError::Unknown | PublishedError::Size(_) => {
                Self::new(StatusCode::NOT_FOUND, "not_found", "provided identity commitment not found")
            }
            PublishedError::Store(error) => Self::of_problem(error.into()),
        }
    }
}

impl From<VerifyError> for Refusal {
    /// The words are those that the portal looks for.
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::RootUnknown => Self::bad("invalid_root", "invalid root"),
            VerifyError::RootExpired => {
                Self::bad("root_too_old", "Root provided in semaphore proof is too old.")
            }
            VerifyError::Proof => Self::bad("invalid_proof", "invalid semaphore proof"),
            other => Self::of_problem(other.into()),
        }
    }
}

impl From<ProofError> for Refusal {
    fn from(error: ProofError) -> Self {
        match error {
            ProofError::Form => {
                Self::bad("invalid_request", "invalid JSON request: the proof has none of the known forms")
            }
            ProofError::Compressed => Self::bad("decompressing_proof_error", "invalid semaphore proof"),
        }
    }
}

fn body<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(bytes)
        .map_err(|error| Refusal::bad("invalid_request", format!("invalid JSON request: {error}")))
}

/// `POST /inclusionProof`.
pub(crate) async fn inclusion_proof(app: &App, bytes: &[u8]) -> Response {
    let path = async {
        let PathRequest { identity_commitment: Loose(commitment) } = body(bytes)?;
        path(app, commitment).await
    };
    match path.await {
        Ok(InclusionProof { root, path, .. }) => {
            Json(PathAndStatus { status: MINED, root, proof: path, message: None }).into_response()
        }
        Err(refusal) => refusal.in_words(),
    }
}

/// `GET /v2/identities/{commitment}/inclusion-proof`.
pub(crate) async fn identity_path(app: &App, commitment: &str) -> Response {
    let path = async { path(app, commitment_of(commitment)?).await };
    match path.await {
        Ok(InclusionProof { root, path, .. }) => Json(Path { root, proof: path }).into_response(),
        Err(refusal) => refusal.with_id(),
    }
}

fn commitment_of(text: &str) -> Result<FieldElement, Refusal> {
    if let Some(Loose(commitment)) = Loose::parse(text) {
        return Ok(commitment);
    }
    let digits = text.strip_prefix("0x").unwrap_or(text);
    if (1..=64).contains(&digits.len()) && digits.bytes().all(|c| c.is_ascii_hexdigit()) {
        return Err(Refusal::bad(
            "unreduced_commitment",
            "provided identity commitment is not in reduced form",
        ));
    }
    Err(Refusal::bad("invalid_path_param", "a commitment has 1 to 64 hex digits"))
}

async fn path(app: &App, commitment: FieldElement) -> Result<InclusionProof, Refusal> {
    if commitment == FieldElement::ZERO {
        return Err(Refusal::bad("invalid_commitment", "provided identity commitment is invalid"));
    }
    let commitment = Commitment(commitment);
    match app.published.inclusion_proof(&app.store, commitment, None).await {
        Err(PublishedError::Unknown) => {
            let place =
                app.store.run_tx("find_leaf", |tx| async move { log::place_of(&tx, commitment).await });
            match place.await.map_err(PublishedError::from)? {
                Some(_) => Err(Refusal::new(
                    StatusCode::GONE,
                    "deleted_commitment",
                    "provided identity commitment was deleted",
                )),
                None => Err(PublishedError::Unknown.into()),
            }
        }
        path => Ok(path?),
    }
}

/// In which form an address takes proofs.
#[derive(Clone, Copy)]
pub(crate) enum Form {
    /// Eight words, or four padded to eight.
    Full,
    /// Four words.
    Compressed,
}

/// `POST /verifySemaphoreProof` and `POST /verifyCompressedSemaphoreProof`.
pub(crate) async fn verify_proof(app: &App, form: Form, age: Option<Age>, bytes: &[u8]) -> Response {
    let held = async {
        let age =
            age.ok_or_else(|| Refusal::bad("invalid_request", "maxRootAgeSeconds is a number of seconds"))?;
        let request: ProofRequest = body(bytes)?;
        if request.max_root_age_seconds.is_some() {
            return Err(Refusal::bad("invalid_request", "maxRootAgeSeconds stands in the query"));
        }
        let root = Root(request.root.0);
        let Held { replaced_at, .. } = hold(app, form, age.max_root_age_seconds, request).await?;
        Ok((root, replaced_at.unwrap_or(app.clock.now())))
    };
    let held = held.await;
    count(app, held.as_ref().err());
    match held {
        Ok((root, as_of)) => Json(RootStatus::of(root, as_of)).into_response(),
        Err(refusal) => refusal.in_words(),
    }
}

impl RootStatus {
    fn of(root: Root, as_of: UnixTime) -> Self {
        let as_of = verify::rfc3339(as_of);
        Self { root, status: MINED, pending_valid_as_of: as_of.clone(), mined_valid_as_of: as_of }
    }
}

/// `POST /v2/semaphore-proof/verify`.
pub(crate) async fn validity(app: &App, bytes: &[u8]) -> Response {
    let held = async {
        let request: ProofRequest = body(bytes)?;
        let age = request.max_root_age_seconds;
        hold(app, Form::Full, age, request).await.map(|_| ())
    };
    let held = held.await;
    count(app, held.as_ref().err());
    match held {
        Ok(()) => Json(Validity { valid: true }).into_response(),
        Err(refusal) if refusal.id == "invalid_proof" => Json(Validity { valid: false }).into_response(),
        Err(refusal) => refusal.with_id(),
    }
}

fn count(app: &App, refusal: Option<&Refusal>) {
    app.count_verification("sequencer", refusal.map_or("verified", |refusal| refusal.id));
}

async fn hold(app: &App, form: Form, age: Option<u64>, request: ProofRequest) -> Result<Held<'_>, Refusal> {
    let proof: ProofBytes = match form {
        Form::Full => proof::read(&request.proof)?,
        Form::Compressed => proof::read_compressed(&request.proof)?,
    };
    let public = Public {
        root: Root(request.root.0),
        nullifier: Nullifier(request.nullifier_hash.0),
        signal_hash: SignalHash(request.signal_hash.0),
        external_nullifier: ExternalNullifier(request.external_nullifier_hash.0),
    };
    let window = app.config.root_window();
    let window = age.map_or(window, |seconds| Duration::from_secs(seconds).min(window));
    Ok(verify::hold(app, public, proof, window).await?)
}

//! The developer portal's `POST /api/v2/verify/{app_id}`, with its body, its answer and its codes.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use circuits::Public;
use serde::Serialize;
use serde_json::{Map, Value};
use service::ProblemResponse;
use unum_identity::action::{Act, split_daily_action};
use unum_identity::field::{FieldElement, Nullifier, Root, SignalHash};
use unum_identity::hash::hash_signal;
use unum_identity::proof::ProofBytes;

use super::hex::Loose;
use super::proof::{self, ProofError};
use super::shape;
use crate::server::App;
use crate::verify::{self, Consumed, Target, VerifyError};

/// Bounds of `max_age` in seconds: an hour and a week.
const AGES: std::ops::RangeInclusive<u64> = 3600..=604_800;
/// What a client may say about how its user was verified. Here everybody was, by a device.
const LEVELS: [&str; 6] = ["orb", "secure_document", "document", "device", "face", "selfie"];
/// What we say about it.
const LEVEL: &str = "orb";
const KEYS: [&str; 7] =
    ["action", "signal_hash", "proof", "nullifier_hash", "merkle_root", "verification_level", "max_age"];

/// What a client asks.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    action: String,
    signal_hash: SignalHash,
    proof: ProofBytes,
    nullifier: Nullifier,
    root: Root,
    max_age: Option<Duration>,
}

/// The answer to a proof that counts.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct Success {
    /// How often this human has done it now.
    uses: u64,
    /// Always `true`.
    success: bool,
    /// As it was asked.
    action: String,
    /// How often they may.
    max_uses: u32,
    /// 0x and 64 digits, whatever spelling was sent.
    nullifier_hash: Nullifier,
    /// When it was used first, RFC 3339.
    created_at: String,
    /// Always `orb`.
    verification_level: &'static str,
    /// For people.
    message: &'static str,
}

/// Why the answer is no, as the portal says it.
#[derive(Debug, PartialEq)]
struct Refusal {
    status: StatusCode,
    code: &'static str,
    detail: String,
    attribute: Option<String>,
    retry_after: Option<u64>,
}

impl Refusal {
    fn new(code: &'static str, detail: impl Into<String>, attribute: Option<&str>) -> Self {
        let (status, attribute) = (StatusCode::BAD_REQUEST, attribute.map(str::to_owned));
        Self { status, code, detail: detail.into(), attribute, retry_after: None }
    }

    fn required(attribute: &str) -> Self {
        Self::new("required", "this attribute is required", Some(attribute))
    }

    fn format(attribute: &str, expected: &str) -> Self {
        Self::new("invalid_format", expected, Some(attribute))
    }
}

/// Answers a request for an app.
pub(crate) async fn verify(app: &App, app_id: &str, body: &[u8]) -> Response {
    let result = answer(app, app_id, body).await;
    app.count_verification("portal", result.as_ref().map_or_else(|refusal| refusal.code, |_| "verified"));
    match result {
        Ok(success) => Json(success).into_response(),
        Err(Refusal { status, code, detail, attribute, retry_after }) => {
            let body = Json(shape::portal_error(code, &detail, attribute.as_deref(), app_id));
            shape::with(status, retry_after.map(HeaderValue::from), body.into_response())
        }
    }
}

async fn answer(app: &App, app_id: &str, body: &[u8]) -> Result<Success, Refusal> {
    let asked = parse(body)?;
    let (action, day) = match split_daily_action(&asked.action) {
        Some((action, day)) => (action, Some(day)),
        None => (asked.action.as_str(), None),
    };
    let act = Act { app_id: app_id.to_owned(), action: action.to_owned(), day };
    let public = Public {
        root: asked.root,
        nullifier: asked.nullifier,
        signal_hash: asked.signal_hash,
        external_nullifier: act.scope(),
    };
    let window = app.config.root_window();
    let window = asked.max_age.map_or(window, |age| age.min(window));
    let target = Target::parse(app_id, action, day)?;
    let Consumed { used, max_uses, .. } = verify::consume(app, &target, public, asked.proof, window).await?;
    Ok(Success {
        uses: used.uses,
        success: true,
        action: asked.action,
        max_uses,
        nullifier_hash: asked.nullifier,
        created_at: verify::rfc3339(used.first_at),
        verification_level: LEVEL,
        message: "the proof holds",
    })
}

fn parse(body: &[u8]) -> Result<Asked, Refusal> {
    let Ok(Value::Object(body)) = serde_json::from_slice(body) else {
        return Err(Refusal::new("invalid_format", "the body is not a JSON object", None));
    };
    let unknown: BTreeSet<_> = body.keys().filter(|key| !KEYS.contains(&key.as_str())).collect();
    if let Some(key) = unknown.first() {
        return Err(Refusal::format(key, "there is no such attribute"));
    }
    let proof = present(&body, "proof").ok_or_else(|| Refusal::required("proof"))?;
    let proof = proof::read(proof).map_err(|error| match error {
        ProofError::Form => {
            Refusal::format("proof", "neither 512 hex digits nor nested lists of eight words")
        }
        ProofError::Compressed => {
            Refusal::new("invalid_proof", "the compressed words stand for no proof", None)
        }
    })?;
    let level = text(&body, "verification_level")?.ok_or_else(|| Refusal::required("verification_level"))?;
    if !LEVELS.contains(&level) {
        return Err(Refusal::format("verification_level", "there is no such level"));
    }
    let element = |key: &str| element(&body, key)?.ok_or_else(|| Refusal::required(key));
    Ok(Asked {
        action: text(&body, "action")?.unwrap_or_default().to_owned(),
        signal_hash: self::element(&body, "signal_hash")?.map_or_else(|| hash_signal(""), SignalHash),
        proof,
        nullifier: Nullifier(element("nullifier_hash")?),
        root: Root(element("merkle_root")?),
        max_age: max_age(&body)?,
    })
}

/// Null is the same as absent.
fn present<'a>(body: &'a Map<String, Value>, key: &str) -> Option<&'a Value> {
    body.get(key).filter(|value| !value.is_null())
}

fn text<'a>(body: &'a Map<String, Value>, key: &str) -> Result<Option<&'a str>, Refusal> {
    let text = |value: &'a Value| value.as_str().ok_or_else(|| Refusal::format(key, "not a text"));
    present(body, key).map(text).transpose()
}

fn element(body: &Map<String, Value>, key: &str) -> Result<Option<FieldElement>, Refusal> {
    let wrong = || Refusal::format(key, "not 1 to 64 hex digits of a number below the field's order");
    let Some(text) = text(body, key)? else { return Ok(None) };
    Loose::parse(text).map(|Loose(element)| Some(element)).ok_or_else(wrong)
}

fn max_age(body: &Map<String, Value>) -> Result<Option<Duration>, Refusal> {
    let Some(value) = present(body, "max_age") else { return Ok(None) };
    let seconds = value.as_u64().filter(|seconds| AGES.contains(seconds));
    let wrong = || Refusal::format("max_age", "not a number of seconds from 3600 to 604800");
    seconds.map(|seconds| Some(Duration::from_secs(seconds))).ok_or_else(wrong)
}

impl From<VerifyError> for Refusal {
    fn from(error: VerifyError) -> Self {
        let detail = error.to_string();
        let (code, attribute) = match error {
            VerifyError::AppUnknown => {
                return Self { status: StatusCode::NOT_FOUND, ..Self::new("not_found", detail, None) };
            }
            VerifyError::ActionUnknown | VerifyError::DayWrong { .. } | VerifyError::DayOver { .. } => {
                ("invalid_action", Some("action"))
            }
            VerifyError::ActionClosed => ("action_inactive", Some("status")),
            VerifyError::NullifierUsed { .. } => ("max_verifications_reached", None),
            VerifyError::RootUnknown | VerifyError::SetNotAccepted { .. } => ("invalid_merkle_root", None),
            VerifyError::RootExpired => ("root_too_old", None),
            VerifyError::Proof => ("invalid_proof", None),
            VerifyError::TooMany(_) => return Self::later("too_many_requests", error.into()),
            VerifyError::Busy => return Self::later("prover_error", error.into()),
            VerifyError::BrokenDown | VerifyError::Store(_) => {
                return Self::later("internal_error", error.into());
            }
        };
        Self::new(code, detail, attribute)
    }
}

impl Refusal {
    /// What has the status and the time to come back of a problem, and its words.
    fn later(code: &'static str, problem: ProblemResponse) -> Self {
        let problem = problem.0;
        Self {
            status: StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            code,
            detail: problem.detail.unwrap_or_default(),
            attribute: None,
            retry_after: problem.retry_after,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn body() -> Value {
        let file: Value =
            serde_json::from_str(include_str!("../../../circuits/vectors/worldid3_proof_depth30.json"))
                .unwrap();
        json!({
            "action": "vote", "signal_hash": file["proof"]["signalHash"], "proof": file["proof"]["packed_proof"],
            "nullifier_hash": file["proof"]["nullifierHash"], "merkle_root": file["proof"]["root"],
            "verification_level": "orb",
        })
    }

    #[test]
    fn what_may_be_absent_has_a_meaning() {
        let mut short = body();
        short.as_object_mut().unwrap().retain(|key, _| key != "action" && key != "signal_hash");
        let asked = parse(short.to_string().as_bytes()).unwrap();
        assert_eq!((asked.action.as_str(), asked.signal_hash, asked.max_age), ("", hash_signal(""), None));
        let mut null = body();
        null["signal_hash"] = Value::Null;
        assert_eq!(parse(null.to_string().as_bytes()).unwrap().signal_hash, hash_signal(""));
        for level in LEVELS {
            let mut body = body();
            body["verification_level"] = json!(level);
            assert!(parse(body.to_string().as_bytes()).is_ok(), "{level}");
        }
    }

    #[test]
    fn refusals_name_the_attribute() {
        let refused = |body: &str| {
            let refusal = parse(body.as_bytes()).unwrap_err();
            assert_eq!(refusal.status, StatusCode::BAD_REQUEST);
            (refusal.code, refusal.attribute)
        };
        for text in ["", "{", "[]", "null", "5", "\"text\"", "\u{fffd}"] {
            assert_eq!(refused(text), ("invalid_format", None), "{text}");
        }
        for key in ["proof", "nullifier_hash", "merkle_root", "verification_level"] {
            let mut short = body();
            short.as_object_mut().unwrap().remove(key);
            assert_eq!(refused(&short.to_string()), ("required", Some(key.to_owned())));
        }
        for (key, value) in [
            ("action", json!(5)),
            ("signal_hash", json!("0x")),
            ("signal_hash", json!(5)),
            ("proof", json!("0x00")),
            ("proof", json!({})),
            ("nullifier_hash", json!("0xfg")),
            ("nullifier_hash", json!(format!("0x{}", "f".repeat(64)))),
            ("merkle_root", json!([])),
            ("verification_level", json!("eyes")),
            ("max_age", json!(3599)),
            ("max_age", json!(604_801)),
            ("max_age", json!("3600")),
            ("max_age", json!(3600.5)),
            ("max_age", json!(-3600)),
            ("more", json!(1)),
        ] {
            let mut wrong = body();
            wrong[key] = value;
            assert_eq!(refused(&wrong.to_string()), ("invalid_format", Some(key.to_owned())), "{wrong}");
        }
    }
}

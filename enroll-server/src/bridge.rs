//! The bridge: how an app's page reaches a wallet, in the forms of `IDKit` 3 and of World's `wallet-bridge`.
//!
//! ```text
//! page ── POST /request ──► mailbox ◄── GET /request/{id} ── wallet      the request, once
//! page ── GET /response/{id} ──► mailbox ◄── PUT /response/{id} ──       the answer, once
//! ```
//!
//! Both texts are sealed under a key that travels in a link or a code, from the page to the wallet and not through here. Knows neither
//! what is asked, nor by whom, nor of whom.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::server::App;
use crate::store::{StoreError, mailboxes};

/// How long a request waits for its answer, and an answer to be fetched: as long as at World's bridge.
const LIFETIME: Duration = Duration::from_mins(15);
/// Longest IV, in characters. One of AES-GCM has 16.
const LONGEST_IV: usize = 64;
/// Shortest and longest name of a request; the schema has the same limits.
const ID_LENGTH: std::ops::RangeInclusive<usize> = 16..=256;

/// The name of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, pattern = "^[A-Za-z0-9._-]{16,256}$")]
pub(crate) struct RequestId(String);

/// Text that names no request.
#[derive(Debug, thiserror::Error)]
#[error("an id has 16 to 256 letters, digits, dots, dashes or underscores")]
pub(crate) struct IdError;

impl TryFrom<String> for RequestId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let is_id = ID_LENGTH.contains(&text.len()) && text.bytes().all(known);
        is_id.then_some(Self(text)).ok_or(IdError)
    }
}

impl RequestId {
    /// A UUID of version 4 (RFC 9562), as World's bridge names requests.
    fn random(mut bytes: [u8; 16]) -> Self {
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        let digits = hex::encode(bytes);
        let parts = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
        Self(parts.join("-"))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// What lies in a mailbox: sealed, for whoever has the link.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sealed {
    /// Base64.
    pub(crate) iv: Base64,
    /// Base64.
    pub(crate) payload: Base64,
}

/// What a page asks.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRequest {
    /// Base64.
    iv: Base64,
    /// Base64.
    payload: Base64,
    /// What the request is to be called; a random UUID if absent.
    #[serde(default)]
    request_id: Option<RequestId>,
}

/// Letters of base64, in either alphabet. What they stand for is no business of ours, but this is no place for open text.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, pattern = "^[A-Za-z0-9+/_-]+=*$")]
pub(crate) struct Base64(pub(crate) String);

impl TryFrom<String> for Base64 {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let letters = text.trim_end_matches('=');
        let known = |byte: u8| byte.is_ascii_alphanumeric() || b"+/_-".contains(&byte);
        let is_base64 = !letters.is_empty() && text.len() - letters.len() <= 2 && letters.bytes().all(known);
        is_base64.then_some(Self(text)).ok_or("this is not base64")
    }
}

/// A request is open.
#[derive(Serialize, ToSchema)]
pub(crate) struct Opened {
    /// For the link.
    pub(crate) request_id: RequestId,
}

/// How a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    /// No wallet has fetched it.
    Initialized,
    /// A wallet has it.
    Retrieved,
    /// Here is the answer.
    Completed,
}

/// How a request stands, and its answer.
#[derive(Serialize, ToSchema)]
pub(crate) struct Standing {
    pub(crate) status: Status,
    /// Null until it is completed. Handed out once: then the request is gone.
    pub(crate) response: Option<Sealed>,
}

/// Why the bridge does not do what is asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BridgeError {
    /// It never was, its time is over, or somebody else has had it.
    #[error("no such request: its time is over, or it was handed out already")]
    Unknown,
    /// Nobody waits for this answer.
    #[error("no request waits for this answer: its time is over")]
    Late,
    /// There is one already.
    #[error("the request has an answer")]
    Answered,
    /// Choose another name.
    #[error("there is a request with this id")]
    Taken,
    /// The IV is none.
    #[error("an iv has {LONGEST_IV} characters at most")]
    Iv,
    /// Too many requests are open. Come again.
    #[error("too many requests are open")]
    Full,
    /// The database gave no answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn check(sealed: &Sealed) -> Result<(), BridgeError> {
    (sealed.iv.0.len() <= LONGEST_IV).then_some(()).ok_or(BridgeError::Iv)
}

/// Keeps a page's request for a wallet.
pub(crate) async fn open(
    app: &App,
    NewRequest { iv, payload, request_id }: NewRequest,
) -> Result<Opened, BridgeError> {
    let sealed = Sealed { iv, payload };
    check(&sealed)?;
    let request_id = request_id.unwrap_or_else(|| {
        let mut bytes = [0; 16];
        app.rng().fill_bytes(&mut bytes);
        RequestId::random(bytes)
    });
    let (now, most) = (app.clock.now(), app.config.limits.bridge_requests);
    let (id, sealed) = (&request_id, &sealed);
    // Those who come at the same moment do not see one another: a few more than `most` is no harm.
    let opened = app.store.run_tx("open_mailbox", |tx| async move {
        if mailboxes::at_least(&tx, most).await? {
            mailboxes::forget(&tx, now).await?;
            if mailboxes::at_least(&tx, most).await? {
                return Ok(Err(BridgeError::Full));
            }
        }
        let is_new = mailboxes::insert(&tx, id, sealed, now, now.plus(LIFETIME)).await?;
        Ok(if is_new { Ok(()) } else { Err(BridgeError::Taken) })
    });
    opened.await??;
    Ok(Opened { request_id })
}

/// Whether a request waits for an answer. Hands nothing out.
pub(crate) async fn waits(app: &App, id: &RequestId) -> Result<(), BridgeError> {
    match status(app, id).await? {
        Status::Initialized | Status::Retrieved => Ok(()),
        Status::Completed => Err(BridgeError::Unknown),
    }
}

/// How a request stands. Hands nothing out.
pub(crate) async fn status(app: &App, id: &RequestId) -> Result<Status, BridgeError> {
    let now = app.clock.now();
    let status =
        app.store.run_tx("look_into_mailbox", |tx| async move { mailboxes::status(&tx, id, now).await });
    status.await?.ok_or(BridgeError::Unknown)
}

/// Hands a request out to the first wallet that comes. An answer that gets lost takes the request with it: the page asks again.
pub(crate) async fn retrieve(app: &App, id: &RequestId) -> Result<Sealed, BridgeError> {
    let now = app.clock.now();
    let taken =
        app.store.run_tx("retrieve_request", |tx| async move { mailboxes::retrieve(&tx, id, now).await });
    taken.await?.ok_or(BridgeError::Unknown)
}

/// Keeps a wallet's answer for the page. The first counts.
pub(crate) async fn answer(app: &App, id: &RequestId, sealed: &Sealed) -> Result<(), BridgeError> {
    check(sealed)?;
    let now = app.clock.now();
    let answered = app.store.run_tx("answer_request", |tx| async move {
        if mailboxes::answer(&tx, id, sealed, now, now.plus(LIFETIME)).await? {
            return Ok(Ok(()));
        }
        let known = mailboxes::status(&tx, id, now).await?;
        Ok(Err(known.map_or(BridgeError::Late, |_| BridgeError::Answered)))
    });
    answered.await?
}

/// How a request stands. An answer is handed out, and the request is gone.
pub(crate) async fn collect(app: &App, id: &RequestId) -> Result<Standing, BridgeError> {
    let now = app.clock.now();
    let collected = app.store.run_tx("collect_answer", |tx| async move {
        if let Some(answer) = mailboxes::collect(&tx, id, now).await? {
            return Ok(Some(Standing { status: Status::Completed, response: Some(answer) }));
        }
        Ok(mailboxes::status(&tx, id, now).await?.map(|status| Standing { status, response: None }))
    });
    collected.await?.ok_or(BridgeError::Unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_part_of_an_address() {
        let parse = |text: &str| RequestId::try_from(text.to_owned()).is_ok();
        assert!(parse("0123456789abcdef") && parse(&"a".repeat(256)) && parse("A-b_c.0123456789"));
        for wrong in ["", "0123456789abcde", "0123456789abcde/", "0123456789abcde\0", "0123456789abcd%20"] {
            assert!(!parse(wrong), "{wrong}");
        }
        assert!(!parse(&"a".repeat(257)));
        let random = RequestId::random([0xff; 16]);
        assert_eq!(random.as_str(), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert!(parse(random.as_str()));
    }

    #[test]
    fn nothing_open_is_kept() {
        let parse = |text: &str| Base64::try_from(text.to_owned()).is_ok();
        assert!(parse("AAECAw==") && parse("_-8=") && parse("+/+/"));
        for wrong in ["", "=", "a===", "a=b", "an open text", "{}", "a\0"] {
            assert!(!parse(wrong), "{wrong}");
        }
        let more = serde_json::json!({ "iv": "AAAA", "payload": "AAAA", "app_id": "app_x" });
        assert!(serde_json::from_value::<NewRequest>(more).is_err(), "what is not understood is not ignored");
    }

    #[test]
    fn standings_are_those_of_idkit() {
        let json = |status, response| serde_json::to_value(Standing { status, response }).unwrap();
        let waiting = serde_json::json!({ "status": "initialized", "response": null });
        assert_eq!(json(Status::Initialized, None), waiting);
        let sealed = Sealed { iv: Base64("AAAA".into()), payload: Base64("BBBB".into()) };
        let done =
            serde_json::json!({ "status": "completed", "response": { "iv": "AAAA", "payload": "BBBB" } });
        assert_eq!(json(Status::Completed, Some(sealed)), done);
    }
}

//! What system tests need to play the people around a service: a clock that they turn, HTTP, devices, eyes, and
//! one pair of proving keys for all tests.

pub(crate) mod bench;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use circuits::{Private, Prover, ProvingKey};
use getrandom::SysRng;
use p256::ecdsa::SigningKey;
use rand_core::{Rng as _, UnwrapErr};
use serde_json::Value;
use unum::cluster::Cluster;
use unum_identity::bytes::{DeviceId, DeviceSignature, FirmwareMeasurement};
use unum_identity::enrollment::{InclusionProof, Session};
use unum_identity::envelope::{
    CaptureReport, DeviceSigner, Payload, Purpose, SealContext, SealedTemplates, SignerError, sign, sign_leaf,
};
use unum_identity::field::{Commitment, ExternalNullifier, Nullifier, SignalHash};
use unum_identity::proof::ProofBytes;
use unum_identity::secret::{Identity, Secret};
use unum_identity::time::UnixTime;
use unum_iris::{COLUMNS, EyePair, Template};

/// What operators show.
pub(crate) const OPERATOR: &str = "the operators of these tests, and nobody else";

pub(crate) fn rng() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}

/// A Postgres for the tests that do not harm it. Each test takes a database of its own.
pub(crate) fn cluster() -> &'static Cluster {
    static CLUSTER: LazyLock<Cluster> = LazyLock::new(|| Cluster::temporary(&mut rng()).unwrap());
    &CLUSTER
}

/// A database that no other test uses.
pub(crate) fn database(cluster: &Cluster) -> String {
    let mut name = [0; 8];
    rng().fill_bytes(&mut name);
    cluster.database(&format!("test_{}", hex::encode(name))).unwrap()
}

/// Time that moves only when a test says so.
#[derive(Clone)]
pub(crate) struct TestClock(Arc<AtomicU64>);

impl TestClock {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicU64::new(1_800_000_000)))
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }

    pub(crate) fn clock(&self) -> Arc<dyn unum_identity::time::Clock> {
        let now = Arc::clone(&self.0);
        Arc::new(move || UnixTime(now.load(Ordering::SeqCst)))
    }
}

/// A prover, and the bytes of its verifying key: made once.
pub(crate) struct ProvingKeys {
    pub(crate) prover: Prover,
    pub(crate) verifying_key: Vec<u8>,
}

pub(crate) fn proving_keys() -> &'static ProvingKeys {
    static KEYS: LazyLock<ProvingKeys> = LazyLock::new(|| {
        let key = ProvingKey::generate(&mut rng());
        let verifying_key = key.verifying_key().to_bytes();
        ProvingKeys { prover: Prover::new(key), verifying_key }
    });
    &KEYS
}

/// Proves that `identity` is in the set as `inclusion` shows it.
pub(crate) fn prove(
    identity: &Identity,
    inclusion: &InclusionProof,
    external_nullifier: ExternalNullifier,
    signal_hash: SignalHash,
) -> (Nullifier, ProofBytes) {
    let private = Private { identity: identity.clone(), path: inclusion.path.clone() };
    let public = private.statement(external_nullifier, signal_hash);
    (public.nullifier, proving_keys().prover.prove(&public, &private, &mut rng()).unwrap())
}

/// An answer over HTTP.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
    pub(crate) retry_after: Option<String>,
}

impl Answer {
    /// Status and code; the code is the outcome, the state, or empty where the body is no problem.
    pub(crate) fn code(&self) -> (u16, &str) {
        let text = |key: &str| self.body.get(key).and_then(Value::as_str);
        (self.status, text("code").or(text("outcome")).or(text("state")).unwrap_or_default())
    }

    pub(crate) fn parse<T: serde::de::DeserializeOwned>(&self) -> T {
        serde_json::from_value(self.body.clone()).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).build().new_agent()
}

fn answer(response: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Answer, ureq::Error> {
    let mut response = response?;
    let header = |name| response.headers().get(name).map(|v| v.to_str().unwrap().to_owned());
    let (content_type, retry_after) = (header("content-type"), header("retry-after"));
    let status = response.status().as_u16();
    let text = response.body_mut().read_to_string()?;
    if status >= 400 {
        assert_eq!(content_type.as_deref(), Some("application/problem+json"), "{status} {text}");
    }
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    Ok(Answer { status, body, retry_after })
}

/// Sends a body; an `Err` means that no answer came.
pub(crate) fn try_post(
    url: &str,
    token: Option<&str>,
    content_type: &str,
    body: &[u8],
) -> Result<Answer, ureq::Error> {
    let mut request = agent().post(url).content_type(content_type);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    answer(request.send(body))
}

pub(crate) fn post(url: &str, body: &impl serde::Serialize) -> Answer {
    try_post(url, None, "application/json", &serde_json::to_vec(body).unwrap()).unwrap()
}

pub(crate) fn post_as_operator(url: &str, body: &impl serde::Serialize) -> Answer {
    try_post(url, Some(OPERATOR), "application/json", &serde_json::to_vec(body).unwrap()).unwrap()
}

pub(crate) fn put_as_operator(url: &str, body: &impl serde::Serialize) -> Answer {
    let request = agent().put(url).header("authorization", format!("Bearer {OPERATOR}"));
    answer(request.send_json(body)).unwrap()
}

/// Asks an address of others, whose errors are no problems: the answer, and its content type. `client` is whom a proxy names.
pub(crate) fn post_elsewhere(url: &str, client: &str, body: &[u8]) -> (Answer, String) {
    let request = agent().post(url).header("x-forwarded-for", client).content_type("application/json");
    elsewhere(request.send(body).unwrap())
}

/// The same for `GET`.
pub(crate) fn get_elsewhere(url: &str) -> (Answer, String) {
    elsewhere(agent().get(url).call().unwrap())
}

fn elsewhere(mut response: ureq::http::Response<ureq::Body>) -> (Answer, String) {
    let header = |name| response.headers().get(name).map(|v| v.to_str().unwrap().to_owned());
    let (content_type, retry_after) = (header("content-type").unwrap_or_default(), header("retry-after"));
    let status = response.status().as_u16();
    let text = response.body_mut().read_to_string().unwrap();
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    (Answer { status, body, retry_after }, content_type)
}

pub(crate) fn get(url: &str) -> Answer {
    answer(agent().get(url).call()).unwrap()
}

/// What an operator who shows `token` is answered.
pub(crate) fn get_as(token: &str, url: &str) -> Answer {
    answer(agent().get(url).header("authorization", format!("Bearer {token}")).call()).unwrap()
}

/// An eye of its own: random bits, fully visible.
pub(crate) fn eye() -> Template {
    let mut code = [0; COLUMNS];
    let mut rng = rng();
    for column in &mut code {
        *column = rng.next_u64();
    }
    Template::from_columns(&code, &[u64::MAX; COLUMNS])
}

/// The same eye in a new capture: 12 of 64 bits differ (distance 0.19), the head is tilted.
pub(crate) fn seen_again(eye: &Template) -> Template {
    Template::from_columns(&eye.code().map(|column| column ^ 0xFFF), eye.mask()).rotated(-4)
}

/// A person with eyes; the wallet can be changed, the eyes cannot.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) left: Template,
    pub(crate) right: Template,
    pub(crate) identity: Identity,
}

impl Person {
    pub(crate) fn new() -> Self {
        Self { left: eye(), right: eye(), identity: Secret::generate(&mut rng()).identity() }
    }

    /// The same person before the camera again, with a new wallet.
    pub(crate) fn again(&self) -> Self {
        Self { left: seen_again(&self.left), right: seen_again(&self.right), ..Self::new() }
    }

    pub(crate) fn eyes(&self) -> EyePair {
        EyePair::new(Some(self.left.clone()), Some(self.right.clone())).unwrap()
    }

    pub(crate) fn commitment(&self) -> Commitment {
        self.identity.commitment()
    }
}

/// An enrollment device, as software.
pub(crate) struct Device {
    pub(crate) id: DeviceId,
    pub(crate) key: SigningKey,
    counter: Mutex<u64>,
}

impl Device {
    pub(crate) fn new() -> Self {
        let (mut id, mut key) = ([0; 16], [0; 32]);
        rng().fill_bytes(&mut id);
        rng().fill_bytes(&mut key);
        let key = SigningKey::from_slice(&key).expect("a random number is below the order but once in 2^32");
        Self { id: DeviceId(id), key, counter: Mutex::new(0) }
    }

    pub(crate) fn registration(&self) -> Value {
        serde_json::json!({ "device": self.id, "key": DeviceSigner::key(&self.key), "label": "a test's device" })
    }

    /// What this device would sign for these eyes in this session.
    pub(crate) fn payload(&self, session: &Session, eyes: &EyePair, commitment: Commitment) -> Payload {
        let mut counter = self.counter.lock().unwrap();
        *counter += 1;
        let context = SealContext { nonce: session.nonce, device: self.id, commitment };
        Payload {
            nonce: session.nonce,
            device: self.id,
            counter: *counter,
            firmware: FirmwareMeasurement([7; 32]),
            commitment,
            leaf_signature: sign_leaf(self.id, commitment, &self.key).unwrap(),
            consent_version: session.consent_version,
            report: CaptureReport::default(),
            sealed: SealedTemplates::seal(&eyes.to_bytes(), &session.sealing_key, context, &mut rng())
                .unwrap(),
        }
    }

    pub(crate) fn sign(&self, payload: &Payload) -> Vec<u8> {
        self.sign_for(Purpose::Enroll, payload)
    }

    pub(crate) fn sign_for(&self, purpose: Purpose, payload: &Payload) -> Vec<u8> {
        sign(payload, purpose, &self.key).unwrap()
    }
}

/// Signs with a device's key, but something else than it is shown: `from` replaced by `to`.
pub(crate) struct Forger<'a> {
    pub(crate) key: &'a SigningKey,
    pub(crate) from: &'a [u8],
    pub(crate) to: &'a [u8],
}

impl DeviceSigner for Forger<'_> {
    fn sign(&self, message: &[u8]) -> Result<DeviceSignature, SignerError> {
        DeviceSigner::sign(self.key, &replaced(message, self.from, self.to))
    }

    fn key(&self) -> unum_identity::bytes::DeviceKey {
        DeviceSigner::key(self.key)
    }
}

/// `bytes` with the one occurrence of `from` replaced by `to` of the same length.
pub(crate) fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let places: Vec<_> = (0..=bytes.len() - from.len()).filter(|&at| bytes[at..].starts_with(from)).collect();
    assert_eq!(places.len(), 1, "what is replaced must be there once");
    let mut bytes = bytes.to_vec();
    bytes[places[0]..places[0] + to.len()].copy_from_slice(to);
    bytes
}

/// A configuration of the enrollment server on a free loopback port, with all its keys in the folder `keys`.
pub(crate) fn enroll_config(database_url: &str, keys: &Path) -> enroll_server::Config {
    std::fs::write(keys.join("membership.vk"), &proving_keys().verifying_key).unwrap();
    local_config(database_url, keys)
}

/// The same for a folder that [`enroll_config`] has seen.
pub(crate) fn local_config(database_url: &str, keys: &Path) -> enroll_server::Config {
    let config = serde_json::json!({
        "bind": "127.0.0.1:0",
        "database_url": database_url,
        "operator_token": OPERATOR,
        "origin": "unum.test/set",
        "keys": keys,
        "segments": keys.join("segments"),
        "verifying_key": keys.join("membership.vk"),
    });
    serde_json::from_value(config).unwrap()
}

/// A leaf that nobody has.
pub(crate) fn somebodys_commitment() -> Commitment {
    Secret::generate(&mut rng()).identity().commitment()
}

/// The field's order, and more.
pub(crate) fn order_plus(more: u8) -> [u8; 32] {
    let mut bytes: [u8; 32] = hex::decode("30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001")
        .unwrap()
        .try_into()
        .unwrap();
    bytes[31] += more;
    bytes
}

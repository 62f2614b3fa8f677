//! The bridge: an app's page asks, a wallet answers, and nobody between them reads or keeps anything.

use aes_gcm::aead::Aead as _;
use aes_gcm::{Aes256Gcm, KeyInit as _, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand_core::Rng as _;
use serde_json::{Value, json};
use unum_identity::hash::hash_signal;
use wallet_sdk::bridge::{Asked, BridgeError, Refusal};
use wallet_sdk::prove_app;

use super::*;
use crate::harness::bench::sql;
use crate::harness::{get, get_elsewhere, proving_keys, rng};

/// How long a request lives, in seconds.
const LIFETIME: u64 = 900;

/// An app's page, as `IDKit` writes and reads.
pub(crate) struct Page {
    bridge: String,
    id: String,
    key: [u8; 32],
}

impl Page {
    fn ask(bridge: &str, action: &str, signal: &str) -> Self {
        let question = json!({
            "app_id": APP, "action": action, "action_description": "One each", "signal": hash_signal(signal),
            "credential_types": ["orb"], "verification_level": "orb",
        });
        Self::ask_anything(bridge, &question)
    }

    /// Asks what a page should not, or another app.
    pub(crate) fn ask_anything(bridge: &str, question: &Value) -> Self {
        let mut key = [0; 32];
        rng().fill_bytes(&mut key);
        let answer = post(&format!("{bridge}/request"), &seal(&key, question));
        assert_eq!(answer.status, 200, "{answer:?}");
        let id = answer.body["request_id"].as_str().unwrap().to_owned();
        Self { bridge: bridge.to_owned(), id, key }
    }

    pub(crate) fn link(&self) -> String {
        let escaped = |text: &str| {
            text.replace('%', "%25")
                .replace('+', "%2B")
                .replace('/', "%2F")
                .replace(':', "%3A")
                .replace('=', "%3D")
        };
        let (key, bridge) = (escaped(&STANDARD.encode(self.key)), escaped(&self.bridge));
        format!("unum://verify?t=wld&i={}&k={key}&b={bridge}", self.id)
    }

    fn poll(&self) -> Answer {
        get(&format!("{}/response/{}", self.bridge, self.id))
    }

    fn status(&self) -> String {
        let answer = self.poll();
        assert_eq!((answer.status, &answer.body["response"]), (200, &Value::Null), "{answer:?}");
        answer.body["status"].as_str().unwrap().to_owned()
    }

    /// What the wallet says, opened.
    pub(crate) fn answer(&self) -> Value {
        let answer = self.poll();
        assert_eq!(answer.body["status"], "completed", "{answer:?}");
        let part = |name: &str| STANDARD.decode(answer.body["response"][name].as_str().unwrap()).unwrap();
        let iv: [u8; 12] = part("iv").try_into().unwrap();
        let cipher = Aes256Gcm::new_from_slice(&self.key).unwrap();
        serde_json::from_slice(&cipher.decrypt(&Nonce::from(iv), &part("payload")[..]).unwrap()).unwrap()
    }

    /// What the app's server sends to be verified.
    fn body(&self, action: &str, signal: &str) -> Value {
        let answer = self.answer();
        assert_eq!(answer["verification_level"], "orb", "{answer}");
        json!({
            "app_id": APP, "action": action, "signal_hash": hash_signal(signal),
            "root": answer["merkle_root"], "nullifier": answer["nullifier_hash"], "proof": answer["proof"],
        })
    }

    fn fetch(&self) -> Result<Asked, BridgeError> {
        Asked::fetch(self.link().parse().unwrap(), &mut rng())
    }
}

fn seal(key: &[u8; 32], message: &Value) -> Value {
    let mut iv = [0; 12];
    rng().fill_bytes(&mut iv);
    let sealed =
        Aes256Gcm::new_from_slice(key).unwrap().encrypt(&Nonce::from(iv), message.to_string().as_bytes());
    json!({ "iv": STANDARD.encode(iv), "payload": STANDARD.encode(sealed.unwrap()) })
}

/// What a wallet does with a request.
fn prove_and_answer(bench: &Bench, person: &Person, asked: &Asked) -> Result<(), BridgeError> {
    let (inclusion, question) = (bench.inclusion(person), asked.question());
    let (prover, signal) = (&proving_keys().prover, question.signal_hash);
    let proved = prove_app(prover, &person.identity, &inclusion, question.act(), signal, &mut rng()).unwrap();
    asked.answer(&proved, &mut rng())
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).build().into()
}

fn head(page: &Page, kind: &str) -> u16 {
    agent().head(format!("{}/{kind}/{}", page.bridge, page.id)).call().unwrap().status().as_u16()
}

fn put_letter(page: &Page) -> u16 {
    let url = format!("{}/response/{}", page.bridge, page.id);
    agent().put(url).send_json(json!({ "iv": "AAAA", "payload": "AAAA" })).unwrap().status().as_u16()
}

#[test]
fn an_app_asks_and_a_wallet_answers() {
    let (mut bench, person) = bench();
    assert_eq!(put(&bench, "vote", &json!({})).status, 201);
    let page = Page::ask(&bench.url, "vote", "yes");
    assert_eq!((head(&page, "request"), head(&page, "response")), (200, 200), "looking takes nothing away");
    assert_eq!(page.status(), "initialized");

    let asked = page.fetch().unwrap();
    assert_eq!(asked.question().action_description.as_deref(), Some("One each"));
    assert_eq!(page.status(), "retrieved");
    assert!(matches!(page.fetch(), Err(BridgeError::Gone)), "a second wallet opens the same link");
    assert_eq!(head(&page, "request"), 200, "it waits for its answer");
    prove_and_answer(&bench, &person, &asked).unwrap();
    let again = asked.refuse(Refusal::GenericError, &mut rng());
    assert!(matches!(again, Err(BridgeError::Answered)), "the first answer counts");
    assert_eq!((head(&page, "request"), head(&page, "response")), (404, 200));

    // The page may ask another server than the wallet did.
    let elsewhere = bench.start();
    let body = Page { bridge: elsewhere, ..page }.body("vote", "yes");
    assert_eq!(verify(&bench, &body).status, 200);
    assert_eq!(verify(&bench, &body).code(), (409, "nullifier_used"));
    assert_eq!(bench.count("mailboxes"), 0, "what was handed out is forgotten");
    let gone = get(&format!("{}/response/0123456789abcdef", bench.url));
    assert_eq!(gone.code(), (404, "request_unknown"));
}

#[test]
fn a_wallet_refuses() {
    let (bench, _) = bench();
    let page = Page::ask(&bench.url, "vote", "");
    page.fetch().unwrap().refuse(Refusal::VerificationRejected, &mut rng()).unwrap();
    assert_eq!(page.answer(), json!({ "error_code": "verification_rejected" }));
    assert_eq!(page.poll().code(), (404, "request_unknown"), "an answer is handed out once");

    let page = Page::ask_anything(&bench.url, &json!({ "app_id": APP, "action": "vote", "signal": "yes" }));
    assert!(matches!(page.fetch(), Err(BridgeError::Question)));
    assert_eq!(page.answer(), json!({ "error_code": "malformed_request" }));

    let page = Page::ask(&bench.url, "vote", "");
    let other = Page { key: [7; 32], bridge: page.bridge.clone(), id: page.id.clone() };
    assert!(matches!(other.fetch(), Err(BridgeError::Key)));
    assert_eq!(page.status(), "retrieved", "the page asks again");
}

#[test]
fn a_request_is_handed_out_once() {
    let (bench, _) = bench();
    let page = Page::ask(&bench.url, "vote", "");
    let answers = at_once(32, || get(&format!("{}/request/{}", page.bridge, page.id)));
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.code() == (404, "request_unknown")).count(), 31);
}

#[test]
fn what_is_over_is_gone() {
    let (bench, person) = bench();
    let (opened, waiting) = (Page::ask(&bench.url, "vote", ""), Page::ask(&bench.url, "vote", ""));
    let asked = opened.fetch().unwrap();
    bench.clock.advance(LIFETIME - 1);
    assert_eq!((waiting.status(), opened.status()), ("initialized".into(), "retrieved".into()));
    prove_and_answer(&bench, &person, &asked).unwrap();
    bench.clock.advance(1);
    assert!(matches!(waiting.fetch(), Err(BridgeError::Gone)));
    assert_eq!(waiting.poll().code(), (404, "request_unknown"));
    assert_eq!(
        (head(&waiting, "request"), head(&waiting, "response"), put_letter(&waiting)),
        (404, 404, 400)
    );
    bench.clock.advance(LIFETIME - 2);
    assert_eq!(head(&opened, "response"), 200, "an answer lives as long again");
    bench.clock.advance(1);
    assert_eq!(opened.poll().code(), (404, "request_unknown"));
    assert_eq!(bench.count("mailboxes"), 2, "not swept out yet, and not to be had");
}

/// Whoever reads the database learns that somebody asked something.
#[test]
fn the_database_holds_nothing_readable() {
    let (bench, person) = bench();
    let page = Page::ask(&bench.url, "vote", "yes");
    let held = || {
        let mut sql = sql(&bench.config.database_url);
        sql.query_one("SELECT mailboxes::text FROM enroll.mailboxes", &[]).unwrap().get::<_, String>(0)
    };
    let secrets = [APP, "vote", "One each", &STANDARD.encode(page.key), &hash_signal("yes").to_string()]
        .map(String::from);
    let hidden = |text: &str| {
        let decoded: Vec<_> =
            text.split([',', ')']).filter_map(|part| STANDARD.decode(part).ok()).flatten().collect();
        secrets.iter().all(|secret| {
            !text.contains(secret) && !decoded.windows(secret.len()).any(|bytes| bytes == secret.as_bytes())
        })
    };
    let request = held();
    assert!(request.len() > 300 && hidden(&request), "{request}");
    let asked = page.fetch().unwrap();
    assert!(held().ends_with(",,,,)"), "what was handed out is not kept: {}", held());
    prove_and_answer(&bench, &person, &asked).unwrap();
    assert!(held().len() > 1000 && hidden(&held()), "{}", held());

    let mut sql = sql(&bench.config.database_url);
    let logged = "SELECT relpersistence = 'u' FROM pg_class WHERE oid = 'enroll.mailboxes'::regclass";
    assert!(sql.query_one(logged, &[]).unwrap().get::<_, bool>(0), "nothing of it reaches an archive");
}

#[test]
fn requests_are_small_and_not_too_many() {
    let bench = bench_with(|config| config.limits.bridge_requests = 2);
    let url = format!("{}/request", bench.url);
    for wrong in [
        json!({}),
        json!({ "iv": "AAAA" }),
        json!({ "iv": "AAAA", "payload": "an open text" }),
        json!({ "iv": "AAAA", "payload": "AAAA\u{0}" }),
        json!({ "iv": "AAAA", "payload": "AAAA", "app_id": "app_x" }),
        json!({ "iv": "AAAA", "payload": "AAAA", "request_id": "../../../v1/apps" }),
    ] {
        assert_eq!(post(&url, &wrong).code(), (400, "body_invalid"), "{wrong}");
    }
    assert_eq!(post(&url, &json!({ "iv": "A".repeat(65), "payload": "AAAA" })).code(), (422, "iv_invalid"));
    let large = |length| json!({ "iv": "AAAA", "payload": "A".repeat(length) });
    assert_eq!(post(&url, &large(16_384)).code(), (413, "body_too_large"));
    let (short, _) = get_elsewhere(&format!("{url}/short"));
    assert_eq!(short.code(), (400, "path_invalid"));

    // The page chooses the name, if it wants to.
    let named = json!({ "iv": "AAAA", "payload": "AAAA", "request_id": "0123456789abcdef" });
    assert_eq!(post(&url, &named).body, json!({ "request_id": "0123456789abcdef" }));
    assert_eq!(post(&url, &named).code(), (409, "request_taken"));
    assert_eq!(post(&url, &large(16_300)).status, 200);
    let full = post(&url, &large(4));
    assert_eq!((full.code(), full.retry_after.as_deref()), ((503, "bridge_full"), Some("60")));
    bench.clock.advance(LIFETIME);
    assert_eq!(post(&url, &named).status, 200, "what is over makes room");
    assert_eq!(bench.count("mailboxes"), 1);
}

#[test]
fn clients_have_limits_here_too() {
    let bench = Bench::on(cluster(), |config| {
        (config.limits.address_per_second, config.limits.address_burst) = (1, 2);
    });
    let url = format!("{}/response/0123456789abcdef", bench.url);
    let answers: Vec<_> = (0..20).map(|_| get(&url)).collect();
    assert_eq!(answers[0].code(), (404, "request_unknown"));
    let refused = answers.iter().find(|answer| answer.status == 429).expect("there is a limit");
    assert!(refused.retry_after.is_some());
}

/// What a browser wants to see before it lets a page of somebody else's ask.
#[test]
fn pages_of_any_origin_may_ask() {
    let (bench, _) = bench();
    for path in ["request", "request/0123456789abcdef", "response/0123456789abcdef"] {
        let url = format!("{}/{path}", bench.url);
        let header = |response: &ureq::http::Response<ureq::Body>, name: &str| {
            response.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned()
        };
        let preflight = agent()
            .options(&url)
            .header("origin", "https://app.example")
            .header("access-control-request-method", "PUT")
            .header("access-control-request-headers", "content-type")
            .call()
            .unwrap();
        assert_eq!(preflight.status(), 204);
        assert_eq!(header(&preflight, "access-control-allow-origin"), "*");
        assert_eq!(header(&preflight, "access-control-allow-headers"), "*");
        assert!(header(&preflight, "access-control-allow-methods").contains("PUT"));
        let refused =
            if path == "request" { agent().post(&url).send("{}") } else { agent().get(&url).call() };
        let refused = refused.unwrap();
        assert!(refused.status().is_client_error());
        assert_eq!(header(&refused, "access-control-allow-origin"), "*", "a page can read why");
        assert_eq!(header(&refused, "cache-control"), "no-store");
    }
    let elsewhere = agent().get(format!("{}/v1/keys", bench.url)).call().unwrap();
    assert!(elsewhere.headers().get("access-control-allow-origin").is_none(), "only the bridge is for pages");
}

//! Too much, too often, too many at once, and nonsense: what the server says, and that it goes on.

use serde_json::{Value, json};

use super::*;
use crate::harness::{get, post_elsewhere};

#[test]
fn a_client_and_an_app_have_limits() {
    let bench = Bench::on(cluster(), |config| {
        (config.limits.address_per_second, config.limits.address_burst) = (1, 5);
        (config.limits.app_per_second, config.limits.app_burst) = (1, 3);
        config.limits.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    });
    let person = Person::new();
    assert_eq!(bench.enroll(&bench.device(), &person).status, 201);
    assert_eq!(register(&bench, APP, &["unum"]).status, 201);
    let url = format!("{}/v1/verify", bench.url);
    let body = humanness(&bench, &person, "vote", "").to_string();
    let ask = |url: &str, client: &str, body: &str| post_elsewhere(url, client, body.as_bytes()).0;

    // A machine that is slow lets some more through: each asks until it is told to wait.
    let until_refused = |path: &str, client: &str| {
        let url = format!("{}{path}", bench.url);
        let answers = (0..100).map(|_| ask(&url, client, "{}"));
        answers.into_iter().find(|answer| answer.status == 429).expect("there is a limit")
    };
    for _ in 0..5 {
        assert_eq!(ask(&url, "192.0.2.1", "{}").code(), (400, "body_invalid"));
    }
    let refused = until_refused("/v1/verify", "192.0.2.1");
    assert_eq!((refused.code(), refused.retry_after.as_deref()), ((429, "too_many_requests"), Some("1")));
    assert_eq!(ask(&url, "192.0.2.2", "{}").status, 400, "somebody else");
    until_refused("/v1/verify", "198.51.100.9, 192.0.2.1"); // what a client claims is not believed
    // At other addresses in their own shape.
    let portal = until_refused("/api/v2/verify/app_test", "192.0.2.1");
    assert_eq!((portal.code(), portal.retry_after.is_some()), ((429, "too_many_requests"), true));
    assert_eq!(portal.body["app_id"], APP);
    let newer = until_refused("/v2/semaphore-proof/verify", "192.0.2.1");
    assert_eq!(newer.body["errorId"], "too_many_requests");
    assert!(until_refused("/verifySemaphoreProof", "192.0.2.1").body.is_string());

    // An app is asked about by everybody.
    let codes: Vec<_> = (0..100).map(|n| ask(&url, &format!("203.0.113.{n}"), &body).status).collect();
    assert_eq!(codes[..3], [404; 3], "it has no such action");
    assert!(codes.contains(&429), "{codes:?}");
    let metrics = get(&format!("{}/metrics", bench.url)).body;
    assert!(metrics.as_str().unwrap().contains("outcome=\"too_many_requests\""));
}

#[test]
fn whoever_comes_when_too_many_are_under_way_comes_again() {
    let bench = bench_with(|config| config.limits.proofs_waiting = 1);
    let person = Person::new();
    assert_eq!(bench.enroll(&bench.device(), &person).status, 201);
    let request = humanness(&bench, &person, "vote", "");
    let answers = at_once(64, || post(&format!("{}/v1/proofs/check", bench.url), &request));
    let busy: Vec<_> = answers.iter().filter(|answer| answer.code() == (503, "busy")).collect();
    let held = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(held + busy.len(), 64);
    assert!(held >= 1 && !busy.is_empty(), "{held} of 64");
    assert!(busy.iter().all(|answer| answer.retry_after.as_deref() == Some("1")));
}

#[test]
fn a_body_is_small() {
    let (bench, _) = bench();
    let large = " ".repeat(8193);
    for path in ["/v1/verify", "/v1/proofs/check", "/inclusionProof", "/v2/semaphore-proof/verify"] {
        let (answer, _) = post_elsewhere(&format!("{}{path}", bench.url), "", large.as_bytes());
        assert_eq!(answer.status, 413, "{path}");
    }
    let huge = json!({ "app_id": large });
    assert_eq!(verify(&bench, &huge).code(), (413, "body_too_large"));
}

/// `SplitMix64` (Steele, Lea and Flood 2014): the same requests on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % sides as u64) as usize
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.roll(of.len())]
    }
}

/// A value that somebody may send in place of another.
fn nonsense(dice: &mut Dice, value: &Value) -> Value {
    let text = value.as_str().unwrap_or("0x5").to_owned();
    match dice.roll(12) {
        0 => Value::Null,
        1 => json!(dice.roll(1000)),
        2 => json!(-1),
        3 => json!([text]),
        4 => json!({ "text": text }),
        5 => json!(""),
        6 => json!("\u{0}"),
        7 => json!(format!("0x{}", hex::encode(order_plus(dice.roll(9) as u8)))),
        8 => json!(text.to_uppercase()),
        9 => json!(text.chars().rev().collect::<String>()),
        10 => json!(format!("{text}{text}")),
        _ => {
            let mut bytes = text.into_bytes();
            if !bytes.is_empty() {
                let at = dice.roll(bytes.len());
                bytes[at] = *dice.pick(b"0123456789abcdef");
            }
            json!(String::from_utf8_lossy(&bytes))
        }
    }
}

/// A request with one to three things wrong: in a value, a name, or anywhere in its bytes.
fn mutated(dice: &mut Dice, body: &Value) -> Vec<u8> {
    let mut body = body.clone();
    let keys: Vec<_> = body.as_object().unwrap().keys().cloned().collect();
    for _ in 0..=dice.roll(3) {
        let key = dice.pick(&keys);
        let value = nonsense(dice, &body[key]);
        match dice.roll(5) {
            0 => drop(body.as_object_mut().unwrap().remove(key)),
            1 => body[format!("{key}s")] = value,
            _ => body[key] = value,
        }
    }
    let mut bytes = body.to_string().into_bytes();
    if dice.roll(3) == 0 {
        let at = dice.roll(bytes.len());
        match dice.roll(3) {
            0 => bytes[at] = dice.roll(256) as u8,
            1 => bytes.truncate(at),
            _ => bytes.insert(at, *dice.pick(b"\"{}[],:\\\x00\xff")),
        }
    }
    bytes
}

/// Thousands of requests that nobody sends on purpose, and no answer that says the server is broken.
#[test]
fn no_request_breaks_the_server() {
    const REQUESTS: usize = 3000;
    let (bench, person) = bench();
    assert_eq!(put(&bench, "vote", &json!({ "max_uses": 4_000_000_000_u32 })).status, 201);
    assert_eq!(put(&bench, "post", &json!({ "max_uses": 9, "per": "day" })).status, 201);
    let ours = humanness(&bench, &person, "vote", "");
    let daily = humanness_on(&bench, &person, "post", Some("2027-01-15"), "");
    let portal = json!({
        "action": "vote", "signal_hash": ours["signal_hash"], "proof": ours["proof"], "max_age": 3600,
        "nullifier_hash": ours["nullifier"], "merkle_root": ours["root"], "verification_level": "orb",
    });
    let statement = json!({
        "root": ours["root"], "signalHash": ours["signal_hash"], "nullifierHash": ours["nullifier"],
        "externalNullifierHash": ours["signal_hash"], "proof": ours["proof"], "maxRootAgeSeconds": 60,
    });
    let path = json!({ "identityCommitment": person.commitment() });
    let letter = json!({ "iv": "AAAAAAAAAAAAAAAA", "payload": "AAAA", "request_id": "0123456789abcdef" });
    let routes = [
        ("/request", &letter),
        ("/v1/verify", &ours),
        ("/v1/verify", &daily),
        ("/v1/proofs/check", &ours),
        ("/api/v2/verify/app_test", &portal),
        ("/api/v2/verify/%00", &portal),
        ("/verifySemaphoreProof", &statement),
        ("/verifySemaphoreProof?maxRootAgeSeconds=99999999999999999999", &statement),
        ("/verifyCompressedSemaphoreProof", &statement),
        ("/v2/semaphore-proof/verify", &statement),
        ("/inclusionProof", &path),
    ];
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut dice = Dice(2027);
    for number in 0..REQUESTS {
        let (route, body) = *dice.pick(&routes);
        let bytes = mutated(&mut dice, body);
        let request = agent.post(format!("{}{route}", bench.url)).content_type("application/json");
        let answer = request.send(&bytes[..]).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(answer.status().as_u16() < 500, "request {number} to {route}: {} {text}", answer.status());
    }
    for path in ["%00", "a%2F%00", "%ff", "x/actions/%00/nullifiers/0x", "x/actions/y/nullifiers/0x0"] {
        let (answer, _) = crate::harness::get_elsewhere(&format!("{}/v1/apps/{path}", bench.url));
        assert!((400..500).contains(&answer.status), "{path}: {answer:?}");
    }
    for path in ["request/%00", "request/0123456789abcde%00", "response/%ff", "response/0123456789abcd%2F%00"]
    {
        let (answer, _) = crate::harness::get_elsewhere(&format!("{}/{path}", bench.url));
        assert!((400..500).contains(&answer.status), "{path}: {answer:?}");
    }
    assert_eq!(verify(&bench, &ours).status, 200, "and it still works");
}

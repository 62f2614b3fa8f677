//! `POST /v1/verify` against a real Postgres, with real proofs: tampered ones, second uses, roots that have gone.

use serde_json::{Value, json};
use unum_identity::field::ExternalNullifier;
use unum_identity::hash::hash_signal;

use crate::harness::bench::Bench;
use crate::harness::{Person, cluster, order_plus, post, prove, somebodys_commitment};

/// An enrolled person's proof for the app `app_test`.
fn humanness(bench: &Bench, person: &Person, action: &str, signal: &str) -> Value {
    let inclusion = bench.inclusion(person);
    let scope = ExternalNullifier::of_app("app_test", action);
    let (nullifier, proof) = prove(&person.identity, &inclusion, scope, hash_signal(signal));
    json!({
        "app_id": "app_test", "action": action, "signal_hash": hash_signal(signal),
        "root": inclusion.root, "nullifier": nullifier, "proof": proof,
    })
}

#[test]
fn a_nullifier_is_used_once() {
    let bench = Bench::new();
    let device = bench.device();
    let person = Person::new();
    assert_eq!(bench.enroll(&device, &person).status, 201);
    let verify = |body: &Value| post(&format!("{}/v1/verify", bench.url), body);
    let request = humanness(&bench, &person, "vote", "yes");

    // Not the statement that was proved.
    let changed = |key: &str, value: Value| {
        let mut body = request.clone();
        body[key] = value;
        verify(&body)
    };
    assert_eq!(changed("signal_hash", json!(hash_signal("no"))).code(), (422, "proof_invalid"));
    assert_eq!(changed("action", json!("another vote")).code(), (422, "proof_invalid"));
    assert_eq!(changed("nullifier", json!(somebodys_commitment())).code(), (422, "proof_invalid"));
    assert_eq!(changed("root", json!(somebodys_commitment())).code(), (422, "root_unknown"));
    let proof = request["proof"].as_str().unwrap();
    let flipped = format!("{}{}", &proof[..513], if proof.ends_with('0') { "1" } else { "0" });
    assert_eq!(changed("proof", json!(flipped)).code(), (422, "proof_invalid"));

    // Not canonical.
    let nullifier = request["nullifier"].as_str().unwrap();
    for wrong in [
        nullifier.to_uppercase().replacen("0X", "0x", 1),
        nullifier.trim_start_matches("0x").to_owned(),
        format!("0x00{}", &nullifier[2..]),
        format!("0x{}", hex::encode(order_plus(0))),
        format!("0x{}", hex::encode(plus_order(nullifier))),
        "0x0".into(),
    ] {
        assert_eq!(changed("nullifier", json!(wrong)).code(), (400, "body_invalid"), "{wrong}");
    }
    assert_eq!(bench.count("nullifiers"), 0, "no refusal uses anything up");

    // A hundred at once.
    let answers: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..100).map(|_| scope.spawn(|| verify(&request))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.code() == (409, "nullifier_used")).count(), 99);
    let refused = answers.iter().find(|answer| answer.status == 409).unwrap();
    assert_eq!(refused.body["detail"], "used at 2027-01-15T08:00:00Z");
    assert_eq!(bench.count("nullifiers"), 1);

    // Another proof of the same, and another action.
    assert_eq!(verify(&humanness(&bench, &person, "vote", "no")).code(), (409, "nullifier_used"));
    assert_eq!(verify(&humanness(&bench, &person, "like", "yes")).status, 200);
}

/// The same nullifier, written as a larger number: `n + r`.
fn plus_order(nullifier: &str) -> [u8; 32] {
    let mut sum: [u8; 32] = hex::decode(&nullifier[2..]).unwrap().try_into().unwrap();
    let mut carry = 0;
    for (digit, order) in sum.iter_mut().zip(order_plus(0)).rev() {
        let total = u16::from(*digit) + u16::from(order) + carry;
        (*digit, carry) = (total as u8, total >> 8);
    }
    sum
}

#[test]
fn a_root_counts_for_a_while_after_it_was_replaced() {
    const HOUR: u64 = 3600;
    let bench = Bench::on(cluster(), |config| config.root_window_seconds = 5 * HOUR);
    let device = bench.device();
    let (first, second) = (Person::new(), Person::new());
    assert_eq!(bench.enroll(&device, &first).status, 201);
    let requests: Vec<_> =
        ["a", "b", "c"].iter().map(|action| humanness(&bench, &first, action, "")).collect();
    let verify = |request: &Value| post(&format!("{}/v1/verify", bench.url), request);

    bench.clock.advance(1000 * HOUR);
    assert_eq!(verify(&requests[0]).status, 200, "nobody came: the root is current, however old");
    assert_eq!(bench.enroll(&device, &second).status, 201);
    bench.clock.advance(5 * HOUR);
    assert_eq!(verify(&requests[1]).status, 200, "counted from when it was replaced");
    bench.clock.advance(HOUR); // the hour of the replacement is rounded up
    bench.clock.advance(1);
    assert_eq!(verify(&requests[2]).code(), (422, "root_expired"));
    assert_eq!(
        verify(&humanness(&bench, &first, "c", "")).status,
        200,
        "with a new path the same person passes"
    );
}

//! `POST /api/v2/verify/{app_id}` as an app of World ID calls it: with a real proof of World's, and with ours.

use enroll_server::config::ForeignSet;
use serde_json::{Value, json};

use super::*;
use crate::harness::post_elsewhere;

/// World's own proof, key and root.
fn vector() -> Value {
    serde_json::from_str(include_str!("../../circuits/vectors/worldid3_proof_depth30.json")).unwrap()
}

/// A server that knows World's key and one root, and an app that takes World's people.
pub(super) fn with_world() -> (Bench, Value) {
    let vector = vector();
    let proof = vector["proof"].clone();
    let bench = bench_with(|config| {
        let verifying_key = config.keys.join("world-id-3.json");
        std::fs::write(&verifying_key, vector["verifying_key"].to_string()).unwrap();
        let roots = vec![proof["root"].as_str().unwrap().parse().unwrap()];
        config.foreign_sets = vec![ForeignSet { name: "world-id-3".into(), verifying_key, roots }];
    });
    let app_id = proof["app_id"].as_str().unwrap();
    assert_eq!(register(&bench, app_id, &["world-id-3"]).status, 201);
    assert_eq!(put_of(&bench, app_id, proof["action"].as_str().unwrap(), &json!({})).status, 201);
    (bench, proof)
}

fn body(proof: &Value) -> Value {
    json!({
        "action": proof["action"], "signal_hash": proof["signalHash"], "proof": proof["packed_proof"],
        "nullifier_hash": proof["nullifierHash"], "merkle_root": proof["root"], "verification_level": "orb",
    })
}

/// Asks the portal. Every answer is JSON; every refusal has the portal's shape.
#[track_caller]
fn ask(bench: &Bench, app_id: &str, body: &str) -> Answer {
    let url = format!("{}/api/v2/verify/{app_id}", bench.url);
    let (answer, content_type) = post_elsewhere(&url, "", body.as_bytes());
    assert_eq!(content_type, "application/json", "{answer:?}");
    if answer.status != 200 {
        let keys: Vec<_> = answer.body.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys, ["app_id", "attribute", "code", "detail"]);
        assert_eq!(answer.body["app_id"], app_id);
    }
    answer
}

#[test]
fn a_proof_of_world_id_counts_once_whatever_it_is_written_like() {
    let (bench, proof) = with_world();
    let app_id = proof["app_id"].as_str().unwrap();
    let body = body(&proof);
    let changed = |key: &str, value: Value| {
        let mut body = body.clone();
        body[key] = value;
        ask(&bench, app_id, &body.to_string())
    };
    // Not the statement that was proved.
    let number = |n: u64| json!(format!("0x{n:x}"));
    assert_eq!(changed("signal_hash", number(5)).code(), (400, "invalid_proof"));
    assert_eq!(changed("nullifier_hash", number(5)).code(), (400, "invalid_proof"));
    assert_eq!(changed("merkle_root", number(5)).code(), (400, "invalid_merkle_root"));
    assert_eq!(changed("action", json!("another")).code(), (400, "invalid_action"));
    assert_eq!(ask(&bench, "app_unknown", &body.to_string()).code(), (404, "not_found"));
    assert_eq!(ask(&bench, "no.name", &body.to_string()).code(), (404, "not_found"));
    // Another spelling of a number of the order or more is no spelling.
    for key in ["nullifier_hash", "merkle_root", "signal_hash"] {
        let number = format!("0x{:0>64}", &body[key].as_str().unwrap()[2..]);
        let refused = changed(key, json!(plus_order(&number)));
        assert_eq!((refused.code(), &refused.body["attribute"]), ((400, "invalid_format"), &json!(key)));
    }
    assert_eq!(bench.count("nullifiers"), 0, "no refusal uses anything up");

    let accepted = ask(&bench, app_id, &body.to_string());
    let nullifier = format!("0x{:0>64}", &proof["nullifierHash"].as_str().unwrap()[2..]);
    let expected = json!({
        "uses": 1, "success": true, "action": proof["action"], "max_uses": 1, "nullifier_hash": nullifier,
        "created_at": "2027-01-15T08:00:00Z", "verification_level": "orb", "message": accepted.body["message"],
    });
    assert_eq!((accepted.status, accepted.body), (200, expected));
    for spelling in spellings(&nullifier) {
        let again = changed("nullifier_hash", json!(spelling));
        assert_eq!(again.code(), (400, "max_verifications_reached"), "{spelling}");
    }
    assert_eq!(bench.count("nullifiers"), 1);
}

#[test]
fn every_spelling_and_form_means_the_same() {
    let (bench, proof) = with_world();
    let app_id = proof["app_id"].as_str().unwrap();
    let action = proof["action"].as_str().unwrap();
    assert_eq!(put_of(&bench, app_id, action, &json!({ "max_uses": 100 })).status, 200);
    let mut uses = 0;
    let mut passes = |key: &str, value: Value| {
        let mut body = body(&proof);
        body[key] = value;
        let answer = ask(&bench, app_id, &body.to_string());
        uses += 1;
        assert_eq!((answer.status, &answer.body["uses"]), (200, &json!(uses)), "{key} {}", body[key]);
    };
    for key in ["nullifier_hash", "merkle_root", "signal_hash"] {
        let number = body(&proof)[key].as_str().unwrap().to_owned();
        for spelling in spellings(&number).into_iter().chain([format!("0x{:0>64}", &number[2..])]) {
            passes(key, json!(spelling));
        }
    }
    passes("proof", proof["proof"].clone());
    passes("proof", json!(proof["proof"].to_string()));
    passes("verification_level", json!("device"));
    passes("max_age", json!(3600));
    assert_eq!(bench.count("nullifiers"), 1);
}

#[test]
fn our_own_people_pass_too_and_only_where_they_are_taken() {
    let (bench, person) = bench();
    assert_eq!(put(&bench, "vote", &json!({})).status, 201);
    assert_eq!(put(&bench, "post", &json!({ "per": "day" })).status, 201);
    let portal = |request: &Value, more: &Value| {
        let action = match request.get("day") {
            Some(day) => format!("{}/{}", request["action"].as_str().unwrap(), day.as_str().unwrap()),
            None => request["action"].as_str().unwrap().to_owned(),
        };
        let mut body = json!({
            "action": action, "proof": request["proof"], "nullifier_hash": request["nullifier"],
            "merkle_root": request["root"], "verification_level": "orb",
        });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        ask(&bench, APP, &body.to_string())
    };
    let vote = humanness(&bench, &person, "vote", "");
    assert_eq!(portal(&vote, &json!({})).status, 200, "an absent signal is the empty one");
    assert_eq!(verify(&bench, &vote).code(), (409, "nullifier_used"), "both doors count in one book");
    let today = humanness_on(&bench, &person, "post", Some("2027-01-15"), "");
    let tomorrow = humanness_on(&bench, &person, "post", Some("2027-01-16"), "");
    assert_eq!(portal(&humanness(&bench, &person, "post", ""), &json!({})).code(), (400, "invalid_action"));
    assert_eq!(portal(&tomorrow, &json!({})).code(), (400, "invalid_action"));
    assert_eq!(portal(&today, &json!({})).status, 200);
    assert_eq!(portal(&today, &json!({})).code(), (400, "max_verifications_reached"));
    assert_eq!(put(&bench, "vote", &json!({ "open": false })).status, 200);
    assert_eq!(portal(&vote, &json!({})).code(), (400, "action_inactive"));

    // The age of a root counts from when it was replaced.
    assert_eq!(put(&bench, "late", &json!({ "max_uses": 9 })).status, 201);
    let late = humanness(&bench, &person, "late", "");
    bench.clock.advance(30 * 24 * 3600);
    assert_eq!(portal(&late, &json!({ "max_age": 3600 })).status, 200, "nobody came: it is the newest");
    assert_eq!(bench.enroll(&bench.device(), &Person::new()).status, 201);
    bench.clock.advance(3600);
    assert_eq!(portal(&late, &json!({ "max_age": 3600 })).status, 200);
    bench.clock.advance(1);
    assert_eq!(portal(&late, &json!({ "max_age": 3600 })).code(), (400, "root_too_old"));
    assert_eq!(portal(&late, &json!({})).status, 200, "a week, if nothing is said");
}

#[test]
fn an_app_takes_the_sets_that_it_names() {
    let (bench, proof) = with_world();
    let (app_id, action) = (proof["app_id"].as_str().unwrap(), proof["action"].as_str().unwrap());
    let person = Person::new();
    assert_eq!(bench.enroll(&bench.device(), &person).status, 201);
    let canonical = |key: &str| format!("0x{:0>64}", &proof[key].as_str().unwrap()[2..]);
    let of_world = |app_id: &str| {
        json!({
            "app_id": app_id, "action": action, "signal_hash": canonical("signalHash"), "root": canonical("root"),
            "nullifier": canonical("nullifierHash"), "proof": proof["packed_proof"],
        })
    };
    assert_eq!(register(&bench, APP, &["unum"]).status, 201);
    assert_eq!(put(&bench, action, &json!({})).status, 201);
    assert_eq!(verify(&bench, &of_world(APP)).code(), (422, "set_not_accepted"));
    let checked = post(&format!("{}/v1/proofs/check", bench.url), &of_world(app_id));
    assert_eq!(checked.body, json!({ "valid": true, "set": "world-id-3", "root_replaced_at": null }));
    let verified = verify(&bench, &of_world(app_id));
    assert_eq!((verified.status, verified.body["set"].as_str()), (200, Some("world-id-3")));

    // One of ours, in the set of others.
    let mut ours = humanness(&bench, &person, action, "");
    assert_eq!(verify(&bench, &ours).status, 200);
    ours["root"] = json!(canonical("root"));
    assert_eq!(verify(&bench, &ours).code(), (409, "nullifier_used"));
    let url = format!("{}/v1/proofs/check", bench.url);
    assert_eq!(post(&url, &ours).code(), (422, "proof_invalid"), "a root has one key");
}

#[test]
fn malformed_requests_have_the_portals_shape() {
    let (bench, proof) = with_world();
    let app_id = proof["app_id"].as_str().unwrap();
    for text in ["", "{", "[]", "null", "{\"action\":1}"] {
        let refused = ask(&bench, app_id, text);
        assert_eq!(refused.status, 400, "{text}");
    }
    let mut short = body(&proof);
    short.as_object_mut().unwrap().remove("proof");
    let refused = ask(&bench, app_id, &short.to_string());
    assert_eq!((refused.code(), &refused.body["attribute"]), ((400, "required"), &json!("proof")));
    assert_eq!(ask(&bench, app_id, &" ".repeat(9000)).code(), (413, "body_too_large"));
}

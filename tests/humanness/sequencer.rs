//! The read side of World's signup sequencer: paths, and proofs that nobody counts.

use circuits::Proof;
use circuits::interop::Compressed;
use serde_json::{Value, json};

use unum_identity::envelope::Purpose;

use super::compat::with_world;
use super::*;
use crate::harness::bench::{send_to, session};
use crate::harness::{get_elsewhere, post_elsewhere, somebodys_commitment};

fn ask(bench: &Bench, path: &str, body: &Value) -> Answer {
    post_elsewhere(&format!("{}{path}", bench.url), "", body.to_string().as_bytes()).0
}

#[test]
fn a_path_has_the_sequencers_shape() {
    let (bench, person) = bench();
    let inclusion = bench.inclusion(&person);
    let commitment = person.commitment().to_string();
    let expected =
        json!({ "status": "mined", "root": inclusion.root, "proof": inclusion.path, "message": null });
    for spelling in spellings(&commitment).into_iter().chain([commitment.clone()]) {
        let found = ask(&bench, "/inclusionProof", &json!({ "identityCommitment": spelling }));
        assert_eq!((found.status, &found.body), (200, &expected), "{spelling}");
        let url = format!("{}/v2/identities/{spelling}/inclusion-proof", bench.url);
        let (found, _) = get_elsewhere(&url);
        assert_eq!(found.body, json!({ "root": inclusion.root, "proof": inclusion.path }));
    }
    assert_eq!(inclusion.path.steps().len(), 30);

    let unknown = json!({ "identityCommitment": somebodys_commitment() });
    assert_eq!(ask(&bench, "/inclusionProof", &unknown).status, 404);
    for wrong in
        [json!({}), json!({ "identityCommitment": "0xg" }), json!({ "identityCommitment": 5 }), json!(5)]
    {
        assert_eq!(ask(&bench, "/inclusionProof", &wrong).status, 400, "{wrong}");
    }
    let order = format!("0x{}", hex::encode(order_plus(0)));
    for (wrong, status, id) in [
        ("0xg", 400, "invalid_path_param"),
        (&"1".repeat(65), 400, "invalid_path_param"),
        (&order, 400, "unreduced_commitment"),
        ("0x0", 400, "invalid_commitment"),
        (&somebodys_commitment().to_string(), 404, "not_found"),
    ] {
        let (answer, content_type) =
            get_elsewhere(&format!("{}/v2/identities/{wrong}/inclusion-proof", bench.url));
        assert_eq!((answer.status, answer.body["errorId"].as_str()), (status, Some(id)), "{wrong}");
        assert_eq!(content_type, "application/json");
        assert!(answer.body["errorMessage"].is_string());
    }
}

#[test]
fn whoever_was_replaced_is_gone() {
    let (bench, person) = bench();
    let (device, found) = (bench.device(), person.again());
    let payload = device.payload(&session(&bench.url, &device), &found.eyes(), found.commitment());
    let recovered = send_to(&bench.url, "recoveries", &device.sign_for(Purpose::Recover, &payload));
    assert_eq!(recovered.code(), (200, "recovered"));
    let at = |person: &Person| format!("{}/v2/identities/{}/inclusion-proof", bench.url, person.commitment());
    let (gone, _) = get_elsewhere(&at(&person));
    assert_eq!((gone.status, gone.body["errorId"].as_str()), (410, Some("deleted_commitment")));
    let old = json!({ "identityCommitment": person.commitment() });
    assert_eq!(ask(&bench, "/inclusionProof", &old).status, 410);
    assert_eq!(get_elsewhere(&at(&found)).0.status, 200);
}

fn statement(proof: &Value) -> Value {
    json!({
        "root": proof["root"], "signalHash": proof["signalHash"], "nullifierHash": proof["nullifierHash"],
        "externalNullifierHash": proof["externalNullifierHash"], "proof": proof["proof"],
    })
}

#[test]
fn a_proof_of_world_id_is_verified_in_each_form() {
    let (bench, proof) = with_world();
    let statement = statement(&proof);
    let changed = |key: &str, value: &Value| {
        let mut body = statement.clone();
        body[key] = value.clone();
        body
    };
    let held = ask(&bench, "/verifySemaphoreProof?maxRootAgeSeconds=3600", &statement);
    let expected = json!({
        "root": statement["root"], "status": "mined",
        "pending_valid_as_of": "2027-01-15T08:00:00Z", "mined_valid_as_of": "2027-01-15T08:00:00Z",
    });
    assert_eq!((held.status, &held.body), (200, &expected));
    let compressed = changed("proof", &proof["compressed_proof"]);
    assert_eq!(ask(&bench, "/verifyCompressedSemaphoreProof", &compressed).body, expected);
    assert_eq!(ask(&bench, "/verifyCompressedSemaphoreProof", &statement).status, 400);
    let packed: unum_identity::proof::ProofBytes = proof["packed_proof"].as_str().unwrap().parse().unwrap();
    let padded = json!(Compressed::from(&Proof::decode(&packed).unwrap()).to_padded());
    for form in [&proof["proof"], &proof["packed_proof"], &padded] {
        assert_eq!(ask(&bench, "/verifySemaphoreProof", &changed("proof", form)).status, 200);
        let valid = ask(&bench, "/v2/semaphore-proof/verify", &changed("proof", form));
        assert_eq!((valid.status, valid.body), (200, json!({ "valid": true })));
    }

    let other = changed("signalHash", &json!("0x5"));
    let refused = ask(&bench, "/verifySemaphoreProof", &other);
    assert_eq!((refused.status, refused.body), (400, json!("invalid semaphore proof")));
    let refused = ask(&bench, "/v2/semaphore-proof/verify", &other);
    assert_eq!((refused.status, refused.body), (200, json!({ "valid": false })));
    let unknown = changed("root", &json!("0x5"));
    assert_eq!(ask(&bench, "/verifySemaphoreProof", &unknown).body, json!("invalid root"));
    let id = |body: &Value| {
        let answer = ask(&bench, "/v2/semaphore-proof/verify", body);
        (answer.status, answer.body["errorId"].as_str().unwrap().to_owned())
    };
    assert_eq!(id(&unknown), (400, "invalid_root".into()));
    let nothing = json!(format!("0x{}", "0".repeat(512)));
    assert_eq!(id(&changed("proof", &nothing)), (400, "decompressing_proof_error".into()));
    assert_eq!(id(&changed("more", &json!(1))), (400, "invalid_request".into()));
    assert_eq!(id(&json!([])), (400, "invalid_request".into()));
    assert_eq!(ask(&bench, "/verifySemaphoreProof?maxRootAgeSeconds=-1", &statement).status, 400);
    assert_eq!(ask(&bench, "/verifySemaphoreProof?max=1", &statement).status, 400);
    assert_eq!(bench.count("nullifiers"), 0, "nobody is counted here");
}

#[test]
fn the_age_of_our_roots_counts_from_their_replacement() {
    let (bench, person) = bench();
    let request = humanness(&bench, &person, "vote", "");
    let scope = unum_identity::field::ExternalNullifier::of_app(APP, "vote");
    let statement = json!({
        "root": request["root"], "signalHash": request["signal_hash"], "nullifierHash": request["nullifier"],
        "externalNullifierHash": scope, "proof": request["proof"],
    });
    let old = |age: u64| ask(&bench, &format!("/verifySemaphoreProof?maxRootAgeSeconds={age}"), &statement);
    bench.clock.advance(1000);
    assert_eq!(old(0).status, 200, "the newest is not old");
    assert_eq!(bench.enroll(&bench.device(), &Person::new()).status, 201);
    bench.clock.advance(2600 + 60); // the hour of the replacement is rounded up
    assert_eq!(old(60).body["mined_valid_as_of"], "2027-01-15T09:00:00Z");
    assert_eq!(old(59).body, json!("Root provided in semaphore proof is too old."));
    let mut newer = statement.clone();
    newer["maxRootAgeSeconds"] = json!(59);
    assert_eq!(ask(&bench, "/v2/semaphore-proof/verify", &newer).body["errorId"], "root_too_old");
    newer["maxRootAgeSeconds"] = json!(60);
    assert_eq!(ask(&bench, "/v2/semaphore-proof/verify", &newer).body, json!({ "valid": true }));
}

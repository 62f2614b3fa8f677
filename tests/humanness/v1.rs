//! `POST /v1/verify` and what belongs to it: tampered proofs, too many uses, days, roots that have gone.

use serde_json::{Value, json};
use unum_identity::hash::hash_signal;
use unum_identity::humanness::{Checked, PublishedRoots, Uses};

use super::*;
use crate::harness::{Person, get, post, somebodys_commitment};

#[test]
fn a_nullifier_is_used_once() {
    let (bench, person) = bench();
    for action in ["vote", "another vote", "like"] {
        assert_eq!(put(&bench, &action.replace(' ', "%20"), &json!({})).status, 201);
    }
    let verify = |body: &Value| verify(&bench, body);
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
    for key in ["nullifier", "root", "signal_hash"] {
        let number = request[key].as_str().unwrap();
        let long = format!("0x00{}", &number[2..]);
        let others = [long, plus_order(number), format!("0x{}", hex::encode(order_plus(0))), "0x0".into()];
        for wrong in spellings(number).into_iter().chain(others).filter(|wrong| wrong != number) {
            assert_eq!(changed(key, json!(wrong)).code(), (400, "body_invalid"), "{key} {wrong}");
        }
    }
    assert_eq!(
        changed("more", json!(1)).code(),
        (400, "body_invalid"),
        "what is not understood is not ignored"
    );
    assert_eq!(bench.count("nullifiers"), 0, "no refusal uses anything up");

    // A hundred at once.
    let answers = at_once(100, || verify(&request));
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.code() == (409, "nullifier_used")).count(), 99);
    let refused = answers.iter().find(|answer| answer.status == 409).unwrap();
    assert_eq!(refused.body["detail"], "used 1 of 1 times, the last time at 2027-01-15T08:00:00Z");
    assert_eq!(bench.count("nullifiers"), 1);

    // Another proof of the same, and another action.
    assert_eq!(verify(&humanness(&bench, &person, "vote", "no")).code(), (409, "nullifier_used"));
    assert_eq!(verify(&humanness(&bench, &person, "like", "yes")).status, 200);
}

#[test]
fn a_root_counts_for_a_while_after_it_was_replaced() {
    const HOUR: u64 = 3600;
    let bench = bench_with(|config| config.root_window_seconds = 5 * HOUR);
    let device = bench.device();
    assert_eq!(register(&bench, APP, &["unum"]).status, 201);
    for action in ["a", "b", "c"] {
        assert_eq!(put(&bench, action, &json!({})).status, 201);
    }
    let (first, second) = (Person::new(), Person::new());
    assert_eq!(bench.enroll(&device, &first).status, 201);
    let requests: Vec<_> =
        ["a", "b", "c"].iter().map(|action| humanness(&bench, &first, action, "")).collect();
    let verify = |request: &Value| verify(&bench, request);

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

#[test]
fn a_limit_of_three_lets_three_of_a_hundred_through() {
    let (bench, person) = bench();
    assert_eq!(put(&bench, "post", &json!({ "max_uses": 3 })).status, 201);
    let request = humanness(&bench, &person, "post", "hello");
    let nullifier = request["nullifier"].as_str().unwrap();
    let precheck = || get(&format!("{}/v1/apps/{APP}/actions/post/nullifiers/{nullifier}", bench.url));
    assert_eq!(precheck().parse::<Uses>(), Uses { uses: 0, max_uses: 3, last_used_at: None });

    let answers = at_once(100, || verify(&bench, &request));
    let mut uses: Vec<_> =
        answers.iter().filter(|a| a.status == 200).map(|a| a.body["uses"].as_u64().unwrap()).collect();
    uses.sort_unstable();
    assert_eq!(uses, [1, 2, 3], "each of them is told which it was");
    assert_eq!(answers.iter().filter(|answer| answer.code() == (409, "nullifier_used")).count(), 97);
    assert_eq!(bench.count("nullifiers"), 1);

    bench.clock.advance(60);
    assert_eq!(put(&bench, "post", &json!({ "max_uses": 4 })).status, 200);
    let fourth = verify(&bench, &request);
    assert_eq!((fourth.status, &fourth.body["uses"], &fourth.body["max_uses"]), (200, &4.into(), &4.into()));
    assert_eq!(fourth.body["set"], "unum");
    let refused = verify(&bench, &request);
    assert_eq!(refused.body["detail"], "used 4 of 4 times, the last time at 2027-01-15T08:01:00Z");
    let Uses { uses, last_used_at, .. } = precheck().parse();
    assert_eq!((uses, last_used_at.unwrap().0), (4, 1_800_000_060));
}

#[test]
fn a_day_ends_ten_minutes_after_midnight() {
    let (bench, person) = bench();
    let late = Person::new();
    assert_eq!(bench.enroll(&bench.device(), &late).status, 201);
    assert_eq!(put(&bench, "post", &json!({ "max_uses": 2, "per": "day" })).status, 201);
    assert_eq!(put(&bench, "once", &json!({})).status, 201);
    let on = |person: &Person, day: &str| humanness_on(&bench, person, "post", Some(day), "");
    let [today, tomorrow] = ["2027-01-15", "2027-01-16"].map(|day| on(&person, day));
    let of_late = on(&late, "2027-01-15");
    let verify = |body: &Value| verify(&bench, body);

    // It is eight in the morning.
    assert_eq!(verify(&humanness(&bench, &person, "post", "")).code(), (422, "day_wrong"), "which day?");
    let once = humanness_on(&bench, &person, "once", Some("2027-01-15"), "");
    assert_eq!(verify(&once).code(), (422, "day_wrong"), "counted for ever");
    assert_eq!(verify(&tomorrow).code(), (422, "day_over"), "not yet");
    assert_eq!(verify(&on(&person, "2027-01-14")).code(), (422, "day_over"));
    let mut another = today.clone();
    another["day"] = json!("2027-1-15");
    assert_eq!(verify(&another).code(), (400, "body_invalid"), "a day has one spelling");
    assert_eq!((verify(&today).status, verify(&today).status), (200, 200));
    assert_eq!(verify(&today).code(), (409, "nullifier_used"));
    let address = format!("{}/v1/apps/{APP}/actions/post/nullifiers", bench.url);
    let uses = |body: &Value, day: &str| {
        get(&format!("{address}/{}{day}", body["nullifier"].as_str().unwrap())).parse::<Uses>().uses
    };
    assert_eq!((uses(&today, ""), uses(&today, "?day=2027-01-15"), uses(&tomorrow, "")), (2, 2, 0));

    bench.clock.advance(16 * 3600 - 1); // the last second of the day
    assert_eq!(verify(&tomorrow).code(), (422, "day_over"));
    bench.clock.advance(1);
    assert_eq!(verify(&tomorrow).status, 200, "a new day, a new nullifier");
    bench.clock.advance(599);
    assert_eq!(verify(&of_late).status, 200, "who proved before midnight");
    assert_eq!(verify(&today).code(), (409, "nullifier_used"), "but nobody twice");
    bench.clock.advance(1);
    assert_eq!(verify(&of_late).code(), (422, "day_over"));
    assert_eq!(verify(&tomorrow).status, 200);
}

#[test]
fn what_is_only_checked_is_not_kept() {
    let (bench, person) = bench();
    let mut request = humanness(&bench, &person, "vote", "yes");
    let check = |body: &Value| post(&format!("{}/v1/proofs/check", bench.url), body);
    for _ in 0..2 {
        let checked: Checked = check(&request).parse();
        assert_eq!(checked, Checked { valid: true, set: "unum".into(), root_replaced_at: None });
    }
    assert_eq!(verify(&bench, &request).code(), (404, "action_unknown"), "counting needs an action");
    assert_eq!(bench.count("nullifiers"), 0);
    assert_eq!(bench.enroll(&bench.device(), &Person::new()).status, 201);
    assert_eq!(check(&request).parse::<Checked>().root_replaced_at.unwrap().0, 1_800_000_000);
    request["signal_hash"] = json!(hash_signal("no"));
    assert_eq!(check(&request).code(), (422, "proof_invalid"));
    request["app_id"] = json!("not a name\u{0}");
    assert_eq!(check(&request).code(), (422, "proof_invalid"), "no app has to be registered");
    assert_eq!(verify(&bench, &request).code(), (404, "app_unknown"));
}

#[test]
fn roots_and_keys_are_enough_to_verify_elsewhere() {
    let bench = bench_with(|config| config.root_window_seconds = 7200);
    let device = bench.device();
    let roots = || get(&format!("{}/v1/roots", bench.url)).parse::<PublishedRoots>();
    assert_eq!(roots().roots.len(), usize::from(bench.count("roots") > 0), "of nobody");
    let (first, second) = (Person::new(), Person::new());
    assert_eq!(bench.enroll(&device, &first).status, 201);
    let one = bench.inclusion(&first);
    assert_eq!(bench.enroll(&device, &second).status, 201);
    let two = bench.inclusion(&second);
    let listed = roots();
    assert_eq!(listed.window_seconds, 7200);
    assert_eq!(
        (listed.roots[0].root, listed.roots[0].size, listed.roots[0].replaced_at),
        (two.root, 2, None)
    );
    assert_eq!((listed.roots[1].root, listed.roots[1].size), (one.root, 1));
    assert_eq!(listed.roots[1].replaced_at.unwrap().0, 1_800_000_000);
    bench.clock.advance(7200);
    assert_eq!(roots().roots.len(), listed.roots.len(), "as long as it counts");
    bench.clock.advance(1);
    assert_eq!(roots().roots.len(), 1);

    let keys = get(&format!("{}/v1/keys", bench.url));
    let key = &keys.body["keys"][0];
    let read = circuits::interop::snarkjs::read_key(&key["verifying_key"].to_string()).unwrap();
    assert_eq!(read.to_bytes(), crate::harness::proving_keys().verifying_key);
    assert_eq!((key["name"].as_str(), key["id"].as_str()), (Some("unum"), Some(&*read.hash().to_string())));
}

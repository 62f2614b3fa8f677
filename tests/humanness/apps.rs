//! Apps and actions: what operators may do, and what nobody may.

use serde_json::{Value, json};
use unum_identity::humanness::App;

use super::*;
use crate::harness::bench::sql;
use crate::harness::{OPERATOR, get, get_as, post, try_post};

#[test]
fn only_operators_register() {
    let bench = bench_with(|_| {});
    let apps = format!("{}/v1/apps", bench.url);
    let app = json!({ "app_id": "a", "name": "A", "signer": format!("0x{}", "ab".repeat(20)) });
    assert_eq!(post(&apps, &app).code(), (401, "operator_required"));
    assert_eq!(get(&apps).code(), (401, "operator_required"));
    assert_eq!(get(&format!("{apps}/a")).code(), (404, "app_unknown"));

    let registered = post_as_operator(&apps, &app);
    assert_eq!(registered.status, 201);
    assert_eq!(post_as_operator(&apps, &app), Answer { status: 200, ..registered.clone() }, "the same again");
    assert_eq!(registered.body["sets"], json!(["unum"]), "an app says so if it takes others too");
    let mut changed = app.clone();
    changed["name"] = json!("B");
    assert_eq!(post_as_operator(&apps, &changed).code(), (409, "app_known"));

    assert_eq!(put_of(&bench, "a", "vote", &json!({ "description": "One each" })).status, 201);
    let seen: App = get(&format!("{apps}/a")).parse();
    assert_eq!(seen.registration.signer.unwrap().0, [0xab; 20]);
    assert_eq!((seen.actions[0].action.as_str(), seen.actions[0].terms.max_uses), ("vote", 1));
    assert_eq!(get_as(OPERATOR, &apps).parse::<Vec<App>>(), [seen]);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let (bench, _) = bench();
    let apps = format!("{}/v1/apps", bench.url);
    let register = |change: &dyn Fn(&mut Value)| {
        let mut app = json!({ "app_id": "a", "name": "A" });
        change(&mut app);
        let answer = post_as_operator(&apps, &app);
        (answer.status, answer.body["code"].as_str().unwrap().to_owned())
    };
    let refused = |status: u16, code: &str| (status, code.to_owned());
    assert_eq!(register(&|app| app["app_id"] = json!("a b")), refused(400, "body_invalid"));
    assert_eq!(register(&|app| app["name"] = json!("")), refused(422, "text_invalid"));
    assert_eq!(register(&|app| app["name"] = json!("a\u{0}b")), refused(422, "text_invalid"));
    assert_eq!(register(&|app| app["sets"] = json!([])), refused(422, "set_unknown"));
    assert_eq!(register(&|app| app["sets"] = json!(["world-id-3"])), refused(422, "set_unknown"));
    assert_eq!(register(&|app| app["sets"] = json!(["unum", "unum"])), refused(422, "set_unknown"));
    assert_eq!(register(&|app| app["signer"] = json!("0xAB")), refused(400, "body_invalid"));

    assert_eq!(put_of(&bench, "nobody", "vote", &json!({})).code(), (404, "app_unknown"));
    assert_eq!(put(&bench, "vote", &json!({ "max_uses": 0 })).code(), (422, "max_uses_invalid"));
    assert_eq!(put(&bench, "vote", &json!({ "max_uses": -1 })).code(), (400, "body_invalid"));
    assert_eq!(put(&bench, "vote", &json!({ "per": "week" })).code(), (400, "body_invalid"));
    let long = json!({ "description": "x".repeat(257) });
    assert_eq!(put(&bench, "vote", &long).code(), (422, "text_invalid"));
    assert_eq!(
        put(&bench, "vote%2F2027-01-15", &json!({})).code(),
        (400, "path_invalid"),
        "of a daily action"
    );
    let url = format!("{apps}/{APP}/actions/vote");
    assert_eq!(try_post(&url, Some(OPERATOR), "application/json", b"{}").unwrap().status, 405);
}

#[test]
fn a_limit_is_raised_and_never_lowered() {
    let (bench, person) = bench();
    assert_eq!(put(&bench, "post", &json!({ "max_uses": 2 })).status, 201);
    assert_eq!(put(&bench, "post", &json!({ "max_uses": 2 })).status, 200, "the same again");
    assert_eq!(put(&bench, "post", &json!({ "max_uses": 3 })).status, 200);
    assert_eq!(put(&bench, "post", &json!({ "max_uses": 2 })).code(), (409, "action_narrower"));
    assert_eq!(put(&bench, "post", &json!({ "max_uses": 3, "per": "day" })).code(), (409, "action_narrower"));

    let request = humanness(&bench, &person, "post", "");
    assert_eq!(put(&bench, "post", &json!({ "max_uses": 3, "open": false })).status, 200);
    assert_eq!(verify(&bench, &request).code(), (422, "action_closed"));
    assert_eq!(put(&bench, "post", &json!({ "max_uses": 3 })).status, 200);
    assert_eq!(verify(&bench, &request).status, 200);
}

#[test]
fn the_empty_action_is_one_too() {
    let (bench, person) = bench();
    assert_eq!(verify(&bench, &humanness(&bench, &person, "", "")).code(), (404, "action_unknown"));
    assert_eq!(put(&bench, "", &json!({})).status, 201);
    let mut request = humanness(&bench, &person, "", "");
    request.as_object_mut().unwrap().remove("action");
    assert_eq!(verify(&bench, &request).status, 200, "absent is empty");
    let nullifier = request["nullifier"].as_str().unwrap();
    let uses = get(&format!("{}/v1/apps/{APP}/actions//nullifiers/{nullifier}", bench.url));
    assert_eq!(uses.body["uses"], 1);
}

/// The schema keeps to the rules even if the server should not.
#[test]
fn nothing_is_taken_back_in_the_tables() {
    let (bench, person) = bench();
    assert_eq!(put(&bench, "post", &json!({ "max_uses": 3 })).status, 201);
    assert_eq!(verify(&bench, &humanness(&bench, &person, "post", "")).status, 200);
    let mut sql = sql(&bench.config.database_url);
    for statement in [
        "UPDATE enroll.nullifiers SET uses = 0, last_used_at = used_at",
        "UPDATE enroll.nullifiers SET uses = uses, last_used_at = used_at",
        "UPDATE enroll.nullifiers SET uses = uses + 2, last_used_at = used_at",
        "UPDATE enroll.nullifiers SET uses = uses + 1",
        "UPDATE enroll.nullifiers SET uses = uses + 1, last_used_at = used_at, used_at = used_at - interval '1 day'",
        "UPDATE enroll.nullifiers SET uses = uses + 1, last_used_at = used_at, nullifier = scope",
        "UPDATE enroll.nullifiers SET last_used_at = used_at",
        "DELETE FROM enroll.nullifiers",
        "TRUNCATE enroll.nullifiers",
        "UPDATE enroll.actions SET max_uses = 2",
        "UPDATE enroll.actions SET per = 'day'",
        "DELETE FROM enroll.actions",
        "TRUNCATE enroll.actions",
    ] {
        assert!(sql.batch_execute(statement).is_err(), "{statement}");
    }
    sql.batch_execute("UPDATE enroll.nullifiers SET uses = uses + 1, last_used_at = used_at").unwrap();
}

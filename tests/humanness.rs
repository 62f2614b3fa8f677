//! The humanness API against a real Postgres, with real proofs: who passes, how often, and what everybody else is told.

mod apps;
pub(crate) mod bridge;
mod compat;
mod limits;
mod sequencer;
mod v1;

use serde_json::{Value, json};
use unum_identity::action::Act;
use unum_identity::hash::hash_signal;

use crate::harness::bench::Bench;
use crate::harness::{Answer, Person, cluster, order_plus, post, post_as_operator, prove, put_as_operator};

/// The app of most tests.
const APP: &str = "app_test";

/// A server that asks nobody to be patient.
fn bench_with(change: impl FnOnce(&mut enroll_server::Config)) -> Bench {
    Bench::on(cluster(), |config| {
        (config.limits.address_per_second, config.limits.app_per_second) = (0, 0);
        change(config);
    })
}

/// The same, with [`APP`] registered, and one person enrolled.
fn bench() -> (Bench, Person) {
    let bench = bench_with(|_| {});
    let person = Person::new();
    assert_eq!(bench.enroll(&bench.device(), &person).status, 201);
    assert_eq!(register(&bench, APP, &["unum"]).status, 201);
    (bench, person)
}

fn register(bench: &Bench, app_id: &str, sets: &[&str]) -> Answer {
    let app = json!({ "app_id": app_id, "name": "A test", "sets": sets });
    post_as_operator(&format!("{}/v1/apps", bench.url), &app)
}

/// Makes an action of [`APP`], or changes it.
fn put(bench: &Bench, action: &str, terms: &Value) -> Answer {
    put_of(bench, APP, action, terms)
}

fn put_of(bench: &Bench, app_id: &str, action: &str, terms: &Value) -> Answer {
    put_as_operator(&format!("{}/v1/apps/{app_id}/actions/{action}", bench.url), terms)
}

/// An enrolled person's proof for [`APP`].
fn humanness(bench: &Bench, person: &Person, action: &str, signal: &str) -> Value {
    humanness_on(bench, person, action, None, signal)
}

fn humanness_on(bench: &Bench, person: &Person, action: &str, day: Option<&str>, signal: &str) -> Value {
    let inclusion = bench.inclusion(person);
    let parsed = day.map(|day| day.parse().unwrap());
    let act = Act { app_id: APP.into(), action: action.into(), day: parsed };
    let (nullifier, proof) = prove(&person.identity, &inclusion, act.scope(), hash_signal(signal));
    let mut body = json!({
        "app_id": APP, "action": action, "signal_hash": hash_signal(signal),
        "root": inclusion.root, "nullifier": nullifier, "proof": proof,
    });
    if let Some(day) = day {
        body["day"] = json!(day);
    }
    body
}

fn verify(bench: &Bench, body: &Value) -> Answer {
    post(&format!("{}/v1/verify", bench.url), body)
}

/// What so many answer who ask at once.
fn at_once(count: usize, ask: impl Fn() -> Answer + Sync) -> Vec<Answer> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..count).map(|_| scope.spawn(&ask)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// The same number, written as a larger one: `n + r`.
fn plus_order(number: &str) -> String {
    let mut sum: [u8; 32] = hex::decode(&number[2..]).unwrap().try_into().unwrap();
    let mut carry = 0;
    for (digit, order) in sum.iter_mut().zip(order_plus(0)).rev() {
        let total = u16::from(*digit) + u16::from(order) + carry;
        (*digit, carry) = (total as u8, total >> 8);
    }
    format!("0x{}", hex::encode(sum))
}

/// Spellings of the same number that are not canonical.
fn spellings(number: &str) -> Vec<String> {
    let digits = &number[2..];
    vec![
        format!("0x{}", digits.to_uppercase()),
        digits.to_owned(),
        digits.to_uppercase(),
        format!("0x{}", digits.trim_start_matches('0')),
    ]
}

//! The enrollment server against a real Postgres: people, and whoever tries to get past it.
//!
//! | test | row of the table of bad input |
//! |---|---|
//! | `a_person_is_enrolled_once` | same person again, exchanged, mirrored, one eye another's |
//! | `what_a_device_may_not_send` | unknown device, signatures, replays, counter, commitments |
//! | `two_at_once_one_passes` | two simultaneous enrollments of one person, on two servers |
//! | `killed_in_the_middle` | `kill -9` during 50 enrollments |
//! | `postgres_gone_for_ten_seconds` | 503, then recovery |
//! | [`erasure`] | whoever asks to be erased is gone, and nobody can ask for another |
//! | [`queue`] | a server stopped or killed with envelopes in its hands, and envelopes that no server can judge |
//! | [`races`] | the same in two processes, while servers and Postgres are killed |
//! | [`recapture`] | rendered people again, exchanged, mirrored, half covered |
//! | [`recovery`] | a lost wallet: another commitment in the same place, once a month |
//! | [`segments`] | files and manifest rows that are missing, torn, old, exchanged or altered |
//! | [`strangers`] | people as alike as real strangers are: nobody is taken for somebody else |

mod erasure;
mod queue;
mod races;
mod recapture;
mod recovery;
mod segments;
mod strangers;

use std::sync::{Barrier, Mutex};
use std::time::Duration;

use enroll_server::Server;
use serde_json::{Value, json};
use unum::cluster::Cluster;
use unum_identity::bytes::DeviceSignature;
use unum_identity::checkpoint::SignedCheckpoint;
use unum_identity::enrollment::{EnrollmentOutcome, InclusionProof, Session, SetIdentity, Snapshot};
use unum_identity::envelope::{DeviceSigner, Purpose, leaf_signature_holds};
use unum_identity::field::Commitment;
use unum_iris::{COLUMNS, EyePair, Template};

use crate::harness::bench::{
    Bench, COSE, Process, count, enroll, enroll_eyes, register, send, send_to, session, sql,
};
use crate::harness::{
    Answer, Device, Forger, OPERATOR, Person, cluster, database, enroll_config, get, order_plus, post,
    post_as_operator, replaced, rng, somebodys_commitment, try_post,
};

#[test]
fn a_person_is_enrolled_once() {
    let bench = Bench::new();
    let device = bench.device();
    let person = Person::new();

    let answer = bench.enroll(&device, &person);
    assert_eq!(answer.code(), (201, "enrolled"));
    let EnrollmentOutcome::Enrolled { receipt } = answer.parse() else { panic!("not enrolled") };
    let stated = receipt.verify(&bench.key()).unwrap();
    assert_eq!((stated.commitment, stated.leaf_index), (person.commitment(), 0));
    assert_eq!(stated.accepted_at.0 % 3600, 0, "no finer than the hour");

    let again = |eyes: EyePair| enroll_eyes(&bench.url, &device, &eyes, somebodys_commitment());
    let mixed =
        |left: &Template, right: &Template| EyePair::new(Some(left.clone()), Some(right.clone())).unwrap();
    let (same, other) = (person.again(), Person::new());
    for eyes in same.eyes().orientations() {
        assert_eq!(again(eyes).code(), (409, "duplicate"));
    }
    assert_eq!(again(mixed(&same.left, &other.right)).code(), (202, "review"));
    assert_eq!(again(mixed(&other.left, &same.right)).code(), (202, "review"));
    assert_eq!(bench.counts(), [1, 1, 2]);
    assert_eq!(bench.enroll(&device, &other).code(), (201, "enrolled"), "a case in review enrolls nobody");
}

#[test]
fn a_review_is_one_case_and_ends_with_the_enrollment() {
    let bench = Bench::new();
    let device = bench.device();
    let (known, newcomer) = (Person::new(), Person::new());
    assert_eq!(bench.enroll(&device, &known).status, 201);
    let mixed = EyePair::new(Some(known.left.clone()), Some(newcomer.right.clone())).unwrap();
    for _ in 0..2 {
        let answer = enroll_eyes(&bench.url, &device, &mixed, newcomer.commitment());
        assert_eq!(answer.code(), (202, "review"));
    }
    assert_eq!(bench.counts(), [1, 1, 1]);
    assert_eq!(bench.enroll(&device, &newcomer).code(), (201, "enrolled"));
    assert_eq!(bench.counts(), [2, 2, 0]);
}

#[test]
fn the_set_is_public_and_can_be_checked() {
    let bench = Bench::new();
    let device = bench.device();
    let people: Vec<_> = (0..5).map(|_| Person::new()).collect();
    for person in &people {
        assert_eq!(bench.enroll(&device, person).status, 201);
    }

    let identity: SetIdentity = get(&format!("{}/v1/set", bench.url)).parse();
    assert_eq!((identity.key, identity.origin.as_str()), (bench.key(), "unum.test/set"));
    let snapshot: Snapshot = get(&format!("{}/v1/set/snapshot", bench.url)).parse();
    let checkpoint = snapshot.checkpoint.verify(&identity.origin, &identity.key).unwrap();
    assert_eq!((checkpoint.size, snapshot.leaves.len()), (5, 5));
    for (leaf, person) in snapshot.leaves.iter().zip(&people) {
        assert_eq!(leaf.commitment, person.commitment());
        let key = &identity.devices.iter().find(|known| known.device == leaf.device).unwrap().key;
        assert!(leaf_signature_holds(leaf.device, leaf.commitment, &leaf.signature, key));
    }
    for (place, person) in (0..).zip(&people) {
        let proof = bench.inclusion(person);
        assert!(proof.holds() && proof.leaf_index == place && proof.root == checkpoint.root);
    }
    let Value::String(text) = get(&format!("{}/v1/set/checkpoint", bench.url)).body else {
        panic!("no text")
    };
    assert_eq!(SignedCheckpoint(text).verify(&identity.origin, &identity.key), Ok(checkpoint));

    // The past can still be asked for, the future cannot.
    let at = |path: &str| get(&format!("{}/v1/{path}", bench.url));
    let old: Snapshot = at("set/snapshot?size=3").parse();
    let old = old.checkpoint.verify(&identity.origin, &identity.key).unwrap();
    let first = people[0].commitment();
    let proof: InclusionProof = at(&format!("commitments/{first}/proof?size=3")).parse();
    assert!(proof.holds() && proof.size == 3 && proof.root == old.root);
    assert_eq!(at("set/snapshot?size=6").code(), (422, "size_invalid"));
    let last = people[4].commitment();
    assert_eq!(at(&format!("commitments/{last}/proof?size=4")).code(), (422, "size_invalid"));
    assert_eq!(at("set/snapshot?size=-1").code(), (400, "query_invalid"));
    assert_eq!(
        at(&format!("commitments/{}/proof", somebodys_commitment())).code(),
        (404, "commitment_unknown")
    );
    let upper = first.to_string().to_uppercase();
    assert_eq!(at(&format!("commitments/{upper}/proof")).code(), (400, "path_invalid"));
}

#[test]
fn the_log_cannot_be_rewritten() {
    let bench = Bench::new();
    assert_eq!(bench.enroll(&bench.device(), &Person::new()).status, 201);
    let mut client = sql(&bench.config.database_url);
    for change in [
        "UPDATE enroll.log SET commitment = decode(repeat('00', 32), 'hex')",
        "DELETE FROM enroll.log",
        "TRUNCATE enroll.log",
        "INSERT INTO enroll.log SELECT 2, 'enrolled', 1, decode(repeat('01', 32), 'hex'), device, signature, opening, \
         accepted_at FROM enroll.log",
        "INSERT INTO enroll.log SELECT 1, 'enrolled', 2, decode(repeat('01', 32), 'hex'), device, signature, opening, \
         accepted_at FROM enroll.log",
        "INSERT INTO enroll.log SELECT 1, 'replaced', 1, decode(repeat('01', 32), 'hex'), device, signature, opening, \
         accepted_at FROM enroll.log",
        "INSERT INTO enroll.log SELECT 1, 'removed', 0, null, null, null, null, accepted_at FROM enroll.log",
        "INSERT INTO enroll.log SELECT 1, 'replaced', 0, null, device, signature, opening, accepted_at FROM enroll.log",
    ] {
        assert!(client.batch_execute(change).is_err(), "{change}");
    }
    assert_eq!(bench.count("log"), 1);
}

#[test]
fn what_a_device_may_not_send() {
    let bench = Bench::new();
    let url = &bench.url;
    let (device, other) = (bench.device(), bench.device());
    let enrolled = Person::new();
    assert_eq!(bench.enroll(&device, &enrolled).status, 201);
    let person = Person::new();
    let fresh = |device: &Device| device.payload(&session(url, device), &person.eyes(), person.commitment());

    // Devices and signatures.
    let stranger = Device::new();
    let envelope =
        stranger.sign(&stranger.payload(&session(url, &device), &person.eyes(), person.commitment()));
    assert_eq!(send(url, &envelope).code(), (401, "device_unknown"));
    assert_eq!(
        post(&format!("{url}/v1/sessions"), &json!({ "device": stranger.id })).code(),
        (401, "device_unknown")
    );
    let envelope = unum_identity::envelope::sign(&fresh(&device), Purpose::Enroll, &other.key).unwrap();
    assert_eq!(send(url, &envelope).code(), (401, "signature_invalid"));
    let mut flipped = device.sign(&fresh(&device));
    *flipped.last_mut().unwrap() ^= 1;
    assert_eq!(send(url, &flipped).code(), (401, "signature_invalid"));
    let mut payload = fresh(&device);
    payload.leaf_signature = DeviceSignature([1; 64]);
    assert_eq!(send(url, &device.sign(&payload)).code(), (401, "signature_invalid"));

    // Not an envelope.
    assert_eq!(send(url, b"\x00 nothing").code(), (400, "envelope_malformed"));
    let mut trailing = device.sign(&fresh(&device));
    trailing.push(0);
    assert_eq!(send(url, &trailing).code(), (400, "envelope_malformed"));
    assert_eq!(send(url, &vec![0; 17 * 1024]).code(), (413, "body_too_large"));
    let moved = device.payload(&session(url, &device), &person.eyes(), somebodys_commitment());
    let mut payload = fresh(&device);
    payload.sealed = moved.sealed; // sealed for another leaf
    assert_eq!(send(url, &device.sign(&payload)).code(), (400, "envelope_malformed"));

    // Commitments.
    let payload = fresh(&device);
    let canonical = payload.commitment.to_be_bytes();
    for wrong in [[0xFF; 32], order_plus(0), order_plus(1)] {
        let forger = Forger { key: &device.key, from: &canonical, to: &wrong };
        let envelope = unum_identity::envelope::sign(&payload, Purpose::Enroll, &forger).unwrap();
        let answer = send(url, &replaced(&envelope, &canonical, &wrong));
        assert_eq!(answer.code(), (422, "commitment_invalid"));
    }
    let zero = enroll_eyes(url, &device, &person.eyes(), Commitment(0.into()));
    assert_eq!(zero.code(), (422, "commitment_invalid"));
    let known = enroll_eyes(url, &device, &person.eyes(), enrolled.commitment());
    assert_eq!(known.code(), (409, "commitment_known"));
    let mut payload = fresh(&device);
    payload.consent_version += 1;
    assert_eq!(send(url, &device.sign(&payload)).code(), (422, "consent_outdated"));

    // Eyes that cannot be compared.
    let half_closed = |open: usize| {
        let mask = std::array::from_fn(|column| if column < open { u64::MAX } else { 0 });
        Template::from_columns(person.left.code(), &mask)
    };
    let covered = EyePair::new(Some(half_closed(COLUMNS / 4)), Some(person.right.clone())).unwrap();
    let answer = enroll_eyes(url, &device, &covered, person.commitment());
    assert_eq!(answer.code(), (422, "recapture"));
    assert_eq!(answer.body["detail"], "4096 bits of the left eye are visible, need 8192");
    let one_eye = EyePair::new(Some(person.left.clone()), None).unwrap();
    assert_eq!(enroll_eyes(url, &device, &one_eye, person.commitment()).code(), (422, "recapture"));

    assert_eq!(bench.counts(), [1, 1, 0], "nothing of all this is stored");
    assert_eq!(
        bench.enroll(&device, &person).code(),
        (201, "enrolled"),
        "and none of it shut the person out"
    );
}

#[test]
fn replays_and_late_envelopes_are_refused() {
    let bench = Bench::new();
    let url = &bench.url;
    let (device, other) = (bench.device(), bench.device());
    let (first, second) = (Person::new(), Person::new());
    let payload =
        |device: &Device, session: &Session| device.payload(session, &second.eyes(), second.commitment());

    // The same envelope again gets the same answer, and nothing more.
    let envelope = device.sign(&device.payload(&session(url, &device), &first.eyes(), first.commitment()));
    let answer = send(url, &envelope);
    assert_eq!(answer.status, 201);
    assert_eq!(send(url, &envelope).body, answer.body);
    assert_eq!(send_to(url, "recoveries", &envelope).code(), (401, "signature_invalid"));
    let envelope =
        device.sign(&device.payload(&session(url, &device), &first.again().eyes(), second.commitment()));
    for _ in 0..2 {
        assert_eq!(send(url, &envelope).code(), (409, "duplicate"));
    }

    // A refusal uses the nonce up too. A new envelope for an old nonce; a nonce of another device, which stays good for that one.
    let old = session(url, &device);
    assert_eq!(
        send(url, &device.sign(&device.payload(&old, &first.again().eyes(), second.commitment()))).status,
        409
    );
    assert_eq!(send(url, &device.sign(&payload(&device, &old))).code(), (409, "nonce_used"));
    let others = session(url, &other);
    assert_eq!(send(url, &device.sign(&payload(&device, &others))).code(), (422, "nonce_unknown"));

    // Counters.
    let mut stale = payload(&device, &session(url, &device));
    stale.counter = 1;
    assert_eq!(send(url, &device.sign(&stale)).code(), (409, "counter_not_rising"));

    // Time.
    let late = session(url, &device);
    assert_eq!(late.expires_at.0 - bench.clock.clock().now().0, 120);
    bench.clock.advance(119);
    assert_eq!(session(url, &device).expires_at.0, late.expires_at.0 + 119);
    bench.clock.advance(1);
    assert_eq!(send(url, &device.sign(&payload(&device, &late))).code(), (422, "nonce_expired"));
    assert_eq!(bench.counts(), [1, 1, 0]);

    // Revoked: nothing it has or asks for counts any more; the other device goes on.
    let open = session(url, &device);
    let revoke = format!("{url}/v1/devices/{}/revoke", device.id);
    assert_eq!(try_post(&revoke, Some("somebody else"), "application/json", b"").unwrap().status, 401);
    assert_eq!(try_post(&revoke, Some(OPERATOR), "application/json", b"").unwrap().status, 204);
    assert_eq!(send(url, &device.sign(&payload(&device, &open))).code(), (403, "device_revoked"));
    assert_eq!(
        post(&format!("{url}/v1/sessions"), &json!({ "device": device.id })).code(),
        (403, "device_revoked")
    );
    assert_eq!(bench.counts(), [1, 1, 0]);
    assert_eq!(bench.enroll(&other, &second).code(), (201, "enrolled"));
}

#[test]
fn operators_register_devices() {
    let bench = Bench::new();
    let devices = format!("{}/v1/devices", bench.url);
    let device = Device::new();
    let body = serde_json::to_vec(&device.registration()).unwrap();
    for token in [None, Some("wrong"), Some("")] {
        let answer = try_post(&devices, token, "application/json", &body).unwrap();
        assert_eq!(answer.code(), (401, "operator_required"));
    }
    assert_eq!(post_as_operator(&devices, &device.registration()).status, 201);
    assert_eq!(post_as_operator(&devices, &device.registration()).status, 200);
    let mut changed = device.registration();
    changed["key"] = json!(DeviceSigner::key(&Device::new().key));
    assert_eq!(post_as_operator(&devices, &changed).code(), (409, "device_known"));
    changed["key"] = json!("ff".repeat(33));
    assert_eq!(post_as_operator(&devices, &changed).code(), (422, "device_key_invalid"));
    changed["device"] = json!("AA".repeat(16));
    assert_eq!(post_as_operator(&devices, &changed).code(), (400, "body_invalid"));
    assert_eq!(post_as_operator(&devices, &json!({})).code(), (400, "body_invalid"));
    assert_eq!(bench.count("devices"), 1);
    let nobody = format!("{devices}/{}/revoke", "0".repeat(32));
    assert_eq!(post_as_operator(&nobody, &json!({})).code(), (404, "device_unknown"));
    assert_eq!(get(&format!("{}/v2/nothing", bench.url)).code(), (404, "route_unknown"));
    assert_eq!(get(&devices).code(), (405, "method_not_allowed"));
}

#[test]
fn two_at_once_one_passes() {
    let mut bench = Bench::new();
    let urls = [bench.url.clone(), bench.start()]; // two servers, one database
    let devices = [bench.device(), bench.device()];
    for round in 1..=8 {
        let person = Person::new();
        let both = [person.clone(), person.again()];
        let ready = Barrier::new(2);
        let mut answers: Vec<_> = std::thread::scope(|scope| {
            let send_one = |i: usize| {
                let session = session(&urls[i], &devices[i]);
                let envelope =
                    devices[i].sign(&devices[i].payload(&session, &both[i].eyes(), both[i].commitment()));
                ready.wait();
                send(&urls[i], &envelope)
            };
            let threads = [0, 1].map(|i| scope.spawn(move || send_one(i)));
            threads.map(|thread| thread.join().unwrap()).into()
        });
        answers.sort_by_key(|answer| answer.status);
        let codes: Vec<_> = answers.iter().map(Answer::code).collect();
        assert_eq!(codes, [(201, "enrolled"), (409, "duplicate")], "round {round}");
        assert_eq!(bench.counts(), [round, round, 0]);
    }
    let on = |url: &str| get(&format!("{url}/v1/set/checkpoint")).body;
    assert_eq!(on(&urls[0]), on(&urls[1]), "both servers publish the same set");
}

#[test]
fn the_same_envelope_twice_at_once_enrolls_once() {
    let bench = Bench::new();
    let device = bench.device();
    let person = Person::new();
    let envelope =
        device.sign(&device.payload(&session(&bench.url, &device), &person.eyes(), person.commitment()));
    let mut codes: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| send(&bench.url, &envelope).status)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    codes.sort_unstable();
    assert_eq!(codes, [201; 8], "all of them hear of the one enrollment");
    assert_eq!(bench.counts(), [1, 1, 0]);
}

#[test]
fn a_restart_keeps_everything() {
    let mut bench = Bench::new();
    let device = bench.device();
    let person = Person::new();
    assert_eq!(bench.enroll(&device, &person).status, 201);
    let before = get(&format!("{}/v1/set/checkpoint", bench.url)).body;
    bench.restart();
    assert_eq!(get(&format!("{}/v1/set/checkpoint", bench.url)).body, before);
    assert_eq!(bench.enroll(&device, &person.again()).code(), (409, "duplicate"));
}

#[test]
fn no_server_starts_with_another_template_key() {
    let bench = Bench::new();
    assert_eq!(bench.enroll(&bench.device(), &Person::new()).status, 201);
    let other = tempfile::tempdir().unwrap();
    let config = enroll_server::Config { keys: other.path().to_owned(), ..bench.config.clone() };
    let start = Server::start(config, bench.clock.clock(), Box::new(rng()));
    let error = bench.runtime.block_on(start).unwrap_err();
    assert!(matches!(error, enroll_server::StartError::Database(_)), "{error}");
}

#[test]
fn nothing_in_the_database_shows_an_eye() {
    let bench = Bench::new();
    let person = Person::new();
    assert_eq!(bench.enroll(&bench.device(), &person).status, 201);
    let mut client = sql(&bench.config.database_url);
    let row = client.query_one("SELECT nonce || ciphertext FROM enroll.templates", &[]).unwrap();
    let stored: Vec<u8> = row.get(0);
    let has = |needle: &[u8]| stored.windows(needle.len()).any(|window| window == needle);
    for column in person.left.code().iter().chain(person.right.code()) {
        assert!(!has(&column.to_le_bytes()));
    }
    assert!(!has(&person.commitment().to_be_bytes()), "nor which leaf these eyes have");
}

#[test]
fn killed_in_the_middle() {
    let keys = tempfile::tempdir().unwrap();
    let config = enroll_config(&database(cluster()), keys.path());
    let mut process = Process::start(&config);
    let people: Vec<_> = (0..50).map(|_| Person::new()).collect();
    let envelopes: Vec<_> = people.iter().map(|person| sign_one(&process.url, person)).collect();

    let url = format!("{}/v1/enrollments", process.url);
    let acknowledged = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for (person, envelope) in people.iter().zip(&envelopes) {
            let (url, acknowledged) = (&url, &acknowledged);
            scope.spawn(move || {
                // No answer comes once the server is dead.
                if try_post(url, None, COSE, envelope).is_ok_and(|answer| answer.status == 201) {
                    acknowledged.lock().unwrap().push(person.commitment());
                }
            });
        }
        while acknowledged.lock().unwrap().len() < 10 {
            std::thread::sleep(Duration::from_millis(1));
        }
        process.kill();
    });
    let acknowledged = acknowledged.into_inner().unwrap();
    assert!((10..50).contains(&acknowledged.len()), "the kill came in the middle: {}", acknowledged.len());

    // Whoever got no answer sends the same envelope again, and is in; whoever got one gets it again, and stays in once.
    let process = Process::start(&config);
    std::thread::scope(|scope| {
        for (person, envelope) in people.iter().zip(&envelopes) {
            let url = &process.url;
            scope.spawn(move || {
                let answer = send(url, envelope);
                assert_eq!(answer.code(), (201, "enrolled"), "{answer:?}");
                let EnrollmentOutcome::Enrolled { receipt } = answer.parse() else { panic!("not enrolled") };
                let proof: InclusionProof =
                    get(&format!("{url}/v1/commitments/{}/proof", person.commitment())).parse();
                assert!(proof.holds() && proof.leaf_index == receipt.statement.leaf_index);
            });
        }
    });
    let device = register(&process.url);
    for person in &people {
        assert_eq!(enroll(&process.url, &device, &person.again()).code(), (409, "duplicate"));
    }
    for table in ["log", "templates", "roots"] {
        assert_eq!(count(&config.database_url, table), 50, "a leaf and its eyes come together");
    }
    assert_eq!(count(&config.database_url, "queue"), 0);
}

/// An envelope of a device of its own: the counters of one device would have to arrive in their order.
fn sign_one(url: &str, person: &Person) -> Vec<u8> {
    let device = register(url);
    device.sign(&device.payload(&session(url, &device), &person.eyes(), person.commitment()))
}

#[test]
fn postgres_gone_for_ten_seconds() {
    let mut cluster = Cluster::temporary(&mut rng()).unwrap();
    let bench = Bench::on(&cluster, |_| {});
    let device = bench.device();
    let person = Person::new();
    assert_eq!(bench.enroll(&device, &person).status, 201);
    let waiting = session(&bench.url, &device);
    let newcomer = Person::new();
    let envelope = device.sign(&device.payload(&waiting, &newcomer.eyes(), newcomer.commitment()));

    cluster.pause();
    for second in 0..10 {
        let answers = [
            post(&format!("{}/v1/sessions", bench.url), &json!({ "device": device.id })),
            send(&bench.url, &envelope),
            get(&format!("{}/v1/set/checkpoint", bench.url)),
            get(&format!("{}/readyz", bench.url)),
        ];
        for answer in answers {
            assert_eq!(answer.code(), (503, "unavailable"), "second {second}");
            assert!(answer.retry_after.is_some_and(|seconds| seconds.parse::<u64>().is_ok()));
        }
        assert_eq!(get(&format!("{}/healthz", bench.url)).status, 200, "the process is well");
        std::thread::sleep(Duration::from_secs(1));
    }
    cluster.resume().unwrap();

    // By itself, with the very envelope that was refused: nothing of it was used up.
    assert_eq!(send(&bench.url, &envelope).code(), (201, "enrolled"));
    assert_eq!(get(&format!("{}/readyz", bench.url)).status, 200);
    assert_eq!(bench.enroll(&device, &person.again()).code(), (409, "duplicate"));
    assert_eq!(bench.counts(), [2, 2, 0]);
}

#[test]
fn numbers_and_documents_are_served() {
    let bench = Bench::new();
    assert_eq!(bench.enroll(&bench.device(), &Person::new()).status, 201);
    assert_eq!(send(&bench.url, b"nothing").code(), (400, "envelope_malformed"));
    let Value::String(metrics) = get(&format!("{}/metrics", bench.url)).body else { panic!("no text") };
    assert!(metrics.contains("enroll_enrollments_total{outcome=\"enrolled\"} 1"), "{metrics}");
    assert!(metrics.contains("enroll_enrollments_total{outcome=\"envelope_malformed\"} 1"), "{metrics}");
    assert!(metrics.contains("enroll_set_leaves 1"));
    let document = get(&format!("{}/openapi.json", bench.url)).body;
    assert!(document["paths"]["/v1/verify"]["post"].is_object());
}

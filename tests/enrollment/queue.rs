//! Envelopes between acceptance and answer: whoever holds one may stop or die, and an envelope may be poison. Each that
//! was accepted gets one answer all the same, and those that came with it do too.

use std::time::{Duration, Instant};

use rustix::process::{Signal, kill_process};
use serde_json::Value;
use unum_identity::field::Commitment;

use super::sign_one;
use crate::harness::bench::{Bench, COSE, Process, count, register, send, session, sql};
use crate::harness::{
    Answer, Device, OPERATOR, Person, cluster, database, enroll_config, get, get_as, post_as_operator,
    try_post,
};

/// The advisory lock of enrollments: whoever has it keeps every server from adding anybody.
const ENROLLMENTS: i64 = 0x756e_756d_0001;

/// Has Postgres refuse whoever asks for this commitment, after a while.
fn poison(database_url: &str, commitment: Commitment, seconds: f64) {
    let commitment = hex::encode(commitment.to_be_bytes());
    let trigger = format!(
        "CREATE FUNCTION enroll.poison() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         IF NEW.commitment = decode('{commitment}', 'hex') THEN \
             PERFORM pg_sleep({seconds}); RAISE EXCEPTION 'poisoned'; \
         END IF; RETURN NEW; END $$; \
         CREATE TRIGGER poison BEFORE INSERT ON enroll.log FOR EACH ROW EXECUTE FUNCTION enroll.poison()"
    );
    sql(database_url).batch_execute(&trigger).unwrap();
}

fn antidote(database_url: &str) {
    sql(database_url).batch_execute("DROP FUNCTION enroll.poison() CASCADE").unwrap();
}

/// Waits until `sql` counts so many.
#[track_caller]
fn wait_for(database_url: &str, number: i64, query: &str) {
    let (mut client, start) = (sql(database_url), Instant::now());
    while client.query_one(query, &[]).unwrap().get::<_, i64>(0) != number {
        assert!(start.elapsed() < Duration::from_mins(1), "{query} is not {number}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Sends envelopes at once; what is answered. `None` where the server died.
fn send_all(url: &str, envelopes: &[Vec<u8>]) -> Vec<Option<Answer>> {
    let url = &format!("{url}/v1/enrollments");
    std::thread::scope(|scope| {
        let mut threads = Vec::new();
        for envelope in envelopes {
            threads.push(scope.spawn(move || try_post(url, None, COSE, envelope).ok()));
        }
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// Two servers; one ends as `end` has it while it holds six envelopes, and then the other is asked.
fn one_of_two(end: impl FnOnce(&Process), and_then: impl FnOnce(&Process)) {
    let keys = tempfile::tempdir().unwrap();
    let config = enroll_config(&database(cluster()), keys.path());
    let database_url = &config.database_url;
    let (first, second) = (Process::start(&config), Process::start(&config));
    let people: Vec<_> = (0..6).map(|_| Person::new()).collect();
    let envelopes: Vec<_> = people.iter().map(|person| sign_one(&first.url, person)).collect();
    let mut lock = sql(database_url);
    lock.execute("SELECT pg_advisory_lock($1)", &[&ENROLLMENTS]).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| send_all(&first.url, &envelopes));
        wait_for(database_url, 6, "SELECT count(*) FROM enroll.queue WHERE taken_by IS NOT NULL");
        end(&first);
        lock.execute("SELECT pg_advisory_unlock($1)", &[&ENROLLMENTS]).unwrap();
        // Answered without being asked, and then for whoever asks, once and for all.
        wait_for(database_url, 6, "SELECT count(*) FROM enroll.log");
        let answers = send_all(&second.url, &envelopes);
        and_then(&first);
        for (answer, again) in answers.into_iter().zip(send_all(&second.url, &envelopes)) {
            let (answer, again) = (answer.unwrap(), again.unwrap());
            assert_eq!(answer.code(), (201, "enrolled"));
            assert_eq!(answer.body, again.body);
        }
    });
    assert_eq!(["log", "templates", "queue"].map(|table| count(database_url, table)), [6, 6, 0]);
}

#[test]
fn whatever_a_killed_server_held_is_judged_by_another() {
    one_of_two(|server| kill_process(server.id(), Signal::KILL).unwrap(), |_| {});
}

#[test]
fn a_server_that_was_frozen_has_no_say_afterwards() {
    one_of_two(
        |server| kill_process(server.id(), Signal::STOP).unwrap(),
        |server| {
            kill_process(server.id(), Signal::CONT).unwrap();
            let metrics = format!("{}/metrics", server.url);
            let has_let_go = || {
                let Value::String(metrics) = get(&metrics).body else { panic!("no text") };
                metrics.contains("enroll_envelopes_in_hand 0")
            };
            let start = Instant::now();
            while !has_let_go() {
                assert!(start.elapsed() < Duration::from_mins(1), "it is still at it");
                std::thread::sleep(Duration::from_millis(50));
            }
        },
    );
}

#[test]
fn poison_is_put_aside_and_the_rest_go_on() {
    let bench = Bench::new();
    let (url, database_url) = (&bench.url, &bench.config.database_url);
    let people: Vec<_> = (0..9).map(|_| Person::new()).collect();
    let envelopes: Vec<_> = people.iter().map(|person| sign_one(url, person)).collect();
    poison(database_url, people[4].commitment(), 0.0);
    for (i, answer) in send_all(url, &envelopes).into_iter().enumerate() {
        let expected = if i == 4 { (422, "quarantined") } else { (201, "enrolled") };
        assert_eq!(answer.unwrap().code(), expected);
    }
    assert_eq!(send(url, &envelopes[4]).code(), (422, "quarantined"), "asking again judges nothing");

    let list = || get_as(OPERATOR, &format!("{url}/v1/quarantine"));
    assert_eq!(get_as("somebody else", &format!("{url}/v1/quarantine")).status, 401);
    let Value::Array(quarantined) = list().body else { panic!("no list") };
    let [envelope] = &quarantined[..] else { panic!("{quarantined:?}") };
    assert_eq!((&envelope["purpose"], &envelope["attempts"]), (&"enroll".into(), &5.into()));
    assert!(envelope["failure"].as_str().unwrap().contains("poisoned"), "{envelope}");

    antidote(database_url);
    let release = format!("{url}/v1/quarantine/{}/release", envelope["nonce"].as_str().unwrap());
    assert_eq!(try_post(&release, None, "application/json", b"").unwrap().status, 401);
    assert_eq!(post_as_operator(&release, &Value::Null).status, 204);
    assert_eq!(send(url, &envelopes[4]).code(), (201, "enrolled"));
    assert_eq!(post_as_operator(&release, &Value::Null).code(), (404, "nonce_unknown"));
    assert_eq!(list().body, Value::Array(Vec::new()));
    assert_eq!(["log", "templates", "queue"].map(|table| bench.count(table)), [9, 9, 0]);
}

/// Every time that the poison is judged the whole server dies, with whatever else it judges.
#[test]
fn poison_that_kills_servers_is_put_aside_too() {
    let keys = tempfile::tempdir().unwrap();
    let config = enroll_config(&database(cluster()), keys.path());
    let database_url = &config.database_url;
    let mut server = Process::start(&config);
    let people: Vec<_> = (0..4).map(|_| Person::new()).collect();
    let envelopes: Vec<_> = people.iter().map(|person| sign_one(&server.url, person)).collect();
    poison(database_url, people[0].commitment(), 3.0);
    for attempt in 1..=5 {
        std::thread::scope(|scope| {
            let url = server.url.clone();
            let sent = scope.spawn(|| send_all(&{ url }, &envelopes));
            let taken = format!(
                "SELECT count(*) FROM pg_stat_activity a, enroll.queue q WHERE a.wait_event = 'PgSleep' \
                 AND a.datname = current_database() AND q.attempts = {attempt} AND q.free_at > now()"
            );
            let mut client = sql(database_url);
            while client.query_one(&taken, &[]).unwrap().get::<_, i64>(0) == 0 {
                std::thread::sleep(Duration::from_millis(5));
            }
            server.kill();
            let _ = sent.join().unwrap(); // answered, or not
        });
        server = Process::start(&config);
    }
    let answers = send_all(&server.url, &envelopes);
    let codes: Vec<_> = answers.iter().flatten().map(Answer::code).collect();
    assert_eq!(codes, [(422, "quarantined"), (201, "enrolled"), (201, "enrolled"), (201, "enrolled")]);
    assert_eq!(["log", "templates", "queue"].map(|table| count(database_url, table)), [3, 3, 1]);
}

#[test]
fn when_too_many_wait_nothing_is_used_up() {
    let bench = Bench::new();
    let (device, person): (Device, _) = (register(&bench.url), Person::new());
    let envelope =
        device.sign(&device.payload(&session(&bench.url, &device), &person.eyes(), person.commitment()));
    let mut client = sql(&bench.config.database_url);
    let full = "WITH s AS (INSERT INTO enroll.sessions (nonce, device, expires_at, envelope) \
                SELECT sha256(n::text::bytea), device, now(), sha256('') FROM enroll.devices, generate_series(1, 1000) n \
                RETURNING nonce) \
                INSERT INTO enroll.queue (nonce, purpose, envelope, free_at) SELECT nonce, 'enroll', '', 'infinity' FROM s";
    client.batch_execute(full).unwrap();
    let answer = send(&bench.url, &envelope);
    assert_eq!(answer.code(), (503, "busy"));
    assert!(answer.retry_after.is_some());
    client.batch_execute("DELETE FROM enroll.queue WHERE envelope = ''").unwrap();
    assert_eq!(send(&bench.url, &envelope).code(), (201, "enrolled"));
}

/// Rows that cannot be read are nobody's poison: whoever comes meanwhile waits, and is judged when they can be read again.
#[test]
fn a_fault_of_the_database_puts_nobody_aside() {
    let bench = Bench::new();
    let (url, database_url) = (&bench.url, &bench.config.database_url);
    assert_eq!(send(url, &sign_one(url, &Person::new())).status, 201);
    let envelope = sign_one(url, &Person::new());
    let mut client = sql(database_url);
    client.batch_execute("ALTER TABLE enroll.templates RENAME TO lost").unwrap();
    for _ in 0..7 {
        assert_eq!(send(url, &envelope).code(), (503, "unavailable"));
    }
    client.batch_execute("ALTER TABLE enroll.lost RENAME TO templates").unwrap();
    let start = Instant::now();
    while send(url, &envelope).code() != (201, "enrolled") {
        assert!(start.elapsed() < Duration::from_mins(1), "it was forgotten");
    }
    assert_eq!(["log", "templates", "queue"].map(|table| count(database_url, table)), [2, 2, 0]);
}

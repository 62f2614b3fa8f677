//! Somebody wants to be erased: their wallet asks, nothing of their eyes is left anywhere, and they may come again.

use std::fs;

use serde_json::{Value, json};
use unum_identity::enrollment::{Erasure, InclusionProof, LogEvent, LogPage, PublishedLeaf, Snapshot};
use unum_iris::EyePair;

use crate::harness::bench::{self, Bench, Process, enroll, enroll_eyes, register, sql};
use crate::harness::{Answer, Device, Person, cluster, database, enroll_config, get, post};

fn ask(url: &str, person: &Person) -> Answer {
    let (commitment, opening) = (person.commitment(), person.identity.opening());
    post(&format!("{url}/v1/erasures"), &json!({ "commitment": commitment, "opening": opening }))
}

/// A server that knows 20 people, 16 of them in a segment.
fn town() -> (Bench, Device, Vec<Person>) {
    let (mut bench, device, people) = bench::town(20);
    bench.restart();
    (bench, device, people)
}

/// Rows of `templates` without eyes.
fn empty_rows(bench: &Bench) -> Vec<i64> {
    let mut client = sql(&bench.config.database_url);
    let rows = client.query("SELECT seq FROM enroll.templates WHERE ciphertext IS NULL ORDER BY seq", &[]);
    rows.unwrap().iter().map(|row| row.get(0)).collect()
}

#[test]
fn whoever_leaves_is_gone_and_may_come_again() {
    let (mut bench, device, people) = town();
    for place in [0, 7, 15, 16, 19] {
        let person = &people[place];
        let answer = ask(&bench.url, person);
        assert_eq!(answer.status, 200, "{answer:?}");
        let Erasure::Erased { receipt } = answer.parse() else { panic!("{answer:?}") };
        let stated = receipt.verify(&bench.key()).unwrap();
        assert_eq!((stated.commitment, stated.asked_at.0 % 3600), (person.commitment(), 0));
        assert_eq!(ask(&bench.url, person).body, answer.body, "the same receipt again");
    }
    assert_eq!(empty_rows(&bench), [1, 8, 16, 17, 20]);

    // The set has empty places, and says why.
    let snapshot: Snapshot = get(&format!("{}/v1/set/snapshot", bench.url)).parse();
    let checkpoint = snapshot.checkpoint.verify("unum.test/set", &bench.key()).unwrap();
    assert_eq!((checkpoint.size, snapshot.leaves.len()), (25, 20));
    let empty = snapshot.leaves.iter().filter(|leaf| **leaf == PublishedLeaf::EMPTY).count();
    assert_eq!(empty, 5);
    let log: LogPage = get(&format!("{}/v1/set/log?from=20", bench.url)).parse();
    for (event, place) in log.events.iter().zip([0, 7, 15, 16, 19]) {
        let LogEvent::Removed { leaf_index, opening } = *event else { panic!("{event:?}") };
        assert_eq!((leaf_index, opening.commitment()), (place as u64, people[place].commitment()));
    }
    let proof = |person: &Person, size: u64| {
        get(&format!("{}/v1/commitments/{}/proof?size={size}", bench.url, person.commitment()))
    };
    assert_eq!(proof(&people[7], 25).code(), (404, "commitment_unknown"));
    let before: InclusionProof = proof(&people[7], 20).parse();
    assert!(before.holds(), "what was frozen before stays as it was");

    // Nobody else is missed, before and after everyone is read again.
    for _ in 0..2 {
        for place in [1, 14, 17, 18] {
            assert_eq!(bench.enroll(&device, &people[place].again()).code(), (409, "duplicate"), "{place}");
        }
        bench.restart();
    }
    for place in [7, 19] {
        assert_eq!(bench.enroll(&device, &people[place].again()).code(), (201, "enrolled"), "{place}");
        assert_eq!(bench.enroll(&device, &people[place].again()).code(), (409, "duplicate"), "{place}");
    }
    assert_eq!(get(&format!("{}/v1/set/log?from=25", bench.url)).parse::<LogPage>().events.len(), 2);
}

#[test]
fn a_segment_is_not_made_of_whoever_is_erased_meanwhile() {
    let (mut bench, device, people) = bench::town(16);
    // A server that starts has read all rows and waits to list the segment that it has made of them, while somebody is
    // erased: as another server would do it, but for the log.
    let (mut client, mut watch) = (sql(&bench.config.database_url), sql(&bench.config.database_url));
    let mut held = client.transaction().unwrap();
    held.execute("SELECT pg_advisory_xact_lock($1)", &[&0x756e_756d_0001_i64]).unwrap();
    std::thread::scope(|scope| {
        let started = scope.spawn(|| bench.start());
        let waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted \
                       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        while watch.query_one(waiting, &[]).unwrap().get::<_, i64>(0) == 0 {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        held.batch_execute(
            "UPDATE enroll.templates SET ciphertext = NULL, nonce = decode(repeat('07', 24), 'hex') WHERE seq = 3; \
             INSERT INTO enroll.erasures SELECT commitment, commitment, now(), 1 FROM enroll.log WHERE number = 2",
        )
        .unwrap();
        held.commit().unwrap();
        started.join().unwrap();
    });
    assert_eq!(bench.count("segments"), 0, "it was made of somebody who is gone");
    bench.restart();
    assert_eq!(bench.count("segments"), 1);
    assert_eq!(bench.enroll(&device, &people[2].again()).code(), (201, "enrolled"));
    assert_eq!(bench.enroll(&device, &people[3].again()).code(), (409, "duplicate"));
}

#[test]
fn the_file_of_the_segment_is_another_one() {
    let (bench, _, people) = town();
    let file = bench.config.segments.join(format!("{:012}.segment", 1));
    let before = fs::read(&file).unwrap();
    assert_eq!(ask(&bench.url, &people[3]).status, 200);
    let after = fs::read(&file).unwrap();
    assert_eq!(before.len(), after.len());
    assert!(before != after, "made again, under another nonce");
    let version: i32 =
        sql(&bench.config.database_url).query_one("SELECT version FROM enroll.segments", &[]).unwrap().get(0);
    assert_eq!(version, 2);
}

#[test]
fn nobody_can_have_another_erased() {
    let (bench, device, people) = town();
    let url = format!("{}/v1/erasures", bench.url);
    let [commitment, opening] = [json!(people[0].commitment()), json!(people[1].identity.opening())];
    let wrong = post(&url, &json!({ "commitment": commitment, "opening": opening }));
    assert_eq!(wrong.code(), (422, "opening_invalid"));
    assert_eq!(ask(&bench.url, &Person::new()).code(), (404, "commitment_unknown"));
    for body in [
        json!({ "commitment": commitment }),
        json!({ "commitment": commitment, "opening": opening, "more": 1 }),
        json!({ "commitment": commitment, "opening": Value::from("0x01") }),
        json!({ "commitment": commitment, "opening": format!("0x{}", "ff".repeat(32)) }),
    ] {
        assert_eq!(post(&url, &body).code(), (400, "body_invalid"), "{body}");
    }
    assert_eq!(empty_rows(&bench), [0; 0]);
    assert_eq!(bench.enroll(&device, &people[0].again()).code(), (409, "duplicate"));
}

#[test]
fn whoever_is_in_review_can_leave_too() {
    let (bench, device, people) = town();
    let newcomer = Person::new();
    let mixed = EyePair::new(Some(people[3].left.clone()), Some(newcomer.right.clone())).unwrap();
    assert_eq!(ask(&bench.url, &newcomer).code(), (404, "commitment_unknown"));
    let answer = enroll_eyes(&bench.url, &device, &mixed, newcomer.commitment());
    assert_eq!(answer.code(), (202, "review"));
    let answer = ask(&bench.url, &newcomer);
    assert_eq!(answer.code(), (200, "erased"));
    assert_eq!(ask(&bench.url, &newcomer).body, answer.body);
    assert_eq!(bench.counts(), [20, 20, 0]);
    assert_eq!(empty_rows(&bench), [0; 0]);
    assert_eq!(ask(&bench.url, &people[3]).code(), (200, "erased"), "others after them");
    assert_eq!(empty_rows(&bench), [4]);
}

#[test]
fn the_receipt_waits_for_every_server_that_runs() {
    let keys = tempfile::tempdir().unwrap();
    let mut config = enroll_config(&database(cluster()), keys.path());
    config.segment_people = 16;
    let (first, mut second) = (Process::start(&config), Process::start(&config));
    let device = register(&first.url);
    let people: Vec<_> = (0..3).map(|_| Person::new()).collect();
    for person in &people {
        assert_eq!(enroll(&first.url, &device, person).status, 201);
        // The other server has them in memory.
        assert_eq!(enroll(&second.url, &device, &person.again()).code(), (409, "duplicate"));
    }
    let stop = |process: &Process| rustix::process::kill_process(process.id(), rustix::process::Signal::STOP);
    let go_on =
        |process: &Process| rustix::process::kill_process(process.id(), rustix::process::Signal::CONT);

    stop(&second).unwrap();
    let answer = ask(&first.url, &people[0]);
    assert_eq!(answer.code(), (202, "pending"), "it may still hold them");
    go_on(&second).unwrap();
    let answer = ask(&first.url, &people[0]);
    assert_eq!(answer.code(), (200, "erased"));

    // Of a server that was killed nothing is left in memory. It counts as running for a minute: let that be over.
    second.kill();
    assert_eq!(ask(&first.url, &people[1]).code(), (202, "pending"));
    let mut client = sql(&config.database_url);
    let older = "UPDATE enroll.matchers SET seen_at = seen_at - interval '1 minute' WHERE erased_to = 1";
    assert_eq!(client.execute(older, &[]).unwrap(), 1);
    assert_eq!(ask(&first.url, &people[1]).code(), (200, "erased"));
    assert_eq!(enroll(&first.url, &device, &people[1].again()).code(), (201, "enrolled"));
    assert_eq!(enroll(&first.url, &device, &people[2].again()).code(), (409, "duplicate"));
}

#[test]
fn killed_in_the_middle_it_is_done_at_the_next_start() {
    let keys = tempfile::tempdir().unwrap();
    let mut config = enroll_config(&database(cluster()), keys.path());
    config.segment_people = 16;
    let mut server = Process::start(&config);
    let device = register(&server.url);
    let people: Vec<_> = (0..18).map(|_| Person::new()).collect();
    for person in &people {
        assert_eq!(enroll(&server.url, &device, person).status, 201);
    }
    for round in 0..4 {
        let person = &people[5 * round];
        std::thread::scope(|scope| {
            let url = server.url.clone();
            let body = json!({ "commitment": person.commitment(), "opening": person.identity.opening() });
            scope.spawn(move || {
                crate::harness::try_post(
                    &format!("{url}/v1/erasures"),
                    None,
                    "application/json",
                    &serde_json::to_vec(&body).unwrap(),
                )
            });
            std::thread::sleep(std::time::Duration::from_millis(7 * round as u64 + 3));
            server.kill();
        });
        sql(&config.database_url).execute("DELETE FROM enroll.matchers", &[]).unwrap(); // or a minute later
        server = Process::start(&config);
        assert_eq!(ask(&server.url, person).code(), (200, "erased"), "{round}");
        assert_eq!(enroll(&server.url, &device, &person.again()).code(), (201, "enrolled"), "{round}");
    }
    for place in [1, 4, 17] {
        assert_eq!(
            enroll(&server.url, &device, &people[place].again()).code(),
            (409, "duplicate"),
            "{place}"
        );
    }
}

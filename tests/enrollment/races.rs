//! Races: one person before two servers at once, in two processes, while segments are made, servers are killed and
//! Postgres is shut down or killed. Whatever happens, one of the two at most is enrolled, and in the end everybody is, once.

use std::sync::Barrier;
use std::time::Duration;

use rand_core::Rng as _;
use unum::cluster::Cluster;

use crate::harness::bench::{COSE, Process, count, enroll, register, session};
use crate::harness::{Answer, Person, cluster, database, enroll_config, rng, try_post};

/// Two servers in processes of their own on one database, with small segments.
struct Track {
    config: enroll_server::Config,
    servers: [Process; 2],
    _keys: tempfile::TempDir,
}

impl Track {
    fn new(cluster: &Cluster) -> Self {
        let keys = tempfile::tempdir().unwrap();
        let config = enroll_config(&database(cluster), keys.path());
        let config = enroll_server::Config { segment_people: 16, ..config };
        let servers = [Process::start(&config), Process::start(&config)];
        Self { config, servers, _keys: keys }
    }

    /// The person, seen twice, before both servers at once, while `meanwhile` happens. `None` where no answer came.
    fn race(&self, person: &Person, meanwhile: impl FnOnce() + Send) -> Vec<Option<Answer>> {
        let both = [person.clone(), person.again()];
        let envelopes = [0, 1].map(|i| {
            let (url, person) = (&self.servers[i].url, &both[i]);
            let device = register(url);
            let payload = device.payload(&session(url, &device), &person.eyes(), person.commitment());
            (format!("{url}/v1/enrollments"), device.sign(&payload))
        });
        let ready = Barrier::new(3);
        std::thread::scope(|scope| {
            let ready = &ready;
            let answers = envelopes.each_ref().map(|(url, envelope)| {
                scope.spawn(move || {
                    ready.wait();
                    try_post(url, None, COSE, envelope).ok()
                })
            });
            ready.wait();
            meanwhile();
            answers.into_iter().map(|answer| answer.join().unwrap()).collect()
        })
    }

    #[track_caller]
    fn has(&self, people: i64) {
        let url = &self.config.database_url;
        assert_eq!(["log", "templates", "roots"].map(|table| count(url, table)), [people; 3]);
    }
}

fn undisturbed(rounds: i64) {
    let track = Track::new(cluster());
    for round in 1..=rounds {
        let mut answers = track.race(&Person::new(), || {});
        answers.sort_by_key(|answer| answer.as_ref().map(|answer| answer.status));
        let codes: Vec<_> = answers.iter().flatten().map(Answer::code).collect();
        assert_eq!(codes, [(201, "enrolled"), (409, "duplicate")], "round {round}");
    }
    track.has(rounds);
}

#[test]
fn one_of_two_passes() {
    undisturbed(40);
}

#[test]
#[ignore = "a quarter of an hour"]
fn one_of_two_passes_ten_thousand_times() {
    undisturbed(10_000);
}

/// A number below `end`.
fn any(end: u32) -> u32 {
    rng().next_u32() % end
}

fn with_kills(rounds: i64) {
    let mut cluster = Cluster::temporary(&mut rng()).unwrap();
    let mut track = Track::new(&cluster);
    for round in 1..=rounds {
        let person = Person::new();
        let (victim, moment) = (any(4) as usize, Duration::from_millis(any(60).into()));
        let pid = track.servers.get(victim).map(Process::id);
        let answers = track.race(&person, || {
            std::thread::sleep(moment);
            match pid {
                Some(pid) => rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap(),
                None if victim == 2 => cluster.pause(),
                None => cluster.crash(),
            }
        });
        let enrolled = answers.iter().flatten().filter(|answer| answer.status == 201).count();
        assert!(enrolled <= 1, "round {round}: both passed");
        for answer in answers.iter().flatten() {
            assert!([201, 409, 503].contains(&answer.status), "round {round}: {answer:?}");
        }
        match track.servers.get_mut(victim) {
            Some(server) => {
                server.kill(); // only to wait for its end
                *server = Process::start(&track.config);
            }
            None => cluster.resume().unwrap(),
        }
        // Whoever has no answer comes again, and is in once.
        let url = &track.servers[any(2) as usize].url;
        let again = enroll(url, &register(url), &person.again());
        let codes = [(201, "enrolled"), (409, "duplicate")];
        assert!(codes[enrolled..].contains(&again.code()), "round {round}: {answers:?}, then {again:?}");
        track.has(round);
    }
}

#[test]
fn nobody_passes_twice_whoever_is_killed() {
    with_kills(12);
}

#[test]
#[ignore = "some minutes"]
fn nobody_passes_twice_whoever_is_killed_many_times() {
    with_kills(500);
}

//! Segments on disk, and whatever may happen to them: a faulty one is made again, and nobody in it is ever "new".

use std::fs;
use std::path::PathBuf;

use enroll_server::{Server, StartError};

use crate::harness::bench::{self, Bench, sql};
use crate::harness::{Device, Person, get, rng};

/// A server that knows 40 people in segments of 16: 1 to 16, 17 to 32, and a tail of eight.
struct Town {
    bench: Bench,
    device: Device,
    people: Vec<Person>,
}

impl Town {
    fn new() -> Self {
        let (mut bench, device, people) = bench::town(40);
        bench.restart(); // or a minute later
        Self { bench, device, people }
    }

    /// The file of the segment that begins with this person.
    fn file(&self, first: u64) -> PathBuf {
        self.bench.config.segments.join(format!("{first:012}.segment"))
    }

    /// First person, people and version of each segment that is listed.
    fn manifest(&self) -> Vec<(i64, i64, i32)> {
        let sql = sql(&self.bench.config.database_url)
            .query("SELECT first, people, version FROM enroll.segments ORDER BY first", &[]);
        sql.unwrap().iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
    }

    fn change(&self, sql_text: &str) {
        sql(&self.bench.config.database_url).batch_execute(sql_text).unwrap();
    }

    /// How often a segment had this fault since the server was started.
    fn faults(&self, fault: &str) -> usize {
        let metrics = get(&format!("{}/metrics", self.bench.url)).body;
        let name = format!("enroll_segment_faults_total{{fault=\"{fault}\"}} ");
        let line = metrics.as_str().unwrap().lines().find_map(|line| line.strip_prefix(&name));
        line.map_or(0, |count| count.parse().unwrap())
    }

    /// All faults since the server was started.
    fn has_faults(&self) -> bool {
        get(&format!("{}/metrics", self.bench.url))
            .body
            .as_str()
            .unwrap()
            .contains("enroll_segment_faults_total")
    }

    /// Those who stand first and last in each segment, and in the tail, come again: none enrolls.
    #[track_caller]
    fn nobody_enrolls_twice(&self) {
        for i in [0, 15, 16, 31, 32, 39] {
            let answer = self.bench.enroll(&self.device, &self.people[i].again());
            assert_eq!(answer.code(), (409, "duplicate"), "person {}", i + 1);
        }
    }
}

#[test]
fn segments_are_made_of_the_tail_and_read_at_the_next_start() {
    let mut town = Town::new();
    assert_eq!(town.manifest(), [(1, 16, 1), (17, 16, 1)]);
    assert!(town.file(1).exists() && town.file(17).exists());
    let made = fs::read(town.file(17)).unwrap();
    town.nobody_enrolls_twice();
    town.bench.restart();
    town.nobody_enrolls_twice();
    assert_eq!(town.bench.enroll(&town.device, &Person::new()).code(), (201, "enrolled"));
    assert!(!town.has_faults());
    assert!(fs::read(town.file(17)).unwrap() == made, "segments do not change");
    for column in town.people[16].left.code() {
        assert!(
            !made.windows(8).any(|window| window == column.to_le_bytes()),
            "a file shows nothing of an eye"
        );
    }
}

#[test]
fn a_faulty_file_is_made_again() {
    let mut town = Town::new();
    let (file, other) = (town.file(1), town.file(17));
    let good = fs::read(&file).unwrap();
    let altered = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        bytes
    };
    let mut check = |fault: &str, bytes: Option<Vec<u8>>| {
        match bytes {
            Some(bytes) => fs::write(&file, bytes).unwrap(),
            None => fs::remove_file(&file).unwrap(),
        }
        town.bench.restart();
        assert_eq!(town.faults(fault), 1, "{fault}");
        town.nobody_enrolls_twice();
        assert!(fs::read(&file).unwrap() == good, "the same file again, byte for byte");
    };
    check("missing", None);
    check("torn", Some(good[..good.len() / 2].to_vec()));
    check("torn", Some(Vec::new()));
    check("altered", Some(altered(5)));
    check("altered", Some(altered(100)));
    check("altered", Some(altered(good.len() - 1)));
    check("exchanged", Some(fs::read(&other).unwrap()));
    assert_eq!(town.manifest(), [(1, 16, 1), (17, 16, 1)]);
}

#[test]
fn an_old_version_is_not_believed() {
    let mut town = Town::new();
    let old = fs::read(town.file(17)).unwrap();
    // As if it had been made of other rows. The running server notices at the next enrollment.
    town.change("UPDATE enroll.segments SET tag = decode(repeat('00', 16), 'hex') WHERE first = 17");
    town.nobody_enrolls_twice();
    assert_eq!((town.faults("altered"), town.manifest()), (1, vec![(1, 16, 1), (17, 16, 2)]));
    let renewed = fs::read(town.file(17)).unwrap();
    assert!(renewed != old);

    fs::write(town.file(17), &old).unwrap();
    town.bench.restart();
    assert_eq!(town.faults("stale"), 1);
    town.nobody_enrolls_twice();
    assert_eq!(town.manifest(), [(1, 16, 1), (17, 16, 2)]);
    assert!(fs::read(town.file(17)).unwrap() == renewed);
}

#[test]
fn a_segment_that_is_no_longer_listed_is_listed_again() {
    let town = Town::new();
    town.change("DELETE FROM enroll.segments WHERE first = 1");
    town.nobody_enrolls_twice();
    assert_eq!(town.manifest(), [(1, 16, 1), (17, 16, 1)], "there was a gap");
    town.change("DELETE FROM enroll.segments WHERE first = 17");
    town.nobody_enrolls_twice();
    assert_eq!(town.manifest(), [(1, 16, 1)], "its people belong to the tail again");
    town.change("DELETE FROM enroll.segments");
    town.nobody_enrolls_twice();
    assert_eq!(town.bench.enroll(&town.device, &Person::new()).code(), (201, "enrolled"));
}

#[test]
fn two_servers_share_a_manifest() {
    let mut town = Town::new();
    let more: Vec<_> = (0..10).map(|_| Person::new()).collect();
    for person in &more {
        assert_eq!(town.bench.enroll(&town.device, person).code(), (201, "enrolled"));
    }
    town.bench.start(); // lists people 33 to 48 as a segment, which the first server has in its tail
    assert_eq!(town.manifest(), [(1, 16, 1), (17, 16, 1), (33, 16, 1)]);
    for person in &more {
        assert_eq!(town.bench.enroll(&town.device, &person.again()).code(), (409, "duplicate"));
    }
    town.nobody_enrolls_twice();
    assert_eq!(town.bench.enroll(&town.device, &Person::new()).code(), (201, "enrolled"));
}

#[test]
fn who_is_gone_from_the_database_is_missed() {
    let mut town = Town::new();
    let overlapping =
        "INSERT INTO enroll.segments SELECT first + 1, people, version, nonce, tag FROM enroll.segments";
    assert!(
        sql(&town.bench.config.database_url).batch_execute(overlapping).is_err(),
        "nobody stands in two segments"
    );

    town.change("DELETE FROM enroll.templates WHERE seq = 20");
    fs::remove_file(town.file(17)).unwrap();
    let server = town.bench.servers.pop().unwrap();
    town.bench.runtime.block_on(server.shutdown());
    let start = Server::start(town.bench.config.clone(), town.bench.clock.clock(), Box::new(rng()));
    let error = town.bench.runtime.block_on(start).unwrap_err();
    assert!(matches!(&error, StartError::Database(text) if text.contains("templates have a gap")), "{error}");
}

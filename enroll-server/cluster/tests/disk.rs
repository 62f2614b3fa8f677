//! Files that are deleted, altered, old or exchanged: their worker says so when it reads them, and the other holder
//! answers. Where both copies are lost there is no answer.

use std::fs;
use std::path::Path;

use enroll_cluster::coordinator::Readiness;
use enroll_cluster::lab::{Process, person};
use enroll_cluster::placement::holders;
use enroll_cluster::wire::Refusal;
use enroll_server::matcher::{Entry, Finding, Manifest, Shelf};

use unum_iris::{Query, Thresholds};

use super::{Cluster, SEGMENTS};

const NAMES: [&str; 3] = ["worker-0", "worker-1", "worker-2"];

/// Does `change` to the file of one segment at its first holder, then at both.
#[track_caller]
fn noticed(change: impl Fn(&Cluster, &Path, &Entry), expected: Refusal) {
    let cluster = Cluster::sound();
    let entry = cluster.town.manifest().entries()[17];
    let holders = holders(entry.first, &NAMES, 2);
    let spoil = |worker: usize| {
        let folder = cluster.folder(worker);
        change(&cluster, &cluster.town.file(&folder, &entry), &entry);
    };

    spoil(holders[0]);
    let coordinator = cluster.coordinator(cluster.config());
    let prepared = coordinator.prepare(cluster.town.manifest(), 0);
    assert!(prepared.is_complete(), "the other holder has it");
    let Readiness::Answered { refused, .. } = &prepared.workers[holders[0]].1 else { panic!("{prepared:?}") };
    assert_eq!(*refused, [(entry.first, expected)]);
    cluster.answers_in_full(&coordinator);

    // Two who lost the same segment, and were started again.
    drop(cluster);
    let mut cluster = Cluster::sound();
    for &worker in &holders {
        let folder = cluster.folder(worker);
        change(&cluster, &cluster.town.file(&folder, &entry), &entry);
        cluster.workers[worker] = cluster.start(worker, "");
    }
    let coordinator = cluster.coordinator(cluster.config());
    assert_eq!(coordinator.prepare(cluster.town.manifest(), 0).missing, [entry.first]);
    cluster.says_nothing(&coordinator);
}

/// A directory listing would miss it in silence: one segment less, and nobody there like the one who asks.
#[test]
fn a_deleted_file() {
    noticed(|_, file, _| fs::remove_file(file).unwrap(), Refusal::FileMissing);
}

/// As a page that was overwritten: elsewhere a distance of 0.20 became one of 0.34, and nobody noticed.
#[test]
fn an_overwritten_page() {
    noticed(
        |_, file, _| {
            let mut bytes = fs::read(file).unwrap();
            bytes[8192..12288].fill(0xA5);
            fs::write(file, bytes).unwrap();
        },
        Refusal::FileAltered,
    );
}

#[test]
fn one_bit() {
    noticed(
        |_, file, _| {
            let mut bytes = fs::read(file).unwrap();
            bytes[70_000] ^= 1;
            fs::write(file, bytes).unwrap();
        },
        Refusal::FileAltered,
    );
}

#[test]
fn a_torn_file() {
    noticed(
        |_, file, _| {
            let bytes = fs::read(file).unwrap();
            fs::write(file, &bytes[..bytes.len() - 1]).unwrap();
        },
        Refusal::FileTorn,
    );
}

#[test]
fn the_file_of_another_segment() {
    noticed(
        |cluster, file, entry| {
            let other = cluster.town.manifest().entries().iter().find(|other| other.first != entry.first);
            fs::copy(cluster.town.file(file.parent().unwrap(), other.unwrap()), file).unwrap();
        },
        Refusal::FileExchanged,
    );
}

/// The same people under another nonce: sealed well, and not what is listed.
#[test]
fn another_version() {
    noticed(|cluster, file, entry| reseal(cluster, file, entry, 1), Refusal::FileStale);
}

#[test]
fn the_same_version_sealed_otherwise() {
    noticed(|cluster, file, entry| reseal(cluster, file, entry, entry.version), Refusal::FileAltered);
}

fn reseal(cluster: &Cluster, file: &Path, entry: &Entry, version: u32) {
    let shelf = Shelf::open(file.parent().unwrap(), cluster.lab.key()).unwrap();
    let Ok(segment) = shelf.read(entry) else { return };
    let sealed = shelf.seal(entry.first, version, [9; 24], segment.blocks());
    shelf.write(&sealed, [1; 8]).unwrap();
}

/// What is in memory is another version than the one asked for: refused by name, whatever is on disk.
#[test]
fn a_version_that_nobody_has_in_memory() {
    let cluster = Cluster::sound();
    let coordinator = cluster.ready();
    let mut entries = cluster.town.manifest().entries().to_vec();
    entries[3].version += 1;
    let newer = Manifest::new(entries).unwrap();
    let query = Query::new(&person(1 << 40));
    let scan = |manifest| coordinator.scan(manifest, cluster.town.tail(), &[&query], Thresholds::default());
    let error = scan(&newer).unwrap_err();
    assert!(error.to_string().contains("another one is in memory: version 2"), "{error}");
    assert!(scan(cluster.town.manifest()).is_ok());

    let mut entries = cluster.town.manifest().entries().to_vec();
    entries[3].seal.tag[0] ^= 1;
    let error = scan(&Manifest::new(entries).unwrap()).unwrap_err();
    assert!(
        error.to_string().contains("another one is in memory"),
        "only the tag listed is another: {error}"
    );
    assert_eq!(cluster.town.manifest().entries().len() as u64, SEGMENTS);
}

/// Files may go while their people are in memory: nothing is read again.
#[test]
fn what_is_in_memory_needs_no_file() {
    let cluster = Cluster::sound();
    let coordinator = cluster.ready();
    (0..3).for_each(|worker| fs::remove_dir_all(cluster.folder(worker)).unwrap());
    cluster.answers_in_full(&coordinator);
    assert!(coordinator.prepare(cluster.town.manifest(), 0).is_complete());
}

/// Somebody is erased: the renewed segment takes the place of the one in memory, which is answered for no more.
#[test]
fn a_renewed_segment() {
    let cluster = Cluster::sound();
    let coordinator = cluster.ready();
    let mut entries = cluster.town.manifest().entries().to_vec();
    for worker in 0..3 {
        let shelf = Shelf::open(&cluster.folder(worker), cluster.lab.key()).unwrap();
        let entry = cluster.town.manifest().entries()[5];
        let mut blocks = shelf.read(&entry).unwrap().blocks().clone();
        blocks[0].erase(3);
        let sealed = shelf.seal(entry.first, 3, [7; 24], &blocks);
        shelf.write(&sealed, [1; 8]).unwrap();
        entries[5] = *sealed.entry();
    }
    let renewed = Manifest::new(entries).unwrap();
    assert!(coordinator.prepare(&renewed, 0).is_complete());
    let erased = Query::new(&person(cluster.town.manifest().entries()[5].first - 1 + 3));
    let scan = |manifest| coordinator.scan(manifest, cluster.town.tail(), &[&erased], Thresholds::default());
    let found = scan(&renewed).unwrap().findings(&renewed, cluster.town.len());
    assert_eq!(found, Ok(vec![Finding::Unique]));
    assert!(scan(cluster.town.manifest()).is_err());
}

/// Whoever is no holder any more lets go, and everyone does when nothing is listed.
#[test]
fn what_is_not_listed_is_let_go() {
    let cluster = Cluster::sound();
    let coordinator = cluster.ready();
    let mut config = cluster.config();
    config.replicas = 1;
    let alone = cluster.ready_with(config);
    cluster.answers_in_full(&alone);
    let has_let_go = |worker: &Process| worker.log().contains("let go");
    assert!(cluster.workers.iter().all(has_let_go), "each was the second holder of something");

    let nothing = Readiness::Answered { held: vec![], refused: vec![] };
    let prepared = coordinator.prepare(&Manifest::default(), 0);
    assert!(prepared.workers.iter().all(|(_, readiness)| *readiness == nothing), "{prepared:?}");
    let error = cluster.says_nothing(&coordinator);
    assert!(error.to_string().contains("it is not in memory"), "{error}");
}

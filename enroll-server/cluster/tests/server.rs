//! A whole enrollment server whose segments are held by workers: the verdicts are right or there are none, whatever
//! happens to the workers.

mod site;

use std::collections::BTreeSet;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use enroll_cluster::lab::{Process, person};

use site::{Answer, Files, Site, Wallet, get, stranger};

/// Somebody of each segment, first and last, and of the tail, of 36 people.
const SOME: [u64; 5] = [0, 15, 16, 31, 35];

fn unavailable() -> Answer {
    (503, "unavailable".to_owned())
}

#[test]
fn whoever_stands_in_segments_of_workers_is_known() {
    let site = Site::new(36, Files::Shared);
    let log = site.server.log();
    assert!(!log.contains("in memory segments"), "the server has read no segment: {log}");
    site.knows(&SOME);
    assert_eq!(site.recovers(20), (200, "recovered".to_owned()));
    assert_eq!(site.recovers(20).1, "recovered_lately");
    let unknown = site.count("templates");
    // Workers have everyone in memory, and the server only lists them.
    fs::remove_dir_all(site.lab.path("segments")).unwrap();
    site.knows(&SOME);
    assert_eq!(site.count("templates"), unknown + 1);
}

#[test]
fn one_worker_after_another_is_killed() {
    let mut site = Site::new(36, Files::Shared);
    let holders: BTreeSet<usize> = [1, 17].iter().flat_map(|&first| site.holders(first)).collect();
    for worker in holders {
        site.workers[worker].kill();
        site.knows(&SOME);
        site.workers[worker].restart();
        site.knows(&SOME);
        let holds = |worker: &Process| {
            let log = worker.log();
            log.rfind("in memory").is_some_and(|held| log.rfind("listening").unwrap() < held)
        };
        site.until("it is told again what to hold", || holds(&site.workers[worker]));
    }
}

/// Sends envelopes of somebody known and of a stranger while `gone` has happened to all workers, and again after `back`.
#[track_caller]
fn nothing_is_decided(gone: impl Fn(&Process), back: impl Fn(&mut Process)) {
    let mut site = Site::new(36, Files::Shared);
    let known = site.envelope(&person(3), &Wallet::new());
    let newcomer = site.envelope(&stranger(), &Wallet::new());
    let before = site.count("templates");
    site.workers.iter().for_each(gone);
    for envelope in [&known, &newcomer, &newcomer] {
        assert_eq!(site.send(envelope), unavailable());
    }
    assert_eq!(get(&site.server, "/v1/set/checkpoint").0, 200, "what needs no comparison is answered");
    assert_eq!(site.count("templates"), before);
    site.workers.iter_mut().for_each(back);
    let mut answer = unavailable();
    site.until("an answer", || {
        answer = site.send(&known);
        answer != unavailable()
    });
    assert_eq!(answer, (409, "duplicate".to_owned()), "it was not forgotten");
    site.until("an answer for the other one", || site.send(&newcomer) == (201, "enrolled".to_owned()));
    assert_eq!(site.count("templates"), before + 1);
    site.knows(&SOME);
}

#[test]
fn all_workers_are_stopped() {
    nothing_is_decided(Process::stop, |worker| worker.go_on());
}

#[test]
fn all_workers_are_killed_and_started_again() {
    nothing_is_decided(Process::kill, Process::restart);
}

/// A server that finds nobody at its start serves what needs no comparison, and the rest when somebody has come.
#[test]
fn a_server_that_finds_no_worker() {
    let mut site = Site::new(36, Files::Shared);
    site.workers.iter().for_each(Process::kill);
    site.restart_server();
    assert_eq!(get(&site.server, "/v1/set/checkpoint").0, 200);
    assert_eq!((site.comes_again(3), site.a_stranger_comes()), (unavailable(), unavailable()));
    assert_eq!((site.metric("enroll_segments_unheld"), site.metric("enroll_holders_silent")), (2, 3));
    assert!(site.server.log().contains("[1, 17]"), "the log names them: {}", site.server.log());
    site.workers.iter_mut().for_each(Process::restart);
    site.until("they are told what to hold", || site.comes_again(3) != unavailable());
    site.knows(&SOME);
    assert_eq!((site.metric("enroll_segments_unheld"), site.metric("enroll_holders_silent")), (0, 0));
}

/// Another server makes a segment of the tail while people come to the first one: nobody waits for it, and nobody is missed.
#[test]
fn a_new_segment_under_load() {
    let site = Site::new(46, Files::Shared);
    assert_eq!(site.a_stranger_comes().0, 201);
    assert_eq!(site.a_stranger_comes().0, 201); // the 48th
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let load = |turn: u64| {
            let (site, is_over) = (&site, &is_over);
            move || {
                let mut number = turn;
                while !is_over.load(Ordering::Relaxed) {
                    number = (number + 7) % 46;
                    site.knows(&[number]);
                }
            }
        };
        let loads = [scope.spawn(load(0)), scope.spawn(load(23))];
        let another = site.another_server();
        assert!(another.log().contains("segment=33"), "{}", another.log());
        site.until("it is taken over", || {
            assert!(!loads.iter().any(thread::ScopedJoinHandle::is_finished), "a verdict was wrong");
            site.server.log().contains("segments=3 people=48")
        });
        is_over.store(true, Ordering::Relaxed);
    });
    site.knows(&[0, 31, 32, 45]);
}

/// Workers have copies of files, and that of a new segment has not come yet: its people are compared with in the tail.
#[test]
fn the_file_of_a_new_segment_comes_late() {
    let site = Site::new(46, Files::Copied);
    assert_eq!((site.a_stranger_comes().0, site.a_stranger_comes().0), (201, 201));
    let another = site.another_server();
    site.knows(&[0, 31, 32, 45]);
    site.until("somebody asks for it", || site.metric("enroll_segments_unheld") == 1);
    site.knows(&[0, 31, 32, 45]);
    // The other server has them in no tail, and answers only what the first one judges for it.
    let answer = site.comes_again_to(&another, 3);
    assert!([unavailable(), (409, "duplicate".to_owned())].contains(&answer), "{answer:?}");
    site.copy_files();
    site.until("it is taken over", || site.metric("enroll_segments_unheld") == 0);
    site.knows(&[0, 31, 32, 45]);
    site.until("the other server has it too", || site.comes_again_to(&another, 3) != unavailable());
    assert_eq!(site.comes_again_to(&another, 40), (409, "duplicate".to_owned()));
}

/// A file that a worker finds altered is made again by the server, from the rows.
#[test]
fn an_altered_file_is_made_again() {
    let mut site = Site::new(36, Files::Shared);
    let sound = fs::read(site.file(17)).unwrap();
    let mut altered = sound.clone();
    altered[4000] ^= 1;
    fs::write(site.file(17), altered).unwrap();
    for worker in site.holders(17) {
        site.workers[worker].restart();
    }
    site.until("an answer", || site.comes_again(20) != unavailable());
    site.knows(&SOME);
    assert!(fs::read(site.file(17)).unwrap() == sound);
    assert_eq!(site.metric("enroll_segment_faults_total{fault=\"altered\"}"), 1);
}

/// The receipt waits for a worker that may still have them in memory.
#[test]
fn whoever_is_erased_has_left_every_worker() {
    let mut site = Site::new(36, Files::Shared);
    assert_eq!(site.leaves(5), (200, "erased".to_owned()));
    let [stopped, other] = site.holders(1)[..] else { panic!("two holders") };

    site.workers[stopped].stop();
    assert_eq!(site.leaves(6), (202, "pending".to_owned()), "it may still hold them");
    assert_eq!(site.leaves(35), (202, "pending".to_owned()), "and be it somebody of the tail, in their turn");
    site.knows(&[0, 7, 15]);
    site.workers[stopped].go_on();
    site.until("it has let go of them", || site.leaves(6) == (200, "erased".to_owned()));

    // What was killed holds nothing, but nobody can know that it was.
    site.workers[other].kill();
    assert_eq!(site.leaves(7), (202, "pending".to_owned()));
    site.workers[other].restart();
    site.until("it is there again", || site.leaves(7) == (200, "erased".to_owned()));

    for number in [5, 6, 7, 35] {
        assert_eq!(site.comes_again(number), (201, "enrolled".to_owned()), "{number}");
    }
    site.knows(&[0, 4, 8, 15, 34]);
}

/// A renewed segment whose copy is late: whoever was erased is gone from everywhere, and nobody enrolls until it has come.
#[test]
fn the_file_of_a_renewed_segment_comes_late() {
    let site = Site::new(36, Files::Copied);
    assert_eq!(site.leaves(5), (200, "erased".to_owned()));
    assert_eq!((site.comes_again(0), site.a_stranger_comes()), (unavailable(), unavailable()));
    assert_eq!(site.metric("enroll_segments_unheld"), 1);
    site.copy_files();
    site.until("it is held", || site.comes_again(0) != unavailable());
    site.knows(&SOME);
    assert_eq!(site.comes_again(5), (201, "enrolled".to_owned()));
}

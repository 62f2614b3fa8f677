//! Workers that are killed, stopped, slow, or started again: a full answer from their replicas, or an error.

use std::thread;
use std::time::{Duration, Instant};

use enroll_cluster::ScanError;
use enroll_cluster::coordinator::{Prepared, Readiness};
use enroll_cluster::wire::Refusal;

use super::{Cluster, NOTICED, SEGMENTS};

/// Answers after a while, so that something can be done meanwhile.
const SLOW: &str = "sabotage = { lag_ms = 1500 }";
/// Answers too late for a limit of three seconds.
const LATE: &str = "sabotage = { lag_ms = 20000 }";

/// Does `change` to the first worker while a scan is under way, or before it, which then has to give a full answer.
#[track_caller]
fn survives(cluster: &Cluster, meanwhile: bool, change: impl FnOnce(&Cluster) + Send) {
    let coordinator = cluster.ready();
    let started = Instant::now();
    thread::scope(|scope| {
        let wait = Duration::from_millis(if meanwhile { 700 } else { 0 });
        let change = scope.spawn(move || {
            thread::sleep(wait);
            change(cluster);
        });
        if !meanwhile {
            change.join().unwrap();
        }
        cluster.answers_in_full(&coordinator);
    });
    assert!(started.elapsed() < NOTICED, "noticed after {:?} only", started.elapsed());
}

#[test]
fn killed_before() {
    survives(&Cluster::sound(), false, |cluster| cluster.workers[0].kill());
}

#[test]
fn killed_meanwhile() {
    survives(&Cluster::new(&[SLOW; 3]), true, |cluster| cluster.workers[0].kill());
}

#[test]
fn stopped_before() {
    survives(&Cluster::sound(), false, |cluster| cluster.workers[0].stop());
}

#[test]
fn stopped_meanwhile() {
    survives(&Cluster::new(&[SLOW; 3]), true, |cluster| cluster.workers[0].stop());
}

/// The system accepts connections for a process that is stopped; nobody shakes hands.
#[test]
fn stopped_before_anybody_connects() {
    let cluster = Cluster::sound();
    let first = cluster.ready();
    cluster.workers[0].stop();
    let started = Instant::now();
    cluster.answers_in_full(&cluster.coordinator(cluster.config()));
    assert!(started.elapsed() < NOTICED);
    cluster.answers_in_full(&first);
}

#[test]
fn late() {
    let cluster = Cluster::new(&[LATE, "", ""]);
    let mut config = cluster.config();
    config.answer_ms = 3_000;
    let coordinator = cluster.ready_with(config);
    cluster.answers_in_full(&coordinator);
}

#[test]
fn all_late() {
    let cluster = Cluster::new(&[LATE; 3]);
    let mut config = cluster.config();
    config.answer_ms = 1_000;
    let coordinator = cluster.ready_with(config);
    assert!(matches!(cluster.says_nothing(&coordinator), ScanError::NoWorker { .. }));
}

/// Slow is not late.
#[test]
fn slow() {
    let cluster = Cluster::new(&[SLOW, SLOW, SLOW]);
    cluster.answers_in_full(&cluster.ready());
}

#[test]
fn two_of_three_killed_is_no_answer() {
    let cluster = Cluster::sound();
    let coordinator = cluster.ready();
    cluster.workers[0].kill();
    cluster.workers[1].kill();
    let error = cluster.says_nothing(&coordinator);
    assert!(matches!(&error, ScanError::NoWorker { lost, .. } if lost.contains("worker-0")), "{error}");
}

/// Whoever was lost is not waited for with each scan, and is asked again when it has rested.
#[test]
fn whoever_is_lost_rests_and_comes_back() {
    let cluster = Cluster::sound();
    let mut config = cluster.config();
    config.rest_ms = 600_000;
    let coordinator = cluster.ready_with(config);
    cluster.workers[0].stop();
    cluster.answers_in_full(&coordinator);
    // Nothing of it is needed now: were it asked first again, this would lose an attempt each time.
    let started = Instant::now();
    for _ in 0..20 {
        cluster.answers_in_full(&coordinator);
    }
    assert!(started.elapsed() < 20 * Duration::from_secs(1), "each scan waits for it again");
    cluster.workers[0].go_on();
    cluster.workers[1].kill();
    cluster.answers_in_full(&coordinator);
}

/// A worker that was started again holds nothing, and says so, until it is told what to hold.
#[test]
fn started_again() {
    let mut cluster = Cluster::sound();
    cluster.ready();
    cluster.workers[0].kill();
    cluster.workers[0] = cluster.start(0, "");
    let coordinator = cluster.coordinator(cluster.config()); // it listens elsewhere now
    cluster.answers_in_full(&coordinator);
    cluster.workers[1].kill();
    let error = cluster.says_nothing(&coordinator);
    assert!(error.to_string().contains("it is not in memory"), "{error}");

    let Prepared { workers, missing } = coordinator.prepare(cluster.town.manifest(), 0);
    assert_eq!(missing, Vec::<u64>::new());
    let held = |readiness: &Readiness| match readiness {
        Readiness::Answered { held, refused } => Some((held.len(), refused.len())),
        Readiness::Lost(_) => None,
    };
    assert!(matches!(held(&workers[0].1), Some((1.., 0))), "{workers:?}");
    assert_eq!(held(&workers[1].1), None, "it was killed");
    cluster.answers_in_full(&coordinator);
}

/// A worker that has said what it lacks is not asked for that again: were it, each scan would wait for it here.
#[test]
fn started_again_and_then_stopped() {
    let mut cluster = Cluster::sound();
    cluster.ready();
    cluster.workers[0].kill();
    cluster.workers[0] = cluster.start(0, "");
    let coordinator = cluster.coordinator(cluster.config());
    cluster.answers_in_full(&coordinator);
    cluster.workers[0].stop();
    let started = Instant::now();
    for _ in 0..20 {
        cluster.answers_in_full(&coordinator);
    }
    assert!(started.elapsed() < 20 * Duration::from_secs(1), "each scan waits for it");
}

/// Without anybody having been told what to hold there is no answer, and the error says why.
#[test]
fn unprepared() {
    let cluster = Cluster::sound();
    let error = cluster.says_nothing(&cluster.coordinator(cluster.config()));
    assert!(error.to_string().contains(&Refusal::NotHeld.to_string()), "{error}");
    assert_eq!(cluster.town.manifest().entries().len() as u64, SEGMENTS);
}

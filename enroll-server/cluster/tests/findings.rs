//! The findings of a cluster are those of one process.

use std::sync::LazyLock;

use enroll_cluster::lab::{again, person};
use enroll_cluster::{Coordinator, ScanError};
use enroll_server::matcher::{Finding, MAX_QUERIES, People, Uncovered};
use proptest::prelude::*;
use unum_iris::{COLUMNS, EyePair, Measure, Query, Template, Thresholds};

use super::Cluster;

static CLUSTER: LazyLock<(Cluster, Coordinator)> = LazyLock::new(|| {
    let cluster = Cluster::sound();
    let coordinator = cluster.ready();
    (cluster, coordinator)
});

/// Somebody of the town or a stranger, seen more or less well, with one eye or both, exchanged or not.
fn somebody() -> impl Strategy<Value = EyePair> {
    let seen = (0..900_u64, 0..40_u32, 0..40_u32, 0..4_usize, 0..8_u8);
    seen.prop_map(|(seed, left, right, orientation, eyes)| {
        let whole = again(&person(seed), left, right).orientations()[orientation].clone();
        match eyes {
            0 => EyePair::new(whole.left().cloned(), None).unwrap(),
            1 => EyePair::new(None, whole.right().cloned()).unwrap(),
            2 => EyePair::new(whole.left().map(half_closed), whole.right().cloned()).unwrap(),
            _ => whole,
        }
    })
}

/// The same eye with an eighth of it open: too little to be compared.
fn half_closed(eye: &Template) -> Template {
    let mask: [u64; COLUMNS] = std::array::from_fn(|i| if i % 8 == 0 { u64::MAX } else { 0 });
    Template::from_columns(eye.code(), &mask)
}

fn in_one_process(cluster: &Cluster, queries: &[&Query], thresholds: Thresholds) -> Vec<Finding> {
    let people = cluster.town.people();
    people.scan(queries, thresholds).findings(cluster.town.manifest(), people.len()).unwrap()
}

fn in_a_cluster(queries: &[&Query], thresholds: Thresholds) -> Vec<Finding> {
    let (cluster, coordinator) = &*CLUSTER;
    let (manifest, tail) = (cluster.town.manifest(), cluster.town.tail());
    let scanned = coordinator.scan(manifest, tail, queries, thresholds).unwrap();
    scanned.findings(manifest, cluster.town.len()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn findings_are_those_of_one_process(
        eyes in prop::collection::vec(somebody(), 1..=MAX_QUERIES),
        measure in prop_oneof![Just(Measure::Plain), Just(Measure::Normalised)],
    ) {
        let queries: Vec<Query> = eyes.iter().map(Query::new).collect();
        let queries: Vec<&Query> = queries.iter().collect();
        let thresholds = Thresholds::of(measure);
        let expected = in_one_process(&CLUSTER.0, &queries, thresholds);
        prop_assert_eq!(in_a_cluster(&queries, thresholds), expected);
    }
}

/// That the property above can fail: the queries that it draws have all kinds of findings.
#[test]
fn all_kinds_of_findings_come_back() {
    let known = person(100);
    let closed = EyePair::new(known.left().map(half_closed), known.right().map(half_closed)).unwrap();
    let eyes = [person(100), again(&known, 5, 40), closed, person(1 << 40)];
    let queries: Vec<Query> = eyes.iter().map(Query::new).collect();
    let queries: Vec<&Query> = queries.iter().collect();
    let found = in_a_cluster(&queries, Thresholds::default());
    assert_eq!(found, in_one_process(&CLUSTER.0, &queries, Thresholds::default()));
    assert!(matches!(
        found[..],
        [
            Finding::Duplicate { person: 101 },
            Finding::Review,
            Finding::TooLittleOverlap { .. },
            Finding::Unique
        ]
    ));
}

#[test]
fn everyone_is_found_in_each_segment_and_in_the_tail() {
    let (cluster, coordinator) = &*CLUSTER;
    for some in (0..cluster.town.len()).step_by(13).collect::<Vec<_>>().chunks(MAX_QUERIES) {
        let eyes: Vec<EyePair> = some.iter().copied().map(person).collect();
        let expected = some.iter().map(|seed| Finding::Duplicate { person: seed + 1 });
        assert_eq!(cluster.ask(coordinator, &eyes), Ok(expected.collect()));
    }
}

/// With one holder for each segment there is nobody to ask instead: were a sound worker ever taken for a lost one, this
/// would be an error.
#[test]
fn scans_do_not_disturb_each_other() {
    let cluster = Cluster::sound();
    let mut config = cluster.config();
    (config.replicas, config.keep_alive_timeout_ms) = (1, 30_000);
    let coordinator = cluster.ready_with(config);
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| (0..20).for_each(|_| cluster.answers_in_full(&coordinator)));
        }
    });
}

/// As the server does it: on a thread of its runtime that may block.
#[test]
fn a_server_may_ask_on_its_own_runtime() {
    let ask = || CLUSTER.0.answers_in_full(&CLUSTER.1);
    super::runtime().block_on(async { tokio::task::spawn_blocking(ask).await.unwrap() });
}

/// Once in a segment and once in the tail: the rows of both say so together.
#[test]
fn whoever_is_there_twice_is_said_to_be() {
    let (cluster, coordinator) = &*CLUSTER;
    let mut tail = People::after(cluster.town.manifest().people());
    [700, 100].map(person).iter().for_each(|person| tail.push(Some(person)));
    let queries = [person(100), person(700)].map(|eyes| Query::new(&eyes));
    let queries: Vec<&Query> = queries.iter().collect();
    let manifest = cluster.town.manifest();
    let scanned = coordinator.scan(manifest, &tail, &queries, Thresholds::default()).unwrap();
    let found = scanned.findings(manifest, tail.len());
    let first_of_tail = manifest.people() + 1;
    assert_eq!(found, Ok(vec![Finding::Duplicates, Finding::Duplicate { person: first_of_tail }]));
}

#[test]
fn without_segments_only_the_tail_is_compared() {
    let (cluster, coordinator) = &*CLUSTER;
    let queries = [700, 0].map(|seed| Query::new(&person(seed)));
    let queries: Vec<&Query> = queries.iter().collect();
    let nobody = enroll_server::matcher::Manifest::default();
    let scan = |tail| coordinator.scan(&nobody, tail, &queries, Thresholds::default());
    let tail: People = [person(900), person(700)].into_iter().collect();
    let expected = vec![Finding::Duplicate { person: 2 }, Finding::Unique];
    assert_eq!(scan(&tail).unwrap().findings(&nobody, 2), Ok(expected));
    let begin = cluster.town.manifest().people();
    let uncovered = Uncovered::Tail { from: 1, to: begin + super::TAIL };
    assert_eq!(scan(cluster.town.tail()).unwrap_err(), ScanError::Uncovered(uncovered), "others before it");
}

//! Workers that answer twice, not at all, or something else. With one of them there is a full answer from the others;
//! where all lie there is none.

use enroll_cluster::ScanError;
use enroll_cluster::placement::holders;

use super::Cluster;

const NAMES: [&str; 3] = ["worker-0", "worker-1", "worker-2"];

/// A segment that worker 0 is asked for first, and that is not the first of those.
fn victim() -> u64 {
    let firsts = (0..super::SEGMENTS).map(|i| 1 + 16 * i);
    let mine = firsts.filter(|&first| holders(first, &NAMES, 2)[0] == 0);
    mine.skip(1).step_by(2).next().unwrap()
}

/// `lie` of one worker, and of all.
#[track_caller]
fn refused(lie: &str, expected: &str) {
    let sabotage = format!("sabotage = {{ {lie} = {} }}", victim());
    let one = Cluster::new(&[&sabotage, "", ""]);
    let coordinator = one.ready();
    one.answers_in_full(&coordinator);

    let all = Cluster::new(&[sabotage.as_str(); 3]);
    let error = all.says_nothing(&all.ready());
    assert!(matches!(error, ScanError::NoWorker { .. } | ScanError::Uncovered(_)), "{error}");
    assert!(error.to_string().contains(expected), "{error}");
}

#[test]
fn twice() {
    refused("twice", "2 answers");
}

#[test]
fn not_at_all() {
    refused("silent", "no answer");
}

#[test]
fn for_one_segment_instead_of_another() {
    refused("instead", "answer");
}

#[test]
fn one_person_short() {
    refused("short", "15 people were compared, not 16");
}

#[test]
fn in_the_version_before() {
    refused("stale", "another version was compared");
}

/// That would give somebody else's leaf to whoever asks to recover theirs.
#[test]
fn somebody_who_stands_elsewhere() {
    refused("elsewhere", "somebody was found who stands elsewhere");
}

#[test]
fn one_query_short() {
    refused("half", "0 queries were answered, not 1");
}

use getrandom::SysRng;
use rand_core::UnwrapErr;
use unum_identity::field::Commitment;

use unum_iris::{Query, Thresholds};

use super::elsewhere::{Listed, REPEAT, RETRY};
use super::*;
use crate::matcher::{Entry, Holdings, InProcess, Scanned, Seal, Unscanned};
use crate::uniqueness::tests::{eye, pair};

fn key() -> TemplateKey {
    TemplateKey::from_bytes(&[9; 32])
}

fn rows(people: u64) -> Vec<TemplateRow> {
    let person = |before| Person {
        commitment: Commitment(unum_identity::field::FieldElement::from(before + 1)),
        consent_version: 1,
        recovered_at: None,
        eyes: pair(eye(2 * before), eye(2 * before + 1)),
    };
    (0..people).map(|before| row(&person(before), before + 1, &key(), &mut UnwrapErr(SysRng))).collect()
}

/// An empty cache.
fn gallery(scanner: Arc<dyn Scanner>) -> Gallery {
    let folder = tempfile::tempdir().unwrap();
    let shelf = Shelf::open(folder.path(), key()).unwrap();
    let entropy = Arc::new(Entropy::new(Box::new(UnwrapErr(SysRng))));
    Gallery::new(key(), shelf, 16, scanner, entropy, Metrics::default())
}

/// A cache that has read `rows`.
fn knows(rows: &[TemplateRow]) -> Gallery {
    let gallery = gallery(Arc::new(InProcess));
    gallery.extend(Everyone::default(), &Everyone::default().follow(rows, &key()).unwrap());
    gallery
}

#[test]
fn a_cache_grows_by_what_is_new() {
    let rows = rows(5);
    let gallery = knows(&rows[..3]);
    let known = gallery.known();
    assert_eq!(known.watermark(), 3);
    let new = known.follow(&rows[2..], &key()).unwrap();
    assert_eq!(new.people.len(), 2);
    gallery.extend(known, &new);
    assert_eq!(gallery.known().watermark(), 5);
    assert!(gallery.known().people().person(4) == pair(eye(8), eye(9)));
}

#[test]
fn what_two_readers_found_counts_once() {
    let rows = rows(4);
    let gallery = knows(&rows[..2]);
    let known = gallery.known();
    gallery.extend(known.clone(), &known.follow(&rows[1..], &key()).unwrap());
    gallery.extend(known.clone(), &known.follow(&rows[1..3], &key()).unwrap());
    assert_eq!(gallery.known().watermark(), 4);
}

#[test]
fn nothing_new_is_no_divergence() {
    let rows = rows(2);
    assert!(knows(&rows).known().follow(&rows[1..], &key()).unwrap().people.is_empty());
    assert!(Everyone::default().follow(&[], &key()).unwrap().people.is_empty());
}

#[test]
fn a_missing_row_is_never_passed_over() {
    let rows = rows(5);
    let known = knows(&rows[..2]).known();
    let follow = |known: &Everyone, rows: &[TemplateRow]| known.follow(rows, &key()).map(|_| ()).unwrap_err();
    let with_gap = [rows[1].clone(), rows[3].clone()];
    assert_eq!(follow(&known, &with_gap), FollowError::Diverged);
    assert_eq!(follow(&known, &rows[2..]), FollowError::Diverged, "the known row is not among them");
    assert_eq!(follow(&known, &[]), FollowError::Diverged, "the table is empty again");
    assert_eq!(follow(&Everyone::default(), &rows[1..]), FollowError::Diverged);
}

#[test]
fn another_history_is_noticed() {
    let (ours, theirs) = (rows(3), rows(4));
    let known = knows(&ours).known();
    assert_eq!(known.follow(&theirs[2..], &key()).map(|_| ()), Err(FollowError::Diverged));
}

#[test]
fn a_row_that_does_not_open_is_an_error() {
    let mut rows = rows(3);
    rows.swap(1, 2);
    (rows[1].seq, rows[2].seq) = (2, 3); // moved, so bound to another place
    let error = Everyone::default().follow(&rows, &key()).map(|_| ()).unwrap_err();
    assert_eq!(error, FollowError::Unopenable { seq: 2 });
}

/// Others hold segments, and say so.
struct Others;

impl Scanner for Others {
    fn holds_here(&self) -> bool {
        false
    }

    fn prepare(&self, _: &Manifest, _: u64) -> Holdings {
        Holdings::default()
    }

    fn is_impaired(&self) -> bool {
        false
    }

    fn scan(&self, _: &Manifest, _: &People, _: &[&Query], _: Thresholds) -> Result<Scanned, Unscanned> {
        Err(Unscanned("nobody is asked here".to_owned()))
    }
}

/// Segments of four.
fn manifest(segments: u64) -> Manifest {
    let seal = Seal { nonce: [0; 24], tag: [0; 16] };
    let entry = |i| Entry { first: 1 + 4 * i, people: 4, version: 1, seal };
    Manifest::new((0..segments).map(entry).collect()).unwrap()
}

/// A cache of whoever comes after `segments` segments that others hold.
fn after(segments: u64, rows: &[TemplateRow]) -> Gallery {
    let gallery = gallery(Arc::new(Others));
    let manifest = manifest(segments);
    gallery.know(Everyone::of(People::after(manifest.people()), manifest));
    let known = gallery.known();
    let new = known.follow(&rows[known.watermark() as usize - usize::from(segments > 0)..], &key()).unwrap();
    gallery.extend(known, &new);
    gallery
}

#[test]
fn where_others_hold_segments_only_the_tail_is_in_memory() {
    let rows = rows(11);
    let known = after(2, &rows[..10]).known();
    assert_eq!((known.watermark(), known.people().segments().len()), (10, 0));
    assert!(known.people().person(0) == pair(eye(16), eye(17)), "number 9 is the first one here");
    assert!(known.follow(&rows[9..], &key()).unwrap().people.len() == 1);
    assert_eq!(known.follow(&rows[8..], &key()).map(|_| ()), Err(FollowError::Diverged));
    let without = known.without_tail();
    assert_eq!((without.watermark(), without.manifest().people()), (8, 8));
}

#[test]
fn whoever_was_put_into_a_segment_stays_in_the_tail_until_others_hold_it() {
    let rows = rows(10);
    let gallery = after(1, &rows);
    let waits = |manifest: &Manifest| gallery.can_wait(&gallery.known(), manifest);
    assert!(waits(&manifest(2)));
    let mut renewed = manifest(2).entries().to_vec();
    renewed[0].version += 1;
    assert!(!waits(&Manifest::new(renewed).unwrap()), "somebody was erased: nothing counts as it was");
    assert!(!waits(&manifest(0)), "a segment is gone");
    let fresh = self::gallery(Arc::new(Others));
    assert!(!fresh.can_wait(&fresh.known(), &manifest(2)), "all would be read as a tail");
    let here = knows(&rows);
    assert!(!here.can_wait(&here.known(), &manifest(1)), "they are read from files");
}

#[test]
fn an_erasure_is_done_when_others_say_so_too() {
    let rows = rows(10);
    let gallery = after(1, &rows);
    let known = gallery.known();
    gallery.know(Everyone { erased: 3, ..known.without_tail() });
    assert_eq!(gallery.erased_to(), None, "somebody still looks at those before");
    drop(known);
    assert_eq!(gallery.erased_to(), Some(0), "nobody has said what they hold");
    let note = |erased, silent: &[&str]| {
        let silent = silent.iter().map(|&name| name.to_owned()).collect();
        let listed = Listed { manifest: Arc::new(manifest(1)), erased };
        gallery.note(&listed, &Holdings { silent, ..Holdings::default() });
    };
    note(2, &[]);
    assert_eq!(gallery.erased_to(), Some(2));
    note(3, &["worker-1"]);
    assert_eq!(gallery.erased_to(), Some(2), "one may still hold them");
    note(4, &[]);
    assert_eq!(gallery.erased_to(), Some(3), "the tail was read before the fourth");
}

#[test]
fn others_are_told_again_when_something_changes_or_was_amiss() {
    let gallery = after(1, &rows(6));
    let is_due = || gallery.elsewhere().is_due();
    assert!(is_due(), "never told");
    let listed = || Listed { manifest: Arc::new(manifest(1)), erased: 0 };
    gallery.note(&listed(), &Holdings::default());
    gallery.elsewhere().saw(&manifest(1));
    assert!(!is_due());
    gallery.elsewhere().saw(&manifest(2));
    assert!(is_due());
    gallery.note(&listed(), &Holdings { missing: vec![1], ..Holdings::default() });
    assert!(!is_due(), "not at once again");
    gallery.elsewhere().age(RETRY);
    assert!(is_due());
    gallery.note(&listed(), &Holdings::default());
    gallery.elsewhere().age(RETRY);
    assert!(!is_due());
    gallery.elsewhere().age(REPEAT);
    assert!(is_due());
}

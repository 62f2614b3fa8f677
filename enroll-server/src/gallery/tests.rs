use getrandom::SysRng;
use rand_core::UnwrapErr;
use unum_identity::field::Commitment;

use super::*;
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

/// A cache that has read `rows`.
fn knows(rows: &[TemplateRow]) -> Gallery {
    let folder = tempfile::tempdir().unwrap();
    let shelf = Shelf::open(folder.path(), key()).unwrap();
    let entropy = Arc::new(Entropy::new(Box::new(UnwrapErr(SysRng))));
    let gallery = Gallery::new(key(), shelf, 16, entropy, Metrics::default());
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

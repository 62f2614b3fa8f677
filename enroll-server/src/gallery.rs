//! Everyone's eyes in memory: a cache of the table `templates`, decrypted once.
//!
//! Rows are numbered from 1 without gaps, so a cache of *n* people is complete up to row *n*, and what an enrollment
//! has to compare besides is exactly the rows after *n*. Whenever rows are read, the last known one is read again:
//! if it is not the same any more (a restored backup, another database), the cache starts anew.
//!
//! Eyes are wiped when dropped. Knows nothing of verdicts.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use unum_iris::EyePair;

use crate::matcher::People;
use crate::sealed::{Person, Place, Sealed, TemplateKey};
use crate::store::templates::{self, TemplateRow};
use crate::store::{Store, StoreError, Tx};

/// Rows read at a time: 8 MB.
const PAGE: u64 = 1000;

/// Everyone up to some row.
#[derive(Clone, Default)]
pub(crate) struct Everyone {
    people: People,
    /// The nonce of the last row: random, so it is this row's alone.
    last: Option<[u8; 24]>,
}

/// Who came after somebody.
struct Newcomers {
    people: Vec<EyePair>,
    /// As [`Everyone`]'s, with them.
    last: Option<[u8; 24]>,
}

/// The cache.
pub(crate) struct Gallery {
    key: TemplateKey,
    everyone: RwLock<Everyone>,
    /// Whether it was said that memory cannot be locked: once is enough.
    has_warned: AtomicBool,
}

/// What was read is not the continuation of what is known.
#[derive(Debug, PartialEq, Eq)]
enum FollowError {
    /// The cache is of another history, or a row is missing.
    Diverged,
    /// A row does not open with our key.
    Unopenable { seq: u64 },
}

impl Everyone {
    /// The eyes, in order of arrival.
    pub(crate) fn people(&self) -> &People {
        &self.people
    }

    /// The last row that is known; 0 for none.
    pub(crate) fn watermark(&self) -> u64 {
        self.people.len() as u64
    }

    /// The people of `rows` after the watermark. `rows` begin at the watermark.
    fn follow(&self, rows: &[TemplateRow], key: &TemplateKey) -> Result<Newcomers, FollowError> {
        let (known, new) = rows.split_at(rows.len().min(usize::from(self.last.is_some())));
        let is_known = |row: &TemplateRow| row.seq == self.watermark() && Some(row.sealed.nonce) == self.last;
        if self.last.is_some() && !known.first().is_some_and(is_known) {
            return Err(FollowError::Diverged);
        }
        let mut people = Vec::with_capacity(new.len());
        for (row, seq) in new.iter().zip(self.watermark() + 1..) {
            if row.seq != seq {
                return Err(FollowError::Diverged);
            }
            let opened = key.open(&row.sealed, Place::Template { seq });
            people.push(opened.map_err(|_| FollowError::Unopenable { seq })?.eyes);
        }
        Ok(Newcomers { people, last: rows.last().map(|row| row.sealed.nonce) })
    }
}

impl From<FollowError> for StoreError {
    fn from(error: FollowError) -> Self {
        match error {
            FollowError::Diverged => Self::damaged("templates have a gap"),
            FollowError::Unopenable { seq } => {
                Self::damaged(format!("template {seq} cannot be opened with this template key"))
            }
        }
    }
}

impl Gallery {
    /// An empty cache.
    pub(crate) fn new(key: TemplateKey) -> Self {
        Self { key, everyone: RwLock::default(), has_warned: AtomicBool::new(false) }
    }

    /// Reads what is new, and gives everyone as of now.
    pub(crate) async fn sync(&self, store: &Store) -> Result<Everyone, StoreError> {
        loop {
            let known = self.known();
            let seq = known.watermark();
            let read = |tx: Arc<Tx>| async move { templates::from(&tx, seq, PAGE).await };
            let rows = store.run_tx("read_templates", read).await?;
            match known.follow(&rows, &self.key) {
                Ok(new) => self.extend(known, &new),
                Err(FollowError::Diverged) if known.watermark() > 0 => {
                    tracing::warn!("the templates are not those in memory: reading all of them again");
                    *self.everyone.write().unwrap_or_else(PoisonError::into_inner) = Everyone::default();
                    continue;
                }
                Err(error) => return Err(error.into()),
            }
            if (rows.len() as u64) < PAGE {
                return Ok(self.known());
            }
        }
    }

    /// Everyone who came after `known`. Complete if the transaction holds the lock of enrollments.
    pub(crate) async fn tail(&self, tx: &Tx, known: &Everyone) -> Result<People, StoreError> {
        let rows = templates::from(tx, known.watermark(), i64::MAX as u64).await?;
        match known.follow(&rows, &self.key) {
            Ok(tail) => Ok(tail.people.into_iter().collect()),
            // The scan that led here was of another history.
            Err(FollowError::Diverged) => Err(StoreError::Unavailable("the templates were replaced".into())),
            Err(error) => Err(error.into()),
        }
    }

    /// Everyone as of the last time rows were read.
    pub(crate) fn known(&self) -> Everyone {
        self.everyone.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Adds `new` to what was `known`, unless somebody else has been faster.
    fn extend(&self, known: Everyone, new: &Newcomers) {
        let mut everyone = self.everyone.write().unwrap_or_else(PoisonError::into_inner);
        if everyone.last != known.last || new.last.is_none() {
            return;
        }
        drop(known); // or its share of the last block would have it copied
        for person in &new.people {
            everyone.people.push(person);
        }
        everyone.last = new.last;
        if !everyone.people.is_locked() && !self.has_warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                people = everyone.watermark(),
                "the system does not let everyone's eyes be locked in memory, they may be swapped out: raise the \
                 limit (`ulimit -l unlimited`, or `LimitMEMLOCK=infinity` in the unit file)"
            );
        }
    }
}

/// A person as a row, at the place after `before` people.
pub(crate) fn row(
    person: &Person,
    before: u64,
    key: &TemplateKey,
    rng: &mut impl rand_core::CryptoRng,
) -> TemplateRow {
    let seq = before + 1;
    let sealed: Sealed = key.seal(person, Place::Template { seq }, rng);
    TemplateRow { seq, sealed }
}

#[cfg(test)]
mod tests {
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
            eyes: pair(eye(2 * before), eye(2 * before + 1)),
        };
        (0..people).map(|before| row(&person(before), before, &key(), &mut UnwrapErr(SysRng))).collect()
    }

    /// A cache that has read `rows`.
    fn knows(rows: &[TemplateRow]) -> Gallery {
        let gallery = Gallery::new(key());
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
        let follow =
            |known: &Everyone, rows: &[TemplateRow]| known.follow(rows, &key()).map(|_| ()).unwrap_err();
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
}

//! Everyone's eyes in memory: a cache of the table `templates`, decrypted once.
//!
//! ```text
//! segments   whatever the manifest lists, from their files; made again from `templates` where a file is faulty
//! tail       the rows after the last segment, from `templates`
//! ```
//!
//! Rows are numbered from 1 without gaps, so a cache of *n* people is complete up to row *n*, and what an enrollment
//! has to compare besides is exactly the rows after *n*. Whenever rows are read, so is the manifest, and the last known
//! row is read again: if they are not the same any more (a restored backup, another database), the cache starts anew.
//!
//! Eyes are wiped when dropped. Knows nothing of verdicts.

mod segments;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use service::Metrics;
use unum_iris::EyePair;

use crate::matcher::{Manifest, People, Shelf};
use crate::sealed::{Person, Place, Sealed, TemplateKey};
use crate::server::Entropy;
use crate::store::templates::{self, TemplateRow};
use crate::store::{self, Store, StoreError, Tx};

/// Rows read at a time: 8 MB.
const PAGE: u64 = 1000;

/// Everyone up to some row.
#[derive(Clone, Default)]
pub(crate) struct Everyone {
    people: People,
    /// The segments that they have to stand in, as Postgres listed them.
    manifest: Arc<Manifest>,
    /// The nonce of the last row, if it has been read: random, so it is this row's alone.
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
    shelf: Arc<Shelf>,
    /// People of a segment that is made from now on.
    segment_people: u64,
    entropy: Arc<Entropy>,
    metrics: Metrics,
    everyone: RwLock<Everyone>,
    /// Held by whoever reads segments: once is enough.
    stacking: tokio::sync::Mutex<()>,
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
    /// These people, of whom those in segments have to be the ones listed.
    #[cfg(test)]
    pub(crate) fn of(people: People, manifest: Manifest) -> Self {
        Self { people, manifest: Arc::new(manifest), last: None }
    }

    /// The eyes, in order of arrival.
    pub(crate) fn people(&self) -> &People {
        &self.people
    }

    /// The segments that a scan of them has to cover.
    pub(crate) fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The last row that is known; 0 for none.
    pub(crate) fn watermark(&self) -> u64 {
        self.people.len()
    }

    /// Those of the segments alone.
    fn without_tail(&self) -> Self {
        let people = People::of(self.people.segments().to_vec());
        Self { people, manifest: Arc::clone(&self.manifest), last: None }
    }

    /// Whether these are the same people.
    fn is(&self, other: &Self) -> bool {
        self.watermark() == other.watermark() && self.last == other.last && self.manifest == other.manifest
    }

    /// The people of `rows` after the watermark. `rows` begin at the watermark.
    fn follow(&self, rows: &[TemplateRow], key: &TemplateKey) -> Result<Newcomers, FollowError> {
        let watermark = self.watermark();
        let (known, new) = rows.split_at(rows.len().min(usize::from(watermark > 0)));
        let is_known = |row: &TemplateRow| {
            row.seq == watermark && self.last.is_none_or(|nonce| nonce == row.sealed.nonce)
        };
        if watermark > 0 && !known.first().is_some_and(is_known) {
            return Err(FollowError::Diverged);
        }
        let people = new.iter().zip(watermark + 1..).map(|(row, seq)| open(row, seq, key));
        Ok(Newcomers {
            people: people.collect::<Result<_, _>>()?,
            last: rows.last().map(|row| row.sealed.nonce),
        })
    }
}

/// The eyes of `row`, which has to be number `seq`.
fn open(row: &TemplateRow, seq: u64, key: &TemplateKey) -> Result<EyePair, FollowError> {
    if row.seq != seq {
        return Err(FollowError::Diverged);
    }
    let opened = key.open(&row.sealed, Place::Template { seq });
    Ok(opened.map_err(|_| FollowError::Unopenable { seq })?.eyes)
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
    /// An empty cache. Segments of `segment_people` people lie on `shelf`.
    pub(crate) fn new(
        key: TemplateKey,
        shelf: Shelf,
        segment_people: u64,
        entropy: Arc<Entropy>,
        metrics: Metrics,
    ) -> Self {
        Self {
            key,
            shelf: Arc::new(shelf),
            segment_people,
            entropy,
            metrics,
            everyone: RwLock::default(),
            stacking: tokio::sync::Mutex::default(),
            has_warned: AtomicBool::new(false),
        }
    }

    /// Reads what is new, and gives everyone as of now.
    pub(crate) async fn sync(&self, store: &Store) -> Result<Everyone, StoreError> {
        loop {
            let known = self.known();
            let seq = known.watermark();
            let read = |tx: Arc<Tx>| async move {
                Ok((store::segments::all(&tx).await?, templates::from(&tx, seq, PAGE).await?))
            };
            let (entries, rows) = store.run_tx("read_templates", read).await?;
            match Manifest::new(entries) {
                Ok(manifest) if manifest == *known.manifest => {}
                Ok(manifest) => {
                    self.stack(store, manifest).await?;
                    continue;
                }
                Err(error) => {
                    tracing::error!(%error, "the manifest is incomplete");
                    self.complete(store).await?;
                    continue;
                }
            }
            match known.follow(&rows, &self.key) {
                Ok(new) => self.extend(known, &new),
                Err(FollowError::Diverged) if known.watermark() > known.manifest.people() => {
                    tracing::warn!("the templates are not those in memory: reading them again");
                    *self.everyone.write().unwrap_or_else(PoisonError::into_inner) = known.without_tail();
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
        if !everyone.is(&known) || new.last.is_none() {
            return;
        }
        drop(known); // or its share of the last block would have it copied
        for person in &new.people {
            everyone.people.push(person);
        }
        everyone.last = new.last;
        self.warn_if_unlocked(&everyone);
    }

    fn warn_if_unlocked(&self, everyone: &Everyone) {
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
mod tests;

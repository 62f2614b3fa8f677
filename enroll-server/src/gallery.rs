//! Everyone's eyes in memory: a cache of the table `templates`, decrypted once.
//!
//! ```text
//! segments   whatever the manifest lists, from their files; made again from `templates` where a file is faulty
//! tail       the rows after the last segment, from `templates`
//! ```
//!
//! Where others hold the segments ([`elsewhere`]), only the tail is in memory.
//!
//! Rows are numbered from 1 without gaps, so a cache of *n* people is complete up to row *n*, and what an enrollment
//! has to compare besides is exactly the rows after *n*. Whenever rows are read, so is the manifest, and the last known
//! row is read again: if they are not the same any more (a restored backup, another database), the cache starts anew.
//! A row that was erased is a number without eyes; whenever somebody was, the tail is read again.
//!
//! Eyes are wiped when dropped. Knows nothing of verdicts.

mod elsewhere;
mod erasure;
mod segments;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};

use service::Metrics;
use unum_iris::EyePair;

use crate::matcher::{Manifest, People, Scanner, Shelf};
use crate::sealed::{Person, Place, TemplateKey};
use crate::server::Entropy;
use crate::store::templates::{self, TemplateRow};
use crate::store::{self, Store, StoreError, Tx, erasures};
use elsewhere::Elsewhere;

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
    /// The last erasure before which all of them were read.
    erased: u64,
    /// Shared by all who look at them.
    lease: Arc<()>,
}

/// Who came after somebody.
struct Newcomers {
    /// `None` for those who were erased.
    people: Vec<Option<EyePair>>,
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
    /// Leases of those who were known before, as long as somebody looks at them.
    retired: Mutex<Vec<Weak<()>>>,
    /// Held by whoever reads segments, or has others read them: once is enough.
    stacking: tokio::sync::Mutex<()>,
    scanner: Arc<dyn Scanner>,
    elsewhere: Mutex<Elsewhere>,
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
        Self { people, manifest: Arc::new(manifest), ..Self::default() }
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
        let (people, manifest) = (self.people.without_tail(), Arc::clone(&self.manifest));
        Self { people, manifest, ..Self::default() }
    }

    /// Whether these are the same people.
    fn is(&self, other: &Self) -> bool {
        self.watermark() == other.watermark() && self.last == other.last && self.manifest == other.manifest
    }

    /// The people of `rows` after the watermark. `rows` begin at the watermark.
    fn follow(&self, rows: &[TemplateRow], key: &TemplateKey) -> Result<Newcomers, FollowError> {
        let watermark = self.watermark();
        let (known, new) = rows.split_at(rows.len().min(usize::from(watermark > 0)));
        let is_known =
            |row: &TemplateRow| row.seq == watermark && self.last.is_none_or(|nonce| nonce == row.nonce);
        if watermark > 0 && !known.first().is_some_and(is_known) {
            return Err(FollowError::Diverged);
        }
        let people = new.iter().zip(watermark + 1..).map(|(row, seq)| open(row, seq, key));
        Ok(Newcomers { people: people.collect::<Result<_, _>>()?, last: rows.last().map(|row| row.nonce) })
    }
}

impl Newcomers {
    fn join(&self, people: &mut People) {
        for person in &self.people {
            people.push(person.as_ref());
        }
    }
}

/// The eyes of `row`, which has to be number `seq`; `None` if they were erased.
fn open(row: &TemplateRow, seq: u64, key: &TemplateKey) -> Result<Option<EyePair>, FollowError> {
    if row.seq != seq {
        return Err(FollowError::Diverged);
    }
    let Some(sealed) = row.sealed() else { return Ok(None) };
    let opened = key.open(&sealed, Place::Template { seq });
    Ok(Some(opened.map_err(|_| FollowError::Unopenable { seq })?.eyes))
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
    /// An empty cache. Segments of `segment_people` people lie on `shelf`; whether they are in memory is up to `scanner`.
    pub(crate) fn new(
        key: TemplateKey,
        shelf: Shelf,
        segment_people: u64,
        scanner: Arc<dyn Scanner>,
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
            retired: Mutex::default(),
            stacking: tokio::sync::Mutex::default(),
            scanner,
            elsewhere: Mutex::default(),
            has_warned: AtomicBool::new(false),
        }
    }

    /// Who compares with everyone.
    pub(crate) fn scanner(&self) -> &Arc<dyn Scanner> {
        &self.scanner
    }

    /// Reads what is new, and gives everyone as of now.
    pub(crate) async fn sync(&self, store: &Store) -> Result<Everyone, StoreError> {
        loop {
            let known = self.known();
            let seq = known.watermark();
            let read = |tx: Arc<Tx>| async move {
                let erased = erasures::last(&tx).await?; // first: what is read after it knows of it
                let entries = store::segments::all(&tx).await?;
                Ok((erased, entries, templates::from(&tx, seq, PAGE).await?))
            };
            let (erased, entries, rows) = store.run_tx("read_templates", read).await?;
            match Manifest::new(entries) {
                Ok(manifest) if manifest == *known.manifest => {}
                Ok(manifest) if self.can_wait(&known, &manifest) => self.elsewhere().saw(&manifest),
                Ok(manifest) => {
                    self.adopt(store, manifest).await?;
                    continue;
                }
                Err(error) => {
                    tracing::error!(%error, "the manifest is incomplete");
                    self.complete(store).await?;
                    continue;
                }
            }
            if known.erased != erased {
                self.know(Everyone { erased, ..known.without_tail() });
                continue;
            }
            match known.follow(&rows, &self.key) {
                Ok(new) => self.extend(known, &new),
                Err(FollowError::Diverged) if known.watermark() > known.manifest.people() => {
                    tracing::warn!("the templates are not those in memory: reading them again");
                    self.know(Everyone { erased, ..known.without_tail() });
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
            Ok(tail) => {
                let mut people = People::default();
                tail.join(&mut people);
                Ok(people)
            }
            // The scan that led here was of another history, or somebody has recovered since.
            Err(FollowError::Diverged) => Err(StoreError::overtaken("the templates were replaced")),
            Err(error) => Err(error.into()),
        }
    }

    /// Everyone as of the last time rows were read.
    pub(crate) fn known(&self) -> Everyone {
        self.everyone.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Knows `everyone` from now on, and nobody else.
    fn know(&self, everyone: Everyone) {
        self.warn_if_unlocked(&everyone);
        let mut known = self.everyone.write().unwrap_or_else(PoisonError::into_inner);
        let mut retired = self.retired.lock().unwrap_or_else(PoisonError::into_inner);
        retired.retain(|lease| lease.strong_count() > 0);
        retired.push(Arc::downgrade(&known.lease));
        *known = everyone;
    }

    /// Takes over the segments of `manifest`. Who came after them has to be read again.
    async fn adopt(&self, store: &Store, manifest: Manifest) -> Result<(), StoreError> {
        let _alone = self.stacking.lock().await;
        let known = self.known();
        if *known.manifest == manifest {
            return Ok(()); // somebody else has been faster
        }
        if self.scanner.holds_here() {
            self.stack(store, known, manifest).await
        } else {
            drop(known);
            self.tell(store).await
        }
    }

    /// The last erasure before which everyone who is in memory, here or elsewhere, was read; `None` as long as a scan looks
    /// at others.
    pub(crate) fn erased_to(&self) -> Option<u64> {
        let mut retired = self.retired.lock().unwrap_or_else(PoisonError::into_inner);
        retired.retain(|lease| lease.strong_count() > 0);
        let elsewhere = if self.scanner.holds_here() { u64::MAX } else { self.elsewhere().erased_to() };
        retired.is_empty().then(|| self.known().erased.min(elsewhere))
    }

    /// Adds `new` to what was `known`, unless somebody else has been faster.
    fn extend(&self, known: Everyone, new: &Newcomers) {
        let mut everyone = self.everyone.write().unwrap_or_else(PoisonError::into_inner);
        if !everyone.is(&known) || new.last.is_none() {
            return;
        }
        drop(known); // or its share of the last block would have it copied
        new.join(&mut everyone.people);
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

/// A person as row number `seq`.
pub(crate) fn row(
    person: &Person,
    seq: u64,
    key: &TemplateKey,
    rng: &mut impl rand_core::CryptoRng,
) -> TemplateRow {
    TemplateRow::new(seq, key.seal(person, Place::Template { seq }, rng))
}

pub(crate) use erasure::Removal;

#[cfg(test)]
mod tests;

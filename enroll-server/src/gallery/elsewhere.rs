//! Segments that others hold: who is told when what to hold, and which manifest counts meanwhile.
//!
//! ```text
//! manifest in Postgres ─► told to those who hold segments ─► files that they find faulty made again, told once more
//!                      ─► in use
//! ```
//!
//! A manifest that only adds to the one in use comes into use when somebody holds each of its segments; until then their
//! people stay in the tail. Any other comes into use at once, for whatever was found under the one before would have to
//! be compared again: as long as nobody holds one of its segments, there is no answer.
//!
//! What others hold is known from their own words only. Whoever does not answer may hold whoever was erased since.

use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::segments::blocking;
use super::{Everyone, Gallery};
use crate::matcher::{Entry, Holdings, Manifest, People};
use crate::store::{Store, StoreError, Tx, erasures, segments};

/// How often everyone is told what to hold, if nothing was amiss: whoever was started again holds nothing until then, or
/// until a scan meets them. An order for 1,000 segments has 70 KB.
pub(super) const REPEAT: Duration = Duration::from_secs(15);
/// And how often if something was: a file that is copied, or a machine that is started, takes about as long.
pub(super) const RETRY: Duration = Duration::from_secs(5);
/// Segments that a line of the log names.
const NAMED: usize = 8;

/// What is known of those who hold segments.
#[derive(Default)]
pub(super) struct Elsewhere {
    told: Option<Told>,
    /// Whether Postgres lists something else than they were told.
    is_behind: bool,
    /// The last erasure after which nobody among them held anything of anybody erased.
    erased_to: u64,
}

/// What they were told last.
struct Told {
    at: Instant,
    manifest: Arc<Manifest>,
    /// Whether nothing was amiss.
    is_whole: bool,
}

impl Elsewhere {
    /// Postgres lists `manifest`.
    pub(super) fn saw(&mut self, manifest: &Manifest) {
        self.is_behind = self.told.as_ref().is_none_or(|told| *told.manifest != *manifest);
    }

    pub(super) fn erased_to(&self) -> u64 {
        self.erased_to
    }

    /// Whether it is time to tell them again.
    pub(super) fn is_due(&self) -> bool {
        let is_old = |told: &Told| told.at.elapsed() >= if told.is_whole { REPEAT } else { RETRY };
        self.is_behind || self.told.as_ref().is_none_or(is_old)
    }

    /// Lets so much time have gone by since they were told.
    #[cfg(test)]
    pub(super) fn age(&mut self, by: Duration) {
        let told = self.told.as_mut().expect("they were told");
        told.at = told.at.checked_sub(by).expect("the machine has run for longer");
    }
}

/// What Postgres says, as of one moment.
pub(super) struct Listed {
    pub(super) manifest: Arc<Manifest>,
    /// The last erasure that it knows of.
    pub(super) erased: u64,
}

impl Gallery {
    pub(super) fn elsewhere(&self) -> MutexGuard<'_, Elsewhere> {
        self.elsewhere.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether what is `known` is as good as `manifest`: all that it adds stands in the tail.
    pub(super) fn can_wait(&self, known: &Everyone, manifest: &Manifest) -> bool {
        // Whoever knows nobody has just been started, and would read everyone as a tail.
        !self.scanner.holds_here() && known.watermark() > 0 && manifest.extends(&known.manifest)
    }

    /// Tells whoever holds segments what to hold, if it is time to, and takes over what they hold then.
    pub(crate) async fn tend(&self, store: &Store) -> Result<(), StoreError> {
        if self.scanner.holds_here() || !(self.elsewhere().is_due() || self.scanner.is_impaired()) {
            return Ok(());
        }
        let _alone = self.stacking.lock().await;
        self.tell(store).await
    }

    /// Has the segments that Postgres lists held, and takes them over. The caller holds the lock of whoever does.
    pub(super) async fn tell(&self, store: &Store) -> Result<(), StoreError> {
        let (mut listed, mut holdings) = self.tell_once(store).await?;
        if self.mend_files(store, &listed.manifest, &holdings).await? {
            (listed, holdings) = self.tell_once(store).await?;
        }
        self.note(&listed, &holdings);
        let known = self.known();
        if known.manifest == listed.manifest {
            return Ok(());
        }
        if !holdings.missing.is_empty() && self.can_wait(&known, &listed.manifest) {
            tracing::warn!(people = listed.manifest.people(), "they stay in the tail");
            return Ok(());
        }
        let (people, erased) = (listed.manifest.people(), known.erased);
        drop(known);
        let (segments, missing) = (listed.manifest.entries().len(), holdings.missing.len());
        tracing::info!(segments, people, missing, "are elsewhere");
        let (people, manifest) = (People::after(people), listed.manifest);
        self.know(Everyone { people, manifest, erased, ..Everyone::default() });
        Ok(())
    }

    async fn tell_once(&self, store: &Store) -> Result<(Listed, Holdings), StoreError> {
        let read = |tx: Arc<Tx>| async move {
            let erased = erasures::last(&tx).await?; // first: segments that are listed after it know of it
            Ok((erased, segments::all(&tx).await?))
        };
        let (erased, entries) = store.run_tx("read_manifest", read).await?;
        // A gap is filled by whoever enrolls next, or within a minute.
        let manifest = Arc::new(Manifest::new(entries).map_err(StoreError::overtaken)?);
        let (scanner, told) = (Arc::clone(&self.scanner), Arc::clone(&manifest));
        let holdings = blocking(move || scanner.prepare(&told, erased)).await?;
        Ok((Listed { manifest, erased }, holdings))
    }

    /// Makes those segments again whose files are faulty on our shelf too; whether there were any.
    async fn mend_files(
        &self,
        store: &Store,
        manifest: &Manifest,
        holdings: &Holdings,
    ) -> Result<bool, StoreError> {
        let listed = |first: &u64| {
            let at = manifest.entries().binary_search_by_key(first, |entry| entry.first);
            at.ok().map(|at| manifest.entries()[at])
        };
        let mut has_mended = false;
        let whole = holdings.altered.iter().filter_map(listed).map(|entry| (entry, true));
        let outside = holdings.faulty.iter().filter_map(listed).map(|entry| (entry, false));
        for (entry, is_whole) in outside.chain(whole) {
            has_mended |= self.mend_file(store, entry, is_whole).await?;
        }
        Ok(has_mended)
    }

    /// Makes a segment again if its file is faulty, inside or to be seen from outside; whether it was. If it is not, what
    /// others have is no copy of it yet.
    async fn mend_file(&self, store: &Store, entry: Entry, is_whole: bool) -> Result<bool, StoreError> {
        let shelf = Arc::clone(&self.shelf);
        let check = move || if is_whole { shelf.read(&entry).map(|_| ()) } else { shelf.check(&entry) };
        match blocking(check).await? {
            Ok(()) => Ok(false),
            Err(fault) => self.mend(store, &entry, &fault).await.map(|_| true),
        }
    }

    pub(super) fn note(&self, listed: &Listed, holdings: &Holdings) {
        let Holdings { missing, silent, .. } = holdings;
        self.metrics.gauge("enroll_segments_unheld", &[], missing.len() as f64);
        self.metrics.gauge("enroll_holders_silent", &[], silent.len() as f64);
        if !missing.is_empty() {
            let named = &missing[..missing.len().min(NAMED)];
            tracing::error!(segments = ?named, of = missing.len(), "nobody holds them: nobody can enroll");
        }
        if !silent.is_empty() {
            tracing::warn!(?silent, "they do not say what they hold: receipts of erasure wait for them");
        }
        let mut elsewhere = self.elsewhere();
        if silent.is_empty() {
            elsewhere.erased_to = elsewhere.erased_to.max(listed.erased);
        }
        elsewhere.is_behind = false;
        let (manifest, is_whole) = (Arc::clone(&listed.manifest), holdings.is_whole());
        elsewhere.told = Some(Told { at: Instant::now(), manifest, is_whole });
    }
}

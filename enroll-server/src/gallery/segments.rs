//! How segments come into memory: from their files, and where there is no file as listed, from the table `templates`.
//!
//! A segment is made in this order, so that a crash at any point costs a file and never a person: rows read, sealed,
//! listed in the manifest, written to disk. Of two servers that make the same one at once the first to list it wins,
//! and the other takes over what is listed.

use std::ops::Range;
use std::sync::Arc;

use rand_core::Rng as _;
use rayon::prelude::*;
use unum_iris::{BLOCK_PEOPLE, Blocks};

use super::{Everyone, Gallery, PAGE, open};
use crate::matcher::{Entry, Fault, Manifest, ManifestError, People, SealedSegment, Segment, blocks_of};
use crate::store::{Store, StoreError, Tx, erasures, lock_enrollments, segments, templates};

impl Gallery {
    /// Lists and makes the segments that the manifest lacks: of people between two others, and of people at the end
    /// who are enough to fill one.
    pub(crate) async fn complete(&self, store: &Store) -> Result<(), StoreError> {
        let read = |tx: Arc<Tx>| async move {
            let erased = erasures::last(&tx).await?; // first: rows that are read after it know of it
            Ok((erased, segments::all(&tx).await?, templates::last(&tx).await?))
        };
        let (erased, entries, people) = store.run_tx("read_manifest", read).await?;
        for people in unlisted(&entries, people, self.segment_people)? {
            let first = people.start;
            let blocks = self.read_rows(store, people).await?;
            let (sealed, _) = self.seal(first, 1, blocks).await?;
            let entry = sealed.entry();
            let list = |tx: Arc<Tx>| async move {
                lock_enrollments(&tx).await?;
                // Or somebody who was erased since their row was read would stand in it. The next time, then.
                Ok(erasures::last(&tx).await? == erased && segments::insert(&tx, entry).await?)
            };
            if store.run_tx("list_segment", list).await? {
                tracing::info!(segment = first, people = entry.people, "made");
                self.write(sealed).await?;
            }
        }
        Ok(())
    }

    /// Reads the segments of `manifest` that are not `known`, instead of which it takes them over.
    pub(super) async fn stack(
        &self,
        store: &Store,
        known: Everyone,
        manifest: Manifest,
    ) -> Result<(), StoreError> {
        let mut segments = Vec::with_capacity(manifest.entries().len());
        for (entry, read) in self.read_files(&known, &manifest).await? {
            let segment = match read {
                Ok(segment) => Some(segment),
                Err(fault) => self.mend(store, &entry, &fault).await?,
            };
            let Some(segment) = segment else { return Ok(()) }; // the manifest is another one now
            segments.push(segment);
        }
        let people = People::of(segments);
        let (manifest, erased) = (Arc::new(manifest), known.erased);
        let everyone = Everyone { people, manifest, erased, ..Everyone::default() };
        tracing::info!(
            segments = everyone.people.segments().len(),
            people = everyone.watermark(),
            "in memory"
        );
        drop(known);
        self.know(everyone);
        Ok(())
    }

    /// What the shelf gives for each entry; what is in memory already need not be read.
    async fn read_files(
        &self,
        known: &Everyone,
        manifest: &Manifest,
    ) -> Result<Vec<(Entry, Result<Arc<Segment>, Fault>)>, StoreError> {
        let in_memory = known.people.segments().to_vec();
        let (shelf, entries) = (Arc::clone(&self.shelf), manifest.entries().to_vec());
        let read = move |entry: Entry| {
            let at = in_memory.binary_search_by_key(&entry.first, |segment| segment.entry().first);
            let same = at.ok().map(|at| &in_memory[at]).filter(|segment| *segment.entry() == entry);
            let segment = same.map_or_else(|| shelf.read(&entry).map(Arc::new), |same| Ok(Arc::clone(same)));
            (entry, segment)
        };
        blocking(move || entries.into_par_iter().map(read).collect()).await
    }

    /// Makes a segment again whose file has a fault. `None` if that takes other rows than those it was made of, and so
    /// another version, which is then listed instead.
    pub(super) async fn mend(
        &self,
        store: &Store,
        entry: &Entry,
        fault: &Fault,
    ) -> Result<Option<Arc<Segment>>, StoreError> {
        let Entry { first, version, .. } = *entry;
        tracing::error!(segment = first, version, %fault, "making it again");
        self.metrics.count("enroll_segment_faults_total", &[("fault", fault.name())], 1);
        let blocks = self.read_rows(store, first..entry.end()).await?;
        let (shelf, entry) = (Arc::clone(&self.shelf), *entry);
        let (sealed, blocks) = blocking(move || (shelf.seal_again(&entry, &blocks), blocks)).await?;
        if let Some(sealed) = sealed {
            self.write(sealed).await?;
            return Ok(Some(Arc::new(Segment::new(entry, blocks))));
        }
        tracing::error!(
            segment = first,
            version,
            "its rows are not those it was made of: listing another version"
        );
        let (sealed, _) = self.seal(first, version.saturating_add(1), blocks).await?;
        let entry = sealed.entry();
        if store.run_tx("replace_segment", |tx| async move { segments::replace(&tx, entry).await }).await? {
            self.write(sealed).await?;
        }
        Ok(None)
    }

    /// These people, from their rows; those who were erased as such.
    pub(super) async fn read_rows(&self, store: &Store, people: Range<u64>) -> Result<Blocks, StoreError> {
        let mut blocks = Blocks::empty(blocks_of(people.end - people.start));
        let mut seq = people.start;
        while seq < people.end {
            let limit = PAGE.min(people.end - seq);
            let read = |tx: Arc<Tx>| async move { templates::from(&tx, seq, limit).await };
            let rows = store.run_tx("read_segment", read).await?;
            if rows.is_empty() {
                return Err(StoreError::damaged(format!("template {seq} is missing")));
            }
            for row in rows {
                let place = (seq - people.start) as usize;
                let (block, place) = (&mut blocks[place / BLOCK_PEOPLE], place % BLOCK_PEOPLE);
                match open(&row, seq, &self.key)? {
                    Some(person) => block.put(place, &person),
                    None => block.erase(place),
                }
                seq += 1;
            }
        }
        Ok(blocks)
    }

    pub(super) async fn seal(
        &self,
        first: u64,
        version: u32,
        blocks: Blocks,
    ) -> Result<(SealedSegment, Blocks), StoreError> {
        let (shelf, nonce) = (Arc::clone(&self.shelf), self.random());
        blocking(move || (shelf.seal(first, version, nonce, &blocks), blocks)).await
    }

    /// Writes a segment that is listed. If that fails, its file is missing or faulty at the next start, no more.
    pub(crate) async fn write(&self, sealed: SealedSegment) -> Result<(), StoreError> {
        let (shelf, draft) = (Arc::clone(&self.shelf), self.random());
        blocking(move || {
            if let Err(error) = shelf.write(&sealed, draft) {
                tracing::error!(segment = sealed.entry().first, %error, "its file cannot be written");
            }
        })
        .await
    }

    pub(super) fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.entropy.lock().fill_bytes(&mut bytes);
        bytes
    }
}

/// On another thread than those that answer requests.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, StoreError> {
    let work = tokio::task::spawn_blocking(work).await;
    work.map_err(|error| StoreError::Unavailable(format!("work on segments broke off: {error}")))
}

/// Who stands in no segment although others after them do, or although they are enough to fill one of `size`. `people`
/// is how many there are.
fn unlisted(entries: &[Entry], people: u64, size: u64) -> Result<Vec<Range<u64>>, StoreError> {
    let mut next = 1;
    let mut found = Vec::new();
    for entry in entries {
        if entry.first < next {
            return Err(StoreError::damaged(ManifestError::Overlap { first: entry.first, end: next }));
        }
        while next < entry.first {
            let end = entry.first.min(next + size);
            found.push(next..end);
            next = end;
        }
        next = entry.end();
    }
    while next + size <= people + 1 {
        found.push(next..next + size);
        next += size;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matcher::Seal;

    /// Segments from one person to before another.
    fn entries(segments: &[(u64, u64)]) -> Vec<Entry> {
        let seal = Seal { nonce: [0; 24], tag: [0; 16] };
        let entry = |&(first, end): &(u64, u64)| Entry { first, people: end - first, version: 1, seal };
        segments.iter().map(entry).collect()
    }

    #[test]
    fn who_can_fill_a_segment_gets_one_and_who_lost_theirs_gets_it_back() {
        let check = |listed: &[(u64, u64)], people, expected: &[(u64, u64)]| {
            let found = unlisted(&entries(listed), people, 10).unwrap();
            assert_eq!(found.iter().map(|range| (range.start, range.end)).collect::<Vec<_>>(), expected);
        };
        check(&[], 0, &[]);
        check(&[], 9, &[]);
        check(&[], 10, &[(1, 11)]);
        check(&[], 25, &[(1, 11), (11, 21)]);
        check(&[(1, 11)], 19, &[]);
        check(&[(1, 11)], 20, &[(11, 21)]);
        check(&[(11, 21)], 20, &[(1, 11)]);
        check(&[(1, 11), (21, 31)], 31, &[(11, 21)]);
        check(&[(1, 4), (29, 31)], 45, &[(4, 14), (14, 24), (24, 29), (31, 41)]);
        assert!(unlisted(&entries(&[(1, 11), (10, 20)]), 30, 10).is_err());
    }
}

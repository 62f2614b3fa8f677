//! Who compares newcomers with everyone: this process, or others who hold the segments in their memory.
//!
//! Whoever comes after the last segment is in this process in any case, and compared with here. What a scan says counts
//! in the same way, whoever did it: only against the manifest, and only if everyone is covered.

use unum_iris::{Query, Thresholds};

use super::{Manifest, People, Scanned};

/// Compares newcomers with everyone.
pub trait Scanner: Send + Sync {
    /// Whether segments are in this process. Then [`People`] hold them, and nobody has to be told anything.
    fn holds_here(&self) -> bool;

    /// Has everyone elsewhere hold their part of `manifest`, and nothing else. Blocks until whoever answers has read it.
    /// `erased` is the last erasure that the manifest knows of: nobody shall hold anything of before it again.
    fn prepare(&self, manifest: &Manifest, erased: u64) -> Holdings;

    /// Whether scans have met somebody, since they were last told what to hold, who does not hold it or does not answer.
    fn is_impaired(&self) -> bool;

    /// Compares each of `queries` with everyone in the segments of `manifest`, and with whoever came after them in `people`,
    /// on all threads of the pool it is called in. Blocks.
    ///
    /// # Errors
    ///
    /// [`Unscanned`]: nothing is known, and it may be tried again.
    fn scan(
        &self,
        manifest: &Manifest,
        people: &People,
        queries: &[&Query],
        thresholds: Thresholds,
    ) -> Result<Scanned, Unscanned>;
}

/// Whoever holds segments elsewhere gave no answer, or none of everyone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no answer from those who hold the segments: {0}")]
pub struct Unscanned(pub String);

/// What those elsewhere hold of a manifest. Segments are called by their first persons.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holdings {
    /// Segments that nobody holds: no scan will be complete.
    pub missing: Vec<u64>,
    /// Segments whose file somebody has found to be missing, or of another length, version or segment.
    pub faulty: Vec<u64>,
    /// Segments whose file somebody has found to be altered.
    pub altered: Vec<u64>,
    /// Those who did not say what they hold. As long as there is one, somebody may hold whoever was erased.
    pub silent: Vec<String>,
}

impl Holdings {
    /// Whether everyone holds what they should.
    pub fn is_whole(&self) -> bool {
        *self == Self::default()
    }
}

/// Segments in the memory of this process.
#[derive(Clone, Copy, Debug)]
pub struct InProcess;

impl Scanner for InProcess {
    fn holds_here(&self) -> bool {
        true
    }

    fn prepare(&self, _: &Manifest, _: u64) -> Holdings {
        Holdings::default()
    }

    fn is_impaired(&self) -> bool {
        false
    }

    fn scan(
        &self,
        _: &Manifest,
        people: &People,
        queries: &[&Query],
        thresholds: Thresholds,
    ) -> Result<Scanned, Unscanned> {
        Ok(people.scan(queries, thresholds))
    }
}

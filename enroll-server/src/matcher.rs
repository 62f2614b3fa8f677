//! Everyone's eyes in memory, in the layout of a scan, and the comparison of newcomers with all of them.
//!
//! ```text
//! People   full segments of 4,096 people, on huge pages, shared by everyone who scans ‖ single blocks of 16
//! Batcher  up to 8 queries, or whatever came within 5 ms ─► one pass over everyone
//! ```
//!
//! Adding somebody copies at most the last block of sixteen, and only while a scan is reading it; when 256 blocks are
//! full they become a segment. Nothing else is ever copied or moved.
//!
//! Everyone is compared whatever was found before, and an answer counts only if as many people were compared as are
//! known. Knows no database and no device.

mod batch;

use std::fmt;
use std::sync::Arc;

use rayon::prelude::*;
use unum_iris::{
    BLOCK_BYTES, BLOCK_PEOPLE, Block, Blocks, DistanceError, EyePair, Hit, Kernel, MIN_COMPARED, Query,
    Thresholds, Verdict,
};

pub(crate) use batch::{Batcher, MatcherGone};

/// Blocks in a segment: 4,096 people, 33.6 MB, sixteen huge pages.
const SEGMENT_BLOCKS: usize = 256;
/// Blocks that a thread scans at a time: about a millisecond for one query.
const PIECE: usize = 16;
/// Queries that share a pass. From then on memory has long ceased to be what a scan waits for.
pub const MAX_QUERIES: usize = 8;

/// What a scan found, mildest first; the gravest counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Finding {
    /// Nobody like this one.
    Unique,
    /// One eye is somebody's, the other is not.
    Review,
    /// Somebody could not be compared, so `Unique` cannot be said.
    TooLittleOverlap {
        /// Bits that could be compared.
        compared: u32,
        /// Fewest that count.
        needed: u32,
    },
    /// Enrolled already.
    Duplicate,
}

impl From<Result<Verdict, DistanceError>> for Finding {
    fn from(outcome: Result<Verdict, DistanceError>) -> Self {
        match outcome {
            Ok(Verdict::Unique) => Self::Unique,
            Ok(Verdict::Review) => Self::Review,
            Ok(Verdict::Duplicate) => Self::Duplicate,
            Err(DistanceError::TooLittleOverlap { compared, needed }) => {
                Self::TooLittleOverlap { compared, needed }
            }
            // Whatever else may come to stop a comparison: it fails closed.
            Err(_) => Self::TooLittleOverlap { compared: 0, needed: MIN_COMPARED },
        }
    }
}

/// People in order of arrival. A clone shares their memory, and does not see who comes later.
#[derive(Clone, Default)]
pub struct People {
    segments: Vec<Arc<Blocks>>,
    /// Blocks after the last segment, one at a time; only the last may have empty places.
    tail: Vec<Arc<Blocks>>,
}

impl People {
    /// How many there are.
    pub fn len(&self) -> usize {
        let last = self.tail.last().map_or(0, |block| block[0].people());
        let full = self.segments.len() * SEGMENT_BLOCKS + self.tail.len().saturating_sub(1);
        full * BLOCK_PEOPLE + last
    }

    /// Whether there is nobody.
    pub fn is_empty(&self) -> bool {
        self.segments.is_empty() && self.tail.is_empty()
    }

    /// Adds somebody behind the others.
    pub fn push(&mut self, person: &EyePair) {
        let place = self.len() % BLOCK_PEOPLE;
        if place == 0 {
            self.seal();
            self.tail.push(Arc::new(Blocks::empty(1)));
        }
        let last = self.tail.last_mut().expect("pushed if there was none with room");
        Arc::make_mut(last)[0].put(place, person); // copied only while a scan holds it
    }

    /// Makes a segment of the tail if it is as long as one.
    fn seal(&mut self) {
        if self.tail.len() == SEGMENT_BLOCKS {
            let mut segment = Blocks::empty(SEGMENT_BLOCKS);
            for (to, block) in segment.as_bytes_mut().chunks_exact_mut(BLOCK_BYTES).zip(self.tail.drain(..)) {
                to.copy_from_slice(block.as_bytes());
            }
            self.segments.push(Arc::new(segment));
        }
    }

    /// Whether all of them are kept out of swap.
    pub fn is_locked(&self) -> bool {
        self.memory().all(Blocks::is_locked)
    }

    /// Whoever came as number `index`, counted from 0.
    #[cfg(test)]
    pub(crate) fn person(&self, index: usize) -> EyePair {
        let block = self.memory().flat_map(|blocks| blocks.iter()).nth(index / BLOCK_PEOPLE).unwrap();
        block.person(index % BLOCK_PEOPLE).unwrap()
    }

    /// Compares each of `queries` with everyone, on all threads of the pool it is called in; blocks.
    ///
    /// # Panics
    ///
    /// If not everyone was compared, exactly once: that would be no answer.
    pub fn scan(&self, queries: &[&Query], thresholds: Thresholds) -> Vec<Finding> {
        let kernel = Kernel::fastest();
        let pieces: Vec<&[Block]> = self.memory().flat_map(|blocks| blocks.chunks(PIECE)).collect();
        let nobody = || (vec![Finding::Unique; queries.len()], 0);
        let (findings, compared) = pieces
            .into_par_iter()
            .map(|blocks| scan_piece(kernel, blocks, queries, thresholds))
            .reduce(nobody, |(a, n), (b, m)| (a.into_iter().zip(b).map(|(a, b)| a.max(b)).collect(), n + m));
        assert_eq!(compared, self.len(), "an answer counts only if everyone was compared exactly once");
        findings
    }

    fn memory(&self) -> impl Iterator<Item = &Blocks> {
        self.segments.iter().chain(&self.tail).map(|blocks| &**blocks)
    }
}

/// The gravest finding of each query among `blocks`, and how many people stand there.
fn scan_piece(
    kernel: Kernel,
    blocks: &[Block],
    queries: &[&Query],
    thresholds: Thresholds,
) -> (Vec<Finding>, usize) {
    let mut findings = vec![Finding::Unique; queries.len()];
    let mut compared = 0;
    for block in blocks {
        kernel.scan(block, queries, thresholds, |Hit { query, outcome, .. }| {
            findings[query] = findings[query].max(outcome.into());
        });
        compared += block.people();
    }
    (findings, compared)
}

impl FromIterator<EyePair> for People {
    fn from_iter<I: IntoIterator<Item = EyePair>>(people: I) -> Self {
        let mut all = Self::default();
        people.into_iter().for_each(|person| all.push(&person));
        all
    }
}

impl fmt::Debug for People {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("People")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::uniqueness::tests::{eye, pair};

    fn person(seed: u64) -> EyePair {
        pair(eye(2 * seed), eye(2 * seed + 1))
    }

    #[test]
    fn people_are_as_many_as_came_and_stand_in_their_order() {
        let mut people = People::default();
        assert!(people.is_empty());
        for seed in 0..40 {
            people.push(&person(seed));
            assert_eq!(people.len() as u64, seed + 1);
        }
        assert!((0..40).all(|seed| people.person(seed) == person(seed as u64)));
    }

    #[test]
    fn who_scans_does_not_see_who_comes_later() {
        let mut people: People = (0..17).map(person).collect();
        let before = people.clone();
        people.push(&person(99));
        let query = Query::new(person(99));
        assert_eq!(before.scan(&[&query], Thresholds::default()), [Finding::Unique]);
        assert_eq!(people.scan(&[&query], Thresholds::default()), [Finding::Duplicate]);
        assert_eq!((before.len(), people.len()), (17, 18));
    }

    #[test]
    fn a_full_tail_becomes_a_segment_and_nobody_is_lost() {
        let full = SEGMENT_BLOCKS * BLOCK_PEOPLE;
        let mut people: People = (0..full as u64).map(person).collect();
        let seen = [0, full as u64 - 1, 7777].map(|seed| Query::new(person(seed)));
        let seen: Vec<_> = seen.iter().collect();
        for more in 0..2 {
            assert_eq!((people.len(), people.segments.len()), (full + more, more));
            let found = people.scan(&seen, Thresholds::default());
            assert_eq!(found, [Finding::Duplicate, Finding::Duplicate, Finding::Unique]);
            people.push(&person(10_000));
        }
    }
}

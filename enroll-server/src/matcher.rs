//! Everyone's eyes in memory, in the layout of a scan, and the comparison of newcomers with all of them.
//!
//! ```text
//! People   segments, on huge pages, shared by everyone who scans ‖ the tail: single blocks of 16
//! Shelf    segments on disk, encrypted
//! Manifest which segments there are
//! scan     (People, queries) ─► Scanned: a row for each segment and one for the tail ─► findings, if the rows cover all
//! Scanner  who does that: this process, or others who hold the segments elsewhere
//! Batcher  up to 8 queries, or whatever came within 5 ms ─► one pass over everyone
//! ```
//!
//! Segments never change, and adding somebody copies at most the last block of sixteen, and only while a scan is
//! reading it. Nothing else is ever copied or moved.
//!
//! Everyone is compared whatever was found before. Knows no database and no device.

mod batch;
mod coverage;
mod manifest;
mod scanner;
mod segment;
mod shelf;

use std::fmt;
use std::sync::Arc;

use rayon::prelude::*;
use unum_iris::{
    BLOCK_PEOPLE, Block, Blocks, DistanceError, EyePair, Hit, Kernel, MIN_COMPARED, Query, Thresholds,
    Verdict,
};

pub use crate::sealed::{TemplateKey, Unopenable};
pub(crate) use batch::{Answer, Batcher, ScanError};
pub use coverage::{Coverage, Part, Scanned, Uncovered};
pub use manifest::{Entry, Manifest, ManifestError, Seal};
pub use scanner::{Holdings, InProcess, Scanner, Unscanned};
pub use segment::Segment;
pub(crate) use segment::blocks_of;
pub use shelf::{Fault, SealedSegment, Shelf};

use segment::people_in;

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
    Duplicate {
        /// As whom: the number of the person in order of arrival, from 1.
        person: u64,
    },
    /// Enrolled already, as more than one person: eyes that were enrolled twice, or are too much alike.
    Duplicates,
}

impl Finding {
    /// What a comparison with person number `person` says.
    fn of(outcome: Result<Verdict, DistanceError>, person: u64) -> Self {
        match outcome {
            Ok(Verdict::Unique) => Self::Unique,
            Ok(Verdict::Review) => Self::Review,
            Ok(Verdict::Duplicate) => Self::Duplicate { person },
            Err(DistanceError::TooLittleOverlap { compared, needed }) => {
                Self::TooLittleOverlap { compared, needed }
            }
            // Whatever else may come to stop a comparison: it fails closed.
            Err(_) => Self::TooLittleOverlap { compared: 0, needed: MIN_COMPARED },
        }
    }

    /// What this and `other`, of other people, say together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Duplicate { person: a }, Self::Duplicate { person: b }) if a != b => Self::Duplicates,
            _ => self.max(other),
        }
    }
}

/// People in order of arrival. A clone shares their memory, and does not see who comes later.
#[derive(Clone, Default)]
pub struct People {
    segments: Vec<Arc<Segment>>,
    /// Number of the last person before the tail.
    before: u64,
    /// Blocks after the last segment, one at a time; only the last may have empty places.
    tail: Vec<Arc<Blocks>>,
}

impl People {
    /// The people of `segments`, which are all those of a manifest, in its order.
    pub fn of(segments: Vec<Arc<Segment>>) -> Self {
        let before = segments.last().map_or(0, |last| last.entry().end() - 1);
        Self { segments, before, tail: Vec::new() }
    }

    /// Whoever comes after the first `people`, who are held elsewhere: nobody yet.
    pub fn after(people: u64) -> Self {
        Self { before: people, ..Self::default() }
    }

    /// The same without whoever came after the segments.
    pub(crate) fn without_tail(&self) -> Self {
        Self { segments: self.segments.clone(), before: self.before, tail: Vec::new() }
    }

    /// Number of the last one: how many there are, with those who are held elsewhere.
    pub fn len(&self) -> u64 {
        let last = self.tail.last().map_or(0, |block| people_in(block));
        self.before + (self.tail.len().saturating_sub(1) * BLOCK_PEOPLE) as u64 + last
    }

    /// Whether there is nobody, here or elsewhere.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds somebody behind the others; `None` for somebody who was erased: nobody, who is counted.
    pub fn push(&mut self, person: Option<&EyePair>) {
        let place = (self.len() - self.before) as usize % BLOCK_PEOPLE;
        if place == 0 {
            self.tail.push(Arc::new(Blocks::empty(1)));
        }
        let last = self.tail.last_mut().expect("pushed if there was none with room");
        let block = &mut Arc::make_mut(last)[0]; // copied only while a scan holds it
        match person {
            Some(person) => block.put(place, person),
            None => block.erase(place),
        }
    }

    /// The segments.
    pub fn segments(&self) -> &[Arc<Segment>] {
        &self.segments
    }

    /// Whether all of them are kept out of swap.
    pub fn is_locked(&self) -> bool {
        self.memory().all(Blocks::is_locked)
    }

    /// Whoever came as number `index`, counted from 0.
    #[cfg(test)]
    pub(crate) fn person(&self, index: usize) -> EyePair {
        let people = self.memory().flat_map(|blocks| blocks.iter());
        people.flat_map(|block| (0..BLOCK_PEOPLE).filter_map(|place| block.person(place))).nth(index).unwrap()
    }

    /// Compares each of `queries` with everyone who is here, on all threads of the pool it is called in; blocks.
    pub fn scan(&self, queries: &[&Query], thresholds: Thresholds) -> Scanned {
        let kernel = Kernel::fastest();
        let pieces: Vec<Piece<'_>> = self.pieces().collect();
        let compared: Vec<_> = pieces
            .into_par_iter()
            .map(|piece| (piece.part, piece.scan(kernel, queries, thresholds)))
            .collect();
        let mut rows: Vec<Coverage> = self
            .parts()
            .map(|part| Coverage { part, people: 0, findings: vec![Finding::Unique; queries.len()] })
            .collect();
        for (part, (findings, people)) in compared {
            rows[part].people += people;
            for (gravest, found) in rows[part].findings.iter_mut().zip(findings) {
                *gravest = gravest.and(found);
            }
        }
        Scanned::new(rows, queries.len())
    }

    /// Everyone, in pieces that are worth handing to a thread.
    fn pieces(&self) -> impl Iterator<Item = Piece<'_>> {
        let segments = self.segments.iter().map(|segment| (segment.entry().first, segment.blocks()));
        let first_of_tail = self.before + 1;
        let tail = self.tail.iter().enumerate().map(move |(i, blocks)| {
            let first = first_of_tail + (i * BLOCK_PEOPLE) as u64;
            (first, &**blocks)
        });
        segments.chain(tail).enumerate().flat_map(|(i, (first, blocks))| {
            let part = i.min(self.segments.len());
            blocks.chunks(PIECE).enumerate().map(move |(at, blocks)| {
                let first = first + (at * PIECE * BLOCK_PEOPLE) as u64;
                Piece { part, first, blocks }
            })
        })
    }

    /// The segments, and then the tail.
    fn parts(&self) -> impl Iterator<Item = Part> {
        let segments = self.segments.iter().map(|segment| {
            let Entry { first, version, .. } = *segment.entry();
            Part::Segment { first, version }
        });
        segments.chain([Part::Tail { first: self.before + 1 }])
    }

    fn memory(&self) -> impl Iterator<Item = &Blocks> {
        let segments = self.segments.iter().map(|segment| segment.blocks());
        segments.chain(self.tail.iter().map(|blocks| &**blocks))
    }
}

/// Some blocks of one part.
struct Piece<'a> {
    /// Which part: the number of the segment, or after the last one the tail.
    part: usize,
    /// Number of the first person.
    first: u64,
    blocks: &'a [Block],
}

impl Piece<'_> {
    /// The gravest finding of each query, and how many people stand here.
    fn scan(&self, kernel: Kernel, queries: &[&Query], thresholds: Thresholds) -> (Vec<Finding>, u64) {
        let mut findings = vec![Finding::Unique; queries.len()];
        for (block, first) in self.blocks.iter().zip((self.first..).step_by(BLOCK_PEOPLE)) {
            kernel.scan(block, queries, thresholds, |Hit { query, place, outcome }| {
                let found = Finding::of(outcome, first + place as u64);
                findings[query] = findings[query].and(found);
            });
        }
        (findings, people_in(self.blocks))
    }
}

impl FromIterator<EyePair> for People {
    fn from_iter<I: IntoIterator<Item = EyePair>>(people: I) -> Self {
        let mut all = Self::default();
        people.into_iter().for_each(|person| all.push(Some(&person)));
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
            people.push(Some(&person(seed)));
            assert_eq!(people.len(), seed + 1);
        }
        assert!((0..40).all(|seed| people.person(seed) == person(seed as u64)));
    }

    /// What a scan of `people` says about the person of `seed`, if it covers `manifest`.
    fn finding(people: &People, seed: u64, manifest: &Manifest) -> Result<Finding, Uncovered> {
        let query = Query::new(&person(seed));
        let scanned = people.scan(&[&query], Thresholds::default());
        scanned.findings(manifest, people.len()).map(|findings| findings[0])
    }

    #[test]
    fn who_scans_does_not_see_who_comes_later() {
        let mut people: People = (0..17).map(person).collect();
        let before = people.clone();
        people.push(Some(&person(99)));
        let manifest = Manifest::default();
        assert_eq!(finding(&before, 99, &manifest), Ok(Finding::Unique));
        assert_eq!(finding(&people, 99, &manifest), Ok(Finding::Duplicate { person: 18 }));
        assert_eq!((before.len(), people.len()), (17, 18));
    }

    /// A segment of so many people; the first has the number `first`, and is made of the seed before it.
    fn segment(first: u64, people: u64) -> Arc<Segment> {
        let mut blocks = Blocks::empty(blocks_of(people));
        for i in 0..people {
            let (block, place) = (i as usize / BLOCK_PEOPLE, i as usize % BLOCK_PEOPLE);
            blocks[block].put(place, &person(first - 1 + i));
        }
        let seal = Seal { nonce: [0; 24], tag: [0; 16] };
        Arc::new(Segment::new(Entry { first, people, version: 1, seal }, blocks))
    }

    /// Segments of 20 and 300 people, and a tail of 17.
    fn town() -> (People, Manifest) {
        let segments = vec![segment(1, 20), segment(21, 300)];
        let manifest = Manifest::new(segments.iter().map(|segment| *segment.entry()).collect()).unwrap();
        let mut people = People::of(segments);
        (320..337).for_each(|seed| people.push(Some(&person(seed))));
        (people, manifest)
    }

    #[test]
    fn everyone_is_found_in_segments_and_in_the_tail() {
        let (people, manifest) = town();
        assert_eq!((people.len(), people.is_empty()), (337, false));
        assert!((0..337).all(|seed| people.person(seed) == person(seed as u64)));
        for seed in [0, 19, 20, 275, 276, 319, 320, 336] {
            let person = seed + 1;
            assert_eq!(finding(&people, seed, &manifest), Ok(Finding::Duplicate { person }));
        }
        assert_eq!(finding(&people, 337, &manifest), Ok(Finding::Unique));
    }

    #[test]
    fn whoever_comes_after_people_elsewhere_has_the_number_that_they_would_have() {
        let (all, manifest) = town();
        let mut people = People::after(manifest.people());
        assert_eq!((people.len(), people.is_empty(), People::after(0).is_empty()), (320, false, true));
        (320..337).for_each(|seed| people.push(Some(&person(seed))));
        people.push(None);
        assert_eq!((people.len(), people.segments().len()), (338, 0));
        assert_eq!(people.without_tail().len(), 320);

        let queries = [320, 336, 5].map(|seed| Query::new(&person(seed)));
        let queries: Vec<&Query> = queries.iter().collect();
        let scan = |people: &People| people.scan(&queries, Thresholds::default()).into_rows();
        let of_tail = scan(&people);
        let findings =
            vec![Finding::Duplicate { person: 321 }, Finding::Duplicate { person: 337 }, Finding::Unique];
        assert_eq!(of_tail, [Coverage { part: Part::Tail { first: 321 }, people: 18, findings }]);

        // With the rows of those who hold the segments it is everyone; without them nothing is said.
        let of_segments = scan(&all).into_iter().filter(|row| matches!(row.part, Part::Segment { .. }));
        let rows = of_segments.chain(of_tail.clone()).collect();
        let person = |person| Finding::Duplicate { person };
        assert_eq!(
            Scanned::new(rows, 3).findings(&manifest, people.len()),
            Ok(vec![person(321), person(337), person(6)])
        );
        let alone = Scanned::new(of_tail, 3).findings(&manifest, people.len());
        assert_eq!(alone, Err(Uncovered::Missing { first: 1 }));
    }

    #[test]
    fn who_is_there_twice_is_said_to_be() {
        let (mut people, manifest) = town();
        people.push(Some(&person(7)));
        assert_eq!(finding(&people, 7, &manifest), Ok(Finding::Duplicates));
        assert_eq!(finding(&people, 8, &manifest), Ok(Finding::Duplicate { person: 9 }));
    }

    #[test]
    fn findings_of_many_people_are_the_gravest_in_any_order() {
        let little = Finding::TooLittleOverlap { compared: 1, needed: 2 };
        let rising = [Finding::Unique, Finding::Review, little, Finding::Duplicate { person: 3 }];
        for (i, &milder) in rising.iter().enumerate() {
            for &graver in &rising[i..] {
                assert_eq!((milder.and(graver), graver.and(milder)), (graver, graver));
            }
            assert_eq!(milder.and(Finding::Duplicates), Finding::Duplicates);
        }
        assert_eq!(rising[3].and(Finding::Duplicate { person: 4 }), Finding::Duplicates);
    }

    #[test]
    fn who_was_erased_is_counted_and_like_nobody() {
        let (_, manifest) = town();
        let mut erased = segment(21, 300);
        Arc::get_mut(&mut erased).unwrap().erase(25);
        let mut people = People::of(vec![segment(1, 20), erased]);
        (320..337).for_each(|seed| people.push(Some(&person(seed))));
        people.push(None);
        people.push(Some(&person(338)));
        assert_eq!(people.len(), 339);
        assert_eq!(finding(&people, 24, &manifest), Ok(Finding::Unique));
        assert_eq!(finding(&people, 25, &manifest), Ok(Finding::Duplicate { person: 26 }));
        assert_eq!(finding(&people, 338, &manifest), Ok(Finding::Duplicate { person: 339 }));
    }

    #[test]
    fn a_scan_of_other_people_than_those_listed_says_nothing() {
        let (people, manifest) = town();
        let [first, second] = manifest.entries() else { panic!("two segments") };
        let listed = |entries: &[Entry]| Manifest::new(entries.to_vec()).unwrap();
        let stale = Uncovered::Stale { first: 21, found: 1, needed: 2 };
        assert_eq!(finding(&people, 0, &listed(&[*first, Entry { version: 2, ..*second }])), Err(stale));
        assert_eq!(finding(&people, 0, &listed(&[*first])), Err(Uncovered::Unlisted { first: 21 }));

        let without = People::of(vec![segment(1, 20)]);
        assert!(finding(&without, 999, &manifest).is_err(), "a segment is not in memory");
        let mut short = segment(21, 299);
        Arc::get_mut(&mut short).unwrap().list_as(*second);
        let short = People::of(vec![segment(1, 20), short]);
        let error = Uncovered::Count { first: 21, found: 299, needed: 300 };
        assert_eq!(finding(&short, 999, &manifest), Err(error));
    }
}

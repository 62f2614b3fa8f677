//! What a scan says, and when it may be believed: nothing is said about everyone before everyone was compared.
//!
//! A scan gives one row for each segment, and one for the tail: how many people it compared there, and what it found.
//! Findings come out of the rows only against a manifest, and only if they cover it: each segment exactly once, in
//! the version listed, with all its people, and then the tail, up to the last person known. A row too many is refused
//! as well as one too few: whoever answers for a segment twice may have left out another.

use super::{Entry, Finding, Manifest};

/// A part of everyone, as a scan takes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A segment.
    Segment {
        /// Number of its first person.
        first: u64,
        /// Which version of it.
        version: u32,
    },
    /// Whoever came after the last segment, even if nobody did.
    Tail {
        /// Number of the first of them.
        first: u64,
    },
}

/// What a scan says of one part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// Which part.
    pub part: Part,
    /// People compared, as counted while comparing.
    pub people: u64,
    /// The gravest finding there, one for each query.
    pub findings: Vec<Finding>,
}

/// All that a scan says: of everyone, if it is complete.
#[derive(Clone, Debug)]
pub struct Scanned {
    rows: Vec<Coverage>,
    queries: usize,
}

/// Why a scan says nothing: somebody was not compared, or it cannot be told whether everyone was. Scan again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Uncovered {
    /// No row of a segment.
    #[error("segment {first} was not covered")]
    Missing {
        /// The segment.
        first: u64,
    },
    /// More than one row of a segment.
    #[error("segment {first} was covered {times} times")]
    Repeated {
        /// The segment.
        first: u64,
        /// How often.
        times: usize,
    },
    /// The row of another version.
    #[error("segment {first} was covered in version {found}, needed is {needed}")]
    Stale {
        /// The segment.
        first: u64,
        /// What was compared.
        found: u32,
        /// What the manifest lists.
        needed: u32,
    },
    /// Not everyone of a segment, or more than there are.
    #[error("in segment {first} {found} people were compared, not {needed}")]
    Count {
        /// The segment.
        first: u64,
        /// People compared.
        found: u64,
        /// People that it has.
        needed: u64,
    },
    /// The row of a segment that is not listed.
    #[error("segment {first} was covered, which is not listed")]
    Unlisted {
        /// The segment.
        first: u64,
    },
    /// Not exactly one row of the tail, or not of everyone after the segments.
    #[error("the tail was not covered from person {from} to {to}")]
    Tail {
        /// First person after the segments.
        from: u64,
        /// Last person known.
        to: u64,
    },
    /// A row does not answer every query.
    #[error("a row has {found} findings for {needed} queries")]
    Findings {
        /// Findings in it.
        found: usize,
        /// Queries.
        needed: usize,
    },
}

impl Scanned {
    /// What `rows` say about so many `queries`.
    pub fn new(rows: Vec<Coverage>, queries: usize) -> Self {
        Self { rows, queries }
    }

    /// The rows, for whoever scans a part and sends them to where they are held against the manifest.
    pub fn into_rows(self) -> Vec<Coverage> {
        self.rows
    }

    /// The gravest finding of each query among everyone: the segments of `manifest`, and the tail up to `people`.
    ///
    /// # Errors
    ///
    /// [`Uncovered`] if the rows are not of exactly these people.
    pub fn findings(&self, manifest: &Manifest, people: u64) -> Result<Vec<Finding>, Uncovered> {
        self.covers(manifest, people)?;
        let mut gravest = vec![Finding::Unique; self.queries];
        for row in &self.rows {
            for (gravest, &found) in gravest.iter_mut().zip(&row.findings) {
                *gravest = gravest.and(found);
            }
        }
        Ok(gravest)
    }

    /// Whether these are rows of everyone, exactly once. A segment that was made of people of the tail while the scan
    /// was under way is covered by it: they were compared there.
    ///
    /// # Errors
    ///
    /// [`Uncovered`] if not.
    pub fn covers(&self, manifest: &Manifest, people: u64) -> Result<(), Uncovered> {
        let wrong = self.rows.iter().find(|row| row.findings.len() != self.queries);
        if let Some(row) = wrong {
            return Err(Uncovered::Findings { found: row.findings.len(), needed: self.queries });
        }
        let begin = self.tail(people)?;
        let of_tail = manifest.entries().partition_point(|entry| entry.first < begin);
        let (segments, of_tail) = manifest.entries().split_at(of_tail);
        self.covers_segments(segments)?;
        let end = segments.last().map_or(1, Entry::end);
        if begin != end {
            return Err(Uncovered::Tail { from: end, to: people });
        }
        match of_tail.iter().find(|entry| entry.end() - 1 > people) {
            Some(&Entry { first, .. }) => Err(Uncovered::Missing { first }),
            None => Ok(()),
        }
    }

    /// Where the tail begins, if there is one row of it and it ends with person number `people`.
    fn tail(&self, people: u64) -> Result<u64, Uncovered> {
        let rows = self.rows.iter().filter_map(|row| match row.part {
            Part::Tail { first } => Some((first, row.people)),
            Part::Segment { .. } => None,
        });
        match rows.collect::<Vec<_>>()[..] {
            [(first, count)] if first.checked_add(count) == people.checked_add(1) => Ok(first),
            [(first, _), ..] => Err(Uncovered::Tail { from: first, to: people }),
            [] => Err(Uncovered::Tail { from: 1, to: people }),
        }
    }

    fn covers_segments(&self, segments: &[Entry]) -> Result<(), Uncovered> {
        let rows = self.rows.iter().filter_map(|row| match row.part {
            Part::Segment { first, version } => Some((first, version, row.people)),
            Part::Tail { .. } => None,
        });
        let mut rows: Vec<_> = rows.collect();
        rows.sort_unstable();
        let mut rows = rows.as_slice();
        for &Entry { first, people: needed, version, .. } in segments {
            let (of_it, later) = rows.split_at(rows.partition_point(|row| row.0 <= first));
            match *of_it {
                [(other, ..), ..] if other != first => return Err(Uncovered::Unlisted { first: other }),
                [] => return Err(Uncovered::Missing { first }),
                [(_, found, _)] if found != version => {
                    return Err(Uncovered::Stale { first, found, needed: version });
                }
                [(_, _, found)] if found != needed => return Err(Uncovered::Count { first, found, needed }),
                [_] => rows = later,
                [..] => return Err(Uncovered::Repeated { first, times: of_it.len() }),
            }
        }
        rows.first().map_or(Ok(()), |&(first, ..)| Err(Uncovered::Unlisted { first }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matcher::{ManifestError, Seal};

    fn entry(first: u64, people: u64, version: u32) -> Entry {
        Entry { first, people, version, seal: Seal { nonce: [0; 24], tag: [0; 16] } }
    }

    /// Segments of persons 1 to 16, 17 to 48, 49 to 64, the second one in version 3.
    fn manifest() -> Manifest {
        Manifest::new(vec![entry(1, 16, 1), entry(17, 32, 3), entry(49, 16, 1)]).unwrap()
    }

    fn row(part: Part, people: u64, finding: Finding) -> Coverage {
        Coverage { part, people, findings: vec![Finding::Unique, finding] }
    }

    /// The rows of a scan of all of them, and of a tail of three.
    fn rows() -> Vec<Coverage> {
        let segment =
            |first, version, people, finding| row(Part::Segment { first, version }, people, finding);
        vec![
            segment(1, 1, 16, Finding::Unique),
            segment(17, 3, 32, Finding::Review),
            segment(49, 1, 16, Finding::Unique),
            row(Part::Tail { first: 65 }, 3, Finding::Unique),
        ]
    }

    fn findings(rows: Vec<Coverage>) -> Result<Vec<Finding>, Uncovered> {
        Scanned::new(rows, 2).findings(&manifest(), 67)
    }

    #[track_caller]
    fn refused(change: impl FnOnce(&mut Vec<Coverage>), expected: Uncovered) {
        let mut rows = rows();
        change(&mut rows);
        assert_eq!(findings(rows), Err(expected));
    }

    #[test]
    fn whatever_was_found_anywhere_is_said_if_everyone_was_compared() {
        assert_eq!(findings(rows()), Ok(vec![Finding::Unique, Finding::Review]));
        let mut turned = rows();
        turned.rotate_left(2);
        assert_eq!(findings(turned), Ok(vec![Finding::Unique, Finding::Review]), "in whatever order");
    }

    #[test]
    fn nothing_is_said_if_a_row_is_missing_or_there_twice() {
        refused(|rows| drop(rows.remove(0)), Uncovered::Missing { first: 1 });
        refused(|rows| drop(rows.remove(1)), Uncovered::Missing { first: 17 });
        refused(|rows| drop(rows.remove(3)), Uncovered::Tail { from: 1, to: 67 });
        refused(Vec::clear, Uncovered::Tail { from: 1, to: 67 });
        refused(|rows| rows.push(rows[1].clone()), Uncovered::Repeated { first: 17, times: 2 });
        refused(|rows| rows[0] = rows[2].clone(), Uncovered::Missing { first: 1 });
        refused(|rows| rows.push(rows[3].clone()), Uncovered::Tail { from: 65, to: 67 });
    }

    #[test]
    fn nothing_is_said_of_another_version_or_number_of_people() {
        refused(
            |rows| rows[1].part = Part::Segment { first: 17, version: 2 },
            Uncovered::Stale { first: 17, found: 2, needed: 3 },
        );
        refused(|rows| rows[0].people -= 1, Uncovered::Count { first: 1, found: 15, needed: 16 });
        refused(|rows| rows[0].people += 1, Uncovered::Count { first: 1, found: 17, needed: 16 });
        refused(|rows| rows[3].people -= 1, Uncovered::Tail { from: 65, to: 67 });
        refused(|rows| rows[3].part = Part::Tail { first: 66 }, Uncovered::Tail { from: 66, to: 67 });
        refused(|rows| rows[2].findings.truncate(1), Uncovered::Findings { found: 1, needed: 2 });
        let extra = Part::Segment { first: 33, version: 1 };
        refused(|rows| rows.push(row(extra, 16, Finding::Unique)), Uncovered::Unlisted { first: 33 });
    }

    #[test]
    fn a_tail_that_became_a_segment_meanwhile_is_covered() {
        let entries = || manifest().entries().to_vec();
        let with = |entry| Manifest::new([entries(), vec![entry]].concat()).unwrap();
        let scanned = Scanned::new(rows(), 2);
        assert_eq!(scanned.covers(&with(entry(65, 3, 1)), 67), Ok(()));
        assert_eq!(scanned.covers(&with(entry(65, 2, 1)), 67), Ok(()));
        assert_eq!(scanned.covers(&with(entry(65, 4, 1)), 67), Err(Uncovered::Missing { first: 65 }));
        let shorter = Manifest::new(entries()[..2].to_vec()).unwrap();
        assert_eq!(scanned.covers(&shorter, 67), Err(Uncovered::Unlisted { first: 49 }));
    }

    #[test]
    fn a_list_with_a_hole_is_no_manifest() {
        let entries = manifest().entries().to_vec();
        let without = |i: usize| [&entries[..i], &entries[i + 1..]].concat();
        assert_eq!(Manifest::new(without(0)), Err(ManifestError::Gap { from: 1, to: 16 }));
        assert_eq!(Manifest::new(without(1)), Err(ManifestError::Gap { from: 17, to: 48 }));
        assert_eq!(Manifest::new(without(2)).unwrap().people(), 48);
        let doubled = vec![entries[0], entries[0]];
        assert_eq!(Manifest::new(doubled), Err(ManifestError::Overlap { first: 1, end: 17 }));
        assert_eq!(Manifest::new(vec![]).unwrap().people(), 0);
    }
}

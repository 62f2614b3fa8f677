//! Which segments there are: who has to be covered before anything may be said about everyone.
//!
//! Knows no file and no table.

/// One segment as the manifest lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Number of its first person, from 1: what the segment is called by.
    pub first: u64,
    /// People in it, at least 1, numbered without gaps.
    pub people: u64,
    /// Rises, from 1, when it has to be made of other rows than before.
    pub version: u32,
    /// What its file has to be.
    pub seal: Seal,
}

/// How a segment is encrypted (XChaCha20-Poly1305). As the nonce is chosen once, all files of a version are the same,
/// byte for byte, whoever makes them; the tag is their checksum, and only the key can make it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seal {
    /// Random, and never used for another version.
    pub nonce: [u8; 24],
    /// Of the ciphertext and of whatever else the entry says.
    pub tag: [u8; 16],
}

impl Entry {
    /// Number of the first person after it.
    pub fn end(&self) -> u64 {
        self.first.saturating_add(self.people)
    }
}

/// All segments, as of one moment: each person from the first to the last of them stands in exactly one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest(Vec<Entry>);

/// Why a list of segments is no manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// An entry is missing. Make the segment, and list it.
    #[error("people {from} to {to} are in no segment, though later ones are")]
    Gap {
        /// The first of them.
        from: u64,
        /// The last of them.
        to: u64,
    },
    /// Written by nobody that we know.
    #[error("segment {first} begins before person {end}, where the one before it ends")]
    Overlap {
        /// The later segment.
        first: u64,
        /// End of the earlier one.
        end: u64,
    },
}

impl Manifest {
    /// The manifest of `entries`, which are in the order of their people.
    ///
    /// # Errors
    ///
    /// A [`ManifestError`] for the first person who does not stand in exactly one segment.
    pub fn new(entries: Vec<Entry>) -> Result<Self, ManifestError> {
        let mut next = 1;
        for entry in &entries {
            match entry.first {
                first if first > next => return Err(ManifestError::Gap { from: next, to: first - 1 }),
                first if first < next => return Err(ManifestError::Overlap { first, end: next }),
                _ => next = entry.end(),
            }
        }
        Ok(Self(entries))
    }

    /// The segments, in the order of their people.
    pub fn entries(&self) -> &[Entry] {
        &self.0
    }

    /// Whether these are the segments of `other`, and perhaps more after them.
    pub fn extends(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }

    /// People in all of them.
    pub fn people(&self) -> u64 {
        self.0.last().map_or(0, |last| last.end() - 1)
    }
}

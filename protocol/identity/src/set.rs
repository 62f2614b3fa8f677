//! The set of commitments: a binary Merkle tree of depth 30, empty leaf 0, `node = H2(left, right)`.
//!
//! The tree only grows, so its state at any earlier size can still be asked for: a complete subtree below that
//! size has not changed since, and only the nodes on its right edge are hashed anew.

use std::sync::LazyLock;

use crate::field::{Commitment, FieldElement, Root};
use crate::poseidon::hash2;

/// Levels between a leaf and the root. Room for 2³⁰ people.
pub const DEPTH: usize = 30;

/// Root of an empty subtree of each height.
static EMPTY: LazyLock<[FieldElement; DEPTH + 1]> = LazyLock::new(|| {
    let mut empty = [FieldElement::ZERO; DEPTH + 1];
    for height in 1..=DEPTH {
        empty[height] = hash2(empty[height - 1], empty[height - 1]);
    }
    empty
});

/// One step from a leaf to the root, in World ID's JSON form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Step {
    /// Our node is the left child; this is its right sibling.
    Left(FieldElement),
    /// Our node is the right child; this is its left sibling.
    Right(FieldElement),
}

impl Step {
    /// The node beside ours.
    pub fn sibling(self) -> FieldElement {
        match self {
            Self::Left(sibling) | Self::Right(sibling) => sibling,
        }
    }

    /// Whether our node is the right child.
    pub fn is_right(self) -> bool {
        matches!(self, Self::Right(_))
    }
}

/// The siblings of one leaf, leaf first: exactly [`DEPTH`] of them.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "Vec<Step>", into = "Vec<Step>")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = Vec<Step>))]
pub struct MerklePath([Step; DEPTH]);

/// A path has not [`DEPTH`] steps.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a path has {DEPTH} steps, found {found}")]
pub struct PathLengthError {
    /// Steps given.
    pub found: usize,
}

impl MerklePath {
    /// The steps, leaf first.
    pub fn steps(&self) -> &[Step; DEPTH] {
        &self.0
    }

    /// The root that this path leads to from `leaf`.
    pub fn root(&self, leaf: Commitment) -> Root {
        Root(self.0.iter().fold(leaf.0, |node, step| match *step {
            Step::Left(sibling) => hash2(node, sibling),
            Step::Right(sibling) => hash2(sibling, node),
        }))
    }
}

impl TryFrom<Vec<Step>> for MerklePath {
    type Error = PathLengthError;

    fn try_from(steps: Vec<Step>) -> Result<Self, PathLengthError> {
        let found = steps.len();
        steps.try_into().map(Self).map_err(|_| PathLengthError { found })
    }
}

impl From<MerklePath> for Vec<Step> {
    fn from(path: MerklePath) -> Self {
        path.0.to_vec()
    }
}

/// Why the set cannot answer.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SetError {
    /// All 2³⁰ places are taken.
    #[error("the set is full")]
    Full,
    /// Nobody stands at that place at that size of the set. Ask for a smaller index, or for a size that exists.
    #[error("no leaf {index} in the set of {size}, which has {len} now")]
    NoSuchLeaf {
        /// Leaf asked for.
        index: u64,
        /// Size of the set asked about.
        size: u64,
        /// Leaves that exist.
        len: u64,
    },
}

/// The tree in memory. A function of the log: losing it loses nothing.
#[derive(Clone, Debug)]
pub struct Set {
    /// `levels[h][i]`: node `i` of height `h`, as far as a leaf lies below it.
    levels: [Vec<FieldElement>; DEPTH + 1],
}

impl Default for Set {
    fn default() -> Self {
        Self { levels: std::array::from_fn(|_| Vec::new()) }
    }
}

impl Set {
    /// Leaves in the set.
    pub fn len(&self) -> u64 {
        self.levels[0].len() as u64
    }

    /// Whether nobody is in the set.
    pub fn is_empty(&self) -> bool {
        self.levels[0].is_empty()
    }

    /// Adds leaves after the last one. Hashes each touched node once, so that many at a time are cheaper.
    ///
    /// # Errors
    ///
    /// [`SetError::Full`]; then nothing was added.
    pub fn extend(&mut self, commitments: impl IntoIterator<Item = Commitment>) -> Result<(), SetError> {
        let old = self.levels[0].len();
        self.levels[0].extend(commitments.into_iter().map(|commitment| commitment.0));
        if self.levels[0].len() > 1 << DEPTH {
            self.levels[0].truncate(old);
            return Err(SetError::Full);
        }
        if self.levels[0].len() == old {
            return Ok(());
        }
        for height in 1..=DEPTH {
            let (below, above) = self.levels.split_at_mut(height);
            let (below, above) = (&below[height - 1], &mut above[0]);
            above.truncate(old >> height);
            for pair in below[2 * above.len()..].chunks(2) {
                above.push(hash2(pair[0], pair.get(1).copied().unwrap_or(EMPTY[height - 1])));
            }
        }
        Ok(())
    }

    /// All commitments, in leaf order.
    pub fn leaves(&self) -> impl ExactSizeIterator<Item = Commitment> + '_ {
        self.levels[0].iter().map(|leaf| Commitment(*leaf))
    }

    /// Root of the whole set.
    pub fn root(&self) -> Root {
        self.root_at(self.len())
    }

    /// Root of the first `size` leaves (all of them, if there are fewer).
    pub fn root_at(&self, size: u64) -> Root {
        Root(self.node(DEPTH, 0, size))
    }

    /// Root that the set will have once `commitment` is added: for whoever must write the root down together with
    /// the leaf, before the leaf counts.
    ///
    /// # Errors
    ///
    /// [`SetError::Full`].
    pub fn root_with(&self, commitment: Commitment) -> Result<Root, SetError> {
        let place = self.len();
        if place >> DEPTH != 0 {
            return Err(SetError::Full);
        }
        Ok(Root((0..DEPTH).fold(commitment.0, |node, height| {
            let sibling = self.node(height, (place >> height) ^ 1, place);
            if (place >> height) & 1 == 0 { hash2(node, sibling) } else { hash2(sibling, node) }
        })))
    }

    /// Path from leaf `index` to the root of the first `size` leaves.
    ///
    /// # Errors
    ///
    /// [`SetError::NoSuchLeaf`] unless `index < size ≤ len`.
    pub fn path_at(&self, index: u64, size: u64) -> Result<MerklePath, SetError> {
        if index >= size || size > self.len() {
            return Err(SetError::NoSuchLeaf { index, size, len: self.len() });
        }
        Ok(MerklePath(std::array::from_fn(|height| {
            let node = index >> height;
            let sibling = self.node(height, node ^ 1, size);
            if node & 1 == 0 { Step::Left(sibling) } else { Step::Right(sibling) }
        })))
    }

    /// Node `index` of height `height` in the tree of the first `size` leaves.
    fn node(&self, height: usize, index: u64, size: u64) -> FieldElement {
        let (first, end) = (index << height, (index + 1) << height);
        if first >= size.min(self.len()) {
            EMPTY[height]
        } else if end <= size || size >= self.len() {
            self.levels[height][index as usize] // complete at that size, or as it stands now
        } else {
            hash2(self.node(height - 1, 2 * index, size), self.node(height - 1, 2 * index + 1, size))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn commitments(n: u64) -> impl Iterator<Item = Commitment> {
        (1..=n).map(|i| Commitment(i.into()))
    }

    fn set_of(n: u64) -> Set {
        let mut set = Set::default();
        set.extend(commitments(n)).unwrap();
        set
    }

    #[test]
    fn empty_root_is_that_of_world_id() {
        let empty = "0x0918d46bf52d98b034413f4a1a1c41594e7a7a3f6ae08cb43d1a2a230e1959ef";
        assert_eq!(Set::default().root().to_string(), empty);
    }

    #[test]
    fn a_path_has_thirty_steps() {
        let mut steps: Vec<Step> = set_of(3).path_at(1, 3).unwrap().into();
        steps.pop();
        assert_eq!(MerklePath::try_from(steps), Err(PathLengthError { found: 29 }));
    }

    #[test]
    fn a_leaf_beyond_the_set_has_no_path() {
        let set = set_of(3);
        assert!(set.path_at(3, 3).is_err() && set.path_at(1, 4).is_err() && set.path_at(2, 2).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))] // thousands of hashes a case

        #[test]
        fn growing_in_pieces_gives_the_same_tree(pieces in prop::collection::vec(0_u64..9, 0..6)) {
            let mut grown = Set::default();
            let mut all = commitments(u64::MAX);
            for piece in &pieces {
                grown.extend(all.by_ref().take(*piece as usize)).unwrap();
            }
            prop_assert_eq!(grown.root(), set_of(pieces.iter().sum()).root());
        }

        #[test]
        fn the_next_root_is_known_before(size in 0_u64..70) {
            let next = set_of(size).root_with(Commitment((size + 1).into()));
            prop_assert_eq!(next, Ok(set_of(size + 1).root()));
        }

        #[test]
        fn the_past_is_what_it_was(now in 1_u64..40, back in 0_u64..40, index in 0_u64..40) {
            let size = now.saturating_sub(back).max(1);
            let index = index % size;
            let (set, then) = (set_of(now), set_of(size));
            prop_assert_eq!(set.root_at(size), then.root());
            let path = set.path_at(index, size).unwrap();
            prop_assert_eq!(&path, &then.path_at(index, size).unwrap());
            prop_assert_eq!(path.root(Commitment((index + 1).into())), then.root());
        }
    }
}

//! The set of commitments: a binary Merkle tree of depth 30, empty leaf 0, `node = H2(left, right)`.
//!
//! The tree is a function of a log of [`Change`]s, and its state after any number of them can still be asked for. Leaves
//! are added at the right edge, so a complete subtree is what it was when it became complete, unless one of its leaves
//! was replaced or removed since; then what its nodes were before is kept beside them.

use std::collections::HashMap;
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

/// One step of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A leaf after the last one.
    Add(Commitment),
    /// Another commitment at the place of a leaf; zero for none any more.
    Put {
        /// Which leaf.
        index: u64,
        /// What it is from now on.
        commitment: Commitment,
    },
}

/// Why the set cannot answer.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SetError {
    /// All 2³⁰ places are taken.
    #[error("the set is full")]
    Full,
    /// The log is not that long. Ask for a smaller size.
    #[error("the log has {len} changes, not {size}")]
    NoSuchSize {
        /// Size asked for.
        size: u64,
        /// Changes that there are.
        len: u64,
    },
    /// Nobody stood at that place at that size of the log. Ask for a smaller index, or for a larger size.
    #[error("no leaf {index} after {size} changes")]
    NoSuchLeaf {
        /// Leaf asked for.
        index: u64,
        /// Size of the log asked about.
        size: u64,
    },
}

/// The tree in memory. A function of the log: losing it loses nothing.
#[derive(Clone, Debug)]
pub struct Set {
    /// `levels[h][i]`: node `i` of height `h`, as far as a leaf lies below it.
    levels: [Vec<FieldElement>; DEPTH + 1],
    /// Leaves that are not zero.
    people: u64,
    /// Which changes put something in the place of a leaf, in order.
    puts: Vec<u64>,
    /// Of each node, by height and index, what it was before each change that put something below it.
    before: HashMap<(usize, u64), Vec<(u64, FieldElement)>>,
}

impl Default for Set {
    fn default() -> Self {
        let levels = std::array::from_fn(|_| Vec::new());
        Self { levels, people: 0, puts: Vec::new(), before: HashMap::new() }
    }
}

impl Set {
    /// Changes that led here: the size of the log.
    pub fn len(&self) -> u64 {
        self.places() + self.puts.len() as u64
    }

    /// Whether nothing has happened yet.
    pub fn is_empty(&self) -> bool {
        self.levels[0].is_empty()
    }

    /// Leaves, removed ones too.
    pub fn places(&self) -> u64 {
        self.levels[0].len() as u64
    }

    /// Adds leaves.
    ///
    /// # Errors
    ///
    /// [`SetError::Full`]; then nothing was added.
    pub fn extend(&mut self, commitments: impl IntoIterator<Item = Commitment>) -> Result<(), SetError> {
        self.apply(commitments.into_iter().map(Change::Add))
    }

    /// People: leaves that were not removed.
    pub fn people(&self) -> u64 {
        self.people
    }

    /// Follows the log. Hashes each node above leaves that are added in a row once, so that many at a time are cheaper.
    ///
    /// # Errors
    ///
    /// [`SetError::Full`] or [`SetError::NoSuchLeaf`]; then none of the changes was made, or those before a
    /// [`Change::Put`].
    pub fn apply(&mut self, changes: impl IntoIterator<Item = Change>) -> Result<(), SetError> {
        let mut added = Vec::new();
        for change in changes {
            match change {
                Change::Add(commitment) => added.push(commitment.0),
                Change::Put { index, commitment } => {
                    self.add(&mut added)?;
                    self.put(index, commitment)?;
                }
            }
        }
        self.add(&mut added)
    }

    /// Adds leaves after the last one, and takes them out of `added`.
    fn add(&mut self, added: &mut Vec<FieldElement>) -> Result<(), SetError> {
        let old = self.levels[0].len();
        if old + added.len() > 1 << DEPTH {
            return Err(SetError::Full);
        }
        if added.is_empty() {
            return Ok(());
        }
        self.people += added.iter().filter(|leaf| is_person(leaf)).count() as u64;
        self.levels[0].append(added);
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

    fn put(&mut self, index: u64, commitment: Commitment) -> Result<(), SetError> {
        let change = self.len();
        if index >= self.places() {
            return Err(SetError::NoSuchLeaf { index, size: change });
        }
        self.people += u64::from(is_person(&commitment.0));
        self.people -= u64::from(is_person(&self.levels[0][index as usize]));
        let mut node = commitment.0;
        for height in 0..=DEPTH {
            let at = index >> height;
            let old = std::mem::replace(&mut self.levels[height][at as usize], node);
            self.before.entry((height, at)).or_default().push((change, old));
            if height < DEPTH {
                node = self.parent(height, at, node, change);
            }
        }
        self.puts.push(change);
        Ok(())
    }

    /// All commitments, in leaf order; zero where somebody was removed.
    pub fn leaves(&self) -> impl ExactSizeIterator<Item = Commitment> + '_ {
        self.levels[0].iter().map(|leaf| Commitment(*leaf))
    }

    /// Root of the whole set.
    pub fn root(&self) -> Root {
        self.root_at(self.len())
    }

    /// Root after the first `size` changes (all of them, if there are fewer).
    pub fn root_at(&self, size: u64) -> Root {
        Root(self.node(DEPTH, 0, size))
    }

    /// Root that the set will have after `change`: for whoever must write the root down together with it, before it
    /// counts.
    ///
    /// # Errors
    ///
    /// [`SetError::Full`] or [`SetError::NoSuchLeaf`].
    pub fn root_with(&self, change: Change) -> Result<Root, SetError> {
        let size = self.len();
        let (place, leaf) = match change {
            Change::Add(_) if self.places() >> DEPTH != 0 => return Err(SetError::Full),
            Change::Add(commitment) => (self.places(), commitment),
            Change::Put { index, .. } if index >= self.places() => {
                return Err(SetError::NoSuchLeaf { index, size });
            }
            Change::Put { index, commitment } => (index, commitment),
        };
        Ok(Root((0..DEPTH).fold(leaf.0, |node, height| self.parent(height, place >> height, node, size))))
    }

    /// Path from leaf `index` to the root after the first `size` changes.
    ///
    /// # Errors
    ///
    /// [`SetError::NoSuchSize`] or [`SetError::NoSuchLeaf`].
    pub fn path_at(&self, index: u64, size: u64) -> Result<MerklePath, SetError> {
        if size > self.len() {
            return Err(SetError::NoSuchSize { size, len: self.len() });
        }
        if index >= self.places_at(size) {
            return Err(SetError::NoSuchLeaf { index, size });
        }
        Ok(MerklePath(std::array::from_fn(|height| {
            let node = index >> height;
            let sibling = self.node(height, node ^ 1, size);
            if node & 1 == 0 { Step::Left(sibling) } else { Step::Right(sibling) }
        })))
    }

    /// The node above `node`, which stands at `index` of `height`, after the first `size` changes.
    fn parent(&self, height: usize, index: u64, node: FieldElement, size: u64) -> FieldElement {
        let sibling = self.node(height, index ^ 1, size);
        if index & 1 == 0 { hash2(node, sibling) } else { hash2(sibling, node) }
    }

    /// Leaves after the first `size` changes, removed ones too.
    fn places_at(&self, size: u64) -> u64 {
        size.min(self.len()) - self.puts.partition_point(|&put| put < size) as u64
    }

    /// Node `index` of height `height` after the first `size` changes.
    fn node(&self, height: usize, index: u64, size: u64) -> FieldElement {
        let places = self.places_at(size);
        let (first, end) = (index << height, (index + 1) << height);
        if first >= places {
            EMPTY[height]
        } else if end <= places || places == self.places() {
            // No leaf was added below it since.
            let later = self
                .before
                .get(&(height, index))
                .and_then(|before| before.get(before.partition_point(|(change, _)| *change < size)));
            later.map_or(self.levels[height][index as usize], |(_, node)| *node)
        } else {
            hash2(self.node(height - 1, 2 * index, size), self.node(height - 1, 2 * index + 1, size))
        }
    }
}

/// Whether somebody stands at this leaf.
fn is_person(leaf: &FieldElement) -> bool {
    *leaf != FieldElement::ZERO
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn commitments(n: u64) -> impl Iterator<Item = Change> {
        (1..=n).map(|i| Change::Add(Commitment(i.into())))
    }

    fn set_of(n: u64) -> Set {
        set_after(commitments(n))
    }

    fn set_after(changes: impl IntoIterator<Item = Change>) -> Set {
        let mut set = Set::default();
        set.apply(changes).unwrap();
        set
    }

    /// The definition: the leaves after `changes`, and the tree over them.
    fn rebuilt(changes: &[Change]) -> Set {
        let mut leaves = Vec::new();
        for change in changes {
            match *change {
                Change::Add(commitment) => leaves.push(commitment),
                Change::Put { index, commitment } => leaves[index as usize] = commitment,
            }
        }
        set_after(leaves.into_iter().map(Change::Add))
    }

    /// A log in which about one change in three puts something, now and then nothing, in the place of a leaf.
    fn log() -> impl Strategy<Value = Vec<Change>> {
        prop::collection::vec(any::<(u8, u64)>(), 1..40).prop_map(|draws| {
            let mut places = 0;
            let mut change = |(i, (kind, place)): (usize, (u8, u64))| {
                let commitment = Commitment((1000 + i as u64).into());
                if places > 0 && kind % 3 == 0 {
                    let commitment = if kind % 2 == 0 { Commitment(0.into()) } else { commitment };
                    Change::Put { index: place % places, commitment }
                } else {
                    places += 1;
                    Change::Add(commitment)
                }
            };
            draws.into_iter().enumerate().map(&mut change).collect()
        })
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
    fn what_is_not_there_has_no_path_and_cannot_be_replaced() {
        let mut set = set_of(3);
        assert_eq!(set.path_at(3, 3), Err(SetError::NoSuchLeaf { index: 3, size: 3 }));
        assert_eq!(set.path_at(2, 2), Err(SetError::NoSuchLeaf { index: 2, size: 2 }));
        assert_eq!(set.path_at(1, 4), Err(SetError::NoSuchSize { size: 4, len: 3 }));
        let put = |index| Change::Put { index, commitment: Commitment(9.into()) };
        assert_eq!(set.root_with(put(3)), Err(SetError::NoSuchLeaf { index: 3, size: 3 }));
        assert_eq!(set.apply([put(3)]), Err(SetError::NoSuchLeaf { index: 3, size: 3 }));
        assert_eq!((set.len(), set.root()), (3, set_of(3).root()));
        set.apply([put(1)]).unwrap();
        assert_eq!((set.len(), set.places()), (4, 3));
        assert_eq!(
            set.path_at(3, 4),
            Err(SetError::NoSuchLeaf { index: 3, size: 4 }),
            "a change adds no leaf"
        );
    }

    #[test]
    fn whoever_is_removed_leaves_an_empty_place() {
        let mut set = set_of(3);
        set.apply([Change::Put { index: 2, commitment: Commitment(0.into()) }]).unwrap();
        assert_eq!(set.root(), set_of(2).root(), "as before they came");
        assert_eq!((set.root_at(3), set.root_at(2)), (set_of(3).root(), set_of(2).root()));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))] // thousands of hashes a case

        #[test]
        fn growing_in_pieces_gives_the_same_tree(log in log(), cut in 0_usize..40) {
            let (first, second) = log.split_at(cut.min(log.len()));
            let mut grown = set_after(first.iter().copied());
            grown.apply(second.iter().copied()).unwrap();
            let set = set_after(log.iter().copied());
            prop_assert_eq!(grown.root(), set.root());
            prop_assert_eq!(set.root(), rebuilt(&log).root());
            prop_assert_eq!(set.people(), rebuilt(&log).leaves().filter(|leaf| is_person(&leaf.0)).count() as u64);
            prop_assert!(grown.leaves().eq(rebuilt(&log).leaves()));
        }

        #[test]
        fn the_next_root_is_known_before(log in log()) {
            let (last, before) = log.split_last().unwrap();
            let next = set_after(before.iter().copied()).root_with(*last);
            prop_assert_eq!(next, Ok(set_after(log.iter().copied()).root()));
        }

        #[test]
        fn the_past_is_what_it_was(log in log(), size in 1_usize..40, index in 0_u64..40) {
            let size = size.min(log.len());
            let then = rebuilt(&log[..size]);
            let index = index % then.places();
            let set = set_after(log.iter().copied());
            prop_assert_eq!(set.root_at(size as u64), then.root());
            let path = set.path_at(index, size as u64).unwrap();
            prop_assert_eq!(&path, &then.path_at(index, then.len()).unwrap());
            let leaf = then.leaves().nth(index as usize).unwrap();
            prop_assert_eq!(path.root(leaf), then.root());
        }
    }
}

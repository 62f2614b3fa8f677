//! One segment in memory: people side by side, who never change.

use std::fmt;

use unum_iris::{BLOCK_PEOPLE, Block, Blocks};

use super::Entry;

/// A segment, as the manifest lists it.
pub struct Segment {
    entry: Entry,
    blocks: Blocks,
}

impl Segment {
    /// `blocks` are those that `entry` lists.
    pub fn new(entry: Entry, blocks: Blocks) -> Self {
        Self { entry, blocks }
    }

    /// Claims to be what `entry` lists.
    #[cfg(test)]
    pub(crate) fn list_as(&mut self, entry: Entry) {
        self.entry = entry;
    }

    /// Erases person number `number`.
    #[cfg(test)]
    pub(crate) fn erase(&mut self, number: u64) {
        let at = (number - self.entry.first) as usize;
        self.blocks[at / BLOCK_PEOPLE].erase(at % BLOCK_PEOPLE);
    }

    /// What the manifest says of it.
    pub fn entry(&self) -> &Entry {
        &self.entry
    }

    /// Whoever stands in it.
    pub fn blocks(&self) -> &Blocks {
        &self.blocks
    }
}

/// Blocks that so many people need.
pub(crate) fn blocks_of(people: u64) -> usize {
    people.div_ceil(BLOCK_PEOPLE as u64) as usize
}

/// How many people stand in `blocks`.
pub(crate) fn people_in(blocks: &[Block]) -> u64 {
    blocks.iter().map(|block| block.people() as u64).sum()
}

impl fmt::Debug for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Segment")
    }
}

//! Blocks in a row, in memory that is not swapped out and that lies on huge pages where there are any.
//!
//! Both are requests: the system may refuse to lock (`ulimit -l`), and [`Blocks::is_locked`] says so. Wiped when
//! dropped. Knows nothing about who stands in the blocks.
#![allow(unsafe_code)] // memory of our own, and what the system is asked to do with it

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;
use std::slice;

use rustix::mm::{Advice, madvise, mlock, munlock};
use zeroize::Zeroize as _;

use crate::block::Block;

/// Alignment of what fills a huge page: its size on x86-64 and on Arm with pages of 4 KiB.
const HUGE_PAGE: usize = 2 << 20;
/// Alignment, and granularity, of everything smaller: the largest page in common use (16 KiB on some Arm) divides it.
const PAGE: usize = 16 << 10;

/// Some blocks, at first empty.
pub struct Blocks {
    first: NonNull<Block>,
    len: usize,
    is_locked: bool,
}

// SAFETY: the blocks are owned, as by a `Box<[Block]>`, and are integers.
unsafe impl Send for Blocks {}
// SAFETY: as above; whoever shares them only reads.
unsafe impl Sync for Blocks {}

impl Blocks {
    /// `len` empty blocks.
    ///
    /// # Panics
    ///
    /// If `len` is 0.
    pub fn empty(len: usize) -> Self {
        assert!(len > 0, "there is no memory of no size");
        let layout = layout(len);
        // SAFETY: the layout is not of size 0.
        let memory = unsafe { alloc(layout) };
        let Some(first) = NonNull::new(memory.cast()) else { handle_alloc_error(layout) };
        // SAFETY: the pages are ours alone, whole, and this long.
        let is_locked = unsafe {
            if layout.align() == HUGE_PAGE {
                // Before anything is written: then it is too late. Slower without, not wrong.
                let _ = madvise(memory.cast(), layout.size(), Advice::LinuxHugepage);
            }
            memory.write_bytes(0, layout.size());
            mlock(memory.cast(), layout.size()).is_ok()
        };
        Self { first, len, is_locked }
    }

    /// Whether the system keeps them out of swap. If not, the limit (`ulimit -l`) is too low.
    pub fn is_locked(&self) -> bool {
        self.is_locked
    }

    /// The blocks as they lie in memory.
    pub fn as_bytes(&self) -> &[u8] {
        // SAFETY: blocks consist of integers without gaps between them: their bytes are all there.
        unsafe { slice::from_raw_parts(self.first.as_ptr().cast(), self.len * size_of::<Block>()) }
    }

    /// The blocks as they lie in memory, to be filled with what [`Blocks::as_bytes`] once showed. Whoever fills them
    /// has made sure that it is the same: other bytes are other people.
    pub fn as_bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `as_bytes`; whatever bytes are written, integers of them are valid.
        unsafe { slice::from_raw_parts_mut(self.first.as_ptr().cast(), self.len * size_of::<Block>()) }
    }
}

fn layout(len: usize) -> Layout {
    let bytes = len.checked_mul(size_of::<Block>()).expect("fewer blocks than bytes of memory");
    let align = if bytes >= HUGE_PAGE { HUGE_PAGE } else { PAGE };
    // Whole small pages: nobody else's memory is locked, or unlocked, with ours.
    let layout = Layout::from_size_align(bytes.next_multiple_of(PAGE), align);
    layout.expect("fewer blocks than bytes of memory")
}

impl Deref for Blocks {
    type Target = [Block];

    fn deref(&self) -> &[Block] {
        // SAFETY: made in `empty` of this length, and zeros are blocks.
        unsafe { slice::from_raw_parts(self.first.as_ptr(), self.len) }
    }
}

impl DerefMut for Blocks {
    fn deref_mut(&mut self) -> &mut [Block] {
        // SAFETY: as in `deref`, and borrowed by nobody else.
        unsafe { slice::from_raw_parts_mut(self.first.as_ptr(), self.len) }
    }
}

impl Clone for Blocks {
    fn clone(&self) -> Self {
        let mut copy = Self::empty(self.len);
        copy.as_bytes_mut().copy_from_slice(self.as_bytes());
        copy
    }
}

impl Drop for Blocks {
    fn drop(&mut self) {
        self.iter_mut().for_each(Block::zeroize);
        let layout = layout(self.len);
        // SAFETY: made in `empty` with this layout; nothing refers to it any more.
        unsafe {
            if self.is_locked {
                let _ = munlock(self.first.as_ptr().cast(), layout.size()); // it only stays locked
            }
            dealloc(self.first.as_ptr().cast(), layout);
        }
    }
}

impl fmt::Debug for Blocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Blocks")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EyePair, Template};

    fn somebody() -> EyePair {
        let eye = Template::from_columns(&std::array::from_fn(|i| i as u64 * 77), &[u64::MAX; 256]);
        EyePair::new(Some(eye.mirrored()), Some(eye)).unwrap()
    }

    #[test]
    fn blocks_are_their_bytes() {
        for len in [1, 16] {
            let mut blocks = Blocks::empty(len);
            assert!(blocks.as_bytes().iter().all(|&byte| byte == 0));
            blocks[len - 1].put(9, &somebody());
            let mut copy = Blocks::empty(len);
            copy.as_bytes_mut().copy_from_slice(blocks.as_bytes());
            assert!(*copy == *blocks && *blocks.clone() == *blocks);
            assert!(copy[len - 1].person(9).as_ref() == Some(&somebody()));
            assert_eq!((copy.len(), copy[len - 1].people()), (len, 1));
        }
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Blocks::empty(1)), "Blocks");
    }
}

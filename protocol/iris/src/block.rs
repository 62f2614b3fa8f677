//! Sixteen people side by side: how everyone's eyes lie in memory, and in files, for a [scan](crate::scan).
//!
//! ```text
//! block    left eyes (65,536 bytes) ‖ right eyes (65,536) ‖ visible (2 × 16 × u16) ‖ presence (16 bytes) ‖ 48 zeros
//! eyes     half 0, people 0..8 (32,768) ‖ half 1, people 8..16 (32,768)
//! half     column 0 ‖ … ‖ column 255, 128 bytes each: the code words of eight people, then their mask words
//! visible  set bits of each mask: left eyes, then right eyes
//! presence bit 0 the left eye, bit 1 the right eye, bit 2 somebody who was erased; 0 where nobody ever stood
//! ```
//!
//! One register of 512 bits then holds the same column of eight people, and one word of whoever is compared is the
//! same for all of them. 8,200 bytes a person, of which 8,192 are codes and masks.
//!
//! The bytes of a block are those in memory, words little-endian: whoever stores blocks stores what
//! [`Blocks::as_bytes`](crate::Blocks::as_bytes) shows.
//!
//! Knows the layout, not what a comparison is.

use std::fmt;

use zeroize::Zeroize;

use crate::pair::EyePair;
use crate::template::{BITS, COLUMNS, Template};

/// People in a block.
pub const BLOCK_PEOPLE: usize = 16;
/// Bytes of a block: a multiple of 64, so that blocks in a row stay aligned.
pub const BLOCK_BYTES: usize = size_of::<Block>();
const _: () = assert!(BLOCK_BYTES == 2 * 2 * BLOCK_PEOPLE * COLUMNS * 8 + 128);
const _: () = assert!(cfg!(target_endian = "little"), "the layout is that of a little-endian machine");
const _: () = assert!(BITS <= u16::MAX as u32, "visible bits are counted in 16 bits");

/// People of one half: as many as a register of 512 bits has words.
pub(crate) const HALF: usize = 8;

const LEFT: u8 = 0b01;
const RIGHT: u8 = 0b10;
const ERASED: u8 = 0b100;

/// One column of eight people.
#[derive(PartialEq, Eq)]
#[repr(C, align(64))]
pub(crate) struct Column {
    pub(crate) code: [u64; HALF],
    pub(crate) mask: [u64; HALF],
}

/// The left eyes of a block, or the right ones.
#[derive(PartialEq, Eq)]
#[repr(C)]
pub(crate) struct Eyes {
    pub(crate) halves: [[Column; COLUMNS]; 2],
}

/// Up to sixteen people. Made, and wiped, by [`Blocks`](crate::Blocks).
#[derive(PartialEq, Eq)]
#[repr(C, align(64))]
pub struct Block {
    eyes: [Eyes; 2],
    visible: [[u16; BLOCK_PEOPLE]; 2],
    presence: [u8; BLOCK_PEOPLE],
    padding: [u8; 48],
}

impl Block {
    /// Puts a person at `place`, 0 to 15, instead of whoever stood there.
    ///
    /// # Panics
    ///
    /// If there is no such place.
    pub fn put(&mut self, place: usize, person: &EyePair) {
        self.clear(place);
        for (side, eye) in [person.left(), person.right()].into_iter().enumerate() {
            let Some(eye) = eye else { continue };
            self.presence[place] |= [LEFT, RIGHT][side];
            self.visible[side][place] = eye.usable_bits() as u16;
            let half = &mut self.eyes[side].halves[place / HALF];
            for (column, (&code, &mask)) in half.iter_mut().zip(eye.code().iter().zip(eye.mask())) {
                column.code[place % HALF] = code;
                column.mask[place % HALF] = mask;
            }
        }
    }

    /// Leaves nothing of whoever stood at `place` but the place: it is counted as before, and is like nobody.
    ///
    /// # Panics
    ///
    /// If there is no such place.
    pub fn erase(&mut self, place: usize) {
        self.clear(place);
        self.presence[place] = ERASED;
    }

    /// Leaves `place` empty, and nothing of whoever stood there.
    ///
    /// # Panics
    ///
    /// If there is no such place.
    pub fn clear(&mut self, place: usize) {
        self.presence[place] = 0;
        for side in 0..2 {
            self.visible[side][place].zeroize();
            for column in &mut self.eyes[side].halves[place / HALF] {
                column.code[place % HALF].zeroize();
                column.mask[place % HALF].zeroize();
            }
        }
    }

    /// Who stands at `place`; `None` if nobody does, or nobody does any more.
    ///
    /// # Panics
    ///
    /// If there is no such place.
    pub fn person(&self, place: usize) -> Option<EyePair> {
        let eye = |side: usize| self.has(side, place).then(|| self.eye(side, place));
        EyePair::new(eye(0), eye(1)).ok()
    }

    /// People in it, and those who were erased: places that must not be forgotten in counting.
    pub fn people(&self) -> usize {
        self.presence.iter().filter(|&&presence| presence != 0).count()
    }

    /// Whether this eye, 0 the left one and 1 the right one, is known of the person at `place`.
    pub(crate) fn has(&self, side: usize, place: usize) -> bool {
        self.presence[place] & [LEFT, RIGHT][side] != 0
    }

    pub(crate) fn eyes(&self, side: usize) -> &Eyes {
        &self.eyes[side]
    }

    /// Set mask bits of each person's eye.
    pub(crate) fn visible(&self, side: usize) -> &[u16; BLOCK_PEOPLE] {
        &self.visible[side]
    }

    fn eye(&self, side: usize, place: usize) -> Template {
        let half = &self.eyes[side].halves[place / HALF];
        Template::from_words(|column| (half[column].code[place % HALF], half[column].mask[place % HALF]))
    }
}

impl Zeroize for Block {
    fn zeroize(&mut self) {
        for column in self.eyes.iter_mut().flat_map(|eyes| eyes.halves.as_flattened_mut()) {
            column.code.zeroize();
            column.mask.zeroize();
        }
        self.visible.zeroize();
        self.presence.zeroize();
        self.padding.zeroize();
    }
}

impl fmt::Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Block")
    }
}

//! The code of one eye: which bits there are, where they stand, and how they are written down.
//!
//! A template is 16,384 code bits and 16,384 mask bits. A mask bit says whether the code bit at the same
//! place can be trusted (1) or was hidden by a lid, a lash or a reflection, or was too close to call (0).
//!
//! ```text
//! column (angle) 0..256, each one u64:      bit = plane · 16 + row
//! plane  0 filter A, real     1 filter A, imaginary     2 filter B, real     3 filter B, imaginary
//! row    0 next to the pupil … 15 next to the white of the eye
//! column 0 lies at 3 o'clock of the image; angles grow towards 6 o'clock (image rows grow downwards)
//! ```
//!
//! As bytes: the 256 code columns, then the 256 mask columns, each as a little-endian `u64`: 4,096 bytes.
//! There is one encoding per template: a code bit whose mask bit is 0 is 0.
//!
//! Knows nothing about how the bits were made, nor about distances.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Angles of a template.
pub const COLUMNS: usize = 256;
/// Radii of a template.
pub const ROWS: usize = 16;
/// Filter planes: two filters, real and imaginary part each.
pub const PLANES: usize = 4;
/// Code bits of a template.
pub const BITS: u32 = (COLUMNS * ROWS * PLANES) as u32;
/// Bytes of an encoded template.
pub const TEMPLATE_BYTES: usize = 2 * COLUMNS * size_of::<u64>();

/// The bits of one column that come from an imaginary filter part: planes 1 and 3.
const IMAGINARY: u64 = 0xFFFF_0000_FFFF_0000;

/// The column that mirrors onto column 0. A mirror maps angle θ to 180° − θ, that is column `c` to `128 − c`.
const HALF_TURN: usize = COLUMNS / 2;

pub(crate) type Words = [u64; COLUMNS];

/// The iris code of one eye, with its mask.
///
/// Lies on the heap, so that moving a template leaves no copy behind; wiped when dropped.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Template {
    code: Box<Words>,
    mask: Box<Words>,
}

/// Why bytes are no template.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// Not the length of an encoded template.
    #[error("template of {found} bytes, expected {TEMPLATE_BYTES}")]
    WrongLength {
        /// Bytes given.
        found: usize,
    },
    /// A code bit is set where the mask says that nothing was seen. No device of ours writes that.
    #[error("column {column} has code bits outside its mask")]
    NotCanonical {
        /// The first such column.
        column: usize,
    },
}

impl Template {
    /// A template of 256 columns as laid out in the module's header. Code bits outside the mask are dropped.
    pub fn from_columns(code: &[u64; COLUMNS], mask: &[u64; COLUMNS]) -> Self {
        let mut template = Self::blank();
        template.mask.copy_from_slice(mask);
        for (to, (code, mask)) in template.code.iter_mut().zip(code.iter().zip(mask)) {
            *to = code & mask;
        }
        template
    }

    /// A template whose columns are the (code, mask) that `column` gives, code bits within the mask.
    pub(crate) fn from_words(column: impl Fn(usize) -> (u64, u64)) -> Self {
        let mut template = Self::blank();
        let Self { code, mask } = &mut template;
        for (at, (code, mask)) in code.iter_mut().zip(mask.iter_mut()).enumerate() {
            (*code, *mask) = column(at);
        }
        template
    }

    /// A template in which nothing is visible.
    fn blank() -> Self {
        Self { code: Box::new([0; COLUMNS]), mask: Box::new([0; COLUMNS]) }
    }

    /// The code columns. Bits outside the mask are 0.
    pub fn code(&self) -> &[u64; COLUMNS] {
        &self.code
    }

    /// The mask columns.
    pub fn mask(&self) -> &[u64; COLUMNS] {
        &self.mask
    }

    /// How many of the 16,384 code bits can be trusted.
    pub fn usable_bits(&self) -> u32 {
        self.mask.iter().map(|column| column.count_ones()).sum()
    }

    /// The template that the same eye gives when the head is tilted by `columns` of 256 (1.4° each):
    /// column `c` becomes column `c + columns`.
    #[must_use]
    pub fn rotated(&self, columns: i32) -> Self {
        let mut rotated = self.clone();
        let by = columns.rem_euclid(COLUMNS as i32) as usize;
        rotated.code.rotate_right(by);
        rotated.mask.rotate_right(by);
        rotated
    }

    /// The template that the horizontally mirrored image gives.
    ///
    /// The mirror maps column `c` to column `128 − c`. The real filter parts are even along the angle and
    /// keep their sign, the imaginary parts are odd and change it. Mirroring twice changes nothing.
    #[must_use]
    pub fn mirrored(&self) -> Self {
        let mut mirrored = Self::blank();
        for to in 0..COLUMNS {
            let from = (HALF_TURN + COLUMNS - to) % COLUMNS;
            mirrored.mask[to] = self.mask[from];
            mirrored.code[to] = (self.code[from] ^ IMAGINARY) & self.mask[from];
        }
        mirrored
    }

    /// The 4,096 bytes described in the module's header, wiped when dropped.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(TEMPLATE_BYTES)); // never grows: leaves no copy behind
        for column in self.code.iter().chain(self.mask.iter()) {
            bytes.extend_from_slice(&column.to_le_bytes());
        }
        bytes
    }

    /// Reads what [`Template::to_bytes`] wrote, and nothing else.
    ///
    /// # Errors
    ///
    /// A [`TemplateError`] for another length, or for code bits outside the mask.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TemplateError> {
        if bytes.len() != TEMPLATE_BYTES {
            return Err(TemplateError::WrongLength { found: bytes.len() });
        }
        let mut template = Self::blank();
        let Self { code, mask } = &mut template;
        for (column, word) in code.iter_mut().chain(mask.iter_mut()).zip(bytes.as_chunks::<8>().0) {
            *column = u64::from_le_bytes(*word);
        }
        match template.code.iter().zip(template.mask.iter()).position(|(code, mask)| code & !mask != 0) {
            Some(column) => Err(TemplateError::NotCanonical { column }),
            None => Ok(template),
        }
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Template")
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(crate) fn words() -> impl Strategy<Value = Words> {
        prop::collection::vec(any::<u64>(), COLUMNS).prop_map(|v| v.try_into().expect("256 words"))
    }

    /// Any template; about half of its bits are visible.
    pub(crate) fn template() -> impl Strategy<Value = Template> {
        (words(), words()).prop_map(|(code, mask)| Template::from_columns(&code, &mask))
    }

    proptest! {
        #[test]
        fn bytes_come_back(template in template()) {
            let bytes = template.to_bytes();
            prop_assert_eq!(bytes.len(), TEMPLATE_BYTES);
            prop_assert_eq!(Template::from_bytes(&bytes).unwrap(), template);
        }

        #[test]
        fn two_mirrors_are_none(template in template()) {
            prop_assert_eq!(template.mirrored().mirrored(), template);
        }

        #[test]
        fn a_mirror_turns_a_rotation_round(template in template(), by in -300_i32..300) {
            prop_assert_eq!(template.rotated(by).mirrored(), template.mirrored().rotated(-by));
        }

        #[test]
        fn rotating_back_changes_nothing(template in template(), by in -300_i32..300) {
            prop_assert_eq!(template.rotated(by).rotated(-by), template);
        }
    }

    #[test]
    fn other_lengths_are_refused() {
        for found in [0, 1, TEMPLATE_BYTES - 1, TEMPLATE_BYTES + 1] {
            let error = Template::from_bytes(&vec![0; found]).unwrap_err();
            assert_eq!(error, TemplateError::WrongLength { found });
        }
    }

    #[test]
    fn code_bits_outside_the_mask_are_refused() {
        let mut bytes = vec![0; TEMPLATE_BYTES];
        bytes[8 * 200 + 3] = 0x10;
        assert_eq!(Template::from_bytes(&bytes), Err(TemplateError::NotCanonical { column: 200 }));
        bytes[TEMPLATE_BYTES / 2 + 8 * 200 + 3] = 0x10;
        assert_eq!(Template::from_bytes(&bytes).unwrap().usable_bits(), 1);
    }

    #[test]
    fn code_bits_outside_the_mask_are_dropped_when_a_template_is_made() {
        let template = Template::from_columns(&[u64::MAX; COLUMNS], &[0xF0; COLUMNS]);
        assert_eq!(template.code(), &[0xF0; COLUMNS]);
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Template::blank()), "Template");
    }
}

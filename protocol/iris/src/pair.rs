//! Both eyes of one person, and the bytes that a device seals for the server.
//!
//! ```text
//! byte 0      version, 1
//! byte 1      which eyes follow: bit 0 the left eye, bit 1 the right eye; at least one
//! then        the templates, left before right, 4,096 bytes each
//! ```
//!
//! "Left" is the person's own left eye. Knows nothing about distances.

use std::fmt;

use zeroize::Zeroizing;

use crate::template::{TEMPLATE_BYTES, Template, TemplateError};

/// In how many ways one person's eyes can be shown: see [`EyePair::orientations`].
pub const ORIENTATIONS: usize = 4;

const VERSION: u8 = 1;
const LEFT: u8 = 0b01;
const RIGHT: u8 = 0b10;

/// The templates of one person: both eyes, or one where the other is missing.
#[derive(Clone, PartialEq, Eq)]
pub struct EyePair {
    left: Option<Template>,
    right: Option<Template>,
}

/// Why bytes or templates are no pair of eyes.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PairError {
    /// Neither eye is there.
    #[error("a pair needs at least one eye")]
    NoEye,
    /// Written by a version of the layout that is not known here.
    #[error("layout version {found}, expected {VERSION}")]
    UnknownVersion {
        /// The first byte.
        found: u8,
    },
    /// A bit is set that stands for no eye.
    #[error("presence byte {found:#04x} names an eye that does not exist")]
    UnknownEye {
        /// The second byte.
        found: u8,
    },
    /// Shorter or longer than the presence byte says.
    #[error("{found} bytes, expected {expected}")]
    WrongLength {
        /// Bytes given.
        found: usize,
        /// Bytes that the header asks for.
        expected: usize,
    },
    /// One of the templates is not canonical.
    #[error(transparent)]
    Template(#[from] TemplateError),
}

impl EyePair {
    /// A pair of the eyes given.
    ///
    /// # Errors
    ///
    /// [`PairError::NoEye`] if there is none.
    pub fn new(left: Option<Template>, right: Option<Template>) -> Result<Self, PairError> {
        if left.is_none() && right.is_none() {
            return Err(PairError::NoEye);
        }
        Ok(Self { left, right })
    }

    /// The person's left eye.
    pub fn left(&self) -> Option<&Template> {
        self.left.as_ref()
    }

    /// The person's right eye.
    pub fn right(&self) -> Option<&Template> {
        self.right.as_ref()
    }

    /// Whether both eyes are there.
    pub fn is_complete(&self) -> bool {
        self.left.is_some() && self.right.is_some()
    }

    /// What mirrored images of this person give: each template mirrored, and left and right exchanged.
    #[must_use]
    pub fn mirrored(&self) -> Self {
        Self {
            left: self.right.as_ref().map(Template::mirrored),
            right: self.left.as_ref().map(Template::mirrored),
        }
    }

    /// Left and right exchanged, the images as they are: what an operator gives who takes one eye for the other.
    #[must_use]
    pub fn swapped(&self) -> Self {
        Self { left: self.right.clone(), right: self.left.clone() }
    }

    /// All that can be made of one person's eyes without changing an image but by a mirror: as they are, exchanged, as a
    /// mirror shows them (mirrored and exchanged), and each mirrored where it is.
    pub fn orientations(&self) -> [Self; ORIENTATIONS] {
        let mirrored = self.mirrored();
        [self.clone(), self.swapped(), mirrored.swapped(), mirrored]
    }

    /// The bytes described in the module's header, wiped when dropped.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let present =
            if self.left.is_some() { LEFT } else { 0 } | if self.right.is_some() { RIGHT } else { 0 };
        let mut bytes = Zeroizing::new(Vec::with_capacity(2 + 2 * TEMPLATE_BYTES)); // never grows
        bytes.extend_from_slice(&[VERSION, present]);
        for template in [&self.left, &self.right].into_iter().flatten() {
            bytes.extend_from_slice(&template.to_bytes());
        }
        bytes
    }

    /// Reads what [`EyePair::to_bytes`] wrote, and nothing else.
    ///
    /// # Errors
    ///
    /// A [`PairError`] that says which rule of the layout is broken.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PairError> {
        let &[version, present, ref templates @ ..] = bytes else {
            return Err(PairError::WrongLength { found: bytes.len(), expected: 2 + TEMPLATE_BYTES });
        };
        if version != VERSION {
            return Err(PairError::UnknownVersion { found: version });
        }
        if present & !(LEFT | RIGHT) != 0 {
            return Err(PairError::UnknownEye { found: present });
        }
        let expected = 2 + present.count_ones() as usize * TEMPLATE_BYTES;
        if bytes.len() != expected {
            return Err(PairError::WrongLength { found: bytes.len(), expected });
        }
        let mut templates = templates.chunks_exact(TEMPLATE_BYTES).map(Template::from_bytes);
        let mut eye = |bit: u8| if present & bit == 0 { None } else { templates.next() }.transpose();
        Self::new(eye(LEFT)?, eye(RIGHT)?)
    }
}

impl fmt::Debug for EyePair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EyePair")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::template::tests::template;

    fn pair() -> impl Strategy<Value = EyePair> {
        (prop::option::of(template()), prop::option::of(template()))
            .prop_filter_map("no eye", |(left, right)| EyePair::new(left, right).ok())
    }

    proptest! {
        #[test]
        fn bytes_come_back(pair in pair()) {
            prop_assert_eq!(EyePair::from_bytes(&pair.to_bytes()).unwrap(), pair);
        }

        #[test]
        fn two_mirrors_are_none(pair in pair()) {
            prop_assert_eq!(pair.mirrored().mirrored(), pair);
        }

        #[test]
        fn a_cut_is_refused(pair in pair(), cut in 0..2 * TEMPLATE_BYTES) {
            let bytes = pair.to_bytes();
            let cut = cut.min(bytes.len() - 1);
            prop_assert!(EyePair::from_bytes(&bytes[..cut]).is_err());
        }
    }

    #[test]
    fn refusals() {
        let bytes = |version, present, length| {
            let mut bytes = vec![0; length];
            bytes[..2].copy_from_slice(&[version, present]);
            bytes
        };
        let one = 2 + TEMPLATE_BYTES;
        let check = |bytes: Vec<u8>, expected| assert_eq!(EyePair::from_bytes(&bytes), Err(expected));
        check(vec![], PairError::WrongLength { found: 0, expected: one });
        check(bytes(0, 1, one), PairError::UnknownVersion { found: 0 });
        check(bytes(2, 1, one), PairError::UnknownVersion { found: 2 });
        check(bytes(1, 4, one), PairError::UnknownEye { found: 4 });
        check(bytes(1, 0, 2), PairError::NoEye);
        check(bytes(1, 3, one), PairError::WrongLength { found: one, expected: one + TEMPLATE_BYTES });
        check(bytes(1, 1, one + 1), PairError::WrongLength { found: one + 1, expected: one });
        let mut stray = bytes(1, 2, one);
        stray[2] = 1;
        check(stray, PairError::Template(TemplateError::NotCanonical { column: 0 }));
        assert_eq!(EyePair::new(None, None), Err(PairError::NoEye));
    }

    #[test]
    fn debug_shows_nothing() {
        let blank = Template::from_columns(&[0; 256], &[0; 256]);
        assert_eq!(format!("{:?}", EyePair::new(Some(blank), None).unwrap()), "EyePair");
    }
}

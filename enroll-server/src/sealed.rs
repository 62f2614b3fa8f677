//! How a person's eyes stand in the database: encrypted, and bound to the row they stand in. Segments on disk are
//! encrypted with the same key, and bound to their own header (see `matcher::shelf`).
//!
//! ```text
//! plaintext    version 2 ‖ commitment (32) ‖ consent version (u32, big-endian) ‖ last recovery (u64, in seconds since 1970; 0
//!              for none) ‖ both eyes (unum_iris::EyePair).  Version 1, which is read too, has no last recovery
//! sealed       XChaCha20-Poly1305, 24 random bytes of nonce beside the ciphertext
//! bound to     "unum/template/v1" ‖ seq (u64, big-endian), or "unum/review/v1" ‖ commitment
//! ```
//!
//! A ciphertext moved to another row does not open. Knows the key, not where it is kept; knows no SQL.

use std::fmt;

use chacha20poly1305::aead::inout::InOutBuf;
use chacha20poly1305::aead::{Aead as _, AeadInOut as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use rand_core::CryptoRng;
use unum_identity::field::Commitment;
use unum_identity::time::UnixTime;
use unum_iris::EyePair;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

const VERSION: u8 = 2;
/// Version, commitment, consent version, last recovery.
const HEADER: usize = 1 + 32 + 4 + 8;

/// Someone's eyes, and what has to be known about them when they are found again.
pub(crate) struct Person {
    /// The leaf these eyes have, or ask for.
    pub(crate) commitment: Commitment,
    /// The text that was agreed to.
    pub(crate) consent_version: u32,
    /// When they last recovered, rounded down to the hour.
    pub(crate) recovered_at: Option<UnixTime>,
    /// The eyes.
    pub(crate) eyes: EyePair,
}

/// Where a sealed person stands.
#[derive(Clone, Copy)]
pub(crate) enum Place {
    /// A row of `templates`.
    Template {
        /// Its number.
        seq: u64,
    },
    /// A row of `reviews`.
    Review {
        /// Its key.
        commitment: Commitment,
    },
}

/// A sealed person.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Sealed {
    pub(crate) nonce: [u8; 24],
    pub(crate) ciphertext: Vec<u8>,
}

/// What is stored is not what was sealed here, or not by this key.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot be opened with this template key")]
pub struct Unopenable;

/// The key of everyone's eyes; wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct TemplateKey(Box<[u8; 32]>);

impl fmt::Debug for TemplateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TemplateKey")
    }
}

impl Place {
    fn associated_data(self) -> Vec<u8> {
        match self {
            Self::Template { seq } => [b"unum/template/v1".as_slice(), &seq.to_be_bytes()].concat(),
            Self::Review { commitment } => [b"unum/review/v1".as_slice(), &commitment.to_be_bytes()].concat(),
        }
    }
}

impl TemplateKey {
    /// Any 32 bytes are a key.
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(Box::new(*bytes))
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&*self.0).into())
    }

    pub(crate) fn seal(&self, person: &Person, place: Place, rng: &mut impl CryptoRng) -> Sealed {
        let mut nonce = [0; 24];
        rng.fill_bytes(&mut nonce); // 192 random bits never repeat
        let plaintext = person.to_bytes();
        let payload = Payload { msg: &plaintext, aad: &place.associated_data() };
        let ciphertext = self
            .cipher()
            .encrypt(&XNonce::from(nonce), payload)
            .expect("a few kilobytes are far below the cipher's limit");
        Sealed { nonce, ciphertext }
    }

    /// # Errors
    ///
    /// [`Unopenable`] for another key or place, for altered bytes, and for a plaintext of another version.
    pub(crate) fn open(&self, sealed: &Sealed, place: Place) -> Result<Person, Unopenable> {
        let payload = Payload { msg: &sealed.ciphertext, aad: &place.associated_data() };
        let plaintext =
            self.cipher().decrypt(&XNonce::from(sealed.nonce), payload).map_err(|_| Unopenable)?;
        Person::from_bytes(&Zeroizing::new(plaintext)).ok_or(Unopenable)
    }

    /// Encrypts `plaintext` to where the ciphertext shall be, which is as long, and gives the tag. A nonce is for one
    /// plaintext.
    pub fn seal_bytes(
        &self,
        plaintext: &[u8],
        ciphertext: &mut [u8],
        nonce: [u8; 24],
        bound_to: &[u8],
    ) -> [u8; 16] {
        let buffer = InOutBuf::new(plaintext, ciphertext).expect("both are of the same length");
        let tag = self.cipher().encrypt_inout_detached(&XNonce::from(nonce), bound_to, buffer);
        tag.expect("a segment is far below the cipher's limit of 256 GB").into()
    }

    /// Decrypts `bytes` where they lie. They stay what they were if they cannot be opened.
    ///
    /// # Errors
    ///
    /// [`Unopenable`] for another key, nonce or tag, for other bytes, and if they are bound to something else.
    pub fn open_bytes(
        &self,
        bytes: &mut [u8],
        nonce: [u8; 24],
        tag: [u8; 16],
        bound_to: &[u8],
    ) -> Result<(), Unopenable> {
        let (nonce, tag) = (XNonce::from(nonce), tag.into());
        let opened = self.cipher().decrypt_inout_detached(&nonce, bound_to, bytes.into(), &tag);
        opened.map_err(|_| Unopenable)
    }
}

impl Person {
    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let eyes = self.eyes.to_bytes();
        let mut bytes = Zeroizing::new(Vec::with_capacity(HEADER + eyes.len())); // never grows
        bytes.push(VERSION);
        bytes.extend(self.commitment.to_be_bytes());
        bytes.extend(self.consent_version.to_be_bytes());
        bytes.extend(self.recovered_at.map_or(0, |time| time.0).to_be_bytes());
        bytes.extend_from_slice(&eyes);
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (&version, rest) = bytes.split_first()?;
        let (commitment, rest) = rest.split_first_chunk::<32>()?;
        let (consent_version, rest) = rest.split_first_chunk()?;
        let (recovered_at, eyes) = match version {
            1 => (&[0; 8], rest),
            VERSION => rest.split_first_chunk()?,
            _ => return None,
        };
        let recovered_at = UnixTime(u64::from_be_bytes(*recovered_at));
        Some(Self {
            commitment: Commitment::from_be_bytes(commitment).ok()?,
            consent_version: u32::from_be_bytes(*consent_version),
            recovered_at: (recovered_at.0 > 0).then_some(recovered_at),
            eyes: EyePair::from_bytes(eyes).ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use getrandom::SysRng;
    use rand_core::UnwrapErr;

    use super::*;
    use crate::uniqueness::tests::{eye, pair};

    fn person() -> Person {
        let (commitment, recovered_at) = (Commitment(7.into()), Some(UnixTime(7200)));
        Person { commitment, consent_version: 3, recovered_at, eyes: pair(eye(1), eye(2)) }
    }

    fn key() -> TemplateKey {
        TemplateKey::from_bytes(&[5; 32])
    }

    #[test]
    fn comes_back() {
        let place = Place::Template { seq: 9 };
        let sealed = key().seal(&person(), place, &mut UnwrapErr(SysRng));
        let opened = key().open(&sealed, place).unwrap();
        assert!(opened.eyes == person().eyes);
        assert_eq!((opened.commitment, opened.consent_version), (Commitment(7.into()), 3));
        assert_eq!(opened.recovered_at, Some(UnixTime(7200)));
    }

    #[test]
    fn a_row_of_the_first_version_is_read() {
        let mut bytes = person().to_bytes();
        bytes[0] = 1;
        bytes.drain(37..45);
        let opened = Person::from_bytes(&bytes).unwrap();
        assert!(opened.eyes == person().eyes);
        assert_eq!((opened.consent_version, opened.recovered_at), (3, None));
        bytes[0] = 3;
        assert!(Person::from_bytes(&bytes).is_none(), "a version to come");
    }

    #[test]
    fn opens_nowhere_else() {
        let place = Place::Template { seq: 9 };
        let sealed = key().seal(&person(), place, &mut UnwrapErr(SysRng));
        let opens = |key: &TemplateKey, sealed: &Sealed, place| key.open(sealed, place).is_ok();
        assert!(!opens(&key(), &sealed, Place::Template { seq: 8 }), "another row");
        assert!(!opens(&key(), &sealed, Place::Review { commitment: Commitment(7.into()) }), "another table");
        assert!(!opens(&TemplateKey::from_bytes(&[6; 32]), &sealed, place), "another key");
        let mut altered = sealed.clone();
        altered.ciphertext[100] ^= 1;
        assert!(!opens(&key(), &altered, place), "altered");
        let mut cut = sealed;
        cut.ciphertext.truncate(10);
        assert!(!opens(&key(), &cut, place), "cut");
    }

    #[test]
    fn the_ciphertext_shows_nothing_of_the_eyes() {
        let sealed = key().seal(&person(), Place::Template { seq: 1 }, &mut UnwrapErr(SysRng));
        let eyes = person().eyes.to_bytes();
        for window in eyes.chunks_exact(8).filter(|window| window.iter().any(|&b| b != 0xFF)).take(64) {
            assert!(!sealed.ciphertext.windows(8).any(|found| found == window));
        }
    }
}

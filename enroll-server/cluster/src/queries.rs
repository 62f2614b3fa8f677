//! Eyes on their way to workers: sealed before the engine sees them, and opened only where they are compared.
//!
//! ```text
//! plaintext  queries (u8) ‖ measure (u8: 0 plain, 1 normalised) ‖ fused, single, stranger (u16 each)
//!            ‖ for each query: length (u32) ‖ both eyes (unum_iris::EyePair)
//! sealed     XChaCha20-Poly1305 with the template key, bound to "unum/cluster/queries/v1". Numbers are big-endian
//! ```
//!
//! An engine copies its plans: into protobuf, into buffers of HTTP/2, into a cache of tasks that lasts ten minutes. None
//! of these copies is wiped, and each can be printed. So what lies in them is a ciphertext, and TLS is the second lock,
//! not the only one. Workers have the template key anyway, as they open segments with it; the nonces are random, of 192
//! bits, and the associated data are nobody else's.
//!
//! The thresholds travel inside: all workers judge alike, and whoever alters them is noticed.

use enroll_server::matcher::{MAX_QUERIES, TemplateKey};
use minicbor::{CborLen, Decode, Encode};
use unum_iris::{EyePair, Limit, Measure, Query, Thresholds};
use zeroize::Zeroizing;

const BOUND_TO: &[u8] = b"unum/cluster/queries/v1";
const HEADER: usize = 1 + 1 + 3 * 2;

/// Queries and thresholds that only holders of the template key can read.
#[derive(Clone, PartialEq, Eq, Encode, Decode, CborLen)]
pub struct SealedQueries {
    #[cbor(n(0), with = "minicbor::bytes")]
    nonce: [u8; 24],
    #[cbor(n(1), with = "minicbor::bytes")]
    tag: [u8; 16],
    #[cbor(n(2), with = "minicbor::bytes")]
    ciphertext: Vec<u8>,
}

/// Sealed by another template key, altered, or of another version. Says nothing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the queries cannot be opened with this template key")]
pub struct Unreadable;

/// Opened queries, made ready to be compared. Wiped when dropped.
#[derive(Debug)]
pub struct Queries {
    /// Whoever is looked for.
    pub queries: Vec<Query>,
    /// When two eyes are one.
    pub thresholds: Thresholds,
}

impl SealedQueries {
    /// Seals `eyes`, of up to [`MAX_QUERIES`] people. `nonce` is random and for them alone.
    ///
    /// # Panics
    ///
    /// If there are more of them: a batch never holds more.
    pub fn seal(eyes: &[&EyePair], thresholds: Thresholds, key: &TemplateKey, nonce: [u8; 24]) -> Self {
        assert!(eyes.len() <= MAX_QUERIES, "a batch holds up to {MAX_QUERIES} queries");
        let eyes: Vec<_> = eyes.iter().map(|eyes| eyes.to_bytes()).collect();
        let length = HEADER + eyes.iter().map(|eyes| 4 + eyes.len()).sum::<usize>();
        let mut plaintext = Zeroizing::new(Vec::with_capacity(length)); // never grows
        plaintext.push(eyes.len() as u8);
        plaintext.push(match thresholds.measure {
            Measure::Plain => 0,
            Measure::Normalised => 1,
        });
        for limit in [thresholds.fused, thresholds.single, thresholds.stranger] {
            plaintext.extend(limit.ten_thousandths().to_be_bytes());
        }
        for eyes in &eyes {
            plaintext.extend((eyes.len() as u32).to_be_bytes());
            plaintext.extend_from_slice(eyes);
        }
        let mut ciphertext = vec![0; plaintext.len()];
        let tag = key.seal_bytes(&plaintext, &mut ciphertext, nonce, BOUND_TO);
        Self { nonce, tag, ciphertext }
    }

    /// Opens them.
    ///
    /// # Errors
    ///
    /// [`Unreadable`].
    pub fn open(&self, key: &TemplateKey) -> Result<Queries, Unreadable> {
        let mut plaintext = Zeroizing::new(self.ciphertext.clone());
        key.open_bytes(&mut plaintext, self.nonce, self.tag, BOUND_TO).map_err(|_| Unreadable)?;
        read(&plaintext).ok_or(Unreadable)
    }
}

impl std::fmt::Debug for SealedQueries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealedQueries")
    }
}

fn read(plaintext: &[u8]) -> Option<Queries> {
    let (header, mut rest) = plaintext.split_first_chunk::<HEADER>()?;
    let [count, measure, limits @ ..] = *header;
    let measure = match measure {
        0 => Measure::Plain,
        1 => Measure::Normalised,
        _ => return None,
    };
    let limit = |at: usize| Limit::new(u16::from_be_bytes([limits[at], limits[at + 1]])).ok();
    let thresholds = Thresholds { measure, fused: limit(0)?, single: limit(2)?, stranger: limit(4)? };
    let mut queries = Vec::with_capacity(count.into());
    for _ in 0..count {
        let (length, after) = rest.split_first_chunk()?;
        let (eyes, after) = after.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        queries.push(Query::new(&EyePair::from_bytes(eyes).ok()?));
        rest = after;
    }
    (rest.is_empty() && queries.len() <= MAX_QUERIES).then_some(Queries { queries, thresholds })
}

#[cfg(test)]
mod tests {
    use unum_iris::{COLUMNS, Template};

    use super::*;

    fn eyes(seed: u64) -> EyePair {
        let code = std::array::from_fn(|i| (seed + i as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        EyePair::new(Some(Template::from_columns(&code, &[u64::MAX; COLUMNS])), None).unwrap()
    }

    fn key(byte: u8) -> TemplateKey {
        TemplateKey::from_bytes(&[byte; 32])
    }

    fn sealed() -> SealedQueries {
        SealedQueries::seal(&[&eyes(1), &eyes(1000)], Thresholds::of(Measure::Normalised), &key(1), [7; 24])
    }

    #[test]
    fn they_come_back() {
        let opened = sealed().open(&key(1)).unwrap();
        assert_eq!(opened.thresholds, Thresholds::of(Measure::Normalised));
        assert!(opened.queries.iter().map(Query::eyes).eq(&[eyes(1), eyes(1000)]));
        let none = SealedQueries::seal(&[], Thresholds::default(), &key(1), [7; 24]);
        assert!(none.open(&key(1)).unwrap().queries.is_empty());
    }

    #[test]
    fn they_open_with_their_key_and_unaltered_only() {
        assert_eq!(sealed().open(&key(2)).unwrap_err(), Unreadable);
        for at in [0, 1, 2, HEADER, 5000] {
            let mut altered = sealed();
            altered.ciphertext[at] ^= 1;
            assert_eq!(altered.open(&key(1)).unwrap_err(), Unreadable);
        }
        let mut cut = sealed();
        cut.ciphertext.pop();
        assert_eq!(cut.open(&key(1)).unwrap_err(), Unreadable);
    }

    #[test]
    fn a_lie_about_the_length_is_refused() {
        assert!(read(&[]).is_none());
        assert!(read(&[1, 0, 0, 1, 0, 1, 0, 1]).is_none(), "a query too few");
        assert!(read(&[0, 0, 0, 1, 0, 1, 0, 1, 9]).is_none(), "a byte too many");
        assert!(read(&[0, 2, 0, 1, 0, 1, 0, 1]).is_none(), "no such measure");
        assert!(read(&[0, 0, 0xff, 0xff, 0, 1, 0, 1]).is_none(), "no such limit");
        assert!(read(&[1, 0, 0, 1, 0, 1, 0, 1, 0xff, 0xff, 0xff, 0xff]).is_none(), "longer than all");
        assert!(read(&[0, 0, 0, 1, 0, 1, 0, 1]).is_some());
    }

    #[test]
    fn nothing_shows_them() {
        let sealed = sealed();
        assert_eq!(format!("{sealed:?}"), "SealedQueries");
        let bytes = minicbor::to_vec(&sealed).unwrap();
        for column in eyes(1).left().unwrap().code() {
            for column in [column.to_le_bytes(), column.to_be_bytes()] {
                assert!(!bytes.windows(8).any(|window| window == column));
            }
        }
    }
}

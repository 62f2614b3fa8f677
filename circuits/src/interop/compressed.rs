//! A proof in four words instead of eight: an abscissa each, and which of the two points that have it.
//!
//! World ID's rule, found in the contracts that it verifies with. With χ(v) = 0 if v is a square in the base field and
//! 1 if it is not (of v and −v exactly one is a square, because the field's order is 3 modulo 4):
//!
//! ```text
//! A, C (G1):  x ≪ 1 | χ(y)                                  one word each
//! B    (G2):  x₁,  x₀ ≪ 2 | χ(y₀² + y₁²) ≪ 1 | χ(y₀)        two words
//! ```
//!
//! The middle bit saves a contract from trying two roots. We check it with all the others: of the points with this
//! abscissa, the one whose compressed form is these words is meant. So a proof has one compressed form and no other is
//! read. Where y₀ is 0, y₁ takes its place; nobody knows such a point of the subgroup.

use ark_bn254::{Bn254, Fq, Fq2, G1Affine, G2Affine};
use ark_ff::{BigInteger, Field, LegendreSymbol, PrimeField};
use serde::{Deserialize, Serialize};
use unum_identity::proof::ProofBytes;

use super::number::Word;
use crate::Proof;
use crate::points::{G1_LEN, G2_LEN, number, put_g1, put_g2};

/// Four words, unchecked. JSON: `[a, [b₁, b₀], c]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compressed(Word, [Word; 2], Word);

impl Compressed {
    /// Four 32-byte words in the order of the JSON form.
    pub fn to_bytes(&self) -> [u8; 128] {
        let Self(a, [b1, b0], c) = self;
        [a.0, b1.0, b0.0, c.0].concat().try_into().expect("four words of 32 bytes")
    }

    /// Takes four words.
    pub fn from_bytes(bytes: &[u8; 128]) -> Self {
        let word = |index: usize| Word(bytes[32 * index..][..32].try_into().expect("32 bytes"));
        Self(word(0), [word(1), word(2)], word(3))
    }

    /// The words padded with zeros to the eight of a proof: how some of World ID's services carry them.
    pub fn to_padded(&self) -> ProofBytes {
        let mut bytes = [0; 256];
        bytes[..128].copy_from_slice(&self.to_bytes());
        ProofBytes(bytes)
    }

    /// Takes padded words; none if the last four are not zeros. No valid proof looks like this: they would be half of
    /// B and the identity for C.
    pub fn from_padded(words: &ProofBytes) -> Option<Self> {
        let (compressed, padding) = words.0.split_first_chunk::<128>().expect("256 bytes");
        padding.iter().all(|byte| *byte == 0).then(|| Self::from_bytes(compressed))
    }

    /// The proof that these words stand for; none unless they are the compressed form of valid points.
    pub fn decompress(&self) -> Option<Proof> {
        let Self(a, b, c) = self;
        let mut bytes = Vec::with_capacity(2 * G1_LEN + G2_LEN);
        put_g1(&mut bytes, &decompress_g1(*a)?);
        put_g2(&mut bytes, &decompress_g2(*b)?);
        put_g1(&mut bytes, &decompress_g1(*c)?);
        Proof::decode(&ProofBytes(bytes.try_into().expect("two points of 64 bytes and one of 128 are 256")))
    }
}

impl From<&Proof> for Compressed {
    fn from(proof: &Proof) -> Self {
        let points: ark_groth16::Proof<Bn254> = proof.clone().into();
        Self(compress_g1(&points.a), compress_g2(&points.b), compress_g1(&points.c))
    }
}

fn compress_g1(point: &G1Affine) -> Word {
    tagged(point.x, 1, is_no_square(point.y))
}

fn compress_g2(point: &G2Affine) -> [Word; 2] {
    let y = point.y;
    let norm = y.c0.square() + y.c1.square();
    let sign = if y.c0 == Fq::from(0) { y.c1 } else { y.c0 };
    let tag = 2 * is_no_square(norm) + is_no_square(sign);
    [tagged(point.x.c1, 0, 0), tagged(point.x.c0, 2, tag)]
}

fn decompress_g1(word: Word) -> Option<G1Affine> {
    let x = untagged(word, 1)?;
    let (y, other) = G1Affine::get_ys_from_x_unchecked(x)?;
    let points = [y, other].map(|y| G1Affine::new_unchecked(x, y));
    points.into_iter().find(|point| compress_g1(point) == word)
}

fn decompress_g2(words: [Word; 2]) -> Option<G2Affine> {
    let x = Fq2::new(untagged(words[1], 2)?, untagged(words[0], 0)?);
    let (y, other) = G2Affine::get_ys_from_x_unchecked(x)?;
    let points = [y, other].map(|y| G2Affine::new_unchecked(x, y));
    points.into_iter().find(|point| compress_g2(point) == words)
}

/// χ as in the module's header.
fn is_no_square(value: Fq) -> u64 {
    u64::from(value.legendre() == LegendreSymbol::QuadraticNonResidue)
}

/// `x ≪ bits | tag`. The field's order has 254 bits: two are free.
fn tagged(x: Fq, bits: u32, tag: u64) -> Word {
    let mut number = x.into_bigint() << bits;
    number.0[0] |= tag;
    Word(number.to_bytes_be().try_into().expect("four limbs are 32 bytes"))
}

/// The abscissa of a word; none if it is not below the field's order.
fn untagged(word: Word, bits: u32) -> Option<Fq> {
    Fq::from_bigint(number(&word.0) >> bits)
}

#[cfg(test)]
mod tests {
    use ark_bn254::Fr;
    use ark_ec::{AffineRepr, CurveGroup};
    use proptest::prelude::*;

    use super::*;

    fn proof(a: u64, b: u64, c: u64) -> Proof {
        let g1 = |k: u64| (G1Affine::generator() * Fr::from(k)).into_affine();
        let b = (G2Affine::generator() * Fr::from(b)).into_affine();
        ark_groth16::Proof { a: g1(a), b, c: g1(c) }.into()
    }

    #[test]
    fn a_proof_of_world_id_compresses_to_its_own_form() {
        let file: serde_json::Value =
            serde_json::from_str(include_str!("../../vectors/worldid3_proof_depth30.json")).unwrap();
        let theirs: Compressed = serde_json::from_value(file["proof"]["compressed_proof"].clone()).unwrap();
        let packed: ProofBytes = file["proof"]["packed_proof"].as_str().unwrap().parse().unwrap();
        assert_eq!(Compressed::from(&Proof::decode(&packed).unwrap()), theirs);
        assert_eq!(theirs.decompress().unwrap().encode(), packed);
        assert_eq!(Compressed::from_padded(&theirs.to_padded()), Some(theirs));
        assert_eq!(Compressed::from_padded(&packed), None);
    }

    /// The generator of G2, and points whose tags differ from each other: all four occur.
    #[test]
    fn every_tag_occurs() {
        let tags = (1..40).map(|k| Compressed::from(&proof(1, k, 1)).1[1].0[31] & 3);
        let mut seen: Vec<u8> = tags.collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen, [0, 1, 2, 3]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn round_trip(a in 1_u64.., b in 1_u64.., c in 1_u64..) {
            let proof = proof(a, b, c);
            let compressed = Compressed::from(&proof);
            prop_assert_eq!(Compressed::from_bytes(&compressed.to_bytes()), compressed);
            let json = serde_json::to_string(&compressed).unwrap();
            prop_assert_eq!(serde_json::from_str::<Compressed>(&json).unwrap(), compressed);
            prop_assert_eq!(compressed.decompress(), Some(proof));
        }

        /// The opposite point has the opposite sign bit and the same hint.
        #[test]
        fn the_sign_is_that_of_the_point(k in 1_u64..) {
            let p = (G1Affine::generator() * Fr::from(k)).into_affine();
            prop_assert_eq!(decompress_g1(compress_g1(&-p)), Some(-p));
            prop_assert_eq!(compress_g1(&p).0[31] ^ compress_g1(&-p).0[31], 1);
            let q = (G2Affine::generator() * Fr::from(k)).into_affine();
            let (plus, minus) = (compress_g2(&q), compress_g2(&-q));
            prop_assert_eq!((plus[0], plus[1].0[31] ^ minus[1].0[31]), (minus[0], 1));
        }

        #[test]
        fn every_changed_bit_is_another_proof_or_none(a in 1_u64.., bit in 0_usize..1024) {
            let proof = proof(a, 7, 9);
            let mut bytes = Compressed::from(&proof).to_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let changed = Compressed::from_bytes(&bytes);
            match changed.decompress() {
                None => {}
                Some(other) => {
                    prop_assert_ne!(&other, &proof);
                    prop_assert_eq!(Compressed::from(&other), changed);
                }
            }
        }
    }

    /// The hint says which root a contract must take; the wrong one is refused although the point would be clear.
    #[test]
    fn a_wrong_hint_is_refused() {
        let mut compressed = Compressed::from(&proof(3, 5, 7));
        compressed.1[1].0[31] ^= 2;
        assert_eq!(compressed.decompress(), None);
    }

    #[test]
    fn refusals() {
        let good = Compressed::from(&proof(3, 5, 7));
        assert!(good.decompress().is_some());
        let zero = Word([0; 32]);
        for (why, words) in [
            ("identity for A: 3 is no square", Compressed(zero, good.1, good.2)),
            ("identity for B", Compressed(good.0, [zero, zero], good.2)),
            ("identity for C", Compressed(good.0, good.1, zero)),
            ("no field element", Compressed(Word([255; 32]), good.1, good.2)),
            ("no field element", Compressed(good.0, [Word([255; 32]), good.1[1]], good.2)),
            ("no field element", Compressed(good.0, [good.1[0], Word([255; 32])], good.2)),
        ] {
            assert_eq!(words.decompress(), None, "{why}");
        }
        let outside = crate::points::tests::outside_the_subgroup();
        let words = compress_g2(&outside);
        assert_eq!(decompress_g2(words), Some(outside), "a point of the curve");
        assert_eq!(Compressed(good.0, words, good.2).decompress(), None, "but not of the subgroup");
    }

    #[test]
    fn an_abscissa_has_one_form() {
        let word = compress_g1(&G1Affine::generator());
        let x = untagged(word, 1).unwrap();
        let mut shifted = x.into_bigint();
        assert!(!shifted.add_with_carry(&Fq::MODULUS), "2q is below 2^256");
        let mut number = shifted << 1;
        number.0[0] |= u64::from(word.0[31] & 1);
        assert_eq!(untagged(Word(number.to_bytes_be().try_into().unwrap()), 1), None);
    }
}

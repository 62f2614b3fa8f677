//! A proving key as it travels: 1.2 MB instead of 3.1.
//!
//! ```text
//! "unum-dk" 0x01 ‖ circuit hash (32) ‖ α β δ (G1) ‖ β γ δ (G2) ‖ public inputs' points (G1)
//! ‖ the queries A, B, H, L (G1) and B (G2), each as its bitmap ‖ the points named in it
//! ```
//!
//! Points are in arkworks' compressed form: one coordinate and a sign, 32 bytes in G1 and 64 in G2. Bit `i % 8` of a
//! bitmap's byte `i / 8` says whether point `i` is there; a third of the points of A and B are the identity.
//!
//! A key has one hash, whichever way it travels: that of [`ProvingKey::to_bytes`].

use ark_bn254::{G1Affine, G2Affine};
use ark_ec::AffineRepr;
use ark_groth16::VerifyingKey;
use rayon::prelude::*;
use unum_identity::bytes::KeyHash;

use super::{KeyError, ProvingKey, header, strip_header};
use crate::Description;

const MAGIC: &[u8; 8] = b"unum-dk\x01";

impl ProvingKey {
    /// Its bytes in the form to download, 1.2 MB.
    pub fn to_download(&self) -> Vec<u8> {
        let key = &self.0;
        let bytes = &mut header(MAGIC);
        put(bytes, &[key.vk.alpha_g1, key.beta_g1, key.delta_g1]);
        put(bytes, &[key.vk.beta_g2, key.vk.gamma_g2, key.vk.delta_g2]);
        put(bytes, &key.vk.gamma_abc_g1);
        for query in [&key.a_query, &key.b_g1_query, &key.h_query, &key.l_query] {
            put_sparse(bytes, query);
        }
        put_sparse(bytes, &key.b_g2_query);
        std::mem::take(bytes)
    }

    /// Reads a downloaded key whose [`hash`](ProvingKey::hash) is known from a trusted place: that makes the points
    /// the right ones; that they are on their curves follows from how they are read. A square root for each point:
    /// about 0.5 s on one core, 0.25 s on two.
    ///
    /// # Errors
    ///
    /// A [`KeyError`].
    pub fn from_download(bytes: &[u8], expected: &KeyHash) -> Result<Self, KeyError> {
        let key = Self::take(strip_header(bytes, MAGIC)?).ok_or(KeyError::NotAKey)?;
        match key.hash() {
            found if found == *expected => Ok(key),
            found => Err(KeyError::OtherKey { expected: *expected, found }),
        }
    }

    fn take(mut rest: &[u8]) -> Option<Self> {
        let circuit = Description::pinned();
        let (inputs, private) = (circuit.instance_variables, circuit.witness_variables);
        let rest = &mut rest;
        let [alpha_g1, beta_g1, delta_g1] = take::<G1Affine>(rest, 3)?.try_into().ok()?;
        let [beta_g2, gamma_g2, delta_g2] = take::<G2Affine>(rest, 3)?.try_into().ok()?;
        let gamma_abc_g1 = take(rest, inputs)?;
        let key = ark_groth16::ProvingKey {
            vk: VerifyingKey { alpha_g1, beta_g2, gamma_g2, delta_g2, gamma_abc_g1 },
            beta_g1,
            delta_g1,
            a_query: take_sparse(rest, inputs + private)?,
            b_g1_query: take_sparse(rest, inputs + private)?,
            h_query: take_sparse(rest, circuit.domain)?,
            l_query: take_sparse(rest, private)?,
            b_g2_query: take_sparse(rest, inputs + private)?,
        };
        rest.is_empty().then_some(Self(key))
    }
}

fn put<G: AffineRepr>(bytes: &mut Vec<u8>, points: &[G]) {
    for point in points {
        point.serialize_compressed(&mut *bytes).expect("writing to memory cannot fail");
    }
}

fn take<G: AffineRepr>(bytes: &mut &[u8], count: usize) -> Option<Vec<G>> {
    let size = G::zero().compressed_size();
    let (points, rest) = bytes.split_at_checked(count * size)?;
    *bytes = rest;
    // The square root finds a point of the curve or none; more is not checked here, but by the hash.
    let read = |bytes| G::deserialize_compressed_unchecked(bytes).ok();
    points.par_chunks_exact(size).with_min_len(64).map(read).collect()
}

fn put_sparse<G: AffineRepr>(bytes: &mut Vec<u8>, points: &[G]) {
    for eight in points.chunks(8) {
        bytes.push(eight.iter().enumerate().map(|(i, point)| u8::from(!point.is_zero()) << i).sum());
    }
    let present: Vec<G> = points.iter().copied().filter(|point| !point.is_zero()).collect();
    put(bytes, &present);
}

fn take_sparse<G: AffineRepr>(bytes: &mut &[u8], count: usize) -> Option<Vec<G>> {
    let (bitmap, rest) = bytes.split_at_checked(count.div_ceil(8))?;
    *bytes = rest;
    let is_present = |i: usize| bitmap[i / 8] >> (i % 8) & 1 == 1;
    let mut present = take(bytes, (0..count).filter(|i| is_present(*i)).count())?.into_iter();
    (0..count).map(|i| if is_present(i) { present.next() } else { Some(G::zero()) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::tests::KEY;

    #[test]
    fn a_key_survives_the_journey() {
        let bytes = KEY.to_download();
        assert!(bytes.len() < 1_400_000, "{} bytes", bytes.len());
        let read = ProvingKey::from_download(&bytes, &KEY.hash()).unwrap();
        assert_eq!(read.0, KEY.0);
    }

    /// One byte of each part: bitmaps, points, and the header; and a length that does not fit.
    #[test]
    fn a_damaged_download_is_refused() {
        let (bytes, hash) = (KEY.to_download(), KEY.hash());
        let parts = [0, 8, 40, 150, 400, 500, 700, bytes.len() / 2, bytes.len() - 1];
        for at in parts.into_iter().chain((1_000..bytes.len()).step_by(bytes.len() / 8)) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert!(ProvingKey::from_download(&damaged, &hash).is_err(), "byte {at}");
        }
        let not_a_key =
            |bytes: &[u8]| matches!(ProvingKey::from_download(bytes, &hash), Err(KeyError::NotAKey));
        assert!(not_a_key(&bytes[..bytes.len() - 1]) && not_a_key(&[&bytes[..], &[0]].concat()));
        assert!(not_a_key(&KEY.to_bytes()), "the other form");
    }

    #[test]
    fn another_key_is_refused() {
        let other = ProvingKey::generate(&mut rand_core::UnwrapErr(getrandom::SysRng));
        let refusal = ProvingKey::from_download(&other.to_download(), &KEY.hash()).unwrap_err();
        assert_eq!(refusal, KeyError::OtherKey { expected: KEY.hash(), found: other.hash() });
    }

    #[test]
    fn sparse_points_have_one_encoding() {
        let points = [G1Affine::generator(), G1Affine::zero(), G1Affine::generator()];
        let mut bytes = Vec::new();
        put_sparse(&mut bytes, &points);
        assert_eq!((bytes.len(), bytes[0]), (1 + 64, 0b101));
        assert_eq!(take_sparse(&mut bytes.as_slice(), 3), Some(points.to_vec()));
        assert_eq!(take_sparse::<G1Affine>(&mut bytes[..64].as_ref(), 3), None);
    }
}

//! Random weights, by which one equation stands for many: if one of them is false, the weighted sum is true with
//! probability 2⁻¹²⁸ (Bellare, Garay, Rabin 1998).

use ark_bn254::Fr;
use ark_ff::UniformRand;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::randomness::Randomness;

/// `count` weights of 128 bits.
pub(super) fn draw(count: usize, rng: &mut dyn CryptoRng) -> Vec<Fr> {
    let mut bytes = vec![0; 16 * count];
    rng.fill_bytes(&mut bytes);
    bytes
        .chunks_exact(16)
        .map(|chunk| Fr::from(u128::from_le_bytes(chunk.try_into().expect("chunks of 16"))))
        .collect()
}

/// A contributor's secret: neither zero, which would break the key, nor one, which would change nothing.
pub(super) fn secret(rng: &mut dyn CryptoRng) -> Zeroizing<Fr> {
    loop {
        let secret = Zeroizing::new(Fr::rand(&mut Randomness(rng)));
        if *secret != Fr::from(0) && *secret != Fr::from(1) {
            return secret;
        }
    }
}

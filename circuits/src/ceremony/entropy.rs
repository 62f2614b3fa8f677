//! A contributor's randomness: what the operating system gives and what the person types, hashed together. Guessing
//! the result takes both.

use blake2::{Blake2b512, Digest};
use chacha20::ChaCha20Rng;
use rand_core::{CryptoRng, SeedableRng};
use zeroize::{Zeroize, Zeroizing};

/// A generator seeded with 64 bytes of `system` and all of `typed`, which may be of any length. Wiped when dropped.
pub fn contributor_rng(system: &mut dyn CryptoRng, typed: &[u8]) -> ChaCha20Rng {
    let mut drawn = Zeroizing::new([0; 64]);
    system.fill_bytes(&mut *drawn);
    let hash =
        Blake2b512::new().chain_update(b"unum ceremony entropy 1\0").chain_update(*drawn).chain_update(typed);
    let mut digest = Zeroizing::new(<[u8; 64]>::from(hash.finalize()));
    let mut seed = *digest.first_chunk::<32>().expect("32 of 64 bytes");
    digest.zeroize();
    let rng = ChaCha20Rng::from_seed(seed);
    seed.zeroize();
    rng
}

//! The caller's randomness, under the trait that arkworks asks for (`rand` 0.8).
//!
//! Every draw is passed on: no second generator, no seed, nothing to get wrong. Not generic, like every function here
//! that takes randomness: what is generic is compiled again in every crate that calls it, and proving is large.

use ark_std::rand::{CryptoRng as OldCryptoRng, Error, RngCore};
use rand_core::CryptoRng;

/// A generator of `rand_core` 0.10 as one of `rand` 0.8.
pub(crate) struct Randomness<'a>(pub &'a mut dyn CryptoRng);

impl RngCore for Randomness<'_> {
    fn next_u32(&mut self) -> u32 {
        self.0.next_u32()
    }

    fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        self.0.fill_bytes(bytes);
        Ok(())
    }
}

impl OldCryptoRng for Randomness<'_> {}

//! The caller's randomness, under the trait that arkworks asks for (`rand` 0.8).
//!
//! Every draw is passed on: no second generator, no seed, nothing to get wrong.

use ark_std::rand::{CryptoRng as OldCryptoRng, Error, RngCore};
use rand_core::CryptoRng;

/// A generator of `rand_core` 0.10 as one of `rand` 0.8.
pub(crate) struct Randomness<'a, R>(pub &'a mut R);

impl<R: CryptoRng> RngCore for Randomness<'_, R> {
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

impl<R: CryptoRng> OldCryptoRng for Randomness<'_, R> {}

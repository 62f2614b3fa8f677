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

#[cfg(test)]
mod tests {
    use core::convert::Infallible;

    use super::*;

    /// Counts up, a byte a call.
    struct Counter(u8);

    impl rand_core::TryRng for Counter {
        type Error = Infallible;

        fn try_next_u32(&mut self) -> Result<u32, Infallible> {
            self.0 += 1;
            Ok(self.0.into())
        }

        fn try_next_u64(&mut self) -> Result<u64, Infallible> {
            self.0 += 1;
            Ok(self.0.into())
        }

        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
            self.0 += 1;
            bytes.fill(self.0);
            Ok(())
        }
    }

    impl rand_core::TryCryptoRng for Counter {}

    #[test]
    fn every_draw_is_passed_on() {
        let mut counter = Counter(0);
        let mut randomness = Randomness(&mut counter);
        let mut bytes = [[0; 2]; 2];
        assert_eq!((randomness.next_u32(), randomness.next_u64()), (1, 2));
        randomness.fill_bytes(&mut bytes[0]);
        randomness.try_fill_bytes(&mut bytes[1]).unwrap();
        assert_eq!(bytes, [[3; 2], [4; 2]]);
    }
}

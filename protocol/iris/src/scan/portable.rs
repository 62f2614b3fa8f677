//! Eight people in plain Rust, the same on every machine.

use super::lanes::{Lanes, What, tally};
use super::{PROBE_COLUMNS, ProbeColumn, Tally};
use crate::block::{Eyes, HALF};

type Words = [u64; HALF];

pub(super) fn count(eyes: &Eyes, probe: &[ProbeColumn; PROBE_COLUMNS], what: What, to: &mut Tally) {
    tally::<Words, 2, 1>(eyes, probe, what, to);
}

impl Lanes for Words {
    const LANES: usize = HALF;
    type Count = Words;

    fn load(words: &Words, _: usize) -> Self {
        *words
    }

    fn splat(word: u64) -> Self {
        [word; HALF]
    }

    fn differing(self, other: Self, mask: Self) -> Self {
        std::array::from_fn(|i| (self[i] ^ other[i]) & mask[i])
    }

    fn none() -> Words {
        [0; HALF]
    }

    fn count(count: Words, a: [Self; 2], b: [Self; 2]) -> Words {
        let ones = |i: usize, odd: usize| u64::from((a[odd][i] & b[odd][i]).count_ones());
        std::array::from_fn(|i| count[i] + ones(i, 0) + ones(i, 1))
    }

    fn fold(count: Words) -> Words {
        count
    }

    fn total(count: Words, to: &mut [u16]) {
        for (to, count) in to.iter_mut().zip(count) {
            *to = count as u16;
        }
    }
}

//! The definition of the counts: plain Rust, the same on every machine.

use super::Counts;
use crate::template::Words;

#[allow(clippy::inline_always)] // the copies under `#[target_feature]` must be compiled for their features
#[inline(always)]
pub(super) fn count(a: &Words, a_mask: &Words, b: &Words, b_mask: &Words) -> Counts {
    let mut counts = Counts { differing: 0, compared: 0 };
    for i in 0..a.len() {
        let mask = a_mask[i] & b_mask[i];
        counts.differing += ((a[i] ^ b[i]) & mask).count_ones();
        counts.compared += mask.count_ones();
    }
    counts
}

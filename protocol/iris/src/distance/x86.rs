//! The portable loop, compiled again for what newer x86-64 CPUs can do.
//!
//! No intrinsics: the compiler's own vectorisation of the same source. Each copy is handed out only after
//! its features were seen.
#![allow(unsafe_code)] // calling a `#[target_feature]` function is unsafe where the caller lacks the feature

use super::{Counts, Kernel, portable};
use crate::template::Words;

/// The kernel for AVX2, if this CPU can run it.
pub(super) fn avx2() -> Option<Kernel> {
    fn count(a: &Words, a_mask: &Words, b: &Words, b_mask: &Words) -> Counts {
        // SAFETY: private, and `avx2` hands it out only after it has seen both features.
        unsafe { count_avx2(a, a_mask, b, b_mask) }
    }
    (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("popcnt")).then_some(count as Kernel)
}

/// The kernel for AVX-512 with vector population counts (Ice Lake, Zen 4 and newer), if this CPU can run it.
pub(super) fn avx512() -> Option<Kernel> {
    fn count(a: &Words, a_mask: &Words, b: &Words, b_mask: &Words) -> Counts {
        // SAFETY: private, and `avx512` hands it out only after it has seen all four features.
        unsafe { count_avx512(a, a_mask, b, b_mask) }
    }
    (is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512vpopcntdq"))
    .then_some(count as Kernel)
}

#[target_feature(enable = "avx2,popcnt")]
fn count_avx2(a: &Words, a_mask: &Words, b: &Words, b_mask: &Words) -> Counts {
    portable::count(a, a_mask, b, b_mask)
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vpopcntdq")]
fn count_avx512(a: &Words, a_mask: &Words, b: &Words, b_mask: &Words) -> Counts {
    portable::count(a, a_mask, b, b_mask)
}

//! Four people in a register of 256 bits (Haswell, Zen and newer).
//!
//! AVX2 counts no bits: two look-ups of half-bytes in a table of sixteen do (Muła, Kurz and Lemire 2018, "Faster
//! population counts using AVX2 instructions", section 3), and their sums stay in bytes for sixteen columns.
#![allow(unsafe_code)] // intrinsics

use std::arch::x86_64::{
    __m256i, _mm_cvtsi128_si64, _mm256_add_epi8, _mm256_add_epi64, _mm256_and_si256, _mm256_castsi256_si128,
    _mm256_extracti128_si256, _mm256_loadu_si256, _mm256_sad_epu8, _mm256_set1_epi8, _mm256_set1_epi64x,
    _mm256_setr_epi8, _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_srli_epi16, _mm256_unpackhi_epi64,
    _mm256_xor_si256,
};

use super::lanes::{Lanes, What, tally};
use super::{Kernel, PROBE_COLUMNS, ProbeColumn, Tally};
use crate::block::{Eyes, HALF};

/// The kernel, if this CPU can run it.
pub(super) fn kernel() -> Option<Kernel> {
    fn count(eyes: &Eyes, probe: &[ProbeColumn; PROBE_COLUMNS], what: What, to: &mut Tally) {
        // SAFETY: private, and `kernel` hands it out only after it has seen the feature.
        unsafe { count_avx2(eyes, probe, what, to) }
    }
    is_x86_feature_detected!("avx2").then_some(Kernel { name: "avx2", count })
}

#[target_feature(enable = "avx2")]
fn count_avx2(eyes: &Eyes, probe: &[ProbeColumn; PROBE_COLUMNS], what: What, to: &mut Tally) {
    tally::<Register, 4, 3>(eyes, probe, what, to);
}

/// Made and used by [`count_avx2`] alone.
#[derive(Clone, Copy)]
struct Register(__m256i);

/// Bits found so far: of the last columns in bytes, of those before in words.
#[derive(Clone, Copy)]
struct Count {
    bytes: __m256i,
    words: __m256i,
}

#[allow(clippy::inline_always)] // a call would leave the instruction set
impl Lanes for Register {
    const LANES: usize = 4;
    type Count = Count;

    #[inline(always)]
    fn load(words: &[u64; HALF], at: usize) -> Self {
        let four: &[u64; 4] = words[at..].first_chunk().expect("half of the words are left");
        // SAFETY: only `count_avx2` gets here, so there is AVX2; the reference is to 32 readable bytes.
        Self(unsafe { _mm256_loadu_si256(four.as_ptr().cast()) })
    }

    #[inline(always)]
    fn splat(word: u64) -> Self {
        // SAFETY: only `count_avx2` gets here, so there is AVX2.
        Self(unsafe { _mm256_set1_epi64x(word as i64) })
    }

    #[inline(always)]
    fn differing(self, other: Self, mask: Self) -> Self {
        // SAFETY: only `count_avx2` gets here, so there is AVX2.
        Self(unsafe { _mm256_and_si256(_mm256_xor_si256(self.0, other.0), mask.0) })
    }

    #[inline(always)]
    fn none() -> Count {
        // SAFETY: only `count_avx2` gets here, so there is AVX2.
        let zero = unsafe { _mm256_setzero_si256() };
        Count { bytes: zero, words: zero }
    }

    #[inline(always)]
    fn count(count: Count, a: [Self; 2], b: [Self; 2]) -> Count {
        // SAFETY: only `count_avx2` gets here, so there is AVX2.
        unsafe {
            let bytes = _mm256_add_epi8(
                ones(_mm256_and_si256(a[0].0, b[0].0)),
                ones(_mm256_and_si256(a[1].0, b[1].0)),
            );
            Count { bytes: _mm256_add_epi8(count.bytes, bytes), ..count }
        }
    }

    #[inline(always)]
    fn fold(count: Count) -> Count {
        // SAFETY: only `count_avx2` gets here, so there is AVX2.
        unsafe {
            let zero = _mm256_setzero_si256();
            Count { bytes: zero, words: _mm256_add_epi64(count.words, _mm256_sad_epu8(count.bytes, zero)) }
        }
    }

    #[inline(always)]
    fn total(count: Count, to: &mut [u16]) {
        // SAFETY: only `count_avx2` gets here, so there is AVX2.
        let words = unsafe {
            let (low, high) = (count.words, _mm256_unpackhi_epi64(count.words, count.words));
            [
                _mm_cvtsi128_si64(_mm256_castsi256_si128(low)),
                _mm_cvtsi128_si64(_mm256_castsi256_si128(high)),
                _mm_cvtsi128_si64(_mm256_extracti128_si256::<1>(low)),
                _mm_cvtsi128_si64(_mm256_extracti128_si256::<1>(high)),
            ]
        };
        for (to, word) in to.iter_mut().zip(words) {
            *to = word as u16;
        }
    }
}

/// The set bits of each byte.
#[target_feature(enable = "avx2")]
#[inline]
fn ones(bits: __m256i) -> __m256i {
    let of_half_byte = _mm256_setr_epi8(
        0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,
    );
    let low = _mm256_set1_epi8(0x0F);
    let lower = _mm256_and_si256(bits, low);
    let upper = _mm256_and_si256(_mm256_srli_epi16::<4>(bits), low);
    _mm256_add_epi8(_mm256_shuffle_epi8(of_half_byte, lower), _mm256_shuffle_epi8(of_half_byte, upper))
}

//! Eight people in a register of 512 bits, with vector population counts (Ice Lake, Zen 4 and newer).
//!
//! Two columns at a time go through a full adder before anything is counted: of the old parity `s` and the bits `x`
//! and `y` it keeps the new parity `s ^ x ^ y` and counts only the carry, which is worth two. As `x = a & b` never
//! stands alone, an instruction of three operands makes `t = s ^ (a & b)` at once, another `u = t ^ (a' & b')`, and a
//! third the carry out of the three parities: `s` where `t` is 0 (there `x = s`, so `s` has the majority whatever `y`
//! is), else `y = t ^ u = !u`. Five operations for two words, where counting each takes six and the and besides
//! (the idea of a carry-save adder: Harley and Seal in Warren, "Hacker's Delight", section 5-1).
#![allow(unsafe_code)] // intrinsics

use std::arch::x86_64::{
    __m512i, _mm512_add_epi64, _mm512_loadu_si512, _mm512_popcnt_epi64, _mm512_set1_epi64,
    _mm512_setzero_si512, _mm512_storeu_si512, _mm512_ternarylogic_epi64,
};

use super::lanes::{Lanes, What, tally};
use super::{Kernel, PROBE_COLUMNS, ProbeColumn, Tally};
use crate::block::{Eyes, HALF};

/// `(a ^ b) & c`, as the table of an instruction of three operands: bit `4a + 2b + c` is the result.
const XOR_AND: i32 = 0b0010_1000;
/// `a ^ (b & c)`
const XOR_WITH_AND: i32 = 0b0111_1000;
/// `if b { !c } else { a }`: the carry, of parities `s`, `t` and `u`.
const CARRY: i32 = 0b0111_0100;

/// The kernel, if this CPU can run it.
pub(super) fn kernel() -> Option<Kernel> {
    fn count(eyes: &Eyes, probe: &[ProbeColumn; PROBE_COLUMNS], what: What, to: &mut Tally) {
        // SAFETY: private, and `kernel` hands it out only after it has seen both features.
        unsafe { count_avx512(eyes, probe, what, to) }
    }
    (is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vpopcntdq"))
        .then_some(Kernel { name: "avx512", count })
}

#[target_feature(enable = "avx512f,avx512vpopcntdq")]
fn count_avx512(eyes: &Eyes, probe: &[ProbeColumn; PROBE_COLUMNS], what: What, to: &mut Tally) {
    tally::<Register, 10, 11>(eyes, probe, what, to);
}

/// Made and used by [`count_avx512`] alone.
#[derive(Clone, Copy)]
struct Register(__m512i);

/// Bits found so far: twice the carries, and one more where the parity is odd.
#[derive(Clone, Copy)]
struct Count {
    carries: __m512i,
    parity: __m512i,
}

#[allow(clippy::inline_always)] // a call would leave the instruction set
impl Lanes for Register {
    const LANES: usize = HALF;
    type Count = Count;

    #[inline(always)]
    fn load(words: &[u64; HALF], _: usize) -> Self {
        // SAFETY: only `count_avx512` gets here, so there is AVX-512; the reference is to 64 readable bytes.
        Self(unsafe { _mm512_loadu_si512(words.as_ptr().cast()) })
    }

    #[inline(always)]
    fn splat(word: u64) -> Self {
        // SAFETY: only `count_avx512` gets here, so there is AVX-512.
        Self(unsafe { _mm512_set1_epi64(word as i64) })
    }

    #[inline(always)]
    fn differing(self, other: Self, mask: Self) -> Self {
        // SAFETY: only `count_avx512` gets here, so there is AVX-512.
        Self(unsafe { _mm512_ternarylogic_epi64::<XOR_AND>(self.0, other.0, mask.0) })
    }

    #[inline(always)]
    fn none() -> Count {
        // SAFETY: only `count_avx512` gets here, so there is AVX-512.
        let zero = unsafe { _mm512_setzero_si512() };
        Count { carries: zero, parity: zero }
    }

    #[inline(always)]
    fn count(Count { carries, parity }: Count, a: [Self; 2], b: [Self; 2]) -> Count {
        // SAFETY: only `count_avx512` gets here, so there is AVX-512 with population counts.
        unsafe {
            let first = _mm512_ternarylogic_epi64::<XOR_WITH_AND>(parity, a[0].0, b[0].0);
            let second = _mm512_ternarylogic_epi64::<XOR_WITH_AND>(first, a[1].0, b[1].0);
            let carry = _mm512_ternarylogic_epi64::<CARRY>(parity, first, second);
            Count { carries: _mm512_add_epi64(carries, _mm512_popcnt_epi64(carry)), parity: second }
        }
    }

    #[inline(always)]
    fn fold(count: Count) -> Count {
        count
    }

    #[inline(always)]
    fn total(Count { carries, parity }: Count, to: &mut [u16]) {
        let mut words = [0_u64; HALF];
        // SAFETY: only `count_avx512` gets here, so there is AVX-512; the array has 64 writable bytes.
        unsafe {
            let total = _mm512_add_epi64(_mm512_add_epi64(carries, carries), _mm512_popcnt_epi64(parity));
            _mm512_storeu_si512(words.as_mut_ptr().cast(), total);
        }
        for (to, word) in to.iter_mut().zip(words) {
            *to = word as u16;
        }
    }
}

//! Two people in a register of 128 bits, on every 64-bit Arm.
//!
//! `CNT` counts the bits of bytes; sums stay in bytes for sixteen columns, and then in pairs of bytes.
#![allow(unsafe_code)] // intrinsics

use std::arch::aarch64::{
    uint8x16_t, uint16x8_t, vaddq_u8, vandq_u8, vcntq_u8, vdupq_n_u8, vdupq_n_u16, vdupq_n_u64, veorq_u8,
    vgetq_lane_u64, vld1q_u64, vpadalq_u8, vpaddlq_u16, vpaddlq_u32, vreinterpretq_u8_u64,
};

use super::lanes::{Lanes, What, tally};
use super::{Kernel, PROBE_COLUMNS, ProbeColumn, Tally};
use crate::block::{Eyes, HALF};

/// The kernel: NEON is part of the architecture.
pub(super) const KERNEL: Kernel = Kernel { name: "neon", count };

fn count(eyes: &Eyes, probe: &[ProbeColumn; PROBE_COLUMNS], what: What, to: &mut Tally) {
    tally::<Register, 6, 1>(eyes, probe, what, to);
}

#[derive(Clone, Copy)]
struct Register(uint8x16_t);

/// Bits found so far: of the last columns in bytes, of those before in pairs of bytes.
#[derive(Clone, Copy)]
struct Count {
    bytes: uint8x16_t,
    pairs: uint16x8_t,
}

#[allow(clippy::inline_always)] // called for every column
impl Lanes for Register {
    const LANES: usize = 2;
    type Count = Count;

    #[inline(always)]
    fn load(words: &[u64; HALF], at: usize) -> Self {
        let two: &[u64; 2] = words[at..].first_chunk().expect("two words are left");
        // SAFETY: every CPU of this architecture has NEON; the reference is to 16 readable bytes.
        Self(unsafe { vreinterpretq_u8_u64(vld1q_u64(two.as_ptr())) })
    }

    #[inline(always)]
    fn splat(word: u64) -> Self {
        // SAFETY: every CPU of this architecture has NEON.
        Self(unsafe { vreinterpretq_u8_u64(vdupq_n_u64(word)) })
    }

    #[inline(always)]
    fn differing(self, other: Self, mask: Self) -> Self {
        // SAFETY: every CPU of this architecture has NEON.
        Self(unsafe { vandq_u8(veorq_u8(self.0, other.0), mask.0) })
    }

    #[inline(always)]
    fn none() -> Count {
        // SAFETY: every CPU of this architecture has NEON.
        unsafe { Count { bytes: vdupq_n_u8(0), pairs: vdupq_n_u16(0) } }
    }

    #[inline(always)]
    fn count(count: Count, a: [Self; 2], b: [Self; 2]) -> Count {
        // SAFETY: every CPU of this architecture has NEON.
        unsafe {
            let (even, odd) = (vcntq_u8(vandq_u8(a[0].0, b[0].0)), vcntq_u8(vandq_u8(a[1].0, b[1].0)));
            Count { bytes: vaddq_u8(count.bytes, vaddq_u8(even, odd)), ..count }
        }
    }

    #[inline(always)]
    fn fold(count: Count) -> Count {
        // SAFETY: every CPU of this architecture has NEON.
        unsafe { Count { bytes: vdupq_n_u8(0), pairs: vpadalq_u8(count.pairs, count.bytes) } }
    }

    #[inline(always)]
    fn total(count: Count, to: &mut [u16]) {
        // SAFETY: every CPU of this architecture has NEON.
        let words = unsafe {
            let words = vpaddlq_u32(vpaddlq_u16(count.pairs));
            [vgetq_lane_u64::<0>(words), vgetq_lane_u64::<1>(words)]
        };
        for (to, word) in to.iter_mut().zip(words) {
            *to = word as u16;
        }
    }
}

//! The one loop of every kernel: counting bits of one probe eye against the eyes of a block, at all rotations.
//!
//! A kernel says how a vector register works ([`Lanes`]), and compiles this loop for its instruction set. A register
//! holds the same column of several people; the probe's word is the same for all of them. The counts of several
//! rotations stay in registers while the columns go by, so that a column is loaded once for all of them.

use super::{PROBE_COLUMNS, ProbeColumn, STEPS, Tally};
use crate::block::{Column, Eyes, HALF};
use crate::template::COLUMNS;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// `popcount((a ^ b) & mask a & mask b)`
    Differing,
    /// `popcount(mask a & mask b)`
    Compared,
}

/// Columns after which running counts are folded: 8 pairs add at most 8 · 16 = 128 to a count of one byte.
const RUN: usize = 16;

/// A register of `LANES` words, one person each. `LANES` divides [`HALF`].
pub(super) trait Lanes: Copy {
    /// People in a register.
    const LANES: usize;
    /// A count that is under way.
    type Count: Copy;

    /// `words[at..at + LANES]`
    fn load(words: &[u64; HALF], at: usize) -> Self;
    /// The same word for everyone.
    fn splat(word: u64) -> Self;
    /// `(self ^ other) & mask`
    fn differing(self, other: Self, mask: Self) -> Self;
    /// Zero.
    fn none() -> Self::Count;
    /// Adds the bits of `(a[0] & b[0])` and of `(a[1] & b[1])`.
    fn count(count: Self::Count, a: [Self; 2], b: [Self; 2]) -> Self::Count;
    /// Makes room for [`RUN`] more columns.
    fn fold(count: Self::Count) -> Self::Count;
    /// The bits counted, one number for each lane, at `to[..LANES]`.
    fn total(count: Self::Count, to: &mut [u16]);
}

/// Counts for everyone in `eyes`, `AT_ONCE` rotations in registers, and `REST` in the last turn.
#[allow(clippy::inline_always)] // compiled for the instruction set of each kernel that calls it
#[inline(always)]
pub(super) fn tally<L: Lanes, const AT_ONCE: usize, const REST: usize>(
    eyes: &Eyes,
    probe: &[ProbeColumn; PROBE_COLUMNS],
    what: What,
    tally: &mut Tally,
) {
    const { assert!((STEPS - REST).is_multiple_of(AT_ONCE)) };
    for (half, columns) in eyes.halves.iter().enumerate() {
        for lane in (0..HALF).step_by(L::LANES) {
            let place = half * HALF + lane;
            let mut step = 0;
            while step < STEPS - REST {
                turn::<L, AT_ONCE>(columns, lane, probe, step, what, place, tally);
                step += AT_ONCE;
            }
            turn::<L, REST>(columns, lane, probe, step, what, place, tally);
        }
    }
}

#[allow(clippy::inline_always)] // as `tally`
#[inline(always)]
fn turn<L: Lanes, const R: usize>(
    columns: &[Column; COLUMNS],
    lane: usize,
    probe: &[ProbeColumn; PROBE_COLUMNS],
    first: usize,
    what: What,
    place: usize,
    tally: &mut Tally,
) {
    let counts = match what {
        What::Differing => rotations::<L, R, true>(columns, lane, probe, first),
        What::Compared => rotations::<L, R, false>(columns, lane, probe, first),
    };
    for (row, count) in tally.0[first..].iter_mut().zip(counts) {
        L::total(count, &mut row[place..place + L::LANES]);
    }
}

/// Counts at rotations `first..first + R`.
#[allow(clippy::inline_always)] // as `tally`
#[inline(always)]
fn rotations<L: Lanes, const R: usize, const DIFFERING: bool>(
    columns: &[Column; COLUMNS],
    lane: usize,
    probe: &[ProbeColumn; PROBE_COLUMNS],
    first: usize,
) -> [L::Count; R] {
    let probe = &probe[first..first + COLUMNS + R - 1];
    let mut counts = [L::none(); R];
    for run in (0..COLUMNS).step_by(RUN) {
        for at in (run..run + RUN).step_by(2) {
            let (even, odd) = (&columns[at], &columns[at + 1]);
            let mask = [L::load(&even.mask, lane), L::load(&odd.mask, lane)];
            let code = [L::load(&even.code, lane), L::load(&odd.code, lane)];
            let window = &probe[at..=at + R];
            for (r, count) in counts.iter_mut().enumerate() {
                let bits = |odd: usize| {
                    let word = &window[r + odd];
                    let visible = L::splat(word.mask);
                    if DIFFERING { L::splat(word.code).differing(code[odd], visible) } else { visible }
                };
                *count = L::count(*count, [bits(0), bits(1)], mask);
            }
        }
        counts = counts.map(L::fold);
    }
    counts
}

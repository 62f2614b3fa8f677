//! How far apart two templates are: a fraction of bits, kept as two integers.
//!
//! `differing = popcount((a ^ b) & mask a & mask b)`, `compared = popcount(mask a & mask b)` (Daugman 2004,
//! "How iris recognition works", eq. 1), and the minimum over 31 rotations. No
//! floating point decides anything: fractions are compared by cross-multiplication, and a fraction of
//! nothing does not exist.
//!
//! [`portable`] is the definition of the counts: short, safe, and slow. Every other kernel is an optimisation
//! of it, is private, and is tested to agree with it bit for bit. Chosen once per process.
//!
//! Knows nothing about what distance means: see `measure` and `verdict`.

mod portable;
#[cfg(target_arch = "x86_64")]
mod x86;

use std::cmp::Ordering;
use std::ops::RangeInclusive;
use std::sync::OnceLock;

use zeroize::Zeroizing;

use crate::measure::Measure;
use crate::template::{BITS, COLUMNS, Template, Words};

/// Head tilts that are tried, in columns: ±15 of 256, that is ±21°.
pub const ROTATIONS: RangeInclusive<i32> = -15..=15;

/// Fewest bits that must be comparable: 20 % of a template's 16,384, rounded up. The design says 30 %, but of eyes that show
/// enough to be enrolled some pairs of strangers have less in common: see `docs/decisions/0009-how-much-must-overlap.md`.
pub const MIN_COMPARED: u32 = BITS.div_ceil(5);

const REACH: usize = 15;
const _: () = assert!(*ROTATIONS.end() == REACH as i32 && *ROTATIONS.start() == -(REACH as i32));

/// Counts over two templates of equal rotation. The masks decide what is compared.
type Kernel = fn(&Words, &Words, &Words, &Words) -> Counts;

/// What a kernel counts; unlike a [`Distance`] it may have compared nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Counts {
    differing: u32,
    compared: u32,
}

/// A share of differing bits, `differing / compared`, with `compared` at least 1.
///
/// Ordered by the fraction; of two equal fractions the one with more bits compared is the closer one. See
/// [`Measure::order`] for another order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Distance {
    differing: u32,
    compared: u32,
    eyes: u32,
}

impl Distance {
    /// The fraction of one eye, if it is one: `None` when nothing was compared or more bits differ than were compared.
    pub fn new(differing: u32, compared: u32) -> Option<Self> {
        (compared > 0 && differing <= compared).then_some(Self { differing, compared, eyes: 1 })
    }

    /// Bits that differ.
    pub fn differing(self) -> u32 {
        self.differing
    }

    /// Bits that could be compared.
    pub fn compared(self) -> u32 {
        self.compared
    }

    /// Eyes that it is a comparison of: 1, or more where pooled.
    pub fn eyes(self) -> u32 {
        self.eyes
    }

    /// The fraction, for people and plots. Verdicts compare the integers.
    pub fn fraction(self) -> f64 {
        f64::from(self.differing) / f64::from(self.compared)
    }

    /// Both comparisons as one, each weighing as much as it has bits.
    #[must_use]
    pub fn pooled(self, other: Self) -> Self {
        Self {
            differing: self.differing + other.differing,
            compared: self.compared + other.compared,
            eyes: self.eyes + other.eyes,
        }
    }
}

impl Ord for Distance {
    fn cmp(&self, other: &Self) -> Ordering {
        let left = u64::from(self.differing) * u64::from(other.compared);
        let right = u64::from(other.differing) * u64::from(self.compared);
        left.cmp(&right).then(other.compared.cmp(&self.compared))
    }
}

impl PartialOrd for Distance {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Why two templates have no distance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DistanceError {
    /// The masks overlap in too few bits for the fraction to mean anything. Ask for a new capture; do not
    /// treat it as "different", or a covered eye would enroll twice.
    #[error("only {compared} bits can be compared, need {needed}")]
    TooLittleOverlap {
        /// Bits that both masks show; the most of any rotation tried.
        compared: u32,
        /// Fewest that count.
        needed: u32,
    },
}

/// Masked Hamming distance between `probe` and `gallery`, with no rotation.
///
/// # Errors
///
/// [`DistanceError::TooLittleOverlap`] if fewer than `min_compared` bits (or none) can be compared.
pub fn distance(probe: &Template, gallery: &Template, min_compared: u32) -> Result<Distance, DistanceError> {
    kernel()(probe.code(), probe.mask(), gallery.code(), gallery.mask()).enough(min_compared)
}

/// The smallest distance by `measure` over the 31 [`ROTATIONS`] of `probe`, among those with at least `min_compared`
/// comparable bits.
///
/// # Errors
///
/// [`DistanceError::TooLittleOverlap`] if no rotation has that many (or any) bits to compare.
pub fn closest_rotation(
    probe: &Template,
    gallery: &Template,
    min_compared: u32,
    measure: Measure,
) -> Result<Distance, DistanceError> {
    closest(kernel(), probe, gallery, min_compared, measure)
}

fn closest(
    kernel: Kernel,
    probe: &Template,
    gallery: &Template,
    min_compared: u32,
    measure: Measure,
) -> Result<Distance, DistanceError> {
    let code = unrolled(probe.code());
    let mask = unrolled(probe.mask());
    let mut best: Result<Distance, DistanceError> = Counts { differing: 0, compared: 0 }.enough(min_compared);
    for start in 0..=2 * REACH {
        let found = kernel(window(&code, start), window(&mask, start), gallery.code(), gallery.mask());
        best = match (best, found.enough(min_compared)) {
            (Ok(best), Ok(found)) => Ok(if measure.order(found, best).is_lt() { found } else { best }),
            (Ok(best), Err(_)) => Ok(best),
            (Err(_), Ok(found)) => Ok(found),
            (Err(best), Err(found)) => Err(best.fuller(found)),
        };
    }
    best
}

/// The columns with the last 15 repeated in front and the first 15 behind, so that a rotation is a window.
fn unrolled(columns: &Words) -> Zeroizing<[u64; COLUMNS + 2 * REACH]> {
    let mut unrolled = Zeroizing::new([0; COLUMNS + 2 * REACH]);
    unrolled[..REACH].copy_from_slice(&columns[COLUMNS - REACH..]);
    unrolled[REACH..REACH + COLUMNS].copy_from_slice(columns);
    unrolled[REACH + COLUMNS..].copy_from_slice(&columns[..REACH]);
    unrolled
}

fn window(unrolled: &[u64; COLUMNS + 2 * REACH], start: usize) -> &Words {
    unrolled[start..].first_chunk().expect("start is at most 2 · REACH")
}

impl Counts {
    fn enough(self, min_compared: u32) -> Result<Distance, DistanceError> {
        let needed = min_compared.max(1); // a fraction of nothing does not exist
        if self.compared < needed {
            return Err(DistanceError::TooLittleOverlap { compared: self.compared, needed });
        }
        Ok(Distance { differing: self.differing, compared: self.compared, eyes: 1 })
    }
}

impl DistanceError {
    /// The one of two refusals that came closer to being a distance.
    fn fuller(self, other: Self) -> Self {
        let (Self::TooLittleOverlap { compared, .. }, Self::TooLittleOverlap { compared: others, .. }) =
            (self, other);
        if others > compared { other } else { self }
    }
}

/// The fastest kernel that this CPU runs.
fn kernel() -> Kernel {
    static CHOSEN: OnceLock<Kernel> = OnceLock::new();
    *CHOSEN.get_or_init(|| {
        #[cfg(target_arch = "x86_64")]
        if let Some(kernel) = x86::avx512().or_else(x86::avx2) {
            return kernel;
        }
        portable::count // also on aarch64: LLVM turns it into NEON, which every such CPU has
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::template::tests::{template, words};

    fn closest_rotation(
        probe: &Template,
        gallery: &Template,
        min_compared: u32,
    ) -> Result<Distance, DistanceError> {
        super::closest_rotation(probe, gallery, min_compared, Measure::Plain)
    }

    fn every_available_kernel() -> Vec<Kernel> {
        #[cfg(target_arch = "x86_64")]
        let of_this_machine = [x86::avx2(), x86::avx512()];
        #[cfg(not(target_arch = "x86_64"))]
        let of_this_machine: [Option<Kernel>; 0] = [];
        [portable::count as Kernel].into_iter().chain(of_this_machine.into_iter().flatten()).collect()
    }

    proptest! {
        #[test]
        fn every_kernel_agrees_with_portable(a in words(), am in words(), b in words(), bm in words()) {
            let expected = portable::count(&a, &am, &b, &bm);
            for kernel in every_available_kernel() {
                prop_assert_eq!(kernel(&a, &am, &b, &bm), expected);
            }
        }

        #[test]
        fn every_kernel_finds_the_closest_of_31_rotated_copies(
            probe in template(), gallery in template(), min_compared in 0..BITS / 2,
        ) {
            let turned = ROTATIONS.map(|by| distance(&probe.rotated(by), &gallery, min_compared));
            let turned: Vec<Distance> = turned.filter_map(Result::ok).collect();
            for measure in [Measure::Plain, Measure::Normalised] {
                let expected = turned.iter().copied().min_by(|a, b| measure.order(*a, *b));
                for kernel in every_available_kernel() {
                    prop_assert_eq!(closest(kernel, &probe, &gallery, min_compared, measure).ok(), expected);
                }
            }
        }

        #[test]
        fn distance_is_symmetric(a in template(), b in template()) {
            prop_assert_eq!(closest_rotation(&a, &b, 1), closest_rotation(&b, &a, 1));
        }

        #[test]
        fn a_mirror_keeps_distances(a in template(), b in template()) {
            prop_assert_eq!(
                closest_rotation(&a.mirrored(), &b, 1),
                closest_rotation(&a, &b.mirrored(), 1)
            );
        }

        #[test]
        fn order_is_that_of_the_fractions(a in 0..100_u32, b in 1..100_u32, c in 0..100_u32, d in 1..100_u32) {
            let (left, right) = (Distance::new(a.min(b), b).unwrap(), Distance::new(c.min(d), d).unwrap());
            let by_fraction = left.fraction().partial_cmp(&right.fraction()).unwrap();
            prop_assert_eq!(left.cmp(&right), by_fraction.then(d.cmp(&b)));
        }
    }

    #[test]
    fn a_template_is_at_distance_zero_from_itself_within_15_columns_and_not_beyond() {
        let code = std::array::from_fn(|i| 0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(i as u64 + 1));
        let template = Template::from_columns(&code, &[u64::MAX; COLUMNS]);
        for by in [-15, -1, 0, 7, 15] {
            let found = closest_rotation(&template.rotated(by), &template, MIN_COMPARED).unwrap();
            assert_eq!((found.differing(), found.compared()), (0, BITS), "rotated by {by}");
        }
        for by in [-16, 16, 128] {
            assert_ne!(
                closest_rotation(&template.rotated(by), &template, MIN_COMPARED).unwrap().differing(),
                0
            );
        }
    }

    #[test]
    fn a_covered_eye_has_no_distance() {
        let open = Template::from_columns(&[0; COLUMNS], &[u64::MAX; COLUMNS]);
        let mut mask = [0; COLUMNS];
        mask[..51].fill(u64::MAX); // 51 · 64 = 3,264 bits: 19.9 %
        let covered = Template::from_columns(&[0; COLUMNS], &mask);
        let refused = DistanceError::TooLittleOverlap { compared: 51 * 64, needed: MIN_COMPARED };
        assert_eq!(closest_rotation(&covered, &open, MIN_COMPARED), Err(refused));
        assert_eq!(distance(&open, &covered, MIN_COMPARED), Err(refused));
        assert_eq!(refused.to_string(), "only 3264 bits can be compared, need 3277");
    }

    #[test]
    fn nothing_compared_is_an_error_even_when_nothing_is_asked_for() {
        let blind = Template::from_columns(&[0; COLUMNS], &[0; COLUMNS]);
        let refused = Err(DistanceError::TooLittleOverlap { compared: 0, needed: 1 });
        assert_eq!(distance(&blind, &blind, 0), refused);
        assert_eq!(closest_rotation(&blind, &blind, 0), refused);
    }

    #[test]
    fn no_fraction_of_nothing() {
        assert_eq!(Distance::new(0, 0), None);
        assert_eq!(Distance::new(2, 1), None);
    }
}

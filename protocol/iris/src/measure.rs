//! What the two integers of a comparison are worth, and limits on it.
//!
//! ```text
//! plain        HD  = k / m
//! normalised   HDn = 1/2 − (1/2 − HD) · √(m / n),    n = 8,192 bits for each eye
//! ```
//!
//! with `k` bits that differ of `m` compared (Daugman 2007, "New methods in iris recognition", eq. 5). A small share of
//! few bits is worth less than the same share of many: normalised, strangers of every overlap are spread alike. `n`, half
//! of a template's bits, is a scale only: another one stretches all distances from one half alike.
//!
//! No floating point decides anything here either. With `s = m − 2k` the normalised distance is `1/2 − s / (2 · √(m · n))`,
//! so that of two the one with the larger `s · |s| / m` is closer, and it is at most `T` ten-thousandths, `T` below one half,
//! exactly where `s` is positive and `s² · 10⁸ ≥ (10⁴ − 2T)² · m · n`. All of it fits into 64 bits.

use std::cmp::Ordering;
use std::fmt;

use crate::distance::Distance;
use crate::template::BITS;

/// Bits of one eye at which the normalised distance is the plain one.
const REFERENCE_BITS: u32 = BITS / 2;

/// How a comparison becomes a number that limits are set on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Measure {
    /// Differing bits over compared bits.
    #[default]
    Plain,
    /// The same, drawn towards one half where few bits were compared, and away from it where many were.
    Normalised,
}

/// A distance up to which two eyes count as alike, in ten-thousandths: 3,200 is 0.32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Limit(u16);

/// A limit that would call everything alike.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a limit of {found} ten-thousandths: unrelated eyes differ in 5000, allowed are 0 to 4999")]
pub struct LimitError {
    /// The value given.
    pub found: u16,
}

impl Measure {
    /// Which of two distances over equally many eyes is the closer one (the lesser). Of two equal ones that with more bits
    /// compared.
    pub fn order(self, a: Distance, b: Distance) -> Ordering {
        match self {
            Self::Plain => a.cmp(&b),
            Self::Normalised => {
                let above_half = |d: Distance| {
                    let s = i64::from(2 * d.differing()) - i64::from(d.compared());
                    s * s.abs()
                };
                let (left, right) =
                    (above_half(a) * i64::from(b.compared()), above_half(b) * i64::from(a.compared()));
                left.cmp(&right).then(b.compared().cmp(&a.compared()))
            }
        }
    }

    /// Whether `distance` is at most `limit`, exactly.
    pub fn admits(self, limit: Limit, distance: Distance) -> bool {
        self.admits_counts(limit, distance.differing(), distance.compared(), distance.eyes())
    }

    /// [`Measure::admits`] for counts that need not be a fraction. Of nothing compared it may say either.
    pub(crate) fn admits_counts(self, limit: Limit, differing: u32, compared: u32, eyes: u32) -> bool {
        let (limit, k, m) = (u64::from(limit.0), u64::from(differing), u64::from(compared));
        match self {
            Self::Plain => k * 10_000 <= limit * m,
            Self::Normalised => {
                let s = m.saturating_sub(2 * k);
                let reference = u64::from(REFERENCE_BITS * eyes);
                s > 0 && s * s * 100_000_000 >= (10_000 - 2 * limit).pow(2) * m * reference
            }
        }
    }

    /// The distance as a number, for people and plots. Plain from 0 to 1; normalised from −0.21 to 1.21.
    pub fn value(self, distance: Distance) -> f64 {
        match self {
            Self::Plain => distance.fraction(),
            Self::Normalised => {
                let share = f64::from(distance.compared()) / f64::from(REFERENCE_BITS * distance.eyes());
                0.5 - (0.5 - distance.fraction()) * share.sqrt()
            }
        }
    }

    /// The name in files and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Normalised => "normalised",
        }
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Limit {
    /// A limit of `value / 10,000`.
    ///
    /// # Errors
    ///
    /// [`LimitError`] from 0.5 up: there unrelated codes lie before any rotation is tried.
    pub const fn new(value: u16) -> Result<Self, LimitError> {
        if value >= 5000 { Err(LimitError { found: value }) } else { Ok(Self(value)) }
    }

    /// [`Limit::new`] of a constant.
    pub(crate) const fn constant(value: u16) -> Self {
        match Self::new(value) {
            Ok(limit) => limit,
            Err(_) => panic!("a limit below one half"),
        }
    }

    /// The limit in ten-thousandths.
    pub const fn ten_thousandths(self) -> u16 {
        self.0
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0.{:04}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn share(differing: u32, compared: u32) -> Distance {
        Distance::new(differing, compared).unwrap()
    }

    /// Any comparison of one eye.
    fn one_eye() -> impl Strategy<Value = Distance> {
        (1..=BITS)
            .prop_flat_map(|compared| (0..=compared).prop_map(move |differing| share(differing, compared)))
    }

    /// Of one eye, or of both.
    fn any_distance() -> impl Strategy<Value = Distance> {
        (one_eye(), prop::option::of(one_eye())).prop_map(|(one, other)| match other {
            Some(other) => one.pooled(other),
            None => one,
        })
    }

    #[test]
    fn normalised_by_hand() {
        let value = |distance| Measure::Normalised.value(distance);
        assert!((value(share(2048, 8192)) - 0.25).abs() < 1e-12, "the reference keeps its distance");
        let both = share(512, 2048).pooled(share(512, 2048));
        assert!((value(both) - (0.5 - 0.25 / 2.0)).abs() < 1e-12, "a quarter of the bits, half of the way");
        assert!((value(share(4096, 16_384)) - (0.5 - 0.25 * 2.0_f64.sqrt())).abs() < 1e-12);
        assert!((value(share(3000, 6000)) - 0.5).abs() < 1e-12, "one half stays one half");
        assert!(
            (value(share(0, BITS)) + 0.2071).abs() < 1e-4 && (value(share(BITS, BITS)) - 1.2071).abs() < 1e-4
        );
    }

    #[test]
    fn limits_are_exact_and_below_one_half() {
        let limit = Limit::new(3200).unwrap();
        let admits = |measure: Measure, k, m| measure.admits(limit, share(k, m));
        assert!(admits(Measure::Plain, 3200, 10_000) && admits(Measure::Plain, 8, 25));
        assert!(!admits(Measure::Plain, 3201, 10_000));
        // 0.32 = 1/2 − s / (2 · √(m · 8192)): of 8,192 bits s = 2,949.12, so that 2,621 may differ and 2,622 may not.
        assert!(admits(Measure::Normalised, 2621, 8192) && !admits(Measure::Normalised, 2622, 8192));
        assert!(!admits(Measure::Normalised, 0, 1000), "of a thousand bits none suffices");
        assert_eq!(Limit::new(5000), Err(LimitError { found: 5000 }));
        assert_eq!(limit.to_string(), "0.3200");
    }

    proptest! {
        #[test]
        fn limits_agree_with_the_numbers(distance in any_distance(), limit in 0_u16..5000) {
            for measure in [Measure::Plain, Measure::Normalised] {
                let gap = f64::from(limit) / 1e4 - measure.value(distance);
                if gap.abs() > 1e-9 {
                    prop_assert_eq!(measure.admits(Limit(limit), distance), gap > 0.0, "{} {}", measure, gap);
                }
            }
        }

        #[test]
        fn order_is_that_of_the_numbers(a in one_eye(), b in one_eye()) {
            for measure in [Measure::Plain, Measure::Normalised] {
                let gap = measure.value(a) - measure.value(b);
                if gap.abs() > 1e-9 {
                    prop_assert_eq!(measure.order(a, b), gap.partial_cmp(&0.0).unwrap(), "{}", measure);
                }
            }
        }

        /// What a scan relies on: a pair of eyes is within a limit only where one of the two is.
        #[test]
        fn both_eyes_are_never_closer_than_the_closer_one(a in one_eye(), b in one_eye(), limit in 0_u16..5000) {
            for measure in [Measure::Plain, Measure::Normalised] {
                let admits = |distance| measure.admits(Limit(limit), distance);
                prop_assert!(!admits(a.pooled(b)) || admits(a) || admits(b), "{}", measure);
            }
        }

        /// And: who is not within a limit with all bits of the smaller mask compared is not within it with fewer.
        #[test]
        fn more_bits_compared_never_exclude(distance in one_eye(), more in 0..=BITS, limit in 0_u16..5000) {
            let most = share(distance.differing(), (distance.compared() + more).min(BITS));
            for measure in [Measure::Plain, Measure::Normalised] {
                let admits = |distance| measure.admits(Limit(limit), distance);
                prop_assert!(!admits(distance) || admits(most), "{}", measure);
            }
        }
    }
}

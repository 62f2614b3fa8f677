//! When two people are one: distances of both eyes, and the verdict from them.
//!
//! Each probe is compared with each person in the gallery in four orientations: as it is, left and right exchanged, as a
//! mirror shows it, and each eye mirrored where it is. None of these may enroll somebody again, and it takes no more than
//! a flipped image or a wrong label. The eyes turn independently: each takes its best rotation.
//!
//! | of both eyes | verdict |
//! |---|---|
//! | the pooled distance matches, and neither eye looks like a stranger's | duplicate |
//! | the pooled distance matches, but one eye looks like a stranger's | review |
//! | one eye matches by itself, the pooled distance does not | review |
//! | otherwise | unique |
//!
//! Where only one eye can be compared it decides alone, by the stricter limit for single eyes:
//!
//! | probe | gallery | its one eye matches | why |
//! |---|---|---|---|
//! | one eye | the same eye alone | duplicate | all that is known about either agrees |
//! | both eyes | one of them alone | duplicate | the probe holds back nothing that could disagree |
//! | one eye | both eyes | review | the eye held back might disagree; whoever covers it must not get the `duplicate`, and with it the recovery, that showing it would have denied |
//!
//! One person can still come once with each eye where one eye is enough: a left and a right eye have nothing in common.
//! That is why a missing eye has to be allowed on purpose.
//!
//! An eye present on both sides whose masks overlap too little is an error, not a distance. It fails closed: the
//! person is asked for a new capture, and nothing is enrolled. A `duplicate` found elsewhere in the gallery still
//! stands, since it refuses the enrollment anyway; `unique` does not.

use std::fmt;

use crate::distance::{Distance, DistanceError, MIN_COMPARED, closest_rotation};
use crate::pair::{EyePair, ORIENTATIONS};
use crate::template::Template;

/// A share of differing bits up to which two eyes count as alike, in ten-thousandths: 3,200 is 0.32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Limit(u16);

/// A limit that would call everything alike.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a limit of {found} ten-thousandths: unrelated eyes differ in 5000, allowed are 0 to 4999")]
pub struct LimitError {
    /// The value given.
    pub found: u16,
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

    /// The limit in ten-thousandths.
    pub const fn ten_thousandths(self) -> u16 {
        self.0
    }

    /// Whether `distance` is at most this limit, exactly.
    pub fn admits(self, distance: Distance) -> bool {
        self.admits_counts(distance.differing(), distance.compared())
    }

    /// [`Limit::admits`] for counts of up to 16,384 bits each that need not be a fraction: of nothing compared it
    /// admits nothing differing.
    pub(crate) fn admits_counts(self, differing: u32, compared: u32) -> bool {
        u64::from(differing) * 10_000 <= u64::from(self.0) * u64::from(compared)
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0.{:04}", self.0)
    }
}

/// Where the verdict changes. Chosen for the size of the set: a larger gallery needs smaller limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thresholds {
    /// Both eyes pooled: at most this is the same person.
    pub fused: Limit,
    /// One eye by itself: at most this is the same eye.
    pub single: Limit,
    /// One eye by itself: above this it looks like a stranger's.
    pub stranger: Limit,
}

/// What a comparison means for an enrollment, mildest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Nobody like this one.
    Unique,
    /// One eye matches and the other does not, or the other was not shown: a person has to look.
    Review,
    /// The same person.
    Duplicate,
}

/// Distances of the eyes of two people in one orientation; `None` where an eye is missing on either side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EyeDistances {
    /// Of the gallery's left eye.
    pub left: Option<Distance>,
    /// Of the gallery's right eye.
    pub right: Option<Distance>,
}

/// How two people compare, in all orientations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PairScore {
    /// With each of the probe's [`EyePair::orientations`].
    pub orientations: [EyeDistances; ORIENTATIONS],
    /// The gallery knows both eyes and the probe shows one.
    pub eye_withheld: bool,
}

impl PairScore {
    /// Compares somebody's [`EyePair::orientations`], made once for a whole gallery, with one person of it.
    ///
    /// # Errors
    ///
    /// [`DistanceError::TooLittleOverlap`] if an eye that both have cannot be compared in one of the orientations.
    pub fn of(probe: &[EyePair; ORIENTATIONS], gallery: &EyePair) -> Result<Self, DistanceError> {
        let mut orientations = [EyeDistances { left: None, right: None }; ORIENTATIONS];
        for (distances, probe) in orientations.iter_mut().zip(probe) {
            *distances = EyeDistances::of(probe, gallery)?;
        }
        Ok(Self { orientations, eye_withheld: gallery.is_complete() && !probe[0].is_complete() })
    }

    /// The gravest of the orientations' verdicts.
    pub fn verdict(&self, thresholds: Thresholds) -> Verdict {
        let verdicts = self.orientations.iter().map(|eyes| eyes.verdict(thresholds, self.eye_withheld));
        verdicts.max().unwrap_or(Verdict::Unique)
    }
}

impl EyeDistances {
    fn of(probe: &EyePair, gallery: &EyePair) -> Result<Self, DistanceError> {
        let eye = |probe: Option<&Template>, gallery: Option<&Template>| match (probe, gallery) {
            (Some(probe), Some(gallery)) => closest_rotation(probe, gallery, MIN_COMPARED).map(Some),
            _ => Ok(None),
        };
        Ok(Self { left: eye(probe.left(), gallery.left())?, right: eye(probe.right(), gallery.right())? })
    }

    fn verdict(self, limits: Thresholds, eye_withheld: bool) -> Verdict {
        match (self.left, self.right) {
            (Some(left), Some(right)) => {
                let fused = limits.fused.admits(left.pooled(right));
                if fused && limits.stranger.admits(left.max(right)) {
                    Verdict::Duplicate
                } else if fused || limits.single.admits(left.min(right)) {
                    Verdict::Review
                } else {
                    Verdict::Unique
                }
            }
            (Some(eye), None) | (None, Some(eye)) if limits.single.admits(eye) => {
                if eye_withheld {
                    Verdict::Review
                } else {
                    Verdict::Duplicate
                }
            }
            _ => Verdict::Unique,
        }
    }
}

impl Default for Thresholds {
    /// For sets of up to a few thousand people. Own measurements on CASIA-Iris-Interval (development third), CASIA1 and
    /// MMU1, after 31 rotations, with enrolled templates fused from at least three images:
    ///
    /// | | Interval | CASIA1 | MMU1 |
    /// |---|---|---|---|
    /// | one image against an enrolled eye, the same: median, 99 %, largest | 0.128, 0.276, 0.319 | 0.129, 0.317, 0.378 | 0.142, 0.292, 0.315 |
    /// | two enrolled eyes, different: mean ± σ, smallest | 0.451 ± 0.016, 0.365 | 0.446 ± 0.016, 0.343 | 0.441 ± 0.019, 0.344 |
    /// | both eyes pooled, the same: largest | 0.240 | | 0.263 |
    /// | both eyes pooled, different: mean ± σ, smallest | 0.448 ± 0.012, 0.404 | | 0.441 ± 0.016, 0.366 |
    fn default() -> Self {
        Self {
            // 6.4 (MMU1) to 8.8 σ (Interval) below different people, above every pair of the same eyes.
            fused: Limit(3400),
            // 5.8 to 7.8 σ below different eyes and under the smallest of 15,774 pairs of them.
            single: Limit(3300),
            // One to two in a hundred different eyes look closer than this, fewer than one in a thousand of the same
            // eye farther.
            stranger: Limit(4000),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::COLUMNS;

    const LIMITS: Thresholds = Thresholds { fused: Limit(3800), single: Limit(3600), stranger: Limit(4270) };

    /// An eye of its own: a different `seed` gives unrelated bits.
    fn eye(seed: u64) -> Template {
        let mut state = seed;
        let code = std::array::from_fn(|_| {
            // SplitMix64 (Steele, Lea and Flood 2014): unrelated bits from consecutive seeds.
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            let z = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            z ^ (z >> 31)
        });
        Template::from_columns(&code, &[u64::MAX; COLUMNS])
    }

    /// The same eye seen again, with `bits` of every column's 64 flipped, turned by three columns.
    fn again(eye: &Template, bits: u32) -> Template {
        let code = eye.code().map(|column| column ^ ((1 << bits) - 1));
        Template::from_columns(&code, eye.mask()).rotated(3)
    }

    fn pair(left: Option<Template>, right: Option<Template>) -> EyePair {
        EyePair::new(left, right).unwrap()
    }

    #[track_caller]
    fn check(probe: &EyePair, gallery: &EyePair, expected: Verdict) {
        let score = PairScore::of(&probe.orientations(), gallery).unwrap();
        assert_eq!(score.verdict(LIMITS), expected, "{score:?}");
        let back = PairScore::of(&gallery.orientations(), probe).unwrap();
        if probe.is_complete() == gallery.is_complete() {
            assert_eq!(back.verdict(LIMITS), expected, "the other way round");
        }
    }

    #[test]
    fn the_same_person_again_is_a_duplicate_in_every_orientation() {
        let enrolled = pair(Some(eye(1)), Some(eye(2)));
        let again = pair(Some(again(&eye(1), 12)), Some(again(&eye(2), 20)));
        for turned in again.orientations() {
            check(&turned, &enrolled, Verdict::Duplicate);
        }
    }

    #[test]
    fn somebody_else_is_unique() {
        let enrolled = pair(Some(eye(1)), Some(eye(2)));
        check(&pair(Some(eye(3)), Some(eye(4))), &enrolled, Verdict::Unique);
    }

    #[test]
    fn one_eye_theirs_and_one_anothers_is_review() {
        let enrolled = pair(Some(eye(1)), Some(eye(2)));
        for bits in [0, 12, 20] {
            let mixed = pair(Some(again(&eye(1), bits)), Some(eye(4)));
            for turned in mixed.orientations() {
                check(&turned, &enrolled, Verdict::Review);
            }
        }
    }

    #[test]
    fn both_eyes_weak_but_alike_are_a_duplicate() {
        // 24 of 64 bits: 0.375, above the limit of a single eye, below that of both.
        let enrolled = pair(Some(eye(1)), Some(eye(2)));
        check(&pair(Some(again(&eye(1), 24)), Some(again(&eye(2), 24))), &enrolled, Verdict::Duplicate);
        check(&pair(Some(again(&eye(1), 24)), None), &pair(Some(eye(1)), None), Verdict::Unique);
    }

    #[test]
    fn one_eye_decides_alone_where_nothing_is_held_back() {
        let (left, both) = (pair(Some(eye(1)), None), pair(Some(eye(1)), Some(eye(2))));
        let seen = pair(Some(again(&eye(1), 12)), None);
        check(&seen, &left, Verdict::Duplicate);
        check(&seen.mirrored(), &left, Verdict::Duplicate);
        check(&both, &left, Verdict::Duplicate);
        check(&pair(Some(eye(3)), None), &left, Verdict::Unique);
    }

    #[test]
    fn an_eye_held_back_is_review() {
        check(&pair(Some(eye(1)), None), &pair(Some(eye(1)), Some(eye(2))), Verdict::Review);
    }

    #[test]
    fn an_eye_alone_is_known_whichever_it_is_said_to_be() {
        check(&pair(Some(again(&eye(1), 12)), None), &pair(None, Some(eye(1))), Verdict::Duplicate);
        check(&pair(Some(eye(2)), None), &pair(None, Some(eye(1))), Verdict::Unique);
    }

    #[test]
    fn an_eye_that_cannot_be_compared_is_an_error_even_beside_one_that_matches() {
        let blind = Template::from_columns(&[0; COLUMNS], &[0; COLUMNS]);
        let enrolled = pair(Some(eye(1)), Some(eye(2)));
        let probe = pair(Some(eye(1)), Some(blind));
        let score = PairScore::of(&probe.orientations(), &enrolled);
        assert_eq!(score, Err(DistanceError::TooLittleOverlap { compared: 0, needed: MIN_COMPARED }));
    }

    #[test]
    fn limits_are_exact_and_below_one_half() {
        let limit = Limit::new(3200).unwrap();
        assert!(limit.admits(Distance::new(3200, 10_000).unwrap()));
        assert!(limit.admits(Distance::new(8, 25).unwrap()));
        assert!(!limit.admits(Distance::new(3201, 10_000).unwrap()));
        assert_eq!(Limit::new(5000), Err(LimitError { found: 5000 }));
        assert_eq!(limit.to_string(), "0.3200");
    }
}

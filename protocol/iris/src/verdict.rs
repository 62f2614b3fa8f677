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

use crate::distance::{Distance, DistanceError, MIN_COMPARED, closest_rotation};
use crate::measure::{Limit, Measure};
use crate::pair::{EyePair, ORIENTATIONS};
use crate::template::Template;

/// Where the verdict changes. Chosen for the size of the set: a larger gallery needs smaller limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thresholds {
    /// What the limits are limits on.
    pub measure: Measure,
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

/// What comparing somebody's [`EyePair::orientations`], made once for a whole gallery, with one person of it means: the
/// gravest of the orientations' verdicts.
///
/// # Errors
///
/// [`DistanceError::TooLittleOverlap`] if an eye that both have cannot be compared in one of the orientations.
pub fn verdict(
    probe: &[EyePair; ORIENTATIONS],
    gallery: &EyePair,
    thresholds: Thresholds,
) -> Result<Verdict, DistanceError> {
    let eye_withheld = gallery.is_complete() && !probe[0].is_complete();
    probe.iter().try_fold(Verdict::Unique, |gravest, probe| {
        let distances = EyeDistances::of(probe, gallery, thresholds.measure)?;
        Ok(gravest.max(distances.verdict(thresholds, eye_withheld)))
    })
}

/// Distances of the eyes of two people in one orientation; `None` where an eye is missing on either side.
struct EyeDistances {
    /// Of the gallery's left eye.
    left: Option<Distance>,
    /// Of the gallery's right eye.
    right: Option<Distance>,
}

impl EyeDistances {
    fn of(probe: &EyePair, gallery: &EyePair, measure: Measure) -> Result<Self, DistanceError> {
        let eye = |probe: Option<&Template>, gallery: Option<&Template>| match (probe, gallery) {
            (Some(probe), Some(gallery)) => closest_rotation(probe, gallery, MIN_COMPARED, measure).map(Some),
            _ => Ok(None),
        };
        Ok(Self { left: eye(probe.left(), gallery.left())?, right: eye(probe.right(), gallery.right())? })
    }

    fn verdict(&self, thresholds: Thresholds, eye_withheld: bool) -> Verdict {
        let within = |limit, distance| thresholds.measure.admits(limit, distance);
        match (self.left, self.right) {
            (Some(left), Some(right)) => {
                let fused = within(thresholds.fused, left.pooled(right));
                let any = |limit| within(limit, left) || within(limit, right);
                let all = |limit| within(limit, left) && within(limit, right);
                if fused && all(thresholds.stranger) {
                    Verdict::Duplicate
                } else if fused || any(thresholds.single) {
                    Verdict::Review
                } else {
                    Verdict::Unique
                }
            }
            (Some(eye), None) | (None, Some(eye)) if within(thresholds.single, eye) => {
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

impl Thresholds {
    /// For sets of up to a few thousand people. Own measurements on CASIA-Iris-Interval (development third), CASIA1 and
    /// MMU1, after 31 rotations: `docs/accuracy.md` has the distributions and how far they reach.
    pub const fn of(measure: Measure) -> Self {
        let [fused, single, stranger] = match measure {
            Measure::Plain => [3400, 3300, 4000],
            Measure::Normalised => [3300, 3200, 4000],
        };
        Self {
            measure,
            fused: Limit::constant(fused),
            single: Limit::constant(single),
            stranger: Limit::constant(stranger),
        }
    }
}

impl Default for Thresholds {
    fn default() -> Self {
        Self::of(Measure::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::COLUMNS;

    const LIMITS: Thresholds = Thresholds {
        measure: Measure::Plain,
        fused: Limit::constant(3800),
        single: Limit::constant(3600),
        stranger: Limit::constant(4270),
    };

    /// The same limits for eyes of which all bits are compared: `1/2 − (1/2 − limit) · √2`.
    const NORMALISED: Thresholds = Thresholds {
        measure: Measure::Normalised,
        fused: Limit::constant(3302),
        single: Limit::constant(3020),
        stranger: Limit::constant(3967),
    };

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
        // All of these eyes are open, so that both measures agree.
        for limits in [LIMITS, NORMALISED] {
            assert_eq!(verdict(&probe.orientations(), gallery, limits), Ok(expected), "{limits:?}");
            if probe.is_complete() == gallery.is_complete() {
                let back = verdict(&gallery.orientations(), probe, limits);
                assert_eq!(back, Ok(expected), "the other way round, {limits:?}");
            }
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
        let refused = Err(DistanceError::TooLittleOverlap { compared: 0, needed: MIN_COMPARED });
        assert_eq!(verdict(&probe.orientations(), &enrolled, LIMITS), refused);
    }
}

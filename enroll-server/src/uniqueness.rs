//! Whether a pair of eyes is new: an exhaustive comparison, without exception and without an index.
//!
//! | gravest comparison | finding |
//! |---|---|
//! | the same person | duplicate |
//! | with someone no comparison was possible | too little overlap: a new capture is needed, nothing is enrolled |
//! | one eye alike, one not | review |
//! | none of these | unique |
//!
//! Knows which eyes are fit to be compared. The comparison itself is the [matcher](crate::matcher)'s.

use unum_iris::{EyePair, Query, Template, Thresholds};

use crate::matcher::{Finding, Manifest, People, Uncovered};

/// The eyes of the person who asks, made ready once for the whole gallery.
pub(crate) struct Probe(Query);

/// Why eyes are not compared at all. Ask for a new capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unfit {
    #[error("the {0} eye is missing")]
    EyeMissing(&'static str),
    #[error("{usable} bits of the {eye} eye are visible, need {needed}")]
    TooLittleVisible { eye: &'static str, usable: u32, needed: u32 },
}

impl Probe {
    /// # Errors
    ///
    /// [`Unfit`] for an eye that shows fewer than `min_usable_bits`, or is missing although `one_eye` is `false`.
    pub(crate) fn new(eyes: &EyePair, min_usable_bits: u32, one_eye: bool) -> Result<Self, Unfit> {
        for (name, eye) in [("left", eyes.left()), ("right", eyes.right())] {
            match eye.map(Template::usable_bits) {
                None if !one_eye => return Err(Unfit::EyeMissing(name)),
                Some(usable) if usable < min_usable_bits => {
                    return Err(Unfit::TooLittleVisible { eye: name, usable, needed: min_usable_bits });
                }
                _ => {}
            }
        }
        Ok(Self(Query::new(eyes)))
    }

    /// The eyes as captured.
    pub(crate) fn eyes(&self) -> &EyePair {
        self.0.eyes()
    }

    /// The eyes as a scan needs them.
    pub(crate) fn query(&self) -> &Query {
        &self.0
    }

    /// Compares with all of `people`, who are in no segment, on all cores; blocks.
    ///
    /// # Errors
    ///
    /// [`Uncovered`] if not all of them were compared.
    pub(crate) fn scan(&self, people: &People, thresholds: Thresholds) -> Result<Finding, Uncovered> {
        let scanned = people.scan(&[&self.0], thresholds);
        scanned.findings(&Manifest::default(), people.len()).map(|findings| findings[0])
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;
    use unum_iris::{COLUMNS, MIN_COMPARED};

    use super::*;

    /// An eye of its own, fully visible: a different `seed` gives unrelated bits.
    pub(crate) fn eye(seed: u64) -> Template {
        let mut state = seed.wrapping_mul(0xD134_2543_DE82_EF95);
        let code = std::array::from_fn(|_| {
            // SplitMix64 (Steele, Lea and Flood 2014).
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let z = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            z ^ (z >> 31)
        });
        Template::from_columns(&code, &[u64::MAX; COLUMNS])
    }

    /// The same eye seen again: `bits` of each column's 64 differ, the head is tilted by `tilt` columns.
    pub(crate) fn again(eye: &Template, bits: u32, tilt: i32) -> Template {
        let code = eye.code().map(|column| column ^ ((1 << bits) - 1));
        Template::from_columns(&code, eye.mask()).rotated(tilt)
    }

    /// The same eye with only the columns `visible` open.
    fn covered(eye: &Template, visible: std::ops::Range<usize>) -> Template {
        let mask = std::array::from_fn(|column| if visible.contains(&column) { u64::MAX } else { 0 });
        Template::from_columns(eye.code(), &mask)
    }

    pub(crate) fn pair(left: Template, right: Template) -> EyePair {
        EyePair::new(Some(left), Some(right)).unwrap()
    }

    fn person(seed: u64) -> EyePair {
        pair(eye(2 * seed), eye(2 * seed + 1))
    }

    fn town(people: u64) -> Vec<EyePair> {
        (0..people).map(person).collect()
    }

    fn scan(eyes: &EyePair, gallery: &[EyePair]) -> Finding {
        let people = gallery.iter().cloned().collect();
        Probe::new(eyes, MIN_COMPARED, true).unwrap().scan(&people, Thresholds::default()).unwrap()
    }

    fn seen_again(seed: u64, tilt: i32) -> EyePair {
        pair(again(&eye(2 * seed), 12, tilt), again(&eye(2 * seed + 1), 12, tilt))
    }

    #[test]
    fn an_empty_gallery_knows_nobody() {
        assert_eq!(scan(&person(1), &[]), Finding::Unique);
    }

    #[test]
    fn somebody_new_is_unique() {
        assert_eq!(scan(&person(99), &town(40)), Finding::Unique);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn whoever_is_there_is_found_wherever_they_stand(seed in 0_u64..40, tilt in -15_i32..=15) {
            for eyes in seen_again(seed, tilt).orientations() {
                prop_assert_eq!(scan(&eyes, &town(40)), Finding::Duplicate { person: seed + 1 });
            }
        }

        #[test]
        fn the_order_of_the_gallery_changes_nothing(turn in 0_usize..40) {
            let mut gallery = town(40);
            gallery.rotate_left(turn);
            prop_assert_eq!(scan(&pair(eye(6), eye(999)), &gallery), Finding::Review);
        }
    }

    #[test]
    fn one_eye_theirs_and_one_anothers_is_review() {
        assert_eq!(scan(&pair(again(&eye(6), 12, 4), eye(999)), &town(40)), Finding::Review);
        assert_eq!(
            scan(&pair(eye(6), eye(9)), &town(40)),
            Finding::Review,
            "eyes of two people who are both known"
        );
    }

    #[test]
    fn a_duplicate_stands_beside_someone_who_cannot_be_compared() {
        let mut gallery = town(10);
        // Open where the probe is closed.
        gallery.push(pair(covered(&eye(70), 0..100), covered(&eye(71), 0..100)));
        let half = |eye: &Template| covered(eye, 128..256);
        assert_eq!(scan(&pair(half(&eye(6)), half(&eye(7))), &gallery), Finding::Duplicate { person: 4 });
        let stranger = scan(&pair(half(&eye(80)), half(&eye(81))), &gallery);
        assert!(matches!(stranger, Finding::TooLittleOverlap { needed: MIN_COMPARED, .. }), "{stranger:?}");
    }

    #[test]
    fn too_little_overlap_outweighs_review() {
        let mut gallery = town(10);
        gallery.push(pair(covered(&eye(70), 0..100), covered(&eye(71), 0..100)));
        let mixed = pair(covered(&eye(6), 128..256), covered(&eye(999), 128..256));
        assert!(matches!(scan(&mixed, &gallery), Finding::TooLittleOverlap { .. }));
    }

    #[test]
    fn unfit_eyes_are_not_compared() {
        let probe = |left, right, one_eye| {
            let eyes = EyePair::new(left, right).unwrap();
            Probe::new(&eyes, 8192, one_eye).map(|_| ())
        };
        let narrow = covered(&eye(1), 0..127);
        let too_little = Unfit::TooLittleVisible { eye: "right", usable: 127 * 64, needed: 8192 };
        assert_eq!(probe(Some(eye(1)), Some(narrow), false), Err(too_little));
        assert_eq!(probe(Some(eye(1)), None, false), Err(Unfit::EyeMissing("right")));
        assert_eq!(probe(None, Some(eye(1)), false), Err(Unfit::EyeMissing("left")));
        assert_eq!(probe(None, Some(eye(1)), true), Ok(()));
    }
}

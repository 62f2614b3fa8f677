//! The two ways to put a number on a pair of templates: the plain share of differing bits, and Daugman's normalised one.
//!
//! A small share of few bits is worth less than the same share of many. Normalised, a share that is `x` below one half
//! counts `x · sqrt(compared / reference)` below it (Daugman 2007, "New methods in iris recognition", eq. 5), so that
//! pairs of every overlap have impostors of the same spread. The reference is a scale only: another one stretches all
//! distances from one half alike, and changes no order and no error rate.
//!
//! Floating point, for measuring only: a verdict compares integers.

use std::fmt;

use serde::Serialize;
use unum_iris::{BITS, Distance, MIN_COMPARED, ROTATIONS, Template, closest_rotation, distance};

/// Compared bits of one eye at which the normalised distance is the plain one: half of a template's.
const REFERENCE_BITS: f64 = BITS as f64 / 2.0;

/// How far apart two templates are, as a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Measure {
    /// Differing bits over compared bits.
    #[default]
    Plain,
    /// The same, drawn towards one half where few bits were compared.
    Normalised,
}

/// A template ready to be compared with many.
pub(crate) struct Probe<'a> {
    measure: Measure,
    upright: &'a Template,
    /// All 31 rotations, where each has to be judged by itself.
    rotated: Vec<Template>,
}

impl Measure {
    /// The number for a distance over `eyes` eyes.
    pub(crate) fn of(self, distance: Distance, eyes: usize) -> f64 {
        match self {
            Self::Plain => distance.fraction(),
            Self::Normalised => {
                let share = f64::from(distance.compared()) / (REFERENCE_BITS * eyes as f64);
                0.5 - (0.5 - distance.fraction()) * share.sqrt()
            }
        }
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain => "plain",
            Self::Normalised => "normalised",
        })
    }
}

impl<'a> Probe<'a> {
    pub(crate) fn new(upright: &'a Template, measure: Measure) -> Self {
        let rotated = match measure {
            Measure::Plain => Vec::new(),
            Measure::Normalised => ROTATIONS.map(|by| upright.rotated(by)).collect(),
        };
        Self { measure, upright, rotated }
    }

    /// The distance at the rotation at which it is smallest by this measure; `None` where too little can be compared.
    pub(crate) fn closest(&self, other: &Template) -> Option<Distance> {
        match self.measure {
            Measure::Plain => closest_rotation(self.upright, other, MIN_COMPARED).ok(),
            measure @ Measure::Normalised => self
                .rotated
                .iter()
                .filter_map(|rotated| distance(rotated, other, MIN_COMPARED).ok())
                .min_by(|a, b| measure.of(*a, 1).total_cmp(&measure.of(*b, 1))),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unum_iris::COLUMNS;

    use super::*;

    #[test]
    fn normalised_by_hand() {
        let of = |differing, compared, eyes| {
            Measure::Normalised.of(Distance::new(differing, compared).unwrap(), eyes)
        };
        assert!((of(2048, 8192, 1) - 0.25).abs() < 1e-12, "the reference keeps its distance");
        assert!(
            (of(1024, 4096, 2) - (0.5 - 0.25 / 2.0)).abs() < 1e-12,
            "a quarter of the bits, half of the way"
        );
        assert!((of(4096, 16_384, 1) - (0.5 - 0.25 * 2.0_f64.sqrt())).abs() < 1e-12);
        assert!((of(3000, 6000, 1) - 0.5).abs() < 1e-12, "one half stays one half");
    }

    fn words() -> impl Strategy<Value = [u64; COLUMNS]> {
        prop::collection::vec(any::<u64>(), COLUMNS).prop_map(|v| v.try_into().expect("256 words"))
    }

    proptest! {
        #[test]
        fn with_open_masks_both_measures_choose_the_same_rotation(a in words(), b in words()) {
            let [a, b] = [a, b].map(|code| Template::from_columns(&code, &[u64::MAX; COLUMNS]));
            let closest = |measure| Probe::new(&a, measure).closest(&b).unwrap();
            prop_assert_eq!(closest(Measure::Plain), closest(Measure::Normalised));
        }

        #[test]
        fn no_other_rotation_is_closer(a in words(), b in words(), mask in words()) {
            let a = Template::from_columns(&a, &mask.map(|m| m | 0xFFFF));
            let b = Template::from_columns(&b, &[u64::MAX; COLUMNS]);
            let of = |distance| Measure::Normalised.of(distance, 1);
            let found = of(Probe::new(&a, Measure::Normalised).closest(&b).unwrap());
            for by in ROTATIONS {
                let one = distance(&a.rotated(by), &b, MIN_COMPARED).unwrap();
                prop_assert!(found <= of(one), "{by}");
            }
        }
    }
}

//! How far error rates would move with other people: 95 % intervals by the bootstrap over people.
//!
//! Pairs are not independent: one person with one bad image is in hundreds of them. So people are drawn, with replacement,
//! as many as there are; a pair within one person counts as often as that person was drawn, a pair of two people as often
//! as the product (Bolle, Ratha and Pankanti 2004, "Error analysis of pattern recognition systems: the subsets
//! bootstrap", by subject). The ends are the 2.5 % and 97.5 % quantiles of the resamples.
//!
//! Where nobody failed, no resample fails either, and the bootstrap would claim certainty. Then the upper end is that of
//! "none of `n` people": `1 − 0.05^(1/n)` (Hanley and Lippman-Hand 1983, "If nothing goes wrong, is everything all
//! right?").
//!
//! Pairs are sorted once; a resample walks only their nearest part and knows its total from counts of pairs by people.
//! Deterministic: the seed is an argument, and threads change nothing.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::Serialize;

use super::protocol::{Attempts, Pair, Trials};
use crate::camera::render::noise::Noise;

/// How to resample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Resampling {
    /// How often people are drawn anew.
    pub resamples: u32,
    /// Which draws: the same number, the same intervals.
    pub seed: u64,
}

impl Default for Resampling {
    /// 1,000 resamples: each end is then the 25th of them, which is steady enough for two digits.
    fn default() -> Self {
        Self { resamples: 1000, seed: 1 }
    }
}

/// A range that holds the true rate in 95 of 100 cases: lower end, upper end.
pub type Interval = [f64; 2];

/// Intervals of the rates of one protocol.
#[derive(Debug)]
pub(crate) struct Intervals {
    pub(crate) equal: Interval,
    /// Of the FNMR at each level of FMR asked for.
    pub(crate) missed: Vec<Interval>,
    pub(crate) failed: Interval,
}

/// Draws people and works out `levels` (of FMR, rising) for each draw.
pub(crate) fn intervals(trials: &Trials, levels: &[f64], resampling: Resampling) -> Intervals {
    let pairs = Sorted::new(trials);
    let noise = Noise::new(resampling.seed).named("bootstrap");
    let draws: Vec<Draw> = (0..u64::from(resampling.resamples))
        .into_par_iter()
        .map(|resample| pairs.drawn(&weights(noise.branch(resample), trials.attempts.len()), trials, levels))
        .collect();
    let (shown, asked) = (pairs.people(), trials.attempts.iter().filter(|asked| asked.made > 0).count());
    Intervals {
        equal: interval(draws.iter().filter_map(|draw| draw.equal), shown),
        missed: (0..levels.len())
            .map(|level| interval(draws.iter().filter_map(|draw| draw.missed.get(level).copied()), shown))
            .collect(),
        failed: interval(draws.iter().filter_map(|draw| draw.failed), asked),
    }
}

/// What one draw of people gives; nothing where it drew nobody of whom there is a rate.
struct Draw {
    equal: Option<f64>,
    missed: Vec<f64>,
    failed: Option<f64>,
}

/// How often each of `people` is drawn.
fn weights(noise: Noise, people: usize) -> Vec<u32> {
    let mut weights = vec![0; people];
    for index in 0..people as u64 {
        let drawn = (u128::from(noise.bits(index)) * people as u128) >> 64;
        weights[drawn as usize] += 1;
    }
    weights
}

fn interval(rates: impl Iterator<Item = f64>, people: usize) -> Interval {
    let mut rates: Vec<f64> = rates.collect();
    rates.sort_unstable_by(f64::total_cmp);
    let quantile = |share: f64| rates.get(((rates.len().max(1) - 1) as f64 * share).round() as usize);
    match (quantile(0.025), quantile(0.975)) {
        (Some(&low), Some(&high)) if high > 0.0 => [low, high],
        _ => [0.0, 1.0 - 0.05_f64.powf(1.0 / people.max(1) as f64)],
    }
}

/// The pairs of a protocol by distance.
struct Sorted {
    genuine: Vec<Pair>,
    impostor: Vec<Pair>,
    /// How many pairs there are of each two people.
    genuine_counts: BTreeMap<[u32; 2], u64>,
    impostor_counts: BTreeMap<[u32; 2], u64>,
}

impl Sorted {
    fn new(trials: &Trials) -> Self {
        let sorted = |pairs: &[Pair]| {
            let mut pairs = pairs.to_vec();
            pairs.sort_unstable_by(|a, b| a.distance.total_cmp(&b.distance));
            pairs
        };
        Self {
            genuine: sorted(&trials.genuine),
            impostor: sorted(&trials.impostor),
            genuine_counts: counts(&trials.genuine),
            impostor_counts: counts(&trials.impostor),
        }
    }

    /// Of how many people there are genuine pairs.
    fn people(&self) -> usize {
        self.genuine_counts.len()
    }

    fn drawn(&self, weights: &[u32], trials: &Trials, levels: &[f64]) -> Draw {
        let failed = failed(&trials.attempts, weights);
        let [genuine, impostor] =
            [&self.genuine_counts, &self.impostor_counts].map(|counts| total(counts, weights));
        if genuine == 0 || impostor == 0 {
            return Draw { equal: None, missed: Vec::new(), failed };
        }
        let walk = Walk { pairs: self, weights, genuine, impostor };
        Draw { equal: Some(walk.equal()), missed: walk.missed(levels), failed }
    }
}

fn counts(pairs: &[Pair]) -> BTreeMap<[u32; 2], u64> {
    let mut counts = BTreeMap::new();
    for pair in pairs {
        *counts.entry(pair.people).or_default() += 1;
    }
    counts
}

/// How often a pair of these two counts.
fn weight([one, other]: [u32; 2], weights: &[u32]) -> u64 {
    let [first, second] = [one, other].map(|person| u64::from(weights[person as usize]));
    if one == other { first } else { first * second }
}

fn total(counts: &BTreeMap<[u32; 2], u64>, weights: &[u32]) -> u64 {
    counts.iter().map(|(&people, count)| weight(people, weights) * count).sum()
}

fn failed(attempts: &[Attempts], weights: &[u32]) -> Option<f64> {
    let sum = |of: fn(&Attempts) -> u32| -> u64 {
        attempts.iter().zip(weights).map(|(attempts, &weight)| u64::from(of(attempts) * weight)).sum()
    };
    let (made, failed) = (sum(|attempts| attempts.made), sum(|attempts| attempts.failed));
    (made > 0).then(|| failed as f64 / made as f64)
}

/// One draw's way through the sorted pairs.
struct Walk<'a> {
    pairs: &'a Sorted,
    weights: &'a [u32],
    genuine: u64,
    impostor: u64,
}

impl Walk<'_> {
    /// The equal error rate, defined as in [`super::ErrorRates::equal`].
    fn equal(&self) -> f64 {
        let (genuine, impostor) = (&self.pairs.genuine[..], &self.pairs.impostor[..]);
        let (mut g, mut i, mut matched, mut passed) = (0, 0, 0, 0);
        let (mut best_gap, mut best) = (f64::INFINITY, 1.0);
        let next = |pairs: &[Pair], at: usize| pairs.get(at).map_or(f64::INFINITY, |pair| pair.distance);
        while g < genuine.len() || i < impostor.len() {
            let threshold = next(genuine, g).min(next(impostor, i));
            let before = matched + passed;
            matched += self.take(genuine, &mut g, |distance| distance <= threshold);
            passed += self.take(impostor, &mut i, |distance| distance <= threshold);
            if matched + passed == before {
                continue; // pairs of people who were not drawn
            }
            let (fmr, fnmr) = (self.fmr(passed), 1.0 - matched as f64 / self.genuine as f64);
            let gap = (fmr - fnmr).abs();
            if gap < best_gap {
                (best_gap, best) = (gap, f64::midpoint(fmr, fnmr));
            }
            if fmr >= fnmr {
                break;
            }
        }
        best
    }

    /// The FNMR at each level of FMR, defined as in [`super::ErrorRates::fnmr_at`].
    fn missed(&self, levels: &[f64]) -> Vec<f64> {
        let (genuine, impostor) = (&self.pairs.genuine[..], &self.pairs.impostor[..]);
        let (mut g, mut i, mut matched, mut passed) = (0, 0, 0, 0);
        let missed = |&level: &f64| {
            let allowed = (level * self.impostor as f64).floor() as u64;
            while let Some(pair) = impostor.get(i) {
                let with = passed + weight(pair.people, self.weights);
                if with > allowed {
                    break;
                }
                (passed, i) = (with, i + 1);
            }
            let Some(first_too_many) = impostor.get(i) else { return 0.0 };
            matched += self.take(genuine, &mut g, |distance| distance < first_too_many.distance);
            1.0 - matched as f64 / self.genuine as f64
        };
        levels.iter().map(missed).collect()
    }

    fn fmr(&self, passed: u64) -> f64 {
        passed as f64 / self.impostor as f64
    }

    /// Moves `at` past all pairs within reach; their weight.
    fn take(&self, pairs: &[Pair], at: &mut usize, within: impl Fn(f64) -> bool) -> u64 {
        let rest = &pairs[*at..];
        let taken = rest.iter().take_while(|pair| within(pair.distance));
        let (count, weight) =
            taken.fold((0, 0), |(count, sum), pair| (count + 1, sum + weight(pair.people, self.weights)));
        *at += count;
        weight
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::evaluate::ErrorRates;

    const PEOPLE: u32 = 6;

    fn pairs(genuine: bool) -> impl Strategy<Value = Vec<Pair>> {
        let pair = (0..PEOPLE, 0..PEOPLE, 0_u32..40).prop_map(move |(a, b, distance)| Pair {
            people: [a, if genuine { a } else { b }],
            distance: f64::from(distance) / 80.0,
        });
        prop::collection::vec(pair, 1..60)
    }

    fn trials(genuine: Vec<Pair>, impostor: Vec<Pair>) -> Trials {
        let attempts = vec![Attempts { made: 4, failed: 1 }; PEOPLE as usize];
        Trials { genuine, impostor, incomparable: 0, attempts }
    }

    /// Each pair written down as often as it counts.
    fn repeated(pairs: &[Pair], weights: &[u32]) -> Vec<f64> {
        pairs
            .iter()
            .flat_map(|p| std::iter::repeat_n(p.distance, weight(p.people, weights) as usize))
            .collect()
    }

    proptest! {
        /// The definition of the rates, given every pair as often as it counts, is the oracle of the walk.
        #[test]
        fn a_walk_by_weights_is_the_rate_of_repeated_pairs(
            genuine in pairs(true), impostor in pairs(false),
            weights in prop::collection::vec(0_u32..4, PEOPLE as usize),
        ) {
            let levels = [0.0, 0.01, 0.1, 0.25, 0.5, 1.0];
            let trials = trials(genuine, impostor);
            let draw = Sorted::new(&trials).drawn(&weights, &trials, &levels);
            let lists = (repeated(&trials.genuine, &weights), repeated(&trials.impostor, &weights));
            if lists.0.is_empty() || lists.1.is_empty() {
                prop_assert!(draw.equal.is_none() && draw.missed.is_empty());
            } else {
                let rates = ErrorRates::new(lists.0, lists.1);
                prop_assert!((draw.equal.unwrap() - rates.equal()).abs() < 1e-9);
                for (missed, level) in draw.missed.iter().zip(levels) {
                    prop_assert!((missed - rates.fnmr_at(level)).abs() < 1e-9, "at {}", level);
                }
            }
        }
    }

    #[test]
    fn the_seed_decides_and_threads_do_not() {
        let pair = |a, b, distance| Pair { people: [a, b], distance };
        let trials = trials(
            (0..PEOPLE).map(|a| pair(a, a, 0.1 + 0.06 * f64::from(a))).collect(),
            (0..PEOPLE).map(|a| pair(a, (a + 1) % PEOPLE, 0.5 - 0.05 * f64::from(a))).collect(),
        );
        let on = |threads, seed| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let resampling = Resampling { resamples: 200, seed };
            format!("{:?}", pool.install(|| intervals(&trials, &[0.1], resampling)))
        };
        assert_eq!(on(1, 7), on(3, 7));
        assert_ne!(on(1, 7), on(1, 8));
    }

    #[test]
    fn an_interval_of_one_share_is_that_of_the_binomial() {
        // 100 people, one attempt each, 20 fail: the bootstrap draws from the binomial distribution of 100 and 0.2, whose
        // 2.5 % and 97.5 % quantiles are 13 and 28.
        let attempts = (0..100).map(|person| Attempts { made: 1, failed: u32::from(person < 20) }).collect();
        let people = |distance| (0..100).map(|a| Pair { people: [a, a], distance }).collect();
        let trials = Trials { genuine: people(0.1), impostor: people(0.5), incomparable: 0, attempts };
        let Intervals { equal, missed, failed } =
            intervals(&trials, &[1e-3], Resampling { resamples: 4000, seed: 1 });
        assert!((failed[0] - 0.13).abs() < 0.015 && (failed[1] - 0.28).abs() < 0.015, "{failed:?}");
        // Nobody was missed: at most 3 of 100 people would be, with 95 % confidence.
        for [low, high] in [equal, missed[0]] {
            assert!(low == 0.0 && (high - 0.0295).abs() < 1e-4, "{low} … {high}");
        }
    }
}

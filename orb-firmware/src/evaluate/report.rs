//! The figures of one evaluation, as data (JSON) and as a table for people.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

use super::bootstrap::{self, Interval, Resampling};
use super::images::{Failure, Shot};
use super::protocol::{Attempts, Pair, Trials};
use super::{ErrorRates, Options, Spread};
use crate::gate;
use crate::manifest::RowError;

/// A row that could not be used at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RowFailure {
    /// Its number in the manifest, from 1.
    pub row: usize,
    /// Why; never with the name of a file or a person.
    pub reason: String,
}

/// How many images were refused, by the kind of refusal.
pub type Refusals = BTreeMap<String, usize>;

/// What one protocol gave. Rates are shares from 0 to 1.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// Failure to enroll: share of what was asked for that could not be compared at all. Readable images that were
    /// refused; both eyes of a moment with one of them refused; eyes of three images that were not enrolled.
    pub fte: f64,
    /// Compared pairs of the same eye, or of the same person where both eyes are shown.
    pub genuine_pairs: usize,
    /// Compared pairs of others.
    pub impostor_pairs: usize,
    /// Pairs whose masks overlap too little; in no rate.
    pub incomparable_pairs: usize,
    /// Equal error rate.
    pub eer: f64,
    /// Share of genuine pairs missed where so many impostors pass.
    pub fnmr_at_fmr: BTreeMap<&'static str, f64>,
    /// The distance that a limit has to lie below for so many impostors to pass: what limits are chosen from.
    pub limit_at_fmr: BTreeMap<&'static str, Option<f64>>,
    /// Separation of the two distributions.
    pub d_prime: f64,
    /// Distances of genuine pairs.
    pub genuine: Spread,
    /// Distances of impostor pairs.
    pub impostor: Spread,
    /// How far the rates would move with other people: 95 % intervals.
    pub intervals: OutcomeIntervals,
    /// For pictures.
    #[serde(skip)]
    pub(super) curves: Curves,
}

/// 95 % intervals of the rates of the same names.
#[derive(Debug, Clone, Serialize)]
pub struct OutcomeIntervals {
    /// Of [`Outcome::fte`].
    pub fte: Interval,
    /// Of [`Outcome::eer`].
    pub eer: Interval,
    /// Of [`Outcome::fnmr_at_fmr`].
    pub fnmr_at_fmr: BTreeMap<&'static str, Interval>,
}

/// What pictures need beyond the figures.
#[derive(Debug, Clone)]
pub(super) struct Curves {
    /// FMR, FNMR, and the interval of the latter, with rising FMR.
    pub(super) trade: Vec<(f64, f64, Interval)>,
    /// Shares of genuine and impostor distances in [`BINS`] steps up to [`FARTHEST`].
    pub(super) histograms: [Vec<f64>; 2],
}

/// Steps of the histograms.
pub(super) const BINS: usize = 120;
/// Where the histograms end: unrelated codes lie at one half at most, with some spread.
pub(super) const FARTHEST: f64 = 0.6;

/// The figures of one evaluation: single images against single images at the top, the other protocols below.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Images that could be read.
    pub images: usize,
    /// People in them.
    pub people: usize,
    /// Eyes in them.
    pub eyes: usize,
    /// How templates were compared: the name of a [`unum_iris::Measure`].
    pub distance: &'static str,
    /// How the intervals were found.
    pub bootstrap: Resampling,
    /// One image against one image, one eye.
    #[serde(flatten)]
    pub single: Outcome,
    /// Both eyes against both eyes; nothing where the manifest shows too few people so.
    pub both_eyes: Option<Outcome>,
    /// One image against an eye enrolled from three; nothing where the manifest has too few images of an eye.
    pub three_enrolled: Option<Outcome>,
    /// Image to template, milliseconds.
    pub ms_per_image_median: f64,
    /// The same, exceeded by one image in twenty.
    pub ms_per_image_p95: f64,
    /// Refused images by kind.
    pub refused: Refusals,
    /// Rows of the manifest that could not be used.
    pub failed_rows: Vec<RowFailure>,
    /// Image to template of each readable image, milliseconds, rising; for pictures.
    #[serde(skip)]
    pub(super) milliseconds: Vec<f64>,
}

/// Levels of FMR at which rates are reported, rising.
const LEVELS: [(&str, f64); 3] = [("1e-4", 1e-4), ("1e-3", 1e-3), ("1e-2", 1e-2)];

impl Outcome {
    /// The rates of a protocol, if it compared anything.
    pub(super) fn of(trials: Trials, resampling: Resampling) -> Option<Self> {
        if trials.genuine.is_empty() || trials.impostor.is_empty() {
            return None;
        }
        let drawn = curve_levels(trials.impostor.len());
        let levels: Vec<f64> = LEVELS.iter().map(|(_, fmr)| *fmr).collect();
        let bands = bootstrap::intervals(&trials, &drawn, resampling).missed;
        let intervals = bootstrap::intervals(&trials, &levels, resampling);
        let sum = |of: fn(&Attempts) -> u32| trials.attempts.iter().map(of).sum::<u32>();
        let (made, failed) = (sum(|attempts| attempts.made), sum(|attempts| attempts.failed));
        let distances = |pairs: Vec<Pair>| pairs.into_iter().map(|pair| pair.distance).collect();
        let rates = ErrorRates::new(distances(trials.genuine), distances(trials.impostor));
        let trade = drawn.iter().zip(bands).map(|(&fmr, band)| (fmr, rates.fnmr_at(fmr), band)).collect();
        Some(Self {
            fte: f64::from(failed) / f64::from(made),
            genuine_pairs: rates.genuine_pairs(),
            impostor_pairs: rates.impostor_pairs(),
            incomparable_pairs: trials.incomparable,
            eer: rates.equal(),
            fnmr_at_fmr: LEVELS.map(|(name, fmr)| (name, rates.fnmr_at(fmr))).into(),
            limit_at_fmr: LEVELS.map(|(name, fmr)| (name, rates.limit_at(fmr))).into(),
            d_prime: rates.d_prime(),
            genuine: rates.genuine_spread(),
            impostor: rates.impostor_spread(),
            intervals: OutcomeIntervals {
                fte: intervals.failed,
                eer: intervals.equal,
                fnmr_at_fmr: LEVELS.iter().map(|(name, _)| *name).zip(intervals.missed).collect(),
            },
            curves: Curves { trade, histograms: rates.histograms(BINS, FARTHEST) },
        })
    }

    /// The rates by name, each with its interval.
    pub(super) fn rates(&self) -> Vec<(String, f64, Interval)> {
        let mut rates = vec![
            ("refused".to_owned(), self.fte, self.intervals.fte),
            ("equal error rate".to_owned(), self.eer, self.intervals.eer),
        ];
        rates.extend(LEVELS.iter().rev().map(|&(name, _)| {
            (format!("missed at FMR {name}"), self.fnmr_at_fmr[name], self.intervals.fnmr_at_fmr[name])
        }));
        rates
    }
}

/// Levels of FMR at which a curve is drawn, twenty a decade, from one impostor pair to one in ten.
fn curve_levels(impostors: usize) -> Vec<f64> {
    let lowest = (impostors as f64).log10();
    let steps = ((lowest - 1.0).max(0.0) * 20.0) as usize;
    (0..=steps).rev().map(|step| 10_f64.powf(-1.0 - step as f64 / 20.0)).collect()
}

impl Report {
    pub(super) fn new(
        row_errors: &[RowError],
        shots: &[Shot],
        options: &Options,
        single: Outcome,
        [both_eyes, three_enrolled]: [Option<Outcome>; 2],
    ) -> Self {
        let readable: Vec<&Shot> = shots.iter().filter(|shot| shot.is_readable()).collect();
        let mut refused = Refusals::new();
        for shot in shots {
            if let Err(Failure::Refused(error)) = &shot.outcome {
                *refused.entry(gate::name(error)).or_default() += 1;
            }
        }
        let people: BTreeSet<_> = readable.iter().map(|shot| &shot.row.person).collect();
        let eyes: BTreeSet<_> = readable.iter().map(|shot| shot.owner()).collect();
        let took = sorted_milliseconds(&readable);
        Self {
            images: readable.len(),
            people: people.len(),
            eyes: eyes.len(),
            distance: options.measure.name(),
            bootstrap: options.resampling,
            single,
            both_eyes,
            three_enrolled,
            ms_per_image_median: took[took.len() / 2],
            ms_per_image_p95: took[took.len() * 95 / 100],
            refused,
            failed_rows: failed_rows(row_errors, shots),
            milliseconds: took,
        }
    }

    /// The protocols that compared anything, by name.
    pub(super) fn outcomes(&self) -> Vec<(&'static str, &Outcome)> {
        let named = [
            ("single image", Some(&self.single)),
            ("both eyes", self.both_eyes.as_ref()),
            ("three images enrolled", self.three_enrolled.as_ref()),
        ];
        named.into_iter().filter_map(|(name, outcome)| Some((name, outcome?))).collect()
    }
}

fn failed_rows(row_errors: &[RowError], shots: &[Shot]) -> Vec<RowFailure> {
    let bad =
        row_errors.iter().map(|error| RowFailure { row: error.number, reason: error.reason.to_string() });
    let unreadable = shots.iter().filter_map(|shot| match &shot.outcome {
        Err(Failure::Unreadable(reason)) => Some(RowFailure { row: shot.row.number, reason: reason.clone() }),
        _ => None,
    });
    let mut failed: Vec<RowFailure> = bad.chain(unreadable).collect();
    failed.sort_by_key(|failure| failure.row);
    failed
}

fn sorted_milliseconds(shots: &[&Shot]) -> Vec<f64> {
    let mut took: Vec<f64> = shots.iter().filter_map(|shot| Some(shot.took?.as_secs_f64() * 1e3)).collect();
    took.sort_unstable_by(f64::total_cmp);
    took
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "images                 {:>9}", self.images)?;
        writeln!(f, "people                 {:>9}", self.people)?;
        writeln!(f, "eyes                   {:>9}", self.eyes)?;
        for (kind, count) in &self.refused {
            writeln!(f, "  {kind:<20} {count:>9}")?;
        }
        writeln!(f, "ms an image, median    {:>9.1}", self.ms_per_image_median)?;
        writeln!(f, "ms an image, p95       {:>9.1}", self.ms_per_image_p95)?;
        let Resampling { resamples, seed } = self.bootstrap;
        writeln!(f, "distance               {:>9}", self.distance)?;
        writeln!(f, "intervals of 95 %, {resamples} resamples of people, seed {seed}")?;
        for (name, outcome) in self.outcomes() {
            write!(f, "\n{name}\n{outcome}")?;
        }
        for failure in &self.failed_rows {
            writeln!(f, "row {}: {}", failure.row, failure.reason)?;
        }
        Ok(())
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, rate, [low, high]) in self.rates() {
            let percent = |share: f64| format!("{:.2}", 100.0 * share);
            let (rate, low, high) = (percent(rate), percent(low), percent(high));
            writeln!(f, "  {name:<20} {rate:>9} %  ({low} … {high})")?;
        }
        writeln!(f, "  genuine pairs        {:>9}", self.genuine_pairs)?;
        writeln!(f, "  impostor pairs       {:>9}", self.impostor_pairs)?;
        writeln!(f, "  incomparable pairs   {:>9}", self.incomparable_pairs)?;
        writeln!(f, "  genuine distance     {}", self.genuine)?;
        writeln!(f, "  impostor distance    {}", self.impostor)?;
        for (name, limit) in self.limit_at_fmr.iter().rev() {
            let limit = limit.map_or("–".to_owned(), |limit| format!("{limit:.4}"));
            writeln!(f, "  limit at FMR {name}    {limit:>9}")?;
        }
        writeln!(f, "  d'                   {:>9.2}", self.d_prime)
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { mean, deviation, least, median, most, .. } = self;
        write!(f, "{mean:.3} ± {deviation:.3} ({least:.3} … {median:.3} … {most:.3})")
    }
}

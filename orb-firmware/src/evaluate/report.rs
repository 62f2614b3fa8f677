//! The figures of one evaluation, as data (JSON) and as a table for people.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

use super::{ErrorRates, Failure, Scores, Shot, Spread, owner};
use crate::manifest::RowError;
use crate::pipeline::CaptureError;

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

/// The figures of one evaluation. Rates are shares from 0 to 1.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Images that could be read.
    pub images: usize,
    /// People in them.
    pub people: usize,
    /// Eyes in them.
    pub eyes: usize,
    /// Failure to enroll: share of the readable images that were refused.
    pub fte: f64,
    /// Compared pairs of one eye.
    pub genuine_pairs: usize,
    /// Compared pairs of two eyes.
    pub impostor_pairs: usize,
    /// Pairs whose masks overlap too little; in no rate.
    pub incomparable_pairs: usize,
    /// Equal error rate.
    pub eer: f64,
    /// Share of genuine pairs missed where so many impostors pass.
    pub fnmr_at_fmr: BTreeMap<&'static str, f64>,
    /// Separation of the two distributions.
    pub d_prime: f64,
    /// Image to template, milliseconds.
    pub ms_per_image_median: f64,
    /// The same, exceeded by one image in twenty.
    pub ms_per_image_p95: f64,
    /// Distances of genuine pairs.
    pub genuine: Spread,
    /// Distances of impostor pairs.
    pub impostor: Spread,
    /// Refused images by kind.
    pub refused: Refusals,
    /// Rows of the manifest that could not be used.
    pub failed_rows: Vec<RowFailure>,
}

impl Report {
    pub(super) fn new(row_errors: &[RowError], shots: &[Shot], scores: Scores) -> Self {
        let readable: Vec<&Shot> = shots.iter().filter(|shot| shot.took.is_some()).collect();
        let mut refused = Refusals::new();
        for shot in shots {
            if let Err(Failure::Refused(error)) = &shot.outcome {
                *refused.entry(kind(error)).or_default() += 1;
            }
        }
        let people: BTreeSet<_> = readable.iter().map(|shot| &shot.row.person).collect();
        let eyes: BTreeSet<_> = readable.iter().map(|shot| owner(&shot.row)).collect();
        let took = sorted_milliseconds(&readable);
        let rates = ErrorRates::new(scores.genuine, scores.impostor);
        let fnmr_at = [("1e-2", 1e-2), ("1e-3", 1e-3), ("1e-4", 1e-4)];
        Self {
            images: readable.len(),
            people: people.len(),
            eyes: eyes.len(),
            fte: refused.values().sum::<usize>() as f64 / readable.len() as f64,
            genuine_pairs: rates.genuine_pairs(),
            impostor_pairs: rates.impostor_pairs(),
            incomparable_pairs: scores.incomparable,
            eer: rates.equal(),
            fnmr_at_fmr: fnmr_at.map(|(name, fmr)| (name, rates.fnmr_at(fmr))).into(),
            d_prime: rates.d_prime(),
            ms_per_image_median: took[took.len() / 2],
            ms_per_image_p95: took[took.len() * 95 / 100],
            genuine: rates.genuine_spread(),
            impostor: rates.impostor_spread(),
            refused,
            failed_rows: failed_rows(row_errors, shots),
        }
    }
}

/// The name of a refusal, without its values.
fn kind(error: &CaptureError) -> String {
    let name = match error {
        CaptureError::Refused(refusal) => format!("{refusal:?}"),
        CaptureError::Imaging(_) => "Imaging".to_owned(),
    };
    name.split([' ', '{', '(']).next().unwrap_or_default().to_owned()
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
        let percent = |share: f64| format!("{:.2} %", 100.0 * share);
        writeln!(f, "images               {:>12}", self.images)?;
        writeln!(f, "people               {:>12}", self.people)?;
        writeln!(f, "eyes                 {:>12}", self.eyes)?;
        writeln!(f, "refused              {:>12}", percent(self.fte))?;
        for (kind, count) in &self.refused {
            writeln!(f, "  {kind:<18} {count:>12}")?;
        }
        writeln!(f, "genuine pairs        {:>12}", self.genuine_pairs)?;
        writeln!(f, "impostor pairs       {:>12}", self.impostor_pairs)?;
        writeln!(f, "incomparable pairs   {:>12}", self.incomparable_pairs)?;
        writeln!(f, "equal error rate     {:>12}", percent(self.eer))?;
        for (fmr, fnmr) in self.fnmr_at_fmr.iter().rev() {
            writeln!(f, "missed at FMR {fmr}   {:>12}", percent(*fnmr))?;
        }
        writeln!(f, "d'                   {:>12.2}", self.d_prime)?;
        writeln!(f, "genuine distance     {:>12}", self.genuine.to_string())?;
        writeln!(f, "impostor distance    {:>12}", self.impostor.to_string())?;
        writeln!(f, "ms an image, median  {:>12.1}", self.ms_per_image_median)?;
        writeln!(f, "ms an image, p95     {:>12.1}", self.ms_per_image_p95)?;
        for failure in &self.failed_rows {
            writeln!(f, "row {}: {}", failure.row, failure.reason)?;
        }
        Ok(())
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { mean, deviation, least, median, most, .. } = self;
        write!(f, "{mean:.3} ± {deviation:.3} ({least:.3} … {median:.3} … {most:.3})")
    }
}

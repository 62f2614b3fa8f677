//! Error rates from two lists of distances.
//!
//! FMR at a threshold is the share of impostor distances at or below it, FNMR the share of genuine distances above it
//! (ISO/IEC 19795-1). Knows nothing about where the distances come from.

use serde::Serialize;

/// Error rates over genuine and impostor distances.
#[derive(Debug)]
pub struct ErrorRates {
    genuine: Vec<f64>,
    impostor: Vec<f64>,
}

/// How a list of distances is spread.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// Mean.
    pub mean: f64,
    /// Standard deviation.
    pub deviation: f64,
    /// Smallest.
    pub least: f64,
    /// One in a thousand is smaller.
    pub q001: f64,
    /// One in a hundred is smaller.
    pub q01: f64,
    /// Half are smaller.
    pub median: f64,
    /// One in a hundred is larger.
    pub q99: f64,
    /// One in a thousand is larger.
    pub q999: f64,
    /// Largest.
    pub most: f64,
}

impl ErrorRates {
    /// Of two lists, neither empty and neither with a NaN.
    pub fn new(mut genuine: Vec<f64>, mut impostor: Vec<f64>) -> Self {
        assert!(!genuine.is_empty() && !impostor.is_empty(), "no rate of nothing");
        genuine.sort_unstable_by(f64::total_cmp);
        impostor.sort_unstable_by(f64::total_cmp);
        Self { genuine, impostor }
    }

    /// How many genuine distances there are.
    pub fn genuine_pairs(&self) -> usize {
        self.genuine.len()
    }

    /// How many impostor distances there are.
    pub fn impostor_pairs(&self) -> usize {
        self.impostor.len()
    }

    /// Share of impostors at or below `threshold`.
    pub fn fmr(&self, threshold: f64) -> f64 {
        self.impostor.partition_point(|&d| d <= threshold) as f64 / self.impostor.len() as f64
    }

    /// Share of genuine pairs above `threshold`.
    pub fn fnmr(&self, threshold: f64) -> f64 {
        1.0 - self.genuine.partition_point(|&d| d <= threshold) as f64 / self.genuine.len() as f64
    }

    /// The FNMR at the largest threshold whose FMR is at most `fmr`.
    pub fn fnmr_at(&self, fmr: f64) -> f64 {
        let Some(below) = self.limit_at(fmr) else { return 0.0 };
        let matched = self.genuine.partition_point(|&d| d < below);
        1.0 - matched as f64 / self.genuine.len() as f64
    }

    /// The distance that a threshold has to lie below for its FMR to be at most `fmr`: that of the first impostor too
    /// many. `None` where no impostor is one too many.
    pub fn limit_at(&self, fmr: f64) -> Option<f64> {
        let allowed = (fmr * self.impostor.len() as f64).floor() as usize;
        self.impostor.get(allowed).copied()
    }

    /// The rate at which FMR and FNMR are equal; between the thresholds around the crossing, the mean of both.
    pub fn equal(&self) -> f64 {
        let mut thresholds: Vec<f64> = self.genuine.iter().chain(&self.impostor).copied().collect();
        thresholds.sort_unstable_by(f64::total_cmp);
        let mut best = (f64::INFINITY, 1.0);
        for threshold in thresholds {
            let (fmr, fnmr) = (self.fmr(threshold), self.fnmr(threshold));
            let gap = (fmr - fnmr).abs();
            if gap < best.0 {
                best = (gap, f64::midpoint(fmr, fnmr));
            }
        }
        best.1
    }

    /// Shares of genuine and of impostor distances in `bins` equal steps from 0 to `end`; what lies beyond is in the last.
    pub(crate) fn histograms(&self, bins: usize, end: f64) -> [Vec<f64>; 2] {
        [&self.genuine, &self.impostor].map(|list| {
            let mut shares = vec![0.0; bins];
            for distance in list {
                let bin = ((distance / end * bins as f64).max(0.0) as usize).min(bins - 1);
                shares[bin] += 1.0 / list.len() as f64;
            }
            shares
        })
    }

    /// Distance of the means in units of the pooled deviation (Daugman 2004, section 5).
    pub fn d_prime(&self) -> f64 {
        let (genuine, impostor) = (self.genuine_spread(), self.impostor_spread());
        let variance = f64::midpoint(genuine.deviation.powi(2), impostor.deviation.powi(2));
        (genuine.mean - impostor.mean).abs() / variance.sqrt()
    }

    /// How the genuine distances are spread.
    pub fn genuine_spread(&self) -> Spread {
        Spread::of(&self.genuine)
    }

    /// How the impostor distances are spread.
    pub fn impostor_spread(&self) -> Spread {
        Spread::of(&self.impostor)
    }
}

impl Spread {
    fn of(sorted: &[f64]) -> Self {
        let count = sorted.len() as f64;
        let mean = sorted.iter().sum::<f64>() / count;
        let variance = sorted.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / count;
        let quantile = |share: f64| sorted[((count - 1.0) * share).round() as usize];
        Self {
            mean,
            deviation: variance.sqrt(),
            least: quantile(0.0),
            q001: quantile(0.001),
            q01: quantile(0.01),
            median: quantile(0.5),
            q99: quantile(0.99),
            q999: quantile(0.999),
            most: quantile(1.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-12, "{a} is not {b}");
    }

    #[test]
    fn apart_lists_have_no_errors() {
        let rates = ErrorRates::new(vec![0.1, 0.2], vec![0.45, 0.5]);
        close(rates.equal(), 0.0);
        close(rates.fnmr_at(0.0), 0.0);
        close(rates.fnmr_at(1.0), 0.0);
        close(rates.d_prime(), 0.325 / (f64::midpoint(0.05_f64.powi(2), 0.025_f64.powi(2))).sqrt());
    }

    #[test]
    fn rates_by_hand() {
        let rates = ErrorRates::new(vec![0.1, 0.2, 0.3, 0.45], vec![0.4, 0.5, 0.5, 0.6]);
        close(rates.fmr(0.4), 0.25);
        close(rates.fnmr(0.4), 0.25);
        close(rates.equal(), 0.25);
        close(rates.fnmr_at(0.0), 0.25);
        close(rates.fnmr_at(0.25), 0.0);
    }

    #[test]
    fn an_impostor_at_the_threshold_is_a_match() {
        let rates = ErrorRates::new(vec![0.3], vec![0.3, 0.5]);
        close(rates.fmr(0.3), 0.5);
        close(rates.fnmr_at(0.0), 1.0); // no threshold lets 0.3 pass and 0.3 not
        close(rates.fnmr_at(0.5), 0.0);
        assert_eq!(
            [0.0, 0.4, 0.5, 1.0].map(|fmr| rates.limit_at(fmr)),
            [Some(0.3), Some(0.3), Some(0.5), None]
        );
    }
}

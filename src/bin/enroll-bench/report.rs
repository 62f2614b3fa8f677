//! What was measured, for people and for programs.

use std::fmt;
use std::time::Duration;

use serde_json::json;

/// Times from an envelope to its verdict.
pub(crate) struct Report {
    pub(crate) people: u64,
    pub(crate) in_flight: u32,
    pub(crate) kernel: &'static str,
    pub(crate) threads: usize,
    /// From the start of the servers to the first request they take, with segments made of all rows.
    pub(crate) ready: Duration,
    /// Median of newcomers who come one at a time.
    pub(crate) alone: Duration,
    pub(crate) median: Duration,
    pub(crate) p99: Duration,
    pub(crate) per_hour: f64,
}

impl Report {
    /// The slowest of a hundred, beside how long each would wait if those in flight were compared one after the other.
    fn p99_to_one_by_one(&self) -> f64 {
        self.p99.as_secs_f64() / (self.alone.as_secs_f64() * f64::from(self.in_flight))
    }

    pub(crate) fn to_json(&self) -> String {
        let ms = |time: Duration| (time.as_secs_f64() * 1e4).round() / 10.0;
        let report = json!({
            "people": self.people,
            "in_flight": self.in_flight,
            "kernel": self.kernel,
            "threads": self.threads,
            "ready_ms": ms(self.ready),
            "alone_ms": ms(self.alone),
            "p50_ms": ms(self.median),
            "p99_ms": ms(self.p99),
            "p99_to_one_by_one": (self.p99_to_one_by_one() * 1e3).round() / 1e3,
            "newcomers_per_hour": self.per_hour.round(),
        });
        report.to_string()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { people, in_flight, kernel, threads, .. } = self;
        writeln!(f, "{people} people, {kernel} on {threads} threads, ready after {:.1?}", self.ready)?;
        writeln!(f, "one newcomer at a time       {:>9.0?}", self.alone)?;
        writeln!(f, "{in_flight} in flight: half wait less {:>9.0?}", self.median)?;
        writeln!(f, "            99 in 100 less   {:>9.0?}", self.p99)?;
        writeln!(f, "            to one by one    {:>9.2}", self.p99_to_one_by_one())?;
        write!(f, "newcomers an hour            {:>9.0}", self.per_hour)
    }
}

/// The value below which this share of `times` lies.
pub(crate) fn quantile(times: &[Duration], share: f64) -> Duration {
    let mut times = times.to_vec();
    times.sort_unstable();
    times[((times.len() as f64 * share).ceil() as usize).clamp(1, times.len()) - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_one_of_those_measured() {
        let times: Vec<_> = (1..=100).rev().map(Duration::from_millis).collect();
        assert_eq!([0.0, 0.5, 0.99, 1.0].map(|share| quantile(&times, share).as_millis()), [1, 50, 99, 100]);
        assert_eq!(quantile(&times[..1], 0.99).as_millis(), 100);
    }
}

//! Numbers about the server for Prometheus. Nothing in them is about a person: no id, no commitment, no distance.
//!
//! The recorder belongs to one server and is not the process's global one, so that several services can run in
//! one process and each shows its own numbers.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use metrics::{counter, gauge, histogram, with_local_recorder};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusRecorder};

/// Bounds of histograms in seconds: a transaction takes about a millisecond, a scan of a million people seconds.
const SECONDS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Where the numbers go.
#[derive(Clone)]
pub(crate) struct Metrics(Arc<PrometheusRecorder>);

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

/// A part of an enrollment that takes time.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stage {
    /// Reading and checking the envelope.
    Envelope,
    /// Opening the seal, reading the eyes.
    Open,
    /// Comparing with everyone.
    Scan,
    /// The deciding transaction.
    Settle,
}

impl Stage {
    fn name(self) -> &'static str {
        match self {
            Self::Envelope => "envelope",
            Self::Open => "open",
            Self::Scan => "scan",
            Self::Settle => "settle",
        }
    }
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let builder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), SECONDS)
            .expect("the list of bounds is not empty");
        Self(Arc::new(builder.build_recorder()))
    }

    fn record(&self, record: impl FnOnce()) {
        with_local_recorder(&*self.0, record);
    }

    /// How an enrollment ended: `enrolled`, `review`, or the code of a problem.
    pub(crate) fn enrollment(&self, outcome: &str) {
        self.record(|| counter!("enroll_enrollments_total", "outcome" => outcome.to_owned()).increment(1));
    }

    pub(crate) fn stage(&self, stage: Stage, took: Duration) {
        self.record(|| histogram!("enroll_stage_seconds", "stage" => stage.name()).record(took));
    }

    /// How a verification ended: `verified`, or the code of a problem.
    pub(crate) fn verification(&self, outcome: &str) {
        self.record(|| counter!("enroll_verifications_total", "outcome" => outcome.to_owned()).increment(1));
    }

    pub(crate) fn transaction(&self, name: &'static str, ok: bool, attempts: u32, took: Duration) {
        self.record(|| {
            let result = if ok { "ok" } else { "error" };
            histogram!("enroll_transaction_seconds", "name" => name, "result" => result).record(took);
            counter!("enroll_transaction_repeats_total", "name" => name).increment(u64::from(attempts - 1));
        });
    }

    /// `route` is the pattern, never the path that was asked for.
    pub(crate) fn request(&self, route: &str, status: u16, took: Duration) {
        self.record(|| {
            let (route, status) = (route.to_owned(), status.to_string());
            histogram!("enroll_request_seconds", "route" => route, "status" => status).record(took);
        });
    }

    pub(crate) fn set_size(&self, leaves: u64) {
        self.record(|| gauge!("enroll_set_leaves").set(leaves as f64));
    }

    /// The text that Prometheus reads.
    pub(crate) fn render(&self) -> String {
        self.0.handle().render()
    }

    /// Folds what histograms have collected; to be called now and then even if nobody asks for the text.
    pub(crate) fn upkeep(&self) {
        self.0.handle().run_upkeep();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_servers_in_one_process_count_apart() {
        let (one, other) = (Metrics::new(), Metrics::new());
        one.enrollment("enrolled");
        one.stage(Stage::Scan, Duration::from_millis(3));
        assert!(one.render().contains("enroll_enrollments_total{outcome=\"enrolled\"} 1"));
        assert!(one.render().contains("enroll_stage_seconds_bucket{stage=\"scan\",le=\"0.005\"} 1"));
        assert!(!other.render().contains("enrolled"));
    }
}

//! Numbers for operators, in Prometheus' text form. One recorder a server, so that two servers in a process do not mix.
//!
//! No number belongs to one person: labels are routes, statuses, and names that stand in the source.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use metrics::{Key, Label, Level, Metadata, Recorder as _};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusRecorder};

/// Bounds of the time histograms in seconds: from a lookup to the timeout of a request.
const SECONDS: [f64; 13] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Bounds of the histograms of sizes: powers of two, up to the largest batch that a service makes.
const SIZES: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

const METADATA: Metadata<'static> = Metadata::new("unum", Level::INFO, None);

/// Labels of one number.
pub type Labels<'a> = &'a [(&'static str, &'a str)];

/// A server's numbers.
#[derive(Clone)]
pub struct Metrics(Arc<PrometheusRecorder>);

impl Default for Metrics {
    fn default() -> Self {
        let sizes = Matcher::Suffix("_size".into());
        let builder = PrometheusBuilder::new()
            .set_buckets(&SECONDS)
            .and_then(|builder| builder.set_buckets_for_metric(sizes, &SIZES))
            .expect("there are buckets");
        Self(Arc::new(builder.build_recorder()))
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

impl Metrics {
    /// Adds `by` to a counter; its name ends in `_total`.
    pub fn count(&self, name: &'static str, labels: Labels<'_>, by: u64) {
        self.0.register_counter(&key(name, labels), &METADATA).increment(by);
    }

    /// Puts a time into a histogram; its name ends in `_seconds`.
    pub fn seconds(&self, name: &'static str, labels: Labels<'_>, took: Duration) {
        self.0.register_histogram(&key(name, labels), &METADATA).record(took.as_secs_f64());
    }

    /// Puts how many there were into a histogram; its name ends in `_size`.
    pub fn size(&self, name: &'static str, labels: Labels<'_>, many: usize) {
        self.0.register_histogram(&key(name, labels), &METADATA).record(many as f64);
    }

    /// Sets a gauge.
    pub fn gauge(&self, name: &'static str, labels: Labels<'_>, value: f64) {
        self.0.register_gauge(&key(name, labels), &METADATA).set(value);
    }

    /// A transaction ended, after so many attempts.
    pub(crate) fn transaction(&self, name: &str, ok: bool, attempts: u32, took: Duration) {
        let result = if ok { "ok" } else { "error" };
        self.seconds("unum_transaction_seconds", &[("name", name), ("result", result)], took);
        self.count("unum_transaction_repeats_total", &[("name", name)], u64::from(attempts - 1));
    }

    /// A request was answered. `route` is the pattern, never the path that was asked for.
    pub(crate) fn request(&self, route: &str, status: u16, took: Duration) {
        let labels = [("route", route), ("status", &status.to_string())];
        self.seconds("unum_request_seconds", &labels, took);
    }

    /// As Prometheus reads it.
    pub fn render(&self) -> String {
        self.upkeep();
        self.0.handle().render()
    }

    /// Folds what histograms have collected; to be called now and then even if nobody asks for the text.
    pub fn upkeep(&self) {
        self.0.handle().run_upkeep();
    }
}

fn key(name: &'static str, labels: Labels<'_>) -> Key {
    let labels: Vec<Label> =
        labels.iter().map(|(name, value)| Label::new(*name, (*value).to_owned())).collect();
    Key::from_parts(name, labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_servers_in_one_process_count_apart() {
        let (one, other) = (Metrics::default(), Metrics::default());
        one.count("enrollments_total", &[("outcome", "enrolled")], 1);
        one.seconds("stage_seconds", &[("stage", "scan")], Duration::from_millis(3));
        assert!(one.render().contains("enrollments_total{outcome=\"enrolled\"} 1"));
        assert!(one.render().contains("stage_seconds_bucket{stage=\"scan\",le=\"0.005\"} 1"));
        assert!(!other.render().contains("enrolled"));
        one.size("batch_size", &[("stage", "scan")], 5);
        assert!(one.render().contains("batch_size_bucket{stage=\"scan\",le=\"8\"} 1"));
    }
}

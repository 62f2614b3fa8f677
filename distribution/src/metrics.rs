//! Numbers for operators, in Prometheus' text form. One recorder a server, so that two servers in a process do not mix.
//!
//! No number here belongs to one person: labels are routes, statuses, and names that stand in this source.

use std::sync::Arc;
use std::time::Duration;

use metrics::{Key, Label, Level, Metadata, Recorder as _};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

/// Bounds of the time histograms in seconds: from a lookup to the timeout of a request.
const SECONDS: [f64; 9] = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0];

const METADATA: Metadata<'static> = Metadata::new("distribution", Level::INFO, None);

/// The server's numbers.
#[derive(Clone)]
pub(crate) struct Metrics {
    recorder: Arc<PrometheusRecorder>,
    handle: PrometheusHandle,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let builder = PrometheusBuilder::new().set_buckets(&SECONDS).expect("there are buckets");
        let recorder = Arc::new(builder.build_recorder());
        Self { handle: recorder.handle(), recorder }
    }

    /// As Prometheus reads it.
    pub(crate) fn render(&self) -> String {
        self.handle.run_upkeep();
        self.handle.render()
    }

    /// A transaction ended.
    pub(crate) fn transaction(&self, name: &'static str, ok: bool, attempts: u32, took: Duration) {
        let ended = if ok { "ok" } else { "error" };
        let labels = || vec![Label::new("name", name), Label::new("ended", ended)];
        self.seconds("unum_transaction_seconds", labels(), took);
        self.count("unum_transaction_attempts_total", labels(), attempts.into());
    }

    /// A request was answered.
    pub(crate) fn request(&self, route: String, status: u16, took: Duration) {
        let labels = vec![Label::new("route", route), Label::new("status", status.to_string())];
        self.seconds("unum_request_seconds", labels, took);
    }

    /// A claim was answered.
    pub(crate) fn claim(&self, outcome: &'static str) {
        self.count("unum_claims_total", vec![Label::new("outcome", outcome)], 1);
    }

    /// A proof was checked.
    pub(crate) fn proof(&self, took: Duration) {
        self.seconds("unum_proof_check_seconds", Vec::new(), took);
    }

    fn seconds(&self, name: &'static str, labels: Vec<Label>, took: Duration) {
        let key = Key::from_parts(name, labels);
        self.recorder.register_histogram(&key, &METADATA).record(took.as_secs_f64());
    }

    fn count(&self, name: &'static str, labels: Vec<Label>, by: u64) {
        let key = Key::from_parts(name, labels);
        self.recorder.register_counter(&key, &METADATA).increment(by);
    }
}

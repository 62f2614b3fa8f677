//! What was measured, as a table for people or as JSON for programs.

use std::fmt;

use serde::Serialize;

/// All figures; rates in one second.
#[derive(Serialize)]
pub(crate) struct Report {
    /// `POST /v1/verify` to verification in this process, one at a time, on the same cores.
    pub http_share: f64,
    /// Over HTTP, each counted in Postgres before it is answered.
    pub http_per_s: f64,
    /// In this process, one at a time on each core.
    pub in_process_per_s: f64,
    /// Batches to one at a time, on one core.
    pub batch_ratio: f64,
    /// The time that snarkjs takes to ours, one at a time on one core.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snarkjs_ratio: Option<f64>,
    /// At half of `http_per_s`.
    pub p99_ms: f64,
    pub cores: usize,
    /// `POST /v1/proofs/check`, which keeps nothing.
    pub check_per_s: f64,
    pub p50_ms: f64,
    pub max_ms: f64,
    pub half_requests: usize,
    pub requests: usize,
    pub rounds: usize,
    pub connections: usize,
    pub batch: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snarkjs_ms: Option<f64>,
    /// With the secrets of the key: see [`bench_kit::forge`].
    pub proofs_forged: bool,
}

impl Report {
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("figures are text")
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} cores, {} connections, proofs forged", self.cores, self.connections)?;
        writeln!(f, "{:<28} {:>8.0} a second, one at a time", "in this process", self.in_process_per_s)?;
        writeln!(f, "{:<28} {:>8.1} x", format!("batches of {}", self.batch), self.batch_ratio)?;
        writeln!(f, "{:<28} {:>8.0} a second", "POST /v1/verify", self.http_per_s)?;
        writeln!(f, "{:<28} {:>8.0} %", "share", 100.0 * self.http_share)?;
        writeln!(f, "{:<28} {:>8.0} a second", "POST /v1/proofs/check", self.check_per_s)?;
        let (median, slow, slowest) = (self.p50_ms, self.p99_ms, self.max_ms);
        write!(f, "{:<28} {median:>8.1} ms, 99 % in {slow:.1}, all in {slowest:.1}", "at half of it")?;
        match (self.snarkjs_ms, self.snarkjs_ratio) {
            (Some(ms), Some(ratio)) => write!(f, "\n{:<28} {ms:>8.1} ms, {ratio:.1} x ours", "snarkjs"),
            _ => Ok(()),
        }
    }
}

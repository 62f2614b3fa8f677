//! What was measured, as a table for people or as JSON for programs.

use std::fmt;

use serde::Serialize;

/// All figures; times in milliseconds.
#[derive(Serialize)]
pub(crate) struct Report {
    pub constraints: usize,
    /// Cores that this machine offers.
    pub threads: usize,
    pub cpu: String,
    /// One thread, witness included.
    pub prove_ms_1t: f64,
    /// One thread, without its witness.
    pub stock_ms_1t: f64,
    pub ratio_1t: f64,
    pub prove_ms_2t: f64,
    pub stock_ms_2t: f64,
    pub ratio_2t: f64,
    pub witness_ms: f64,
    /// One thread, from bytes, with all checks.
    pub verify_ms: f64,
    /// One thread, from bytes, 128 at a time.
    pub batch_per_s: f64,
    pub single_per_s: f64,
    /// The proving key as it is downloaded.
    pub key_bytes: usize,
    /// Reading it from that form, two threads.
    pub download_ms: f64,
    pub table_bytes: usize,
    /// Two threads.
    pub table_ms: f64,
    /// This process with one prover, before the peer is set up.
    pub rss_bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snarkjs_prove_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snarkjs_verify_ms: Option<f64>,
}

impl Report {
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("figures are text")
    }
}

const MIB: f64 = 1_048_576.0;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}, {} cores; {} constraints", self.cpu, self.threads, self.constraints)?;
        let row = |f: &mut fmt::Formatter<'_>, name, ours, theirs, ratio| {
            writeln!(f, "{name:<22} {ours:>8.1} ms   arkworks {theirs:>8.1} ms   {ratio:>5.2} x")
        };
        row(f, "proof, 1 thread", self.prove_ms_1t, self.stock_ms_1t, self.ratio_1t)?;
        row(f, "proof, 2 threads", self.prove_ms_2t, self.stock_ms_2t, self.ratio_2t)?;
        writeln!(f, "{:<22} {:>8.2} ms", "of it the witness", self.witness_ms)?;
        writeln!(
            f,
            "{:<22} {:>8.2} ms   {:.0} a second",
            "verify, 1 thread", self.verify_ms, self.single_per_s
        )?;
        let gain = self.batch_per_s / self.single_per_s;
        writeln!(f, "{:<22} {:>8.0} a second   {gain:>5.2} x", "verify 128 at a time", self.batch_per_s)?;
        let megabytes = self.key_bytes as f64 / 1e6;
        writeln!(f, "{:<22} {megabytes:>8.2} MB, read in {:.0} ms", "key to download", self.download_ms)?;
        let mib = self.table_bytes as f64 / MIB;
        writeln!(f, "{:<22} {mib:>8.1} MiB in {:.0} ms", "tables", self.table_ms)?;
        write!(f, "{:<22} {:>8.1} MiB", "process", self.rss_bytes as f64 / MIB)?;
        for (name, time) in [("prove", self.snarkjs_prove_ms), ("verify", self.snarkjs_verify_ms)] {
            if let Some(time) = time {
                write!(f, "\n{:<22} {time:>8.1} ms", format!("snarkjs {name}"))?;
            }
        }
        Ok(())
    }
}

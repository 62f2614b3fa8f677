//! What was measured, as a table for people or as JSON for programs.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

/// All figures; rates in one second.
#[derive(Serialize)]
pub(crate) struct Report {
    /// Shared transactions to the better of those with one claim each.
    pub ratio_to_single: f64,
    /// Verified before, in shared transactions, by one writer on one connection.
    pub claims_per_s: f64,
    /// Verified before, in one transaction each: the better of the numbers of connections.
    pub single_per_s: f64,
    /// Claims with their proofs to proofs alone, both checked in batches, on the same cores, of which Postgres takes its part.
    pub verify_share: f64,
    /// Sum of all balances of all ledgers: 0.
    pub ledger_difference: i128,
    /// People paid in the storm.
    pub storm_paid: usize,
    /// At half of `proven_claims_per_s`, over HTTP.
    pub p99_ms: f64,
    pub cores: usize,
    /// As Postgres says.
    pub synchronous_commit: String,
    pub batch: usize,
    pub batch_wait_ms: u64,
    /// Claims under way at once, without HTTP.
    pub in_flight: usize,
    pub claims: usize,
    pub single_claims: usize,
    /// Servers on one database, each with one connection that pays.
    pub single_per_s_by_connections: BTreeMap<usize, f64>,
    /// With the secrets of the key: see the module `forge`.
    pub proofs_forged: bool,
    /// From proof to receipt, without HTTP.
    pub proven_claims_per_s: f64,
    /// Nothing but proofs, in batches, on all cores.
    pub proofs_per_s: f64,
    /// The same, each by itself.
    pub proofs_per_s_one_by_one: f64,
    pub half_rate_per_s: f64,
    pub half_claims: usize,
    pub p50_ms: f64,
    pub max_ms: f64,
    pub half_connections: usize,
    /// Of the storm.
    pub connections: usize,
    pub storm_people: usize,
    pub storm_claims: usize,
    pub storm_per_s: f64,
}

impl Report {
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("figures are text")
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} cores, synchronous_commit = {}", self.cores, self.synchronous_commit)?;
        writeln!(f, "{:<28} {:>8.0} claims a second", "shared transactions", self.claims_per_s)?;
        for (connections, rate) in &self.single_per_s_by_connections {
            let name = format!("one each, {connections} connections");
            writeln!(f, "{name:<28} {rate:>8.0} claims a second")?;
        }
        writeln!(f, "{:<28} {:>8.1} x", "ratio to the better", self.ratio_to_single)?;
        writeln!(f, "{:<28} {:>8.0} claims a second", "with proofs", self.proven_claims_per_s)?;
        let (together, alone) = (self.proofs_per_s, self.proofs_per_s_one_by_one);
        writeln!(f, "{:<28} {together:>8.0} a second, one by one {alone:.0}", "proofs alone")?;
        writeln!(f, "{:<28} {:>8.0} %", "share", 100.0 * self.verify_share)?;
        writeln!(
            f,
            "{:<28} {:>8.1} ms at the 99th of 100, {:.1} ms at the middle, {:.0} a second",
            "half load, HTTP", self.p99_ms, self.p50_ms, self.half_rate_per_s
        )?;
        writeln!(
            f,
            "{:<28} {:>8} of {} people paid, {} claims, {:.0} a second",
            "storm", self.storm_paid, self.storm_people, self.storm_claims, self.storm_per_s
        )?;
        write!(f, "{:<28} {:>8}", "ledger difference", self.ledger_difference)
    }
}

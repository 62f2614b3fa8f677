//! What was measured, as a table for people or as JSON for programs.

use std::fmt;

use serde::Serialize;

/// Cycles of a comparison if nothing but 192 operations on registers of 512 bits took time (32 of each code: and, xor,
/// two population counts, two additions), four in a cycle.
pub(crate) const BOUND_CYCLES: f64 = 192.0 / 4.0;

/// All figures. Masks are full where nothing else is said.
#[derive(Serialize)]
pub(crate) struct Report {
    pub kernel: &'static str,
    pub cpu: String,
    pub people: u32,
    /// Of the main figure.
    pub threads: u32,
    /// That this machine offers.
    pub cores: usize,
    /// Of `threads` together.
    pub comparisons_per_s: f64,
    pub people_per_s: f64,
    /// One thread.
    pub naive_comparisons_per_s: f64,
    /// Of each thread.
    pub ratio_to_naive: f64,
    /// Of each thread, of `192 / 4` cycles a comparison.
    pub share_of_bound: f64,
    pub clock_ghz: f64,
    /// One query, all cores to one core, by the wall clock.
    pub all_threads_to_one: f64,
    /// What the process grew by.
    pub bytes_per_person: f64,
    /// One query, all cores.
    pub scan_ms: f64,
    /// Eight queries in one pass, all cores.
    pub batch_ms: f64,
    /// From encrypted segments on disk, of which nothing is in memory, to the first answer; all cores.
    pub restart_ms: f64,
    /// Of it, reading and decrypting.
    pub restart_read_ms: f64,
    /// Of all files together.
    pub disk_bytes_per_person: f64,
    /// One thread, a quarter of all mask bits 0.
    pub comparisons_per_s_quarter_hidden: f64,
    /// One thread, three eighths of all mask bits 0: bits compared have to be counted at all rotations.
    pub comparisons_per_s_three_eighths_hidden: f64,
}

impl Report {
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("figures are text")
    }
}

const MILLION: f64 = 1e6;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}, {} cores at {:.2} GHz; kernel {}",
            self.cpu, self.cores, self.clock_ghz, self.kernel
        )?;
        writeln!(
            f,
            "{} people, {:.0} bytes each, {} threads",
            self.people, self.bytes_per_person, self.threads
        )?;
        let row = |f: &mut fmt::Formatter<'_>, name, rate: f64| {
            writeln!(f, "{name:<28} {:>8.2} million comparisons a second", rate / MILLION)
        };
        row(f, "naive, 1 thread", self.naive_comparisons_per_s)?;
        row(f, "scan", self.comparisons_per_s)?;
        row(f, "a quarter hidden, 1 thread", self.comparisons_per_s_quarter_hidden)?;
        row(f, "three eighths, 1 thread", self.comparisons_per_s_three_eighths_hidden)?;
        let (ratio, share) = (self.ratio_to_naive, 100.0 * self.share_of_bound);
        writeln!(f, "{:<28} {ratio:>8.2} x naive, {share:.0} % of the bound", "a thread")?;
        writeln!(f, "{:<28} {:>8.2} x one", "all cores", self.all_threads_to_one)?;
        writeln!(f, "{:<28} {:>8.0} people a second", "one query", self.people_per_s)?;
        writeln!(
            f,
            "{:<28} {:>8.0} ms, eight in one pass {:.0} ms",
            "everyone, all cores", self.scan_ms, self.batch_ms
        )?;
        write!(
            f,
            "{:<28} {:>8.0} ms, of which reading {:.0} ms",
            "files to first answer", self.restart_ms, self.restart_read_ms
        )
    }
}

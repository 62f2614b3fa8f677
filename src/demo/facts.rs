//! What a demo found out: for programs as JSON, for people as a table.

use std::path::Path;
use std::time::Duration;

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{Attribute, Cell, CellAlignment, Color, Table};
use serde::Serialize;

/// Where the eyes came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Drawn by the renderer.
    Rendered,
    /// Image files that the caller listed.
    Images,
}

/// The facts of one demo. Counts are of people or attempts unless said otherwise.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Facts {
    /// People who came to be enrolled.
    pub people: usize,
    /// Of them, enrolled.
    pub enrolled: usize,
    /// Captures that were refused with the request to try again; for images, people whose images were not enough.
    pub recaptures: usize,
    /// Attempts that an operator has to look at, because one eye matched and the other did not or was missing.
    pub reviews: usize,
    /// Attempts to enroll an enrolled person again, that gave a usable capture.
    pub duplicate_attempts: usize,
    /// Of them, refused as duplicates.
    pub duplicates_refused: usize,
    /// Of them, enrolled a second time: what must not happen.
    pub enrolled_again: usize,
    /// People taken for somebody else when they first came.
    pub false_duplicates: usize,
    /// Wallets that claimed their share and were paid.
    pub claims_paid: usize,
    /// Second claims: the first receipt came back and nothing was paid, or another recipient was refused.
    pub double_claims_refused: usize,
    /// Proofs that an app accepted.
    pub app_verified: usize,
    /// Proofs that an app refused because their nullifier had been used.
    pub app_reuse_refused: usize,
    /// Sum of all balances of the ledger; zero, or money appeared or vanished.
    pub ledger_difference: String,
    /// One proof, in milliseconds.
    pub proof_ms_median: f64,
    /// One enrollment from the first frame to the receipt, in milliseconds.
    pub enroll_ms_median: f64,
    /// The whole demo.
    pub seconds: f64,
    /// Where the eyes came from.
    pub source: Source,
    /// What did not hold, in words. Empty if all is well.
    pub failures: Vec<String>,
    /// Every account of the ledger and its balance, in minor units.
    pub ledger: Vec<(String, String)>,
}

impl Facts {
    /// Nothing has happened yet.
    pub(super) fn new(people: usize, source: Source) -> Self {
        Self {
            people,
            enrolled: 0,
            recaptures: 0,
            reviews: 0,
            duplicate_attempts: 0,
            duplicates_refused: 0,
            enrolled_again: 0,
            false_duplicates: 0,
            claims_paid: 0,
            double_claims_refused: 0,
            app_verified: 0,
            app_reuse_refused: 0,
            ledger_difference: "not checked".into(),
            proof_ms_median: 0.0,
            enroll_ms_median: 0.0,
            seconds: 0.0,
            source,
            failures: Vec::new(),
            ledger: Vec::new(),
        }
    }

    /// Writes the facts as JSON.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn write(&self, path: &Path) -> std::io::Result<()> {
        let mut text = serde_json::to_string_pretty(self).expect("facts are plain data");
        text.push('\n');
        std::fs::write(path, text)
    }

    /// Whether every check held.
    pub fn hold(&self) -> bool {
        self.failures.is_empty()
    }

    /// The closing table.
    pub fn table(&self) -> Table {
        let mut table = Table::new();
        table.load_style(UTF8_FULL_CONDENSED);
        let mut row = |what: &str, found: String, good: Option<bool>| {
            let mark = match good {
                Some(true) => Cell::new("✓").fg(Color::Green),
                Some(false) => Cell::new("✗").fg(Color::Red).add_attribute(Attribute::Bold),
                None => Cell::new(" "),
            };
            table.add_row([Cell::new(what), Cell::new(found).set_alignment(CellAlignment::Right), mark]);
        };
        let rendered = self.source == Source::Rendered;
        let all_of = |part: usize, whole: usize| (format!("{part} of {whole}"), part == whole);
        let (text, all) = all_of(self.enrolled, self.people);
        row("people enrolled", text, rendered.then_some(all));
        row("asked for a new capture", self.recaptures.to_string(), None);
        row("left to an operator's review", self.reviews.to_string(), None);
        let (text, all) = all_of(self.duplicates_refused, self.duplicate_attempts);
        row("came again, refused as duplicates", text, rendered.then_some(all));
        row("came again, enrolled twice", self.enrolled_again.to_string(), Some(self.enrolled_again == 0));
        row("taken for somebody else", self.false_duplicates.to_string(), Some(self.false_duplicates == 0));
        let (text, all) = all_of(self.claims_paid, self.enrolled);
        row("claimed their share", text, Some(all));
        row("claimed twice, paid once", self.double_claims_refused.to_string(), None);
        row("shown to an app to be human", self.app_verified.to_string(), None);
        row("shown again, refused", self.app_reuse_refused.to_string(), None);
        row("ledger difference", self.ledger_difference.clone(), Some(self.ledger_difference == "0"));
        row("one enrollment, median", milliseconds(self.enroll_ms_median), None);
        row("one proof, median", milliseconds(self.proof_ms_median), None);
        row("all of it", format!("{:.1} s", self.seconds), None);
        table
    }
}

impl Facts {
    /// The ledger, wallets summed up in one row: there may be thousands.
    pub fn ledger_table(&self) -> Table {
        let mut table = Table::new();
        table.load_style(UTF8_FULL_CONDENSED);
        table.set_header(["account", "balance"]);
        let (wallets, others): (Vec<_>, Vec<_>) =
            self.ledger.iter().partition(|(name, _)| name.starts_with("wallet:"));
        let sum: i128 = wallets.iter().filter_map(|(_, balance)| balance.parse::<i128>().ok()).sum();
        let mut row = |name: &str, balance: &str| {
            table.add_row([Cell::new(name), Cell::new(balance).set_alignment(CellAlignment::Right)]);
        };
        for (name, balance) in others {
            row(name, balance);
        }
        row(&format!("{} wallets", wallets.len()), &sum.to_string());
        row("sum of all accounts", &self.ledger_difference);
        table
    }
}

fn milliseconds(value: f64) -> String {
    format!("{value:.0} ms")
}

/// Median in milliseconds; 0 of nothing.
pub(super) fn median(durations: &mut [Duration]) -> f64 {
    durations.sort_unstable();
    durations.get(durations.len() / 2).map_or(0.0, |middle| middle.as_secs_f64() * 1e3)
}

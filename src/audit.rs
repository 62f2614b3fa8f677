//! `unum audit`: recomputes what a service states, from what it publishes.
//!
//! The figures and proofs are for `distribution::audit` to check; this is its command line: where to fetch from, whom to trust,
//! a bar to look at.

use std::path::{Path, PathBuf};
use std::time::Duration;

use circuits::folder::{FolderError, read_verifying_key};
use clap::{Args, Subcommand};
use distribution::archive::{self, Archive, ArchiveError, Source};
use distribution::audit::{AuditReport, Trust};
use getrandom::SysRng;
use indicatif::{ProgressBar, ProgressStyle};
use rand_core::UnwrapErr;
use unum_identity::action::Period;
use unum_identity::bytes::{ProgrammeId, ServiceKey};

/// What can be audited.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// A sealed period: its ledger, every claim, every proof, every sum
    Period(Arguments),
}

/// Which period, where it is published, whom to trust.
#[derive(Args, Debug)]
#[command(after_help = "\
Exit code: 0 if all that was checked holds, 1 if something does not, 2 if something could not be read.
Keys come from somewhere else than the service that is audited; what is not given is not checked, and the report says so.

Examples:
  unum audit period 3 --programme 6f0c… --distribution https://pay.example.org --key 5e1d…
  unum audit period 3 --programme 6f0c… --distribution https://pay.example.org --enroll-server https://enroll.example.org \\
       --key 5e1d… --set-key 90ab… --origin example.org/set --verifying-key verifying.key --save period-3
  unum audit period 3 --programme 6f0c… --from period-3 --key 5e1d… --json      the same again, without a network")]
pub struct Arguments {
    /// The period's number, from 0
    period: u64,
    /// The programme's id
    #[arg(long, value_name = "HEX")]
    programme: ProgrammeId,
    /// The distribution that publishes the period
    #[arg(long, value_name = "URL", required_unless_present = "from", conflicts_with = "from")]
    distribution: Option<String>,
    /// The enrollment server that publishes the set: counts the people under the period's root
    #[arg(long, value_name = "URL", conflicts_with = "from")]
    enroll_server: Option<String>,
    /// A key of the distribution that you trust; again for each that it had before
    #[arg(long, value_name = "HEX")]
    key: Vec<ServiceKey>,
    /// The set's key that you trust
    #[arg(long, value_name = "HEX", requires = "origin")]
    set_key: Option<ServiceKey>,
    /// Name of the set in its checkpoints
    #[arg(long, value_name = "NAME", requires = "set_key")]
    origin: Option<String>,
    /// The verifying key that you trust, such as a ceremony's
    #[arg(long, value_name = "FILE")]
    verifying_key: Option<PathBuf>,
    /// Keep what was published in this folder
    #[arg(long, value_name = "DIR", conflicts_with = "from")]
    save: Option<PathBuf>,
    /// Audit what was kept in this folder
    #[arg(long, value_name = "DIR")]
    from: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// What is published cannot be had or read.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The file with the verifying key is none.
    #[error(transparent)]
    VerifyingKey(#[from] FolderError),
    /// There is no room to fetch to.
    #[error("make a folder to fetch to: {0}")]
    Folder(std::io::Error),
}

impl Command {
    /// Audits. The report, and the report as the user wants it.
    ///
    /// # Errors
    ///
    /// An [`AuditError`]; then nothing is known about the period.
    pub fn run(self) -> Result<(AuditReport, String), AuditError> {
        let Self::Period(arguments) = self;
        let json = arguments.json;
        let report = arguments.run()?;
        let text = if json {
            serde_json::to_string_pretty(&report).expect("a report is text and numbers")
        } else {
            report.to_string()
        };
        Ok((report, text))
    }
}

impl Arguments {
    fn run(self) -> Result<AuditReport, AuditError> {
        let trust = Trust {
            keys: self.key,
            set: self.origin.zip(self.set_key),
            verifying_key: self.verifying_key.as_deref().map(read_verifying_key).transpose()?,
        };
        let place = (self.programme, Period(self.period));
        let mut bar = Bar::new();
        let audit = |archive: &Archive, bar: &mut Bar| {
            archive
                .audit(place, trust, &mut UnwrapErr(SysRng), &mut |what, done, of| bar.show(what, done, of))
        };
        let Some(distribution) = self.distribution else {
            let folder = self.from.as_deref().unwrap_or(Path::new(".")); // clap wants one of the two
            return Ok(audit(&Archive::at(folder), &mut bar)?);
        };
        let kept = tempfile::tempdir().map_err(AuditError::Folder)?;
        let folder = self.save.unwrap_or_else(|| kept.path().join("period"));
        let source = Source::at(&distribution, self.enroll_server.as_deref());
        let archive =
            archive::fetch(&source, place, &folder, &mut |what, done, of| bar.show(what, done, of))?;
        Ok(audit(&archive, &mut bar)?)
    }
}

/// How far it is. Shows nothing where there is no terminal.
struct Bar {
    bar: ProgressBar,
    what: &'static str,
}

impl Bar {
    fn new() -> Self {
        let style = ProgressStyle::with_template("{spinner} {msg} {bar:30} {pos}/{len}, {eta} left");
        let bar = ProgressBar::new(0).with_style(style.expect("a constant template"));
        bar.enable_steady_tick(Duration::from_millis(100));
        Self { bar, what: "" }
    }

    fn show(&mut self, what: &'static str, done: u64, of: u64) {
        if self.what != what {
            self.what = what;
            self.bar.reset();
            self.bar.set_message(what);
        }
        self.bar.set_length(of);
        self.bar.set_position(done);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

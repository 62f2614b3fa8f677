//! `orb evaluate`: error rates over a list of images.

use std::path::PathBuf;

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};
use orb_firmware::evaluate::{self, Progress};
use orb_firmware::pipeline::Config;

/// What to evaluate.
#[derive(clap::Args)]
#[command(after_help = "Example:
  orb evaluate --manifest eyes.csv --json rates.json")]
pub(crate) struct Arguments {
    /// The list: columns path,person,eye,session,shot.
    #[arg(long)]
    manifest: PathBuf,
    /// Also write the figures here.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Worker threads; 0 for one per core.
    #[arg(long, default_value_t = 0)]
    threads: usize,
}

/// Compares all with all and prints the rates.
pub(super) fn run(arguments: &Arguments) -> Result<()> {
    let bar = ProgressBar::new(0)
        .with_style(ProgressStyle::with_template("{msg:<12} {wide_bar} {pos}/{len} {eta:>4}")?);
    let progress = |at: Progress| {
        let (name, done, total) = match at {
            Progress::Images { done, total } => ("images", done, total),
            Progress::Comparisons { done, total } => ("comparisons", done, total),
        };
        bar.set_message(name);
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    };
    let report = evaluate::run(&arguments.manifest, &Config::default(), arguments.threads, &progress)?;
    bar.finish_and_clear();
    if let Some(path) = &arguments.json {
        std::fs::write(path, serde_json::to_vec_pretty(&report)?).context("writing the figures")?;
    }
    #[expect(clippy::print_stdout, reason = "a program's answer")]
    {
        print!("{report}");
    }
    Ok(())
}

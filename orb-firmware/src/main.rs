//! The device's programs.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Parser, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use orb_firmware::evaluate::{self, Progress};

#[derive(Parser)]
#[command(name = "orb", about = "From a camera's frames to a signed, sealed capture")]
struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Compare every image of a list with every other, and report error rates.
    Evaluate {
        /// The list: columns path,person,eye,session,shot.
        #[arg(long)]
        manifest: PathBuf,
        /// Also write the figures here.
        #[arg(long)]
        json: Option<PathBuf>,
        /// Worker threads; 0 for one per core.
        #[arg(long, default_value_t = 0)]
        threads: usize,
    },
}

fn main() -> anyhow::Result<()> {
    match Options::parse().command {
        Command::Evaluate { manifest, json, threads } => {
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
            let report = evaluate::run(&manifest, &Default::default(), threads, &progress)?;
            bar.finish_and_clear();
            if let Some(path) = json {
                std::fs::write(&path, serde_json::to_vec_pretty(&report)?).context("writing the figures")?;
            }
            #[allow(clippy::print_stdout)] // a program's answer
            {
                print!("{report}");
            }
        }
    }
    Ok(())
}

//! `orb evaluate`: error rates over a list of images.

use std::path::PathBuf;

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};
use orb_firmware::evaluate::{self, Measure, Options, Progress, Resampling};

/// What to evaluate.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  orb evaluate --manifest eyes.csv --json rates.json
  orb evaluate --manifest eyes.csv --distance normalised --report rates")]
pub(crate) struct Arguments {
    /// The list: columns path,person,eye,session,shot.
    #[arg(long)]
    manifest: PathBuf,
    #[command(flatten)]
    finder: super::finder::Finder,
    /// Share of differing bits as it is, or drawn towards one half where few bits can be compared.
    #[arg(long, value_enum, default_value_t = Distance::Plain)]
    distance: Distance,
    /// Also write the figures here.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Also write a page with curves here, as index.html in this folder; it shows no eye and names nobody.
    #[arg(long, value_name = "DIR")]
    report: Option<PathBuf>,
    /// How often people are drawn anew to find the intervals.
    #[arg(long, default_value_t = Resampling::default().resamples, value_parser = clap::value_parser!(u32).range(100..=100_000))]
    resamples: u32,
    /// Which draws; the same number gives the same intervals.
    #[arg(long, default_value_t = Resampling::default().seed)]
    seed: u64,
    /// Worker threads; 0 for one per core.
    #[arg(long, default_value_t = 0)]
    threads: usize,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Distance {
    Plain,
    Normalised,
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
    let options = Options {
        measure: match arguments.distance {
            Distance::Plain => Measure::Plain,
            Distance::Normalised => Measure::Normalised,
        },
        resampling: Resampling { resamples: arguments.resamples, seed: arguments.seed },
        threads: arguments.threads,
        pipeline: arguments.finder.pipeline()?,
    };
    let report = evaluate::run(&arguments.manifest, &options, &progress)?;
    bar.finish_and_clear();
    if let Some(path) = &arguments.json {
        std::fs::write(path, serde_json::to_vec_pretty(&report)?).context("writing the figures")?;
    }
    if let Some(folder) = &arguments.report {
        super::write_page(folder, &report.page()?)?;
    }
    #[expect(clippy::print_stdout, reason = "a program's answer")]
    {
        print!("{report}");
    }
    Ok(())
}

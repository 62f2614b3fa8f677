//! `orb evaluate`: error rates over a list of images.

use std::path::PathBuf;

use anyhow::Result;
use orb_firmware::evaluate::{self, Options, Progress, Resampling};
use unum_iris::Measure;

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
    let bar = super::bar()?;
    let progress = |at: Progress| {
        let (name, done, total) = match at {
            Progress::Images { done, total } => ("images", done, total),
            Progress::Comparisons { done, total } => ("comparisons", done, total),
        };
        super::advance(&bar, name, done, total);
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
        super::write_figures(path, &report)?;
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

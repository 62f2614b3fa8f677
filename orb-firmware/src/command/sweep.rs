//! `orb sweep`: where recognition ends, on rendered eyes.

use std::path::PathBuf;

use anyhow::Result;
use orb_firmware::sweep::{self, Options, Progress};

/// What to sweep.
#[derive(clap::Args)]
#[command(after_help = "Example:
  orb sweep --eyes 200 --report sweep --json sweep.json")]
pub(crate) struct Arguments {
    /// Rendered people on each point of each curve.
    #[arg(long, default_value_t = Options::default().people)]
    people: u64,
    /// Rendered eyes whose boundaries are compared with the truth, under each of two kinds of conditions; 0 for none.
    #[arg(long, default_value_t = Options::default().eyes)]
    eyes: u64,
    /// Also write the figures here.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Also write a page with curves here, as index.html in this folder.
    #[arg(long, value_name = "DIR")]
    report: Option<PathBuf>,
    /// Worker threads; 0 for one per core.
    #[arg(long, default_value_t = 0)]
    threads: usize,
}

/// Draws, judges and prints.
pub(super) fn run(arguments: &Arguments) -> Result<()> {
    let bar = super::bar()?;
    let progress = |Progress { stage, done, total }: Progress| super::advance(&bar, stage, done, total);
    let Arguments { people, eyes, threads, .. } = *arguments;
    let report = sweep::run(&Options { people, eyes, threads, ..Options::default() }, &progress)?;
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

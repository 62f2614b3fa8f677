//! The subcommands of `orb`, one file each: arguments, and what is done with them.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

mod capture;
mod evaluate;
mod finder;
mod inspect;
mod provision;
mod render;
mod sweep;

/// What `orb` can do.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a device: a key and a counter in a folder.
    Provision(provision::Arguments),
    /// Enroll one person: capture both eyes, sign and seal, send, print the answer.
    Capture(capture::Arguments),
    /// Compare every image of a list with every other, and report error rates.
    Evaluate(evaluate::Arguments),
    /// Show what every stage makes of one image: boundaries, mask, sheet and code as a picture, and all measures.
    Inspect(inspect::Arguments),
    /// Draw near-infrared pictures of eyes that nobody has, to look at and to test with.
    Render(render::Arguments),
    /// Find out where recognition ends: rendered eyes under conditions that get worse, boundaries against the truth.
    Sweep(sweep::Arguments),
}

impl Command {
    /// Does it.
    pub(crate) fn run(&self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Provision(arguments) => provision::run(arguments)?,
            Self::Capture(arguments) => return capture::run(arguments),
            Self::Evaluate(arguments) => evaluate::run(arguments)?,
            Self::Inspect(arguments) => inspect::run(arguments)?,
            Self::Render(arguments) => render::run(arguments)?,
            Self::Sweep(arguments) => sweep::run(arguments)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// A bar for long work, of which [`advance`] says how far it is.
fn bar() -> anyhow::Result<ProgressBar> {
    let style = ProgressStyle::with_template("{msg:<12} {wide_bar} {pos}/{len} {eta:>4}")?;
    Ok(ProgressBar::new(0).with_style(style))
}

fn advance(bar: &ProgressBar, stage: &'static str, done: usize, total: usize) {
    bar.set_message(stage);
    bar.set_length(total as u64);
    bar.set_position(done as u64);
}

/// Writes a report's figures as JSON.
fn write_figures(path: &Path, report: &impl Serialize) -> anyhow::Result<()> {
    std::fs::write(path, serde_json::to_vec_pretty(report)?).context("writing the figures")
}

/// Writes a page as `index.html` into a folder, which is made if it does not exist.
fn write_page(folder: &Path, html: &str) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let path = folder.join("index.html");
    std::fs::write(&path, html).with_context(|| format!("cannot write {}", path.display()))
}

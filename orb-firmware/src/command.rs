//! The subcommands of `orb`, one file each: arguments, and what is done with them.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use clap::Subcommand;

mod capture;
mod evaluate;
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

/// Writes a page as `index.html` into a folder, which is made if it does not exist.
fn write_page(folder: &Path, html: &str) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let path = folder.join("index.html");
    std::fs::write(&path, html).with_context(|| format!("cannot write {}", path.display()))
}

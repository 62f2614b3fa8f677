//! The subcommands of `orb`, one file each: arguments, and what is done with them.

use clap::Subcommand;

mod evaluate;
mod render;

/// What `orb` can do.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Compare every image of a list with every other, and report error rates.
    Evaluate(evaluate::Arguments),
    /// Draw near-infrared pictures of eyes that nobody has, to look at and to test with.
    Render(render::Arguments),
}

impl Command {
    /// Does it.
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        match self {
            Self::Evaluate(arguments) => evaluate::run(arguments),
            Self::Render(arguments) => render::run(arguments),
        }
    }
}

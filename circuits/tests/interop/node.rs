//! Runs programs of `tools/package.json` under Node, after `npm ci` has fetched them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// The folder with `node_modules`, filled once.
static TOOLS: LazyLock<PathBuf> = LazyLock::new(|| {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("tools");
    if !tools.join("node_modules").is_dir() {
        succeed(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&tools));
    }
    tools
});

pub(crate) fn tools() -> &'static Path {
    &TOOLS
}

/// A program of one of the packages, in `folder`.
pub(crate) fn program(name: &str, folder: &Path) -> Command {
    let mut command = Command::new(tools().join("node_modules/.bin").join(name));
    command.current_dir(folder);
    command
}

/// Runs it; panics with what it said if it fails.
#[track_caller]
pub(crate) fn succeed(command: &mut Command) -> String {
    let (ok, said) = run(command);
    assert!(ok, "{command:?} failed:\n{said}");
    said
}

/// Runs it: whether it succeeded, and what it said.
pub(crate) fn run(command: &mut Command) -> (bool, String) {
    let output =
        command.output().unwrap_or_else(|error| panic!("{command:?}: {error}; Node and npm are needed"));
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

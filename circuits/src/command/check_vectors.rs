//! `circuits check-vectors`: what others computed, computed here.
//!
//! A file is known by its fields, not by its name. What is not known is named and fails the run: a vector that nobody
//! checks must not look checked.

mod poseidon;
mod proof;
mod world;

use std::fmt::{Debug, Display};
use std::fs;
use std::path::Path;

use anyhow::Context;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Passed and failed checks of one file.
#[derive(Default)]
struct Tally {
    passed: usize,
    failed: Vec<String>,
}

impl Tally {
    fn check(&mut self, name: impl Display, holds: bool) {
        if holds { self.passed += 1 } else { self.failed.push(name.to_string()) }
    }

    fn equal<T: PartialEq + Debug>(&mut self, name: impl Display, found: &T, expected: &T) {
        let holds = found == expected;
        self.check(format_args!("{name}: found {found:?}, expected {expected:?}"), holds);
    }
}

/// What came of one file.
#[derive(Serialize)]
struct Report {
    file: String,
    /// Which format; none if it is not known.
    kind: Option<&'static str>,
    passed: usize,
    /// One line for each check that failed.
    failed: Vec<String>,
}

#[derive(Serialize)]
struct Summary {
    passed: usize,
    failed: usize,
    unknown: usize,
    files: Vec<Report>,
}

/// Checks every file of a folder and prints what came of each.
///
/// # Errors
///
/// If anything failed or is not known, or there is nothing to check.
pub(crate) fn run(folder: &Path, json: bool) -> anyhow::Result<()> {
    let summary = check_folder(folder)?;
    if json {
        println!("{}", serde_json::to_string_pretty(&summary)?);
    } else {
        summary.files.iter().for_each(show);
    }
    let Summary { passed, failed, unknown, .. } = summary;
    anyhow::ensure!(
        failed == 0 && unknown == 0,
        "{passed} passed, {failed} failed, {unknown} files not known"
    );
    anyhow::ensure!(passed > 0, "{} holds no vectors", folder.display());
    Ok(())
}

fn check_folder(folder: &Path) -> anyhow::Result<Summary> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let entry = entry?;
        let file = entry.file_name().to_string_lossy().into_owned();
        files.push(match fs::read_to_string(entry.path()) {
            Ok(text) => check_file(file, &text),
            Err(_) => Report { file, kind: None, passed: 0, failed: Vec::new() }, // a folder, or not text
        });
    }
    files.sort_by(|a, b| a.file.cmp(&b.file));
    Ok(Summary {
        passed: files.iter().map(|report| report.passed).sum(),
        failed: files.iter().map(|report| report.failed.len()).sum(),
        unknown: files.iter().filter(|report| report.kind.is_none()).count(),
        files,
    })
}

fn check_file(file: String, text: &str) -> Report {
    let fields: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    let has = |field: &str| fields.get(field).is_some();
    let mut tally = Tally::default();
    let kind = if has("vectors") {
        read(text, &mut tally, poseidon::check);
        "Poseidon"
    } else if has("identities") {
        read(text, &mut tally, world::check);
        "World ID 3"
    } else if has("proof") && has("verifying_key") {
        read(text, &mut tally, proof::check);
        "proof and key"
    } else {
        return Report { file, kind: None, passed: 0, failed: Vec::new() };
    };
    if tally.passed == 0 && tally.failed.is_empty() {
        tally.failed.push("nothing in it to check".to_owned());
    }
    Report { file, kind: Some(kind), passed: tally.passed, failed: tally.failed }
}

/// Checks a file of a known format; one that cannot be read as such has failed.
fn read<F: DeserializeOwned>(text: &str, tally: &mut Tally, check: fn(&F, &mut Tally)) {
    match serde_json::from_str(text) {
        Ok(file) => check(&file, tally),
        Err(error) => tally.failed.push(format!("cannot be read: {error}")),
    }
}

fn show(report: &Report) {
    let Report { file, kind, passed, failed } = report;
    match kind {
        None => println!("{file}: NOT KNOWN, nothing checked"),
        Some(kind) => println!("{file}: {kind}, {passed} passed, {} failed", failed.len()),
    }
    for line in failed {
        println!("    FAILED {line}");
    }
}

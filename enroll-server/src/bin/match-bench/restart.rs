//! A restart: from encrypted segments on disk to the first answer. Postgres, which gives the manifest and the tail, is
//! left out.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use enroll_server::matcher::{Entry, Finding, Manifest, People, Shelf, TemplateKey};
use rand_core::{Rng as _, UnwrapErr};
use rayon::prelude::*;
use rustix::fs::{Advice, fadvise};
use unum_iris::{Query, Thresholds};

use super::machine;

/// How long a restart took.
pub(crate) struct Restart {
    /// Until everyone was in memory.
    pub(crate) read_s: f64,
    /// Until the first answer.
    pub(crate) first_answer_s: f64,
    /// On disk.
    pub(crate) bytes: u64,
}

/// Writes `everyone` to a new folder below `parent`, forgets them, reads them again, and scans for `query`.
pub(crate) fn measure(everyone: People, parent: &Path, query: &[Query]) -> anyhow::Result<Restart> {
    let folder = parent.join(format!("match-bench-{:016x}", u64::from_be_bytes(random())));
    let measured = in_folder(everyone, &folder, query);
    fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    measured
}

fn in_folder(everyone: People, folder: &Path, query: &[Query]) -> anyhow::Result<Restart> {
    let shelf = Shelf::open(folder, TemplateKey::from_bytes(&random())).context("no folder for segments")?;
    let mut entries = Vec::new();
    for segment in everyone.segments() {
        let sealed = shelf.seal(segment.entry().first, 1, random(), segment.blocks());
        shelf.write(&sealed, random())?;
        entries.push(*sealed.entry());
    }
    drop(everyone);
    let bytes = forget(&shelf, &entries)?;

    let started = machine::wall_seconds();
    let read = |entry: &Entry| shelf.read(entry).map(Arc::new);
    let everyone = People::of(entries.par_iter().map(read).collect::<Result<_, _>>()?);
    let read_s = machine::wall_seconds() - started;
    let scanned = everyone.scan(&query.iter().collect::<Vec<_>>(), Thresholds::default());
    let found = scanned.findings(&Manifest::new(entries)?, everyone.len())?;
    let first_answer_s = machine::wall_seconds() - started;
    anyhow::ensure!(found == [Finding::Unique], "invented people resemble each other");
    Ok(Restart { read_s, first_answer_s, bytes })
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    UnwrapErr(getrandom::SysRng).fill_bytes(&mut bytes);
    bytes
}

/// Asks the system to drop what it has in memory of these files, and says how long they are together.
fn forget(shelf: &Shelf, entries: &[Entry]) -> anyhow::Result<u64> {
    let mut bytes = 0;
    for entry in entries {
        let file = File::open(shelf.path(entry.first))?;
        fadvise(&file, 0, None, Advice::DontNeed)?;
        bytes += file.metadata()?.len();
    }
    Ok(bytes)
}

//! A number that only rises, across crashes and power cuts.
//!
//! Crash order: the next number is written to a new file, flushed to the disk, renamed over the old file, the folder
//! is flushed; only then may the number be used. A crash before the rename leaves the old number, which was never used
//! again; a crash after it skips one. No order of events uses a number twice.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::DeviceError;

/// The counter in one file: decimal digits and a line feed.
#[derive(Debug)]
pub struct Counter {
    path: PathBuf,
    last: u64,
}

impl Counter {
    /// Starts a counter at zero.
    pub(super) fn create(path: &Path) -> Result<(), DeviceError> {
        write(path, 0)
    }

    /// Opens the counter at `path`.
    ///
    /// # Errors
    ///
    /// [`DeviceError::Damaged`] if it is missing or holds anything but a number: starting anew could repeat one.
    pub(super) fn open(path: &Path) -> Result<Self, DeviceError> {
        let damaged = || DeviceError::Damaged(path.to_owned());
        let text = fs::read_to_string(path).map_err(|_| damaged())?;
        let last = text.strip_suffix('\n').and_then(|digits| digits.parse().ok()).ok_or_else(damaged)?;
        Ok(Self { path: path.to_owned(), last })
    }

    /// The next number, already on disk.
    pub(super) fn next(&mut self) -> Result<u64, DeviceError> {
        let next = self.last.checked_add(1).ok_or(DeviceError::CounterExhausted)?;
        write(&self.path, next)?;
        self.last = next;
        Ok(next)
    }
}

fn write(path: &Path, value: u64) -> Result<(), DeviceError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let temporary = path.with_extension("new");
    let write = || {
        let mut file = File::create(&temporary)?;
        file.write_all(format!("{value}\n").as_bytes())?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        File::open(folder)?.sync_all()
    };
    write().map_err(DeviceError::io(path))
}

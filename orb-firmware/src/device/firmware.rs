//! Which firmware runs: the SHA-256 of its image.
//!
//! Measured by the program itself, so it names an honest device's version and proves nothing about a dishonest one. A
//! measured boot would have the secure element state it.

use std::fs::File;
use std::io;
use std::path::Path;

use sha2::{Digest, Sha256};
use unum_identity::bytes::FirmwareMeasurement;

/// The measurement of the file at `path`.
///
/// # Errors
///
/// Whatever reading the file gives.
pub fn measure(path: &Path) -> io::Result<FirmwareMeasurement> {
    let mut file = File::open(path)?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 16]; // 64 KiB a read: fast enough that larger ones gain nothing
    loop {
        match io::Read::read(&mut file, &mut buffer)? {
            0 => return Ok(FirmwareMeasurement(digest.finalize().into())),
            read => digest.update(&buffer[..read]),
        }
    }
}

/// The measurement of the program that is running.
///
/// # Errors
///
/// Whatever finding or reading the executable gives.
pub fn measure_running() -> io::Result<FirmwareMeasurement> {
    measure(&std::env::current_exe()?)
}

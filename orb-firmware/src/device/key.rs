//! A device's P-256 key in a file: 32 bytes, readable by its owner alone.
//!
//! For benches, demos and simulated devices. Whoever reads the file can speak for the device, which is why field
//! hardware keeps the key in a secure element instead.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use p256::ecdsa::SigningKey;
use p256::elliptic_curve::Generate;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::DeviceError;

const KEY_BYTES: usize = 32;

/// Makes a key and writes it to `path`, which must not exist.
pub(super) fn create(path: &Path, rng: &mut impl CryptoRng) -> Result<SigningKey, DeviceError> {
    let key = SigningKey::generate_from_rng(rng);
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = file.map_err(DeviceError::io(path))?;
    let bytes: Zeroizing<[u8; KEY_BYTES]> = Zeroizing::new(key.to_bytes().into());
    file.write_all(&*bytes).and_then(|()| file.sync_all()).map_err(DeviceError::io(path))?;
    Ok(key)
}

/// Reads the key at `path`, if nobody else could have.
pub(super) fn read(path: &Path) -> Result<SigningKey, DeviceError> {
    let mut file = File::open(path).map_err(DeviceError::io(path))?;
    let metadata = file.metadata().map_err(DeviceError::io(path))?;
    let mode = metadata.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(DeviceError::KeyExposed { path: path.to_owned(), mode });
    }
    let mut bytes = Zeroizing::new([0; KEY_BYTES]);
    if metadata.len() != KEY_BYTES as u64 {
        return Err(DeviceError::Damaged(path.to_owned()));
    }
    file.read_exact(&mut *bytes).map_err(DeviceError::io(path))?;
    SigningKey::from_slice(&*bytes).map_err(|_| DeviceError::Damaged(path.to_owned()))
}

//! The device's voice: it seals templates for the server, states what it saw, and signs both.
//!
//! ```text
//! folder ─► key, counter ─┐
//! server ─► session ──────┼─► capture ─► envelope (sealed, signed) ─► client
//! wallet ─► commitment ───┘
//! ```
//!
//! A device's id is the first 16 bytes of the SHA-256 of its public key, so that id and key cannot disagree. Its key is a
//! [`DeviceSigner`]: a file now ([`key`]), a secure element on real hardware. Liveness is stated as the caller gives
//! it; this device makes no check of its own yet, and says so ([`Liveness::NotAssessed`]).
//!
//! Knows nothing about cameras and servers.
//!
//! [`Liveness::NotAssessed`]: unum_identity::envelope::Liveness::NotAssessed

pub mod counter;
pub mod firmware;
pub mod key;

use std::fs::{DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use p256::ecdsa::SigningKey;
use rand_core::CryptoRng;
use sha2::{Digest, Sha256};
use unum_identity::bytes::{DeviceId, DeviceKey, FirmwareMeasurement};
use unum_identity::enrollment::{DeviceRegistration, Session};
use unum_identity::envelope::{
    CaptureReport, DeviceSigner, EnvelopeError, Payload, Purpose, SealContext, SealedTemplates, SignerError,
    sign, sign_leaf,
};
use unum_identity::field::Commitment;
use unum_iris::EyePair;

use self::counter::Counter;

const KEY_FILE: &str = "device.key";
const COUNTER_FILE: &str = "counter";
const LOCK_FILE: &str = "lock";

/// Why a device cannot be made, opened or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// There is a device in this folder already. Choose another folder: a key is never overwritten.
    #[error("{0} holds a device already")]
    Exists(PathBuf),
    /// No device in this folder. Make one with `orb provision`.
    #[error("{0} holds no device; make one with `orb provision --out {0}`")]
    Missing(PathBuf),
    /// Another program uses this device: two counters would collide. Wait for it or end it.
    #[error("{0} is in use by another program")]
    Busy(PathBuf),
    /// Others may read the key. If nobody has, take the permission away; if in doubt, revoke the device.
    #[error("{path} has mode {mode:o}, needs 600: others can read the key")]
    KeyExposed {
        /// The key file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A file is not what this program wrote. Revoke the device and provision a new one; a counter that is guessed anew
    /// could fall.
    #[error("{0} is damaged")]
    Damaged(PathBuf),
    /// The counter has counted to its end.
    #[error("the device's counter is exhausted")]
    CounterExhausted,
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The key cannot sign now.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// The templates cannot be sealed to the server's key. Ask for a new session.
    #[error("cannot seal to the server's key")]
    Seal(#[source] EnvelopeError),
}

impl DeviceError {
    fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }
}

/// A device that can capture. Holds its folder's lock until dropped.
pub struct Device<S> {
    id: DeviceId,
    firmware: FirmwareMeasurement,
    signer: S,
    counter: Counter,
    _lock: File,
}

/// Makes a device in `folder`: a new key, readable by its owner alone, and a counter at zero.
///
/// # Errors
///
/// [`DeviceError::Exists`] or [`DeviceError::Io`].
pub fn provision(
    folder: &Path,
    label: &str,
    rng: &mut impl CryptoRng,
) -> Result<DeviceRegistration, DeviceError> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(DeviceError::io(folder))?;
    let _lock = lock(folder)?;
    let path = folder.join(KEY_FILE);
    if path.exists() {
        return Err(DeviceError::Exists(folder.to_owned()));
    }
    // The key comes last: a folder with a key is complete.
    Counter::create(&folder.join(COUNTER_FILE))?;
    let key = key::create(&path, rng)?.key();
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(DeviceError::io(folder))?;
    Ok(DeviceRegistration { device: id_of(&key), key, label: label.to_owned() })
}

impl Device<SigningKey> {
    /// The device in `folder`, running `firmware`.
    ///
    /// # Errors
    ///
    /// [`DeviceError::Missing`], `Busy`, `KeyExposed`, `Damaged` or `Io`.
    pub fn open(folder: &Path, firmware: FirmwareMeasurement) -> Result<Self, DeviceError> {
        let path = folder.join(KEY_FILE);
        if !path.exists() {
            return Err(DeviceError::Missing(folder.to_owned()));
        }
        let lock = lock(folder)?;
        let signer = key::read(&path)?;
        let counter = Counter::open(&folder.join(COUNTER_FILE))?;
        Ok(Self { id: id_of(&signer.key()), firmware, signer, counter, _lock: lock })
    }
}

impl<S: DeviceSigner> Device<S> {
    /// Its name.
    pub fn id(&self) -> DeviceId {
        self.id
    }

    /// The envelope of one capture: `eyes` sealed for the server of `session`, everything signed for one purpose.
    ///
    /// The counter is on disk, one higher, before it is signed: a crash may skip a number and never repeats one.
    ///
    /// # Errors
    ///
    /// [`DeviceError::Seal`], `Signer`, `CounterExhausted` or `Io`.
    pub fn capture(
        &mut self,
        session: &Session,
        (purpose, commitment): (Purpose, Commitment),
        eyes: &EyePair,
        report: CaptureReport,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<u8>, DeviceError> {
        let context = SealContext { nonce: session.nonce, device: self.id, commitment };
        let sealed = SealedTemplates::seal(&eyes.to_bytes(), &session.sealing_key, context, rng)
            .map_err(DeviceError::Seal)?;
        let payload = Payload {
            nonce: session.nonce,
            device: self.id,
            counter: self.counter.next()?,
            firmware: self.firmware,
            commitment,
            leaf_signature: sign_leaf(self.id, commitment, &self.signer)?,
            consent_version: session.consent_version,
            report,
            sealed,
        };
        Ok(sign(&payload, purpose, &self.signer)?)
    }
}

impl<S> std::fmt::Debug for Device<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Device({})", self.id)
    }
}

/// The id that belongs to a key.
pub fn id_of(key: &DeviceKey) -> DeviceId {
    let digest = Sha256::digest(key.0);
    DeviceId(digest[..16].try_into().expect("a SHA-256 digest has 32 bytes"))
}

fn lock(folder: &Path) -> Result<File, DeviceError> {
    let path = folder.join(LOCK_FILE);
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(DeviceError::io(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(DeviceError::Busy(folder.to_owned())),
        Err(TryLockError::Error(error)) => Err(DeviceError::io(&path)(error)),
    }
}

#[cfg(test)]
mod tests;

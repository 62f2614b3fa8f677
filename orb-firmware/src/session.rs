//! One visit of one person, to enroll or to recover, from the session to the server's answer.
//!
//! ```text
//! server: session ─► camera: both eyes ─► device: seal, sign ─► server: outcome
//! ```
//!
//! The session comes first: an unreachable server is found out before anybody's eye is photographed, and its nonce's
//! 120 seconds leave time for a capture. Templates are gone when this returns.
//!
//! Measures how long the parts take; knows nothing about how any of them works.

use std::time::{Duration, Instant};

use rand_core::CryptoRng;
use unum_identity::envelope::{CaptureReport, DeviceSigner, Purpose};
use unum_identity::field::Commitment;

use crate::acquisition::{self, AcquisitionError, acquire};
use crate::camera::Camera;
use crate::client::{Client, ClientError, Outcome};
use crate::device::{Device, DeviceError};

/// A device with its server: attends to one person after another.
#[derive(Debug)]
pub struct Station<S> {
    /// Signs and seals.
    pub device: Device<S>,
    /// Answers.
    pub client: Client,
    /// How eyes are captured.
    pub config: acquisition::Config,
}

/// What one attempt came to.
#[derive(Debug)]
pub struct Attempt {
    /// The server's answer.
    pub outcome: Outcome,
    /// How the capture went.
    pub report: CaptureReport,
    /// From the first frame to both templates.
    pub capture: Duration,
    /// Sealing, signing, sending, and the server's comparison.
    pub upload: Duration,
}

/// Why an attempt came to nothing. The set is what it was, except where [`ClientError::Unavailable`] leaves it open.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The eyes could not be captured. Tell the person what to do and try again.
    #[error(transparent)]
    Acquisition(#[from] AcquisitionError),
    /// The device cannot speak.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The server did not answer, or not this device.
    #[error(transparent)]
    Client(#[from] ClientError),
}

impl<S: DeviceSigner> Station<S> {
    /// Enrolls the person in front of `camera` under `commitment`, or puts `commitment` in the place of the one that they
    /// have.
    ///
    /// # Errors
    ///
    /// A [`SessionError`]. A person who is refused, or needs a review, is an outcome and no error.
    pub fn attend(
        &mut self,
        camera: &mut dyn Camera,
        purpose: Purpose,
        commitment: Commitment,
        rng: &mut impl CryptoRng,
    ) -> Result<Attempt, SessionError> {
        let session = self.client.session(self.device.id())?;
        let start = Instant::now();
        let acquired = acquire(camera, &self.config)?;
        let capture = start.elapsed();

        let start = Instant::now();
        let report = acquired.report.clone();
        let asked = (purpose, commitment);
        let envelope = self.device.capture(&session, asked, &acquired.eyes, acquired.report, rng)?;
        let outcome = self.client.submit(purpose, &envelope)?;
        Ok(Attempt { outcome, report, capture, upload: start.elapsed() })
    }
}

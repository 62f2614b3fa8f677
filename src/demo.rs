//! The whole path, walked once and checked: people are enrolled through the real pipeline and the real HTTP API, come
//! again and are refused, claim their share once, show an app that they are human once, and the ledger balances.
//!
//! What is simulated: the eyes, unless the caller lists images; and that devices, wallets, app and services share
//! one machine. Everything else is what an operator would run.

mod audit;
mod enrollment;
mod facts;
mod humanness;
mod images;
mod money;
mod people;
mod stage;

use std::path::{Path, PathBuf};
use std::time::Instant;

use circuits::Prover;
use circuits::folder::KeyFolder;
use orb_firmware::session::Station;
use p256::ecdsa::SigningKey;
use unum_identity::enrollment::DeviceRegistration;
use unum_identity::time::UnixTime;

pub use facts::{Facts, Source};

use self::people::Person;
use self::stage::Stage;
use crate::system::{Options as SystemOptions, System, SystemError};

/// How many enrolled people come again, when eyes are drawn.
const COME_AGAIN: usize = 10;

/// Whose eyes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Eyes {
    /// Drawn, of this many people.
    Rendered(u32),
    /// Of the images in this list.
    Images(PathBuf),
}

/// What to do.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whose eyes.
    pub eyes: Eyes,
    /// Allow people of whom there are images of one eye only.
    pub one_eye: bool,
}

/// Why the demo could not be finished. What was checked and did not hold is in [`Facts::failures`] instead.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DemoError {
    /// The system does not start.
    #[error(transparent)]
    System(#[from] SystemError),
    /// The list of images cannot be read.
    #[error("list of images: {0}")]
    Manifest(#[from] orb_firmware::manifest::ManifestError),
    /// Nobody in the list has enough images to be enrolled.
    #[error("nobody in the list has images of {0}")]
    Nobody(&'static str),
    /// A device does not work.
    #[error("device: {0}")]
    Device(#[from] orb_firmware::device::DeviceError),
    /// An enrollment could not be carried out.
    #[error("enrollment: {0}")]
    Session(#[from] orb_firmware::session::SessionError),
    /// The address of the enrollment server cannot be used, or it does not answer.
    #[error("device: {0}")]
    Client(#[from] orb_firmware::client::ClientError),
    /// The enrollment server did not register a device.
    #[error("device registration: {0}")]
    Registration(Box<ureq::Error>),
    /// The operator's requests were not carried out.
    #[error("operator: {0}")]
    Operator(#[from] distribution::client::ClientError),
    /// What is published about the period cannot be read.
    #[error("audit: {0}")]
    Audit(#[from] distribution::archive::ArchiveError),
    /// There is no room for what is published.
    #[error("audit: {0}")]
    Folder(std::io::Error),
    /// A wallet got no answer, or one that is not true.
    #[error("wallet: {0}")]
    Wallet(#[from] wallet_sdk::client::ClientError),
    /// A proof could not be made.
    #[error("proof: {0}")]
    Proof(#[from] wallet_sdk::ProveError),
    /// The proving key cannot be read.
    #[error("proving key: {0}")]
    Keys(#[from] circuits::folder::FolderError),
    /// Nobody was enrolled, so nobody can claim.
    #[error("nobody was enrolled: no image was good enough")]
    NobodyEnrolled,
    /// The program cannot be measured.
    #[error("firmware measurement: {0}")]
    Firmware(std::io::Error),
}

/// Everything that the steps share.
struct World {
    system: System,
    stations: Vec<Station<SigningKey>>,
    prover: Prover,
    people: Vec<Person>,
    /// When the programme starts.
    started_at: UnixTime,
    facts: Facts,
}

/// Walks the whole path below the folder `data`. Hands back the running system too, for whoever wants to keep it.
///
/// # Errors
///
/// A [`DemoError`] if a step could not be carried out at all.
pub fn run(data: &Path, options: &Options) -> Result<(Facts, System), DemoError> {
    let start = Instant::now();
    let stage = Stage::new("listing people");
    let (people, source) = people::gather(options, &stage)?;
    stage.done(&format!("{} people", people.len()));

    let registrations = enrollment::provision_devices(data)?;
    let mut world = World::start(data, options, people, source, &registrations)?;
    enrollment::enroll_everyone(&mut world)?;
    enrollment::come_again(&mut world)?;
    money::pay_everyone(&mut world)?;
    humanness::verify_some(&mut world)?;
    money::close_the_books(&mut world)?;

    let World { mut facts, system, .. } = world;
    facts.seconds = start.elapsed().as_secs_f64();
    Ok((facts, system))
}

impl World {
    fn start(
        data: &Path,
        options: &Options,
        people: Vec<Person>,
        source: Source,
        devices: &[DeviceRegistration],
    ) -> Result<Self, DemoError> {
        let stage = Stage::new("starting");
        let system_options =
            SystemOptions { one_eye: options.one_eye, periods_by_hand: true, devices: devices.to_vec() };
        let system = System::start(data, &system_options, &|what| stage.says(what))?;
        stage.says("loading the proving key");
        let prover = Prover::new(KeyFolder::open(&system.addresses().keys)?.proving_key()?);
        stage.done("Postgres, enrollment server and distribution are up");
        enrollment::register_devices(&system, devices)?;
        let stations = enrollment::stations(data, &system, options)?;
        let started_at = system.now();
        let facts = Facts::new(people.len(), source);
        Ok(Self { system, stations, prover, people, started_at, facts })
    }

    /// Notes what did not hold.
    fn check(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.facts.failures.push(what());
        }
    }

    fn enrolled(&self) -> impl Iterator<Item = &Person> {
        self.people.iter().filter(|person| person.enrolled)
    }
}

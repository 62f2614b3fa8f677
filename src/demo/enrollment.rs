//! Two devices and a queue of people: everyone is enrolled once, and some come again.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use getrandom::SysRng;
use orb_firmware::acquisition::{AcquisitionError, Config};
use orb_firmware::client::{Client, ClientError, Outcome};
use orb_firmware::device::{self, Device, firmware};
use orb_firmware::session::{Attempt, SessionError, Station};
use p256::ecdsa::SigningKey;
use rand_core::UnwrapErr;
use unum_identity::enrollment::DeviceRegistration;
use unum_identity::envelope::Purpose;
use unum_identity::field::Commitment;
use wallet_sdk::Wallet;

use super::facts::median;
use super::people::{BoxedCamera, Person};
use super::stage::Stage;
use super::{DemoError, Options, Source, World};
use crate::system::System;

/// Devices that work side by side.
const DEVICES: usize = 2;
/// How many failures of one stage are shown.
const SHOWN: usize = 8;

fn device_folder(data: &Path, number: usize) -> PathBuf {
    data.join("devices").join(number.to_string())
}

/// Makes the devices' keys: what an operator does on the bench.
pub(super) fn provision_devices(data: &Path) -> Result<Vec<DeviceRegistration>, DemoError> {
    (0..DEVICES)
        .map(|number| {
            let label = format!("demo device {number}");
            Ok(device::provision(&device_folder(data, number), &label, &mut UnwrapErr(SysRng))?)
        })
        .collect()
}

/// Makes the devices known to the enrollment server.
pub(super) fn register_devices(system: &System, devices: &[DeviceRegistration]) -> Result<(), DemoError> {
    for device in devices {
        ureq::post(format!("{}/v1/devices", system.addresses().enroll))
            .header("authorization", format!("Bearer {}", system.operator_token()))
            .send_json(device)
            .map_err(|error| DemoError::Registration(Box::new(error)))?;
    }
    Ok(())
}

/// The devices, each connected to the enrollment server.
pub(super) fn stations(
    data: &Path,
    system: &System,
    options: &Options,
) -> Result<Vec<Station<SigningKey>>, DemoError> {
    let firmware = firmware::measure_running().map_err(DemoError::Firmware)?;
    (0..DEVICES)
        .map(|number| {
            Ok(Station {
                device: Device::open(&device_folder(data, number), firmware)?,
                client: Client::new(&system.addresses().enroll)?,
                config: Config { one_eye: options.one_eye, ..Config::default() },
            })
        })
        .collect()
}

/// What one visit of a person came to.
enum Visit {
    Enrolled(Duration),
    Duplicate,
    Review,
    /// No usable capture, and why.
    Recapture(String),
    /// An answer that no visit should get.
    Unexpected(String),
}

impl Visit {
    /// Sorts an attempt's outcome. An error that ends the demo stays one.
    fn of(attempt: Result<Attempt, SessionError>) -> Result<Self, DemoError> {
        Ok(match attempt {
            Ok(Attempt { outcome, capture, upload, .. }) => match outcome {
                Outcome::Enrolled(_) => Self::Enrolled(capture + upload),
                Outcome::Review => Self::Review,
                Outcome::Refused(problem) => match &*problem.code {
                    "duplicate" => Self::Duplicate,
                    "recapture" => Self::Recapture(problem.to_string()),
                    _ => Self::Unexpected(problem.to_string()),
                },
                other => Self::Unexpected(format!("{other:?}")),
            },
            Err(SessionError::Acquisition(error @ AcquisitionError::Installation(_))) => {
                return Err(SessionError::from(error).into());
            }
            Err(SessionError::Acquisition(error)) => Self::Recapture(error.to_string()),
            Err(SessionError::Client(ClientError::Refused(problem))) => Self::Unexpected(problem.to_string()),
            Err(error) => return Err(error.into()),
        })
    }
}

/// Everyone comes once; where eyes are drawn, a bad capture is tried again.
pub(super) fn enroll_everyone(world: &mut World) -> Result<(), DemoError> {
    let stage = Stage::of(world.people.len(), "enrolling");
    let people = &world.people;
    let visits =
        in_parallel(&mut world.stations, people.iter().enumerate().collect(), |station, (index, person)| {
            let mut visits = Vec::new();
            for attempt in 0..person.attempts() {
                let visit = enroll(station, person.camera(attempt), person.wallet.commitment())?;
                let again = matches!(visit, Visit::Recapture(_));
                visits.push(visit);
                if !again {
                    break;
                }
            }
            stage.step();
            Ok((index, visits))
        })?;

    let mut took = Vec::new();
    let mut notes = Vec::new();
    for (index, visits) in visits {
        for visit in visits {
            match visit {
                Visit::Enrolled(duration) => {
                    world.people[index].enrolled = true;
                    world.facts.enrolled += 1;
                    took.push(duration);
                }
                Visit::Duplicate => world.facts.false_duplicates += 1,
                Visit::Review => world.facts.reviews += 1,
                Visit::Recapture(why) => {
                    world.facts.recaptures += 1;
                    notes.push(why);
                }
                Visit::Unexpected(answer) => {
                    world.check(false, || format!("an enrollment was answered {answer}"));
                }
            }
        }
    }
    world.facts.enroll_ms_median = median(&mut took);
    let (enrolled, everyone, strangers) =
        (world.facts.enrolled, world.people.len(), world.facts.false_duplicates);
    world.check(strangers == 0, || format!("{strangers} people were taken for somebody else"));
    if world.facts.source == Source::Rendered {
        world.check(enrolled == everyone, || format!("{enrolled} of {everyone} people were enrolled"));
    }
    show(&stage, notes);
    stage.done(&format!("{enrolled} of {everyone} people are enrolled, each compared with all before"));
    if enrolled == 0 {
        return Err(DemoError::NobodyEnrolled);
    }
    Ok(())
}

/// Some of the enrolled come again, each time with a new wallet.
pub(super) fn come_again(world: &mut World) -> Result<(), DemoError> {
    let cameras: Vec<_> = world.enrolled().flat_map(Person::again).collect();
    let stage = Stage::of(cameras.len(), "coming again");
    if world.facts.source == Source::Images {
        for station in &mut world.stations {
            station.config.good_frames = 1; // all that was kept back for one attempt
        }
    }
    let visits = in_parallel(&mut world.stations, cameras, |station, camera| {
        let somebody_new = Wallet::generate(&mut UnwrapErr(SysRng)).commitment();
        let visit = enroll(station, camera, somebody_new);
        stage.step();
        visit
    })?;

    let mut notes = Vec::new();
    let mut enrolled_again = 0;
    for visit in visits {
        match visit {
            Visit::Duplicate => world.facts.duplicates_refused += 1,
            Visit::Review => world.facts.reviews += 1,
            Visit::Enrolled(_) => enrolled_again += 1,
            Visit::Recapture(why) => {
                world.facts.recaptures += 1;
                notes.push(why);
                continue;
            }
            Visit::Unexpected(answer) => {
                world.check(false, || format!("a second visit was answered {answer}"));
            }
        }
        world.facts.duplicate_attempts += 1;
    }
    world.facts.enrolled_again = enrolled_again;
    world.check(enrolled_again == 0, || format!("people enrolled twice: {enrolled_again}"));
    let (refused, attempts) = (world.facts.duplicates_refused, world.facts.duplicate_attempts);
    show(&stage, notes);
    stage.done(&format!(
        "{attempts} came again, {refused} refused as duplicates, {enrolled_again} enrolled twice"
    ));
    Ok(())
}

fn enroll(
    station: &mut Station<SigningKey>,
    mut camera: BoxedCamera,
    commitment: Commitment,
) -> Result<Visit, DemoError> {
    Visit::of(station.attend(&mut *camera, Purpose::Enroll, commitment, &mut UnwrapErr(SysRng)))
}

/// A few of the reasons, so that a person sees what happens without a page of it.
fn show(stage: &Stage, notes: Vec<String>) {
    let more = notes.len().saturating_sub(SHOWN);
    for note in notes.into_iter().take(SHOWN) {
        stage.note(&note);
    }
    if more > 0 {
        stage.note(&format!("and {more} more captures that were not good enough"));
    }
}

/// Each station takes the next job as soon as it is free. The first error ends the work.
fn in_parallel<J: Send, R: Send>(
    stations: &mut [Station<SigningKey>],
    jobs: Vec<J>,
    work: impl Fn(&mut Station<SigningKey>, J) -> Result<R, DemoError> + Sync,
) -> Result<Vec<R>, DemoError> {
    let jobs = Mutex::new(jobs.into_iter());
    let next = || jobs.lock().unwrap_or_else(std::sync::PoisonError::into_inner).next();
    let (next, work) = (&next, &work);
    std::thread::scope(|scope| {
        let run = |station: &mut Station<SigningKey>| -> Result<Vec<R>, DemoError> {
            let mut results = Vec::new();
            while let Some(job) = next() {
                results.push(work(station, job)?);
            }
            Ok(results)
        };
        let threads: Vec<_> = stations.iter_mut().map(|station| scope.spawn(move || run(station))).collect();
        let mut results: Vec<R> = Vec::new();
        for thread in threads {
            results.extend(thread.join().expect("a station does not panic")?);
        }
        Ok(results)
    })
}

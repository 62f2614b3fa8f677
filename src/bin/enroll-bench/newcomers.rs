//! Devices, and invented people in front of them: random bits, which resemble each other as little as strangers do.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use getrandom::SysRng;
use orb_firmware::client::{Client, Outcome};
use orb_firmware::device::{self, firmware};
use p256::ecdsa::SigningKey;
use rand_core::{Rng as _, UnwrapErr};
use unum::system::System;
use unum_identity::envelope::{CaptureReport, Purpose};
use unum_identity::secret::Secret;
use unum_iris::{COLUMNS, EyePair, Template};

/// A device that the server knows.
pub(crate) struct Device {
    device: device::Device<SigningKey>,
    client: Client,
}

impl Device {
    pub(crate) fn new(system: &System, folder: &Path) -> anyhow::Result<Self> {
        let registration = device::provision(folder, "bench", &mut UnwrapErr(SysRng))?;
        ureq::post(format!("{}/v1/devices", system.addresses().enroll))
            .header("authorization", format!("Bearer {}", system.operator_token()))
            .send_json(&registration)
            .context("the server does not take the device")?;
        let firmware = firmware::measure_running()?;
        Ok(Self {
            device: device::Device::open(folder, firmware)?,
            client: Client::new(&system.addresses().enroll)?,
        })
    }

    /// Enrolls somebody; how long they waited from the envelope to the verdict.
    fn enroll(&mut self) -> anyhow::Result<Duration> {
        let mut rng = UnwrapErr(SysRng);
        let session = self.client.session(self.device.id())?;
        let asked = (Purpose::Enroll, Secret::generate(&mut rng).identity().commitment());
        let report = CaptureReport::default();
        let envelope = self.device.capture(&session, asked, &somebody(), report, &mut rng)?;
        let sent = Instant::now();
        let outcome = self.client.submit(Purpose::Enroll, &envelope)?;
        ensure!(matches!(outcome, Outcome::Enrolled(_)), "a newcomer was not enrolled: {outcome:?}");
        Ok(sent.elapsed())
    }
}

/// So many newcomers, each at the next device that is free; how long each waited.
pub(crate) fn come(devices: &mut [Device], newcomers: u32) -> anyhow::Result<Vec<Duration>> {
    let left = std::sync::atomic::AtomicU32::new(newcomers);
    let next = || {
        use std::sync::atomic::Ordering::Relaxed;
        left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_ok()
    };
    let next = &next;
    std::thread::scope(|scope| {
        let queues: Vec<_> = devices
            .iter_mut()
            .map(|device| {
                scope.spawn(move || {
                    let mut waits = Vec::new();
                    while next() {
                        waits.push(device.enroll()?);
                    }
                    anyhow::Ok(waits)
                })
            })
            .collect();
        let waits = queues.into_iter().map(|queue| queue.join().expect("a device does not panic"));
        Ok(waits.collect::<anyhow::Result<Vec<_>>>()?.concat())
    })
}

/// Eyes that nobody has.
pub(crate) fn somebody() -> EyePair {
    let eye = || {
        let mut bytes = [0; 8 * COLUMNS];
        UnwrapErr(SysRng).fill_bytes(&mut bytes);
        let code = std::array::from_fn(|i| {
            u64::from_le_bytes(bytes[8 * i..][..8].try_into().expect("eight bytes are a word"))
        });
        Template::from_columns(&code, &[u64::MAX; COLUMNS])
    };
    EyePair::new(Some(eye()), Some(eye())).expect("both eyes are there")
}

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use getrandom::SysRng;
use rand_core::UnwrapErr;
use unum_identity::bytes::Nonce;
use unum_identity::envelope::{Liveness, OpeningKey, Purpose, UnverifiedEnvelope, leaf_signature_holds};
use unum_identity::field::FieldElement;
use unum_identity::time::UnixTime;
use unum_iris::Template;

use super::*;

const FIRMWARE: FirmwareMeasurement = FirmwareMeasurement([9; 32]);

/// A provisioned device and the folder that it lives in as long as this is held.
fn device() -> (tempfile::TempDir, DeviceRegistration) {
    let folder = tempfile::tempdir().unwrap();
    let registration = provision(&folder.path().join("d"), "bench", &mut UnwrapErr(SysRng)).unwrap();
    (folder, registration)
}

fn open(folder: &tempfile::TempDir) -> Result<Device<SigningKey>, DeviceError> {
    Device::open(&folder.path().join("d"), FIRMWARE)
}

fn commitment() -> Commitment {
    Commitment(FieldElement::from_be_bytes_mod_order(&[5; 32]))
}

fn session(server: &OpeningKey) -> Session {
    Session {
        nonce: Nonce([3; 32]),
        expires_at: UnixTime(1_000),
        sealing_key: server.sealing_key(),
        consent_version: 4,
    }
}

fn eyes() -> EyePair {
    let left = Template::from_columns(&[0x5555; 256], &[u64::MAX; 256]);
    EyePair::new(Some(left), None).unwrap()
}

fn envelope(device: &mut Device<SigningKey>, server: &OpeningKey) -> Vec<u8> {
    let report = CaptureReport { frames: [3, 0], ..CaptureReport::default() };
    device
        .capture(&session(server), (Purpose::Enroll, commitment()), &eyes(), report, &mut UnwrapErr(SysRng))
        .unwrap()
}

#[test]
fn the_server_reads_what_the_device_says() {
    let (folder, registration) = device();
    let server = OpeningKey::generate(&mut UnwrapErr(SysRng));
    let mut device = open(&folder).unwrap();
    assert_eq!(device.id(), registration.device);

    let unverified = UnverifiedEnvelope::from_bytes(&envelope(&mut device, &server)).unwrap();
    assert_eq!(unverified.device(), registration.device);
    let payload = unverified.verify(&registration.key, Purpose::Enroll).unwrap();
    assert_eq!((payload.counter, payload.firmware, payload.consent_version), (1, FIRMWARE, 4));
    assert_eq!((payload.report.frames, payload.report.liveness), ([3, 0], Liveness::NotAssessed));
    assert!(leaf_signature_holds(
        payload.device,
        payload.commitment,
        &payload.leaf_signature,
        &registration.key
    ));
    let opened = payload.sealed.open(&server, SealContext::from(&payload)).unwrap();
    assert_eq!(EyePair::from_bytes(&opened).unwrap(), eyes());
}

#[test]
fn templates_do_not_stand_in_the_envelope() {
    let (folder, _) = device();
    let server = OpeningKey::generate(&mut UnwrapErr(SysRng));
    let envelope = envelope(&mut open(&folder).unwrap(), &server);
    let column = [0x55, 0x55, 0, 0, 0, 0, 0, 0];
    assert!(!envelope.windows(column.len()).any(|window| window == column));
}

#[test]
fn the_counter_rises_across_restarts_and_survives_a_torn_write() {
    let (folder, registration) = device();
    let server = OpeningKey::generate(&mut UnwrapErr(SysRng));
    let mut last = 0;
    for _ in 0..3 {
        let mut device = open(&folder).unwrap(); // a restart
        for _ in 0..2 {
            let envelope = UnverifiedEnvelope::from_bytes(&envelope(&mut device, &server)).unwrap();
            let counter = envelope.verify(&registration.key, Purpose::Enroll).unwrap().counter;
            assert_eq!(counter, last + 1);
            last = counter;
        }
        // A power cut in the middle of the next write leaves half a temporary file.
        std::fs::write(folder.path().join("d/counter.new"), "99").unwrap();
    }
}

#[test]
fn a_counter_that_cannot_be_written_is_not_used() {
    let (folder, _) = device();
    let server = OpeningKey::generate(&mut UnwrapErr(SysRng));
    let mut device = open(&folder).unwrap();
    std::fs::create_dir(folder.path().join("d/counter.new")).unwrap();
    let report = CaptureReport::default();
    let error = device
        .capture(&session(&server), (Purpose::Enroll, commitment()), &eyes(), report, &mut UnwrapErr(SysRng))
        .unwrap_err();
    assert!(matches!(error, DeviceError::Io { .. }), "{error}");
}

#[test]
fn damaged_and_lost_files_are_refused() {
    for counter in [None, Some(""), Some("12"), Some("-1\n"), Some("1\n2\n"), Some("18446744073709551616\n")]
    {
        let (folder, _) = device();
        let path = folder.path().join("d/counter");
        match counter {
            Some(text) => std::fs::write(&path, text).unwrap(),
            None => std::fs::remove_file(&path).unwrap(),
        }
        assert!(matches!(open(&folder), Err(DeviceError::Damaged(_))), "{counter:?}");
    }
    for key in [&[0; 32][..], &[1; 31], &[0xff; 32], &[]] {
        let (folder, _) = device();
        std::fs::write(folder.path().join("d/device.key"), key).unwrap();
        assert!(matches!(open(&folder), Err(DeviceError::Damaged(_))), "{} bytes", key.len());
    }
}

#[test]
fn a_counter_at_its_end_stays_there() {
    let (folder, _) = device();
    let path = folder.path().join("d/counter");
    std::fs::write(&path, format!("{}\n", u64::MAX)).unwrap();
    let server = OpeningKey::generate(&mut UnwrapErr(SysRng));
    let error = open(&folder)
        .unwrap()
        .capture(
            &session(&server),
            (Purpose::Enroll, commitment()),
            &eyes(),
            CaptureReport::default(),
            &mut UnwrapErr(SysRng),
        )
        .unwrap_err();
    assert!(matches!(error, DeviceError::CounterExhausted));
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let (folder, _) = device();
    let path = folder.path().join("d/device.key");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    std::fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(open(&folder), Err(DeviceError::KeyExposed { mode: 0o640, .. })));
}

#[test]
fn one_program_at_a_time() {
    let (folder, _) = device();
    let first = open(&folder).unwrap();
    assert!(matches!(open(&folder), Err(DeviceError::Busy(_))));
    drop(first);
    open(&folder).unwrap();
}

#[test]
fn a_device_is_never_overwritten() {
    let (folder, registration) = device();
    let again = provision(&folder.path().join("d"), "bench", &mut UnwrapErr(SysRng));
    assert!(matches!(again, Err(DeviceError::Exists(_))));
    assert_eq!(open(&folder).unwrap().id(), registration.device);
    assert!(matches!(Device::open(folder.path(), FIRMWARE), Err(DeviceError::Missing(_))));
}

#[test]
fn debug_shows_no_key() {
    let (folder, registration) = device();
    assert_eq!(format!("{:?}", open(&folder).unwrap()), format!("Device({})", registration.device));
}

#[test]
fn a_measurement_is_the_files_sha256() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("image");
    std::fs::write(&path, "abc").unwrap(); // FIPS 180-4, example of one block
    let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(firmware::measure(&path).unwrap().to_string(), expected);
}

use unum_identity::bytes::{DeviceId, DeviceKey, DeviceSignature, FirmwareMeasurement, Nonce};
use unum_identity::enrollment::DeviceRegistration;
use unum_identity::envelope::{CaptureReport, OpeningKey, SealedTemplates};
use unum_identity::field::Commitment;

use super::accept::admits;
use super::*;
use crate::store::devices::Device;
use crate::store::sessions::IssuedNonce;

const NOW: UnixTime = UnixTime(1000);

fn payload(counter: u64) -> Payload {
    let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
    let (nonce, device, commitment) = (Nonce([1; 32]), DeviceId([2; 16]), Commitment(3.into()));
    let to = OpeningKey::generate(&mut rng).sealing_key();
    let context = SealContext { nonce, device, commitment };
    Payload {
        nonce,
        device,
        counter,
        firmware: FirmwareMeasurement([4; 32]),
        commitment,
        leaf_signature: DeviceSignature([5; 64]),
        consent_version: 1,
        report: CaptureReport::default(),
        sealed: SealedTemplates::seal(b"", &to, context, &mut rng).unwrap(),
    }
}

fn device(last_counter: Option<u64>, is_revoked: bool) -> Device {
    let registration =
        DeviceRegistration { device: DeviceId([2; 16]), key: DeviceKey([2; 33]), label: "d".into() };
    Device { registration, is_revoked, last_counter }
}

fn nonce(device: u8, expires_at: u64, is_used: bool) -> IssuedNonce {
    let used_by = is_used.then_some([6; 32]);
    IssuedNonce { device: DeviceId([device; 16]), expires_at: UnixTime(expires_at), used_by, outcome: None }
}

#[track_caller]
fn check(device: Option<&Device>, nonce: Option<&IssuedNonce>, counter: u64, expected: Option<&str>) {
    let found = admits(device, nonce, &payload(counter), NOW).err();
    let code = found.map(|refusal| ProblemResponse::from(refusal).code().to_owned());
    assert_eq!(code.as_deref(), expected);
}

#[test]
fn nonce_and_counter_decide() {
    let (fresh, good) = (device(None, false), nonce(2, 1001, false));
    check(Some(&fresh), Some(&good), 0, None);
    check(Some(&device(Some(7), false)), Some(&good), 8, None);
    check(Some(&device(Some(7), false)), Some(&good), 7, Some("counter_not_rising"));
    check(None, Some(&good), 1, Some("device_unknown"));
    check(Some(&device(None, true)), Some(&good), 1, Some("device_revoked"));
    check(Some(&fresh), None, 1, Some("nonce_unknown"));
    check(Some(&fresh), Some(&nonce(9, 1001, false)), 1, Some("nonce_unknown"));
    check(Some(&fresh), Some(&nonce(2, 1000, false)), 1, Some("nonce_expired"));
    check(Some(&fresh), Some(&nonce(2, 1001, true)), 1, Some("nonce_used"));
}

#[test]
fn a_replay_is_told_so_and_not_that_its_counter_is_old() {
    check(Some(&device(Some(7), false)), Some(&nonce(2, 1001, true)), 7, Some("nonce_used"));
}

#[test]
fn times_lose_their_minutes() {
    assert_eq!(
        (start_of_hour(UnixTime(7199)), end_of_hour(UnixTime(7199))),
        (UnixTime(3600), UnixTime(7200))
    );
    assert_eq!(
        (start_of_hour(UnixTime(7200)), end_of_hour(UnixTime(7200))),
        (UnixTime(7200), UnixTime(7200))
    );
}

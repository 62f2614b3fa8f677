use getrandom::SysRng;
use rand_core::UnwrapErr;

use super::*;

const SECRET: &[u8] = b"templates of two eyes";

struct Fixture {
    device: SigningKey,
    server: OpeningKey,
    payload: Payload,
}

fn fixture() -> Fixture {
    let mut rng = UnwrapErr(SysRng);
    let device = SigningKey::from_slice(&[7; 32]).unwrap();
    let server = OpeningKey::generate(&mut rng);
    let (id, commitment) = (DeviceId([1; 16]), Commitment(5.into()));
    let context = SealContext { nonce: Nonce([2; 32]), device: id, commitment };
    let payload = Payload {
        nonce: context.nonce,
        device: id,
        counter: 3,
        firmware: FirmwareMeasurement([4; 32]),
        commitment,
        leaf_signature: sign_leaf(id, commitment, &device).unwrap(),
        consent_version: 1,
        report: CaptureReport { frames: [3, 4], usable_per_mille: [800, 700], ..Default::default() },
        sealed: SealedTemplates::seal(SECRET, &server.sealing_key(), context, &mut rng).unwrap(),
    };
    Fixture { device, server, payload }
}

fn verify(bytes: &[u8], key: &DeviceKey) -> Result<Payload, EnvelopeError> {
    UnverifiedEnvelope::from_bytes(bytes)?.verify(key, Purpose::Enroll)
}

#[test]
fn round_trip() {
    let Fixture { device, server, payload } = fixture();
    let bytes = sign(&payload, Purpose::Enroll, &device).unwrap();
    assert!(bytes.len() < MAX_ENVELOPE);
    assert_eq!(UnverifiedEnvelope::from_bytes(&bytes).unwrap().device(), payload.device);
    let found = verify(&bytes, &DeviceSigner::key(&device)).unwrap();
    assert_eq!(found, payload);
    assert_eq!(&**found.sealed.open(&server, (&found).into()).unwrap(), SECRET);
}

#[test]
fn an_envelope_is_for_one_purpose() {
    let Fixture { device, payload, .. } = fixture();
    let bytes = sign(&payload, Purpose::Recover, &device).unwrap();
    let key = DeviceSigner::key(&device);
    assert_eq!(verify(&bytes, &key), Err(EnvelopeError::Signature));
    assert_eq!(UnverifiedEnvelope::from_bytes(&bytes).unwrap().verify(&key, Purpose::Recover), Ok(payload));
}

#[test]
fn every_flipped_byte_is_refused() {
    let Fixture { device, payload, .. } = fixture();
    let bytes = sign(&payload, Purpose::Enroll, &device).unwrap();
    for at in 0..bytes.len() {
        let mut altered = bytes.clone();
        altered[at] ^= 1;
        assert!(verify(&altered, &DeviceSigner::key(&device)).is_err(), "byte {at}");
    }
}

#[test]
fn another_device_cannot_have_signed_it() {
    let Fixture { device, payload, .. } = fixture();
    let bytes = sign(&payload, Purpose::Enroll, &device).unwrap();
    let other = SigningKey::from_slice(&[8; 32]).unwrap();
    assert_eq!(verify(&bytes, &DeviceSigner::key(&other)), Err(EnvelopeError::Signature));
}

#[test]
fn trailing_bytes_are_refused() {
    let Fixture { device, payload, .. } = fixture();
    let mut bytes = sign(&payload, Purpose::Enroll, &device).unwrap();
    bytes.push(0);
    assert_eq!(verify(&bytes, &DeviceSigner::key(&device)), Err(EnvelopeError::Malformed));
    let mut inner = payload.to_bytes();
    inner.push(0);
    assert_eq!(Payload::from_bytes(&inner), Err(EnvelopeError::Malformed));
}

#[test]
fn an_unsigned_header_is_refused() {
    let Fixture { device, payload, .. } = fixture();
    let mut cose = CoseSign1::from_slice(&sign(&payload, Purpose::Enroll, &device).unwrap()).unwrap();
    cose.unprotected = HeaderBuilder::new().key_id(vec![9; 16]).build();
    assert_eq!(verify(&cose.to_vec().unwrap(), &DeviceSigner::key(&device)), Err(EnvelopeError::Malformed));
}

#[test]
fn too_large_is_refused_unread() {
    assert!(matches!(
        UnverifiedEnvelope::from_bytes(&vec![0; MAX_ENVELOPE + 1]),
        Err(EnvelopeError::Malformed)
    ));
}

#[test]
fn a_commitment_of_r_is_refused() {
    let order = hex::decode("30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001").unwrap();
    let Fixture { payload, .. } = fixture();
    let bytes = payload.to_bytes();
    let canonical = payload.commitment.to_be_bytes();
    let at = bytes.windows(32).position(|window| window == canonical).unwrap();
    let mut altered = bytes.clone();
    altered[at..at + 32].copy_from_slice(&order);
    assert_eq!(Payload::from_bytes(&altered), Err(EnvelopeError::Commitment));
}

#[test]
fn templates_cannot_move_to_another_session_person_or_server() {
    let Fixture { server, payload, .. } = fixture();
    let context = SealContext::from(&payload);
    let elsewhere = [
        SealContext { nonce: Nonce([9; 32]), ..context },
        SealContext { device: DeviceId([9; 16]), ..context },
        SealContext { commitment: Commitment(6.into()), ..context },
    ];
    for context in elsewhere {
        assert_eq!(payload.sealed.open(&server, context), Err(EnvelopeError::Sealed));
    }
    let other = OpeningKey::generate(&mut UnwrapErr(SysRng));
    assert_eq!(payload.sealed.open(&other, context), Err(EnvelopeError::Sealed));
    let reloaded = OpeningKey::from_bytes(&server.expose()).unwrap();
    assert!(payload.sealed.open(&reloaded, context).is_ok());
}

#[test]
fn a_leaf_signature_serves_for_one_leaf_of_one_device() {
    let Fixture { device, payload, .. } = fixture();
    let key = DeviceSigner::key(&device);
    let Payload { device: id, commitment, leaf_signature, .. } = payload;
    assert!(leaf_signature_holds(id, commitment, &leaf_signature, &key));
    assert!(!leaf_signature_holds(id, Commitment(6.into()), &leaf_signature, &key));
    assert!(!leaf_signature_holds(DeviceId([9; 16]), commitment, &leaf_signature, &key));
}

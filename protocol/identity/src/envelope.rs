//! The device envelope: what a device signs about one enrollment, and the templates it seals inside.
//!
//! Outside: `COSE_Sign1` (RFC 9052) with ES256 over the exact payload bytes, the device's id as `kid`, and external
//! data that keeps a signature made for another purpose from serving here. Inside: a CBOR map ([`Payload`]). In it
//! the templates are sealed with HPKE (RFC 9180; DHKEM X25519 with HKDF-SHA256, ChaCha20-Poly1305) to the
//! server's key and bound to the session, so that no proxy and no queue on the way can read them or move them.
//!
//! What the sealed bytes mean is known to the device and the server only.

use std::fmt;

use coset::{CborSerializable, CoseSign1, CoseSign1Builder, HeaderBuilder, iana};
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use minicbor::bytes::{ByteArray, ByteVec};
use p256::ecdsa::signature::{Signer, Verifier};
use p256::ecdsa::{Signature, SigningKey, VerifyingKey};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::bytes::{DeviceId, DeviceKey, DeviceSignature, FirmwareMeasurement, Nonce, SealingKey};
use crate::field::Commitment;

/// Largest envelope that is looked at: sealed templates of two eyes take 8.2 KB, the report less than 1 KB.
pub const MAX_ENVELOPE: usize = 16 * 1024;

/// HPKE `info`.
const SEAL_INFO: &[u8] = b"unum/templates/v1";
/// The only payload version.
const VERSION: u8 = 1;

/// What an envelope is for: the external data of its COSE signature. An envelope that was signed for one purpose is
/// nothing for another, whoever carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A newcomer, who is in the set from then on.
    Enroll,
    /// Somebody known, whose leaf has another commitment from then on.
    Recover,
}

impl Purpose {
    fn external_data(self) -> &'static [u8] {
        match self {
            Self::Enroll => b"unum/enrollment/v1",
            Self::Recover => b"unum/recovery/v1",
        }
    }
}

/// What a device states about one capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload {
    /// The session it answers.
    pub nonce: Nonce,
    /// The device that speaks; also the envelope's `kid`.
    pub device: DeviceId,
    /// Rises with every envelope of this device.
    pub counter: u64,
    /// The firmware that runs on it.
    pub firmware: FirmwareMeasurement,
    /// The wallet's leaf.
    pub commitment: Commitment,
    /// The device's signature over the leaf alone, for the public log ([`sign_leaf`]).
    pub leaf_signature: DeviceSignature,
    /// Which consent text the person agreed to.
    pub consent_version: u32,
    /// How good the capture was, and whether a living eye was seen.
    pub report: CaptureReport,
    /// Templates, for the server only.
    pub sealed: SealedTemplates,
}

/// How a capture went. No value in it describes the person.
#[derive(Clone, Debug, PartialEq, Eq, Default, minicbor::Encode, minicbor::Decode)]
pub struct CaptureReport {
    /// Frames that were fused, left eye and right eye.
    #[n(0)]
    pub frames: [u16; 2],
    /// Usable share of the iris in parts per thousand, left and right; 0 for an eye that is missing.
    #[n(1)]
    pub usable_per_mille: [u16; 2],
    /// Sharpness, left and right, in the unit of the device's pipeline.
    #[n(2)]
    pub sharpness: [u32; 2],
    /// What the device says about liveness.
    #[n(3)]
    pub liveness: Liveness,
}

impl CaptureReport {
    /// CBOR bytes, as they stand in the payload.
    pub fn to_bytes(&self) -> Vec<u8> {
        minicbor::to_vec(self).expect("writing to memory cannot fail")
    }
}

/// Whether the device saw a living eye.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, minicbor::Encode, minicbor::Decode)]
#[cbor(index_only)]
pub enum Liveness {
    /// No check was made.
    #[default]
    #[n(0)]
    NotAssessed,
    /// The device's checks passed.
    #[n(1)]
    Live,
}

/// Templates sealed with HPKE.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedTemplates {
    /// The sender's ephemeral public key.
    encapsulated: [u8; 32],
    ciphertext: Vec<u8>,
}

impl fmt::Debug for SealedTemplates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedTemplates")
    }
}

/// Why an envelope cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// Not an envelope of this version: too large, not CBOR, unknown algorithm, trailing bytes. Update the device.
    #[error("not a device envelope")]
    Malformed,
    /// The commitment inside is not a canonical field element.
    #[error("the commitment is not a canonical field element")]
    Commitment,
    /// The signature does not hold under the device's key.
    #[error("the device's signature does not hold")]
    Signature,
    /// The templates were not sealed to this key, or for another session.
    #[error("the templates cannot be opened")]
    Sealed,
}

/// The payload as it stands in CBOR: integer keys, byte strings of fixed length.
#[derive(minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
struct Wire {
    #[n(0)]
    version: u8,
    #[n(1)]
    nonce: ByteArray<32>,
    #[n(2)]
    device: ByteArray<16>,
    #[n(3)]
    counter: u64,
    #[n(4)]
    firmware: ByteArray<32>,
    #[n(5)]
    commitment: ByteArray<32>,
    #[n(6)]
    leaf_signature: ByteArray<64>,
    #[n(7)]
    consent_version: u32,
    #[n(8)]
    report: CaptureReport,
    #[n(9)]
    encapsulated: ByteArray<32>,
    #[n(10)]
    ciphertext: ByteVec,
}

impl Payload {
    /// CBOR bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let wire = Wire {
            version: VERSION,
            nonce: self.nonce.0.into(),
            device: self.device.0.into(),
            counter: self.counter,
            firmware: self.firmware.0.into(),
            commitment: self.commitment.to_be_bytes().into(),
            leaf_signature: self.leaf_signature.0.into(),
            consent_version: self.consent_version,
            report: self.report.clone(),
            encapsulated: self.sealed.encapsulated.into(),
            ciphertext: self.sealed.ciphertext.clone().into(),
        };
        minicbor::to_vec(wire).expect("writing to memory cannot fail")
    }

    /// Reads CBOR bytes; nothing may follow the map.
    ///
    /// # Errors
    ///
    /// [`EnvelopeError::Malformed`] or [`EnvelopeError::Commitment`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        let mut decoder = minicbor::Decoder::new(bytes);
        let wire: Wire = decoder.decode().map_err(|_| EnvelopeError::Malformed)?;
        if decoder.position() != bytes.len() || wire.version != VERSION {
            return Err(EnvelopeError::Malformed);
        }
        Ok(Self {
            nonce: Nonce(wire.nonce.into()),
            device: DeviceId(wire.device.into()),
            counter: wire.counter,
            firmware: FirmwareMeasurement(wire.firmware.into()),
            commitment: Commitment::from_be_bytes(&*wire.commitment)
                .map_err(|_| EnvelopeError::Commitment)?,
            leaf_signature: DeviceSignature(wire.leaf_signature.into()),
            consent_version: wire.consent_version,
            report: wire.report,
            sealed: SealedTemplates {
                encapsulated: wire.encapsulated.into(),
                ciphertext: wire.ciphertext.into(),
            },
        })
    }
}

/// What the sealed templates are bound to, as HPKE's associated data.
#[derive(Clone, Copy, Debug)]
pub struct SealContext {
    /// The session.
    pub nonce: Nonce,
    /// The device.
    pub device: DeviceId,
    /// The leaf that the templates are for.
    pub commitment: Commitment,
}

impl SealContext {
    fn to_bytes(self) -> Vec<u8> {
        [&self.nonce.0[..], &self.device.0, &self.commitment.to_be_bytes()].concat()
    }
}

impl From<&Payload> for SealContext {
    fn from(payload: &Payload) -> Self {
        Self { nonce: payload.nonce, device: payload.device, commitment: payload.commitment }
    }
}

impl SealedTemplates {
    /// Seals `plaintext` to the server's key.
    ///
    /// # Errors
    ///
    /// [`EnvelopeError::Sealed`] if `to` is not a usable X25519 key.
    pub fn seal(
        plaintext: &[u8],
        to: &SealingKey,
        context: SealContext,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, EnvelopeError> {
        let to =
            <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(&to.0).map_err(|_| EnvelopeError::Sealed)?;
        let (encapsulated, ciphertext) =
            hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
                &OpModeS::Base,
                &to,
                SEAL_INFO,
                plaintext,
                &context.to_bytes(),
                rng,
            )
            .map_err(|_| EnvelopeError::Sealed)?;
        Ok(Self { encapsulated: encapsulated.to_bytes().into(), ciphertext })
    }

    /// The plaintext, if it was sealed to `key` in this context.
    ///
    /// # Errors
    ///
    /// [`EnvelopeError::Sealed`].
    pub fn open(&self, key: &OpeningKey, context: SealContext) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
        let encapsulated = <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(&self.encapsulated)
            .map_err(|_| EnvelopeError::Sealed)?;
        hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            &key.0,
            &encapsulated,
            SEAL_INFO,
            &self.ciphertext,
            &context.to_bytes(),
        )
        .map(Zeroizing::new)
        .map_err(|_| EnvelopeError::Sealed)
    }
}

/// The server's private half of a [`SealingKey`]: 32 bytes of X25519. Wiped when dropped.
pub struct OpeningKey(<X25519HkdfSha256 as Kem>::PrivateKey);

impl OpeningKey {
    /// A new key.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        Self(X25519HkdfSha256::gen_keypair_with_rng(rng).0)
    }

    /// A stored key.
    ///
    /// # Errors
    ///
    /// [`EnvelopeError::Sealed`] if the bytes are no key.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, EnvelopeError> {
        Kem25519Private::from_bytes(bytes).map(Self).map_err(|_| EnvelopeError::Sealed)
    }

    /// The bytes, for storing them.
    pub fn expose(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes().into())
    }

    /// What devices seal to.
    pub fn sealing_key(&self) -> SealingKey {
        SealingKey(X25519HkdfSha256::sk_to_pk(&self.0).to_bytes().into())
    }
}

type Kem25519Private = <X25519HkdfSha256 as Kem>::PrivateKey;

impl fmt::Debug for OpeningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpeningKey")
    }
}

/// An envelope whose signature has not been checked yet. Only its claimed device can be read.
#[derive(Debug)]
pub struct UnverifiedEnvelope {
    device: DeviceId,
    cose: CoseSign1,
}

impl UnverifiedEnvelope {
    /// Reads an envelope's outside.
    ///
    /// # Errors
    ///
    /// [`EnvelopeError::Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        if bytes.len() > MAX_ENVELOPE {
            return Err(EnvelopeError::Malformed);
        }
        let cose = CoseSign1::from_slice(bytes).map_err(|_| EnvelopeError::Malformed)?;
        let header = &cose.protected.header;
        let es256 = coset::RegisteredLabelWithPrivate::Assigned(iana::Algorithm::ES256);
        // Nothing may stand in the unprotected header: whatever is there, nobody has signed.
        if header.alg != Some(es256) || !header.crit.is_empty() || !cose.unprotected.is_empty() {
            return Err(EnvelopeError::Malformed);
        }
        let device =
            header.key_id.as_slice().try_into().map(DeviceId).map_err(|_| EnvelopeError::Malformed)?;
        Ok(Self { device, cose })
    }

    /// Who claims to have signed it: look up this device's key.
    pub fn device(&self) -> DeviceId {
        self.device
    }

    /// The payload, if `key` signed it for `purpose` and it names the same device inside.
    ///
    /// # Errors
    ///
    /// Any [`EnvelopeError`] but `Sealed`.
    pub fn verify(&self, key: &DeviceKey, purpose: Purpose) -> Result<Payload, EnvelopeError> {
        let key = VerifyingKey::from_sec1_bytes(&key.0).map_err(|_| EnvelopeError::Signature)?;
        self.cose
            .verify_signature(purpose.external_data(), |signature, message| {
                key.verify(message, &Signature::from_slice(signature)?)
            })
            .map_err(|_| EnvelopeError::Signature)?;
        let payload = Payload::from_bytes(self.cose.payload.as_deref().ok_or(EnvelopeError::Malformed)?)?;
        if payload.device != self.device {
            return Err(EnvelopeError::Malformed);
        }
        Ok(payload)
    }
}

/// Something that signs with a device's P-256 key: a secure element, or a key in memory.
pub trait DeviceSigner {
    /// ECDSA over SHA-256 of `message`.
    ///
    /// # Errors
    ///
    /// [`SignerError`] if the key cannot be used now.
    fn sign(&self, message: &[u8]) -> Result<DeviceSignature, SignerError>;

    /// The public half.
    fn key(&self) -> DeviceKey;
}

/// The device's key cannot sign. Check the secure element.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the device's key cannot sign")]
pub struct SignerError;

impl DeviceSigner for SigningKey {
    fn sign(&self, message: &[u8]) -> Result<DeviceSignature, SignerError> {
        let signature: Signature = self.try_sign(message).map_err(|_| SignerError)?;
        Ok(DeviceSignature(signature.to_bytes().into()))
    }

    fn key(&self) -> DeviceKey {
        let point = self.verifying_key().to_sec1_point(true);
        DeviceKey(point.as_bytes().try_into().expect("a compressed P-256 point has 33 bytes"))
    }
}

impl DeviceKey {
    /// Whether the bytes are a point of P-256. Ask before a key is stored: no signature can hold under another.
    pub fn is_usable(&self) -> bool {
        VerifyingKey::from_sec1_bytes(&self.0).is_ok()
    }
}

/// Signs a payload: the bytes that travel.
///
/// # Errors
///
/// [`SignerError`] from the key.
pub fn sign(payload: &Payload, purpose: Purpose, signer: &impl DeviceSigner) -> Result<Vec<u8>, SignerError> {
    let header =
        HeaderBuilder::new().algorithm(iana::Algorithm::ES256).key_id(payload.device.0.to_vec()).build();
    let cose = CoseSign1Builder::new()
        .protected(header)
        .payload(payload.to_bytes())
        .try_create_signature(purpose.external_data(), |message| {
            signer.sign(message).map(|signature| signature.0.to_vec())
        })?
        .build();
    Ok(cose.to_vec().expect("writing to memory cannot fail"))
}

/// The device's signature over one leaf of the set, published with it: nobody else can add a leaf unseen.
///
/// # Errors
///
/// [`SignerError`] from the key.
pub fn sign_leaf(
    device: DeviceId,
    commitment: Commitment,
    signer: &impl DeviceSigner,
) -> Result<DeviceSignature, SignerError> {
    signer.sign(&leaf_message(device, commitment))
}

/// Whether `signature` is the device's over this leaf.
pub fn leaf_signature_holds(
    device: DeviceId,
    commitment: Commitment,
    signature: &DeviceSignature,
    key: &DeviceKey,
) -> bool {
    let Ok(key) = VerifyingKey::from_sec1_bytes(&key.0) else { return false };
    let Ok(signature) = Signature::from_slice(&signature.0) else { return false };
    key.verify(&leaf_message(device, commitment), &signature).is_ok()
}

fn leaf_message(device: DeviceId, commitment: Commitment) -> Vec<u8> {
    [b"unum/leaf/v1".as_slice(), &device.0, &commitment.to_be_bytes()].concat()
}

#[cfg(test)]
mod tests;

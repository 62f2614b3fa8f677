//! A checkpoint: the set's size and root, signed, in the form of C2SP `tlog-checkpoint` and `signed-note`, so that
//! existing witnesses can cosign it.
//!
//! ```text
//! example.org/unum-set
//! 20
//! CRjUa/Utmlk…            root, base64 of 32 bytes
//!
//! — example.org/unum-set Az3grl…   base64 of key id (4 bytes) ‖ Ed25519 signature
//! ```

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signer, SigningKey};
use sha2::{Digest, Sha256};

use crate::bytes::{ServiceKey, ServiceSignature};
use crate::field::Root;
use crate::signed;

/// The set at one size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which set this is: a name without spaces or `+`, also the name of the key that signs it.
    pub origin: String,
    /// Leaves in the set.
    pub size: u64,
    /// Root of those leaves.
    pub root: Root,
}

/// A checkpoint as text, with at least one signature line.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String))]
pub struct SignedCheckpoint(pub String);

/// Why a checkpoint cannot be trusted.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// Not a signed note that holds a checkpoint.
    #[error("not a signed checkpoint")]
    Malformed,
    /// It describes another set than the one expected.
    #[error("checkpoint of another set")]
    OtherOrigin,
    /// The trusted key has not signed it.
    #[error("not signed by the trusted key")]
    NotSigned,
}

impl Checkpoint {
    /// Signs the checkpoint with the set's own key.
    pub fn sign(&self, key: &SigningKey) -> SignedCheckpoint {
        let body = self.body();
        let mut line = key_id(&self.origin, &signed::service_key(key)).to_vec();
        line.extend(key.sign(body.as_bytes()).to_bytes());
        SignedCheckpoint(format!("{body}\n\u{2014} {} {}\n", self.origin, BASE64.encode(line)))
    }

    fn body(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, BASE64.encode(self.root.to_be_bytes()))
    }

    fn parse(body: &str) -> Option<Self> {
        let mut lines = body.lines();
        let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        let root = Root::from_be_bytes(&BASE64.decode(root).ok()?).ok()?;
        let checkpoint = Self { origin: origin.to_owned(), size: size.parse().ok()?, root };
        // Written again it must be the same text: one encoding of each checkpoint, and no extension lines yet.
        (checkpoint.body() == body).then_some(checkpoint)
    }
}

impl SignedCheckpoint {
    /// The checkpoint, if the key `trusted` of the set `origin` signed it. Signatures of others are passed over.
    ///
    /// # Errors
    ///
    /// A [`CheckpointError`].
    pub fn verify(&self, origin: &str, trusted: &ServiceKey) -> Result<Checkpoint, CheckpointError> {
        let (body, signatures) = self.0.split_once("\n\n").ok_or(CheckpointError::Malformed)?;
        let body = format!("{body}\n");
        let checkpoint = Checkpoint::parse(&body).ok_or(CheckpointError::Malformed)?;
        if checkpoint.origin != origin {
            return Err(CheckpointError::OtherOrigin);
        }
        let prefix = format!("\u{2014} {origin} ");
        let holds = signatures.lines().filter_map(|line| line.strip_prefix(&prefix)).any(|line| {
            let Some((id, signature)) = decode_signature(line) else { return false };
            id == key_id(origin, trusted) && signed::verify(trusted, body.as_bytes(), &signature).is_ok()
        });
        if holds { Ok(checkpoint) } else { Err(CheckpointError::NotSigned) }
    }
}

fn decode_signature(line: &str) -> Option<([u8; 4], ServiceSignature)> {
    let bytes: [u8; 68] = BASE64.decode(line).ok()?.try_into().ok()?;
    let (id, signature) = bytes.split_at(4);
    Some((id.try_into().ok()?, ServiceSignature(signature.try_into().ok()?)))
}

/// First four bytes of `SHA-256(name ‖ "\n" ‖ 0x01 ‖ key)` (C2SP signed-note, Ed25519).
fn key_id(name: &str, key: &ServiceKey) -> [u8; 4] {
    let digest = Sha256::new().chain_update(name).chain_update(b"\n\x01").chain_update(key.0).finalize();
    [digest[0], digest[1], digest[2], digest[3]]
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGIN: &str = "example.org/set";

    fn signed() -> (Checkpoint, SignedCheckpoint, ServiceKey) {
        let key = SigningKey::from_bytes(&[7; 32]);
        let checkpoint = Checkpoint { origin: ORIGIN.into(), size: 3, root: Root(5.into()) };
        let signed = checkpoint.sign(&key);
        (checkpoint, signed, signed::service_key(&key))
    }

    #[test]
    fn round_trip() {
        let (checkpoint, signed, key) = signed();
        assert_eq!(signed.verify(ORIGIN, &key), Ok(checkpoint));
    }

    #[test]
    fn a_witness_line_does_not_disturb() {
        let (checkpoint, mut signed, key) = signed();
        signed.0.push_str("\u{2014} witness.example AAAAAAAA\n");
        assert_eq!(signed.verify(ORIGIN, &key), Ok(checkpoint));
    }

    #[test]
    fn refusals() {
        let (_, signed, key) = signed();
        let changed = |from: &str, to: &str| SignedCheckpoint(signed.0.replacen(from, to, 1));
        assert_eq!(signed.verify("example.org/other", &key), Err(CheckpointError::OtherOrigin));
        assert_eq!(signed.verify(ORIGIN, &ServiceKey([1; 32])), Err(CheckpointError::NotSigned));
        assert_eq!(changed("\n3\n", "\n4\n").verify(ORIGIN, &key), Err(CheckpointError::NotSigned));
        assert_eq!(changed("\n3\n", "\n03\n").verify(ORIGIN, &key), Err(CheckpointError::Malformed));
        assert_eq!(changed("\n\n", "\n").verify(ORIGIN, &key), Err(CheckpointError::Malformed));
    }
}

//! A statement and a service's Ed25519 signature over it. Owners of accounts sign theirs in the same form
//! ([`crate::payment`]).

use ed25519_dalek::{Signer, SigningKey, VerifyingKey};

use crate::bytes::{ServiceKey, ServiceSignature};

/// Something that is signed.
pub trait Statement {
    /// Separates this kind of statement from every other that the same key signs; ends in its version.
    const DOMAIN: &'static str;

    /// The canonical bytes of every field, each of fixed length or preceded by its length.
    fn to_bytes(&self) -> Vec<u8>;
}

/// A statement with its signature.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Signed<T> {
    /// What is stated.
    #[serde(flatten)]
    pub statement: T,
    /// Whose key signed it. Compare it with the key you trust; [`Signed::verify`] does.
    pub key: ServiceKey,
    /// Ed25519 over `domain ‖ 0x00 ‖ bytes`.
    pub signature: ServiceSignature,
}

/// The statement was not signed by the key that was expected, or was altered since.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not hold")]
pub struct SignatureError;

/// The public half of a service's key.
pub fn service_key(key: &SigningKey) -> ServiceKey {
    ServiceKey(key.verifying_key().to_bytes())
}

impl<T: Statement> Signed<T> {
    /// Signs `statement`.
    pub fn new(statement: T, key: &SigningKey) -> Self {
        let signature = key.sign(&message(&statement)).to_bytes();
        Self { statement, key: service_key(key), signature: ServiceSignature(signature) }
    }

    /// The statement, if `trusted` signed it.
    ///
    /// # Errors
    ///
    /// [`SignatureError`] if another key signed it, or it was altered.
    pub fn verify(&self, trusted: &ServiceKey) -> Result<&T, SignatureError> {
        if self.key != *trusted {
            return Err(SignatureError);
        }
        verify(trusted, &message(&self.statement), &self.signature)?;
        Ok(&self.statement)
    }
}

/// Ed25519 verification that refuses weak keys and non-canonical signatures.
pub(crate) fn verify(
    key: &ServiceKey,
    message: &[u8],
    signature: &ServiceSignature,
) -> Result<(), SignatureError> {
    let key = VerifyingKey::from_bytes(&key.0).map_err(|_| SignatureError)?;
    key.verify_strict(message, &signature.0.into()).map_err(|_| SignatureError)
}

/// `domain ‖ 0x00 ‖ bytes`: what the signature covers.
pub(crate) fn message<T: Statement>(statement: &T) -> Vec<u8> {
    let mut message = T::DOMAIN.as_bytes().to_vec();
    message.push(0);
    message.extend(statement.to_bytes());
    message
}

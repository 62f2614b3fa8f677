//! What lies on a bridge: AES-256-GCM (NIST SP 800-38D) under the key of the link, in base64 with padding. The tag of 16 bytes ends it.

use aes_gcm::aead::Aead as _;
use aes_gcm::{Aes256Gcm, KeyInit as _, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::link::LinkKey;

/// Bytes of an IV.
pub(super) const IV_LEN: usize = 12;

/// As it lies there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sealed {
    pub(crate) iv: String,
    pub(crate) payload: String,
}

/// Seals under an IV that is used once.
pub(super) fn seal(key: &LinkKey, iv: [u8; IV_LEN], plain: &[u8]) -> Sealed {
    let sealed =
        cipher(key).encrypt(&Nonce::from(iv), plain).expect("a message is far below the cipher's limit");
    Sealed { iv: STANDARD.encode(iv), payload: STANDARD.encode(sealed) }
}

/// Opens; nothing if the key is another one or the text was changed: all the same.
pub(super) fn open(key: &LinkKey, sealed: &Sealed) -> Option<Zeroizing<Vec<u8>>> {
    let iv: [u8; IV_LEN] = STANDARD.decode(&sealed.iv).ok()?.try_into().ok()?;
    let payload = STANDARD.decode(&sealed.payload).ok()?;
    cipher(key).decrypt(&Nonce::from(iv), &payload[..]).ok().map(Zeroizing::new)
}

/// Its round keys are wiped when it is dropped (feature `zeroize`).
fn cipher(key: &LinkKey) -> Aes256Gcm {
    Aes256Gcm::new_from_slice(key.bytes()).expect("a key has 32 bytes")
}

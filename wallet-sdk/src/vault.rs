//! A wallet in a file, encrypted under a passphrase.
//!
//! ```text
//! "unumvlt" 0x01 (8) ‖ salt (16) ‖ nonce (24) ‖ ciphertext of the wallet (64) ‖ tag (16)
//! ```
//!
//! Key: Argon2id (RFC 9106) of passphrase and salt. Cipher: XChaCha20-Poly1305, with everything before the ciphertext
//! as associated data. The version fixes every parameter, so that a forged file can neither weaken the derivation
//! nor ask for all memory. Even the commitment is encrypted: who holds the file does not learn whose it is.
//!
//! A file is written beside its place, synced, and renamed: it is there whole or not at all, and never over another.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{Key, KeyInit, XChaCha20Poly1305, XNonce};
use rand_core::CryptoRng;
use zeroize::{Zeroize, Zeroizing};

use crate::Wallet;
use crate::wallet::LEN;

const MAGIC: &[u8; 8] = b"unumvlt\x01";
const SALT_LEN: usize = 16; // RFC 9106, section 4: 128 bits
const NONCE_LEN: usize = 24;
const HEADER_LEN: usize = MAGIC.len() + SALT_LEN + NONCE_LEN;
const TAG_LEN: usize = 16;

/// Argon2id's cost: the second recommended option of RFC 9106, section 4 (64 MiB, three passes, four lanes), which a
/// phone can also pay.
const MEMORY_KIB: u32 = 1 << 16;
const PASSES: u32 = 3;
const LANES: u32 = 4;

/// What a person types to open the wallet. Wiped when dropped.
pub struct Passphrase(Zeroizing<String>);

/// A passphrase is too short to protect a file that somebody may copy and try at leisure.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the passphrase has {found} characters, needs at least {}", Passphrase::MIN_CHARS)]
pub struct PassphraseTooShort {
    /// Characters typed.
    pub found: usize,
}

impl Passphrase {
    /// Least length of a new passphrase (NIST SP 800-63B revision 3, 5.1.1.2).
    pub const MIN_CHARS: usize = 8;

    /// A passphrase for a new vault.
    ///
    /// # Errors
    ///
    /// [`PassphraseTooShort`] below [`Passphrase::MIN_CHARS`].
    pub fn choose(text: String) -> Result<Self, PassphraseTooShort> {
        let found = text.chars().count();
        let passphrase = Self::from(text);
        if found < Self::MIN_CHARS { Err(PassphraseTooShort { found }) } else { Ok(passphrase) }
    }
}

impl From<String> for Passphrase {
    /// A passphrase for an existing vault.
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl PartialEq for Passphrase {
    /// For asking twice. Both sides were typed by the same person: no timing to hide.
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase")
    }
}

/// Why a vault does not give a wallet.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// There is a file already, and a wallet is never replaced: it may be somebody's only one.
    #[error("{path} exists already")]
    Exists {
        /// Which file.
        path: PathBuf,
    },
    /// The file cannot be read or written.
    #[error("cannot read or write {path}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Not a vault of this version. Look for the right file.
    #[error("not a wallet file of this version")]
    NotAVault,
    /// Wrong passphrase, or the file was altered: the two cannot be told apart.
    #[error("wrong passphrase, or the file was altered")]
    Locked,
}

/// The file that holds a wallet.
#[derive(Clone, Debug)]
pub struct Vault {
    path: PathBuf,
}

impl Vault {
    /// The vault at `path`, whether or not it exists yet.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a new vault that only its owner may read.
    ///
    /// # Errors
    ///
    /// [`VaultError::Exists`] or [`VaultError::Io`].
    pub fn create(
        &self,
        wallet: &Wallet,
        passphrase: &Passphrase,
        rng: &mut impl CryptoRng,
    ) -> Result<(), VaultError> {
        let sealed = seal(wallet, passphrase, rng);
        let written = write_new(&self.path, &sealed);
        written.map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => VaultError::Exists { path: self.path.clone() },
            _ => VaultError::Io { path: self.path.clone(), source },
        })
    }

    /// Decrypts the wallet. Takes a few tenths of a second, on purpose.
    ///
    /// # Errors
    ///
    /// [`VaultError::Io`], [`VaultError::NotAVault`] or [`VaultError::Locked`].
    pub fn open(&self, passphrase: &Passphrase) -> Result<Wallet, VaultError> {
        let bytes =
            fs::read(&self.path).map_err(|source| VaultError::Io { path: self.path.clone(), source })?;
        unseal(&bytes, passphrase)
    }
}

/// Writes a file that only its owner may read, whole or not at all, and never over another.
pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = folder(path);
    fs::create_dir_all(folder)?;
    let mut draft = tempfile::NamedTempFile::new_in(folder)?; // mode 0600 from the start
    draft.write_all(bytes)?;
    draft.as_file().sync_all()?;
    draft.persist_noclobber(path).map_err(|refused| refused.error)?;
    File::open(folder)?.sync_all() // the name survives a crash too
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."))
}

/// Encrypts a wallet under a fresh salt and nonce.
fn seal(wallet: &Wallet, passphrase: &Passphrase, rng: &mut impl CryptoRng) -> Vec<u8> {
    let mut header = [0; HEADER_LEN];
    header[..MAGIC.len()].copy_from_slice(MAGIC);
    rng.fill_bytes(&mut header[MAGIC.len()..]);
    let (cipher, nonce) = cipher(&header, passphrase);
    let plain = wallet.to_bytes();
    let sealed = cipher
        .encrypt(&nonce, Payload { msg: &plain[..], aad: &header })
        .expect("64 bytes are far below the cipher's limit");
    [&header[..], &sealed].concat()
}

fn unseal(bytes: &[u8], passphrase: &Passphrase) -> Result<Wallet, VaultError> {
    let (header, sealed) = bytes.split_first_chunk::<HEADER_LEN>().ok_or(VaultError::NotAVault)?;
    if !header.starts_with(MAGIC) || sealed.len() != LEN + TAG_LEN {
        return Err(VaultError::NotAVault);
    }
    let (cipher, nonce) = cipher(header, passphrase);
    let plain =
        cipher.decrypt(&nonce, Payload { msg: sealed, aad: header }).map_err(|_| VaultError::Locked)?;
    let plain = Zeroizing::new(plain);
    Ok(Wallet::from_bytes(plain[..].try_into().expect("the length was checked")))
}

/// The cipher and nonce that follow from header and passphrase.
fn cipher(header: &[u8; HEADER_LEN], passphrase: &Passphrase) -> (XChaCha20Poly1305, XNonce) {
    let (salt, nonce) = header[MAGIC.len()..].split_at(SALT_LEN);
    let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(32)).expect("RFC 9106 recommends them");
    let mut memory = vec![Block::default(); params.block_count()];
    let mut key = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(passphrase.0.as_bytes(), salt, &mut key[..], &mut memory)
        .expect("the lengths of salt and key are fixed, and nobody types 4 GiB");
    memory.iter_mut().for_each(Zeroize::zeroize); // the key follows from it
    let nonce = XNonce::try_from(nonce).expect("what is left of the header");
    (XChaCha20Poly1305::new(&Key::from(*key)), nonce)
}

#[cfg(test)]
mod tests {
    use rand_core::UnwrapErr;

    use super::*;

    fn rng() -> UnwrapErr<getrandom::SysRng> {
        UnwrapErr(getrandom::SysRng)
    }

    fn passphrase(text: &str) -> Passphrase {
        Passphrase::choose(text.to_owned()).unwrap()
    }

    #[test]
    fn round_trip_through_a_file() {
        let place = tempfile::tempdir().unwrap();
        let vault = Vault::at(place.path().join("deep/wallet"));
        let wallet = Wallet::generate(&mut rng());
        vault.create(&wallet, &passphrase("correct horse"), &mut rng()).unwrap();
        let opened = vault.open(&passphrase("correct horse")).unwrap();
        assert_eq!(opened.to_bytes(), wallet.to_bytes());
        assert_eq!((opened.commitment(), opened.account()), (wallet.commitment(), wallet.account()));
        assert_eq!(fs::read(vault.path()).unwrap().len(), 128);
        assert_eq!(fs::read_dir(place.path().join("deep")).unwrap().count(), 1, "no draft is left behind");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(vault.path()).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_wallet_is_never_replaced() {
        let place = tempfile::tempdir().unwrap();
        let vault = Vault::at(place.path().join("wallet"));
        let first = Wallet::generate(&mut rng());
        vault.create(&first, &passphrase("correct horse"), &mut rng()).unwrap();
        let refusal = vault.create(&Wallet::generate(&mut rng()), &passphrase("battery staple"), &mut rng());
        assert!(matches!(refusal, Err(VaultError::Exists { .. })));
        assert_eq!(vault.open(&passphrase("correct horse")).unwrap().commitment(), first.commitment());
    }

    #[test]
    fn the_wrong_passphrase_opens_nothing() {
        let sealed = seal(&Wallet::generate(&mut rng()), &passphrase("correct horse"), &mut rng());
        for wrong in ["correct horsf", "Correct horse", "correct horse ", ""] {
            let refusal = unseal(&sealed, &Passphrase::from(wrong.to_owned()));
            assert!(matches!(refusal, Err(VaultError::Locked)), "{wrong:?}");
        }
    }

    #[test]
    fn an_altered_file_opens_nothing() {
        let passphrase = passphrase("correct horse");
        let sealed = seal(&Wallet::generate(&mut rng()), &passphrase, &mut rng());
        // One place in each part: magic, version, salt, nonce, ciphertext, tag.
        for (at, part) in
            [(0, "magic"), (7, "version"), (8, "salt"), (24, "nonce"), (48, "text"), (127, "tag")]
        {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            let refusal = unseal(&altered, &passphrase).unwrap_err();
            let expected = if at < 8 {
                "not a wallet file of this version"
            } else {
                "wrong passphrase, or the file was altered"
            };
            assert_eq!(refusal.to_string(), expected, "{part}");
        }
        for len in [0, 47, 48, 127] {
            assert!(matches!(unseal(&sealed[..len], &passphrase), Err(VaultError::NotAVault)), "{len} bytes");
        }
        let longer = [&sealed[..], &[0]].concat();
        assert!(matches!(unseal(&longer, &passphrase), Err(VaultError::NotAVault)));
    }

    #[test]
    fn two_vaults_of_one_wallet_have_nothing_in_common() {
        let (wallet, passphrase) = (Wallet::generate(&mut rng()), passphrase("correct horse"));
        let (a, b) = (seal(&wallet, &passphrase, &mut rng()), seal(&wallet, &passphrase, &mut rng()));
        assert_ne!(a[8..48], b[8..48]);
        assert_ne!(a[48..], b[48..]);
    }

    #[test]
    fn secrets_do_not_print() {
        let wallet = Wallet::generate(&mut rng());
        assert_eq!(format!("{wallet:?} {:?}", passphrase("correct horse")), "Wallet Passphrase");
        assert_eq!(Passphrase::choose("short".into()), Err(PassphraseTooShort { found: 5 }));
    }
}

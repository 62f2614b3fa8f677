//! Configuration files that hold secrets, and the operators' token.
//!
//! Knows no service's keys: each service has its own struct, reads it with [`read`], and checks it.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// Shortest operator token, in characters: 32 of them hold 128 bits even in hexadecimal.
pub const MIN_TOKEN: usize = 32;

/// Why a file gives no configuration. Correct the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The file cannot be read.
    #[error("cannot read {path}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not TOML, or a key is missing, unknown or out of range. The text is not shown: it holds secrets.
    #[error("{path} is no configuration: {reason}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong, without the line it stands in.
        reason: String,
    },
}

/// Reads a TOML file.
///
/// # Errors
///
/// A [`FileError`].
pub fn read<C: DeserializeOwned>(path: &Path) -> Result<C, FileError> {
    let text = std::fs::read_to_string(path)
        .map(Zeroizing::new)
        .map_err(|source| FileError::Unreadable { path: path.to_owned(), source })?;
    toml::from_str(&text)
        .map_err(|e| FileError::Malformed { path: path.to_owned(), reason: e.message().to_owned() })
}

/// What shows that an operator asks: a secret text, wiped when dropped.
#[derive(Clone, Default, Deserialize)]
#[serde(from = "String")]
pub struct OperatorToken(Zeroizing<String>);

/// The token can be guessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the operator token has {found} characters, needs {MIN_TOKEN}")]
pub struct WeakToken {
    /// Characters found.
    pub found: usize,
}

impl From<String> for OperatorToken {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl OperatorToken {
    /// Whether it is long enough.
    ///
    /// # Errors
    ///
    /// [`WeakToken`] below [`MIN_TOKEN`] characters.
    pub fn check(&self) -> Result<(), WeakToken> {
        let found = self.0.chars().count();
        if found < MIN_TOKEN { Err(WeakToken { found }) } else { Ok(()) }
    }

    /// The text, for whoever sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether `shown` is this token. Compares digests, so that it takes as long for a text of any length.
    pub fn admits(&self, shown: &[u8]) -> bool {
        let expected = Sha256::digest(self.0.as_bytes());
        Sha256::digest(shown).as_slice().ct_eq(expected.as_slice()).into()
    }
}

impl fmt::Debug for OperatorToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OperatorToken")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(text: &str) -> OperatorToken {
        text.to_owned().into()
    }

    #[test]
    fn only_the_token_itself_is_admitted() {
        let token = token("0123456789abcdef0123456789abcdef");
        assert!(token.admits(b"0123456789abcdef0123456789abcdef"));
        for shown in [&b""[..], b"0123456789abcdef0123456789abcdeF", b"0123456789abcdef0123456789abcdef "] {
            assert!(!token.admits(shown));
        }
    }

    #[test]
    fn short_tokens_are_refused_and_none_is_shown() {
        assert_eq!(token("0123456789abcdef").check(), Err(WeakToken { found: 16 }));
        assert_eq!(OperatorToken::default().check(), Err(WeakToken { found: 0 }));
        assert_eq!(token(&"a".repeat(MIN_TOKEN)).check(), Ok(()));
        assert_eq!(format!("{:?}", token("secret")), "OperatorToken");
    }

    #[test]
    fn a_broken_file_does_not_show_its_secrets() {
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Config {
            #[expect(dead_code, reason = "only read")]
            token: OperatorToken,
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        assert!(matches!(read::<Config>(&path), Err(FileError::Unreadable { .. })));
        std::fs::write(&path, "token = \"0123456789\"\ntokem = \"0123456789\"").unwrap();
        let error = read::<Config>(&path).unwrap_err();
        assert!(matches!(error, FileError::Malformed { .. }));
        assert!(!format!("{error} {error:?}").contains("0123456789"), "{error}");
    }
}

//! What the commands share: the open wallet, the services, the prover, and how an answer is printed.

use std::fs;
use std::io::{IsTerminal as _, stdin};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::{Context, bail};
use circuits::Prover;
use circuits::folder::KeyFolder;
use rand_core::UnwrapErr;
use serde::Serialize;
use serde::de::DeserializeOwned;
use unum_identity::bytes::{KeyHash, ServiceKey};
use unum_identity::enrollment::InclusionProof;
use wallet_sdk::client::{Distribution, EnrollServer};
use wallet_sdk::{Passphrase, Vault, Wallet};
use zeroize::Zeroizing;

use crate::arguments::Common;

/// Longer than this, and the person is told what takes so long.
const PATIENCE: Duration = Duration::from_secs(1);

/// One run of the program.
pub(crate) struct Session(Common);

impl Session {
    pub(crate) fn new(common: Common) -> Self {
        Self(common)
    }

    /// The operating system's randomness.
    pub(crate) fn rng() -> UnwrapErr<getrandom::SysRng> {
        UnwrapErr(getrandom::SysRng)
    }

    pub(crate) fn vault(&self) -> anyhow::Result<Vault> {
        let path = match &self.0.file {
            Some(path) => path.clone(),
            None => data_folder().context("no home folder: say where with --file")?.join("unum/wallet"),
        };
        Ok(Vault::at(path))
    }

    /// Opens the wallet, asking for the passphrase if need be.
    pub(crate) fn wallet(&self) -> anyhow::Result<Wallet> {
        let vault = self.vault()?;
        if !vault.path().exists() {
            bail!("no wallet at {}; `wallet new` makes one", vault.path().display());
        }
        let passphrase = match self.given_passphrase()? {
            Some(given) => given,
            None => rpassword::prompt_password("Passphrase: ").context(CANNOT_ASK)?,
        };
        Ok(vault.open(&Passphrase::from(passphrase))?)
    }

    /// A passphrase for a new wallet, asked for twice.
    pub(crate) fn new_passphrase(&self) -> anyhow::Result<Passphrase> {
        if let Some(given) = self.given_passphrase()? {
            return Ok(Passphrase::choose(given)?);
        }
        let first = Passphrase::choose(rpassword::prompt_password("New passphrase: ").context(CANNOT_ASK)?)?;
        let again = Passphrase::from(rpassword::prompt_password("Once more: ").context(CANNOT_ASK)?);
        anyhow::ensure!(first == again, "the two passphrases differ; nothing was written");
        Ok(first)
    }

    /// From a file or the environment, for scripts.
    fn given_passphrase(&self) -> anyhow::Result<Option<String>> {
        let Some(path) = &self.0.passphrase_file else {
            return Ok(std::env::var("UNUM_PASSPHRASE").ok());
        };
        let text = Zeroizing::new(fs::read_to_string(path).with_context(|| path.display().to_string())?);
        Ok(Some(text.lines().next().unwrap_or_default().to_owned()))
    }

    pub(crate) fn enroll_server(&self) -> EnrollServer {
        EnrollServer::at(&self.0.enroll)
    }

    pub(crate) fn distribution(&self) -> Distribution {
        Distribution::at(&self.0.distribution)
    }

    /// The key that receipts must be signed with. `stated` is the distribution's own word, for want of a better.
    pub(crate) fn ledger_key(&self, stated: ServiceKey) -> anyhow::Result<ServiceKey> {
        match self.0.ledger_key {
            Some(trusted) if trusted != stated => {
                bail!("the distribution signs with {stated}, not with the trusted key {trusted}")
            }
            Some(trusted) => Ok(trusted),
            None => {
                eprintln!("note: receipts are checked with the key that the distribution itself names;");
                eprintln!("      give the one you trust with --ledger-key");
                Ok(stated)
            }
        }
    }

    /// This wallet's path: to the newest signed root, or to the root of a given size.
    pub(crate) fn inclusion(&self, wallet: &Wallet, size: Option<u64>) -> anyhow::Result<InclusionProof> {
        let server = self.enroll_server();
        let commitment = wallet.commitment();
        Ok(match (self.0.set_key, size) {
            (Some(trusted), None) => server.signed_inclusion(commitment, &server.set()?.origin, &trusted)?,
            _ => server.inclusion(commitment, size)?,
        })
    }

    /// The key that signs the set: the one that is trusted, or else what the server says of itself.
    pub(crate) fn set_key(&self) -> anyhow::Result<ServiceKey> {
        Ok(match self.0.set_key {
            Some(trusted) => trusted,
            None => self.enroll_server().set()?.key,
        })
    }

    /// The prover, whose key must belong to `verifying_key` if the verifier has said which one it uses.
    pub(crate) fn prover(&self, verifying_key: Option<KeyHash>) -> anyhow::Result<Prover> {
        let key = KeyFolder::open(&self.0.keys)
            .and_then(|folder| folder.proving_key())
            .context("no proving key; say where it lies with --keys")?;
        let ours = key.verifying_key().hash();
        if let Some(theirs) = verifying_key.filter(|theirs| *theirs != ours) {
            bail!("the proving key belongs to {ours}, but proofs are checked with {theirs}: fetch their key");
        }
        Ok(Prover::new(key))
    }

    /// Prints the answer: as JSON, or as people like it.
    pub(crate) fn answer(
        &self,
        noun: &impl Serialize,
        people: impl FnOnce() -> String,
    ) -> anyhow::Result<()> {
        if self.0.json {
            println!("{}", serde_json::to_string_pretty(noun)?);
        } else {
            println!("{}", people());
        }
        Ok(())
    }
}

/// Has a person type `word` after reading what cannot be undone.
pub(crate) fn confirm(warning: &str, word: &str) -> anyhow::Result<()> {
    anyhow::ensure!(stdin().is_terminal(), "nobody can be asked here: say --yes");
    eprintln!("{warning} Type \"{word}\" to go on:");
    let mut line = String::new();
    stdin().read_line(&mut line)?;
    anyhow::ensure!(line.trim() == word, "nothing was done");
    Ok(())
}

const CANNOT_ASK: &str = "cannot ask for a passphrase here; set UNUM_PASSPHRASE or give --passphrase-file";

/// Does `work`, and says `what` it is if it takes long.
pub(crate) fn patiently<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let (done, wait) = channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            if wait.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                eprintln!("{what} …");
            }
        });
        let result = work();
        drop(done);
        result
    })
}

/// Reads a noun that was saved.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> anyhow::Result<T> {
    let text = fs::read(path).with_context(|| path.display().to_string())?;
    serde_json::from_slice(&text).with_context(|| format!("{} holds something else", path.display()))
}

/// Saves a noun for later.
pub(crate) fn save(path: &Path, noun: &impl Serialize) -> anyhow::Result<()> {
    let mut text = serde_json::to_vec_pretty(noun)?;
    text.push(b'\n');
    fs::write(path, text).with_context(|| path.display().to_string())
}

/// Where a user's data lies (XDG Base Directory Specification).
fn data_folder() -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_DATA_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/share")))
}

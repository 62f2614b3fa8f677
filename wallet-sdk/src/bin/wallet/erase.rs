//! `erase`: the person's eyes are erased, and the wallet is nobody's any more.

use std::time::{Duration, Instant};

use anyhow::bail;
use unum_identity::enrollment::{Erasure, ErasureRequest};
use wallet_sdk::client::ClientError;

use crate::arguments::Erase;
use crate::session::{Session, confirm, save};

/// How long servers that are slow to confirm are waited for.
const PATIENCE: Duration = Duration::from_mins(2);
const WARNING: &str = "Your eyes will be erased, and this wallet will prove and claim nothing any more, but for periods \
                       that are open already.\nThis cannot be undone.";
/// What has to be typed.
const WORD: &str = "erase";

pub(crate) fn erase(session: &Session, asked: &Erase) -> anyhow::Result<()> {
    let wallet = session.wallet()?;
    if !asked.yes {
        confirm(WARNING, WORD)?;
    }
    let identity = wallet.identity();
    let request = ErasureRequest { commitment: identity.commitment(), opening: identity.opening() };
    let (server, key) = (session.enroll_server(), session.set_key()?);
    let until = Instant::now() + PATIENCE;
    loop {
        match server.erase(&request)? {
            Erasure::Erased { receipt } => {
                let about = receipt.verify(&key).map(|stated| stated.commitment);
                if about != Ok(request.commitment) {
                    return Err(
                        ClientError::Untrue("the receipt is not signed, or about another wallet").into()
                    );
                }
                if let Some(path) = &asked.receipt {
                    save(path, &receipt)?;
                }
                return session.answer(&receipt, || {
                    "Your eyes are erased, and your place in the set is empty. What you have stays yours; you can \
                     enroll again with a new wallet."
                        .to_owned()
                });
            }
            Erasure::Pending if Instant::now() < until => eprintln!("waiting for all servers to confirm …"),
            Erasure::Pending => {
                bail!("asked for, but not all servers have confirmed yet: run it again later")
            }
        }
    }
}

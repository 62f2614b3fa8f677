//! `new`, `show`, `status`, `balance`: what the wallet is and has.

use serde::Serialize;
use unum_identity::bytes::AccountId;
use unum_identity::claim::Amount;
use unum_identity::enrollment::InclusionProof;
use unum_identity::field::Commitment;
use wallet_sdk::Wallet;
use wallet_sdk::client::ClientError;

use crate::arguments::Status;
use crate::code;
use crate::session::{Session, save};

/// What of a wallet is public.
#[derive(Serialize)]
struct Shown {
    commitment: Commitment,
    account: AccountId,
}

impl From<&Wallet> for Shown {
    fn from(wallet: &Wallet) -> Self {
        Self { commitment: wallet.commitment(), account: wallet.account() }
    }
}

pub(crate) fn create(session: &Session) -> anyhow::Result<()> {
    let vault = session.vault()?;
    anyhow::ensure!(!vault.path().exists(), "{} exists already; it is left alone", vault.path().display());
    let passphrase = session.new_passphrase()?;
    let wallet = Wallet::generate(&mut Session::rng());
    vault.create(&wallet, &passphrase, &mut Session::rng())?;
    let shown = Shown::from(&wallet);
    session.answer(&shown, || {
        format!(
            "A new wallet lies in {}.\nKeep a copy of the file, and remember the passphrase: nobody can give you \
             either again.\n\ncommitment  {}\naccount     {}\n\nNext: `wallet show` at an enrollment device.",
            vault.path().display(),
            shown.commitment,
            shown.account
        )
    })
}

pub(crate) fn show(session: &Session) -> anyhow::Result<()> {
    let shown = Shown::from(&session.wallet()?);
    let code = code::of(&shown.commitment.to_string())?;
    session.answer(&shown, || {
        let code = code::for_terminals(&code);
        format!("{code}\ncommitment  {}\naccount     {}", shown.commitment, shown.account)
    })
}

/// Whether the wallet is in the set.
#[derive(Serialize)]
struct Standing {
    commitment: Commitment,
    account: AccountId,
    enrolled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    inclusion: Option<InclusionProof>,
    #[serde(skip_serializing_if = "Option::is_none")]
    balance: Option<Amount>,
}

pub(crate) fn status(session: &Session, asked: &Status) -> anyhow::Result<()> {
    let wallet = session.wallet()?;
    let inclusion = match session.inclusion(&wallet, asked.size) {
        Ok(inclusion) => Some(inclusion),
        Err(error) => match error.downcast_ref() {
            // Not being enrolled is an answer, unless a path was wanted.
            Some(ClientError::Refused(problem))
                if problem.code == "commitment_unknown" && asked.save.is_none() =>
            {
                None
            }
            _ => return Err(error),
        },
    };
    if let (Some(path), Some(inclusion)) = (&asked.save, &inclusion) {
        save(path, inclusion)?;
    }
    // The set is what was asked about: a distribution that is away is no reason to say nothing.
    let balance = session.distribution().account(wallet.account()).ok().map(|view| view.balance);
    let standing = Standing {
        commitment: wallet.commitment(),
        account: wallet.account(),
        enrolled: inclusion.is_some(),
        inclusion,
        balance,
    };
    session.answer(&standing, || standing.to_text())
}

impl Standing {
    fn to_text(&self) -> String {
        let set = match &self.inclusion {
            Some(place) => {
                format!("in the set: leaf {} of {}, under root {}", place.leaf_index, place.size, place.root)
            }
            None => "not in the set yet: `wallet show` at an enrollment device".to_owned(),
        };
        let balance = self.balance.map_or("the distribution does not answer".to_owned(), minor_units);
        format!(
            "commitment  {}\naccount     {}\nset         {set}\nbalance     {balance}",
            self.commitment, self.account
        )
    }
}

pub(crate) fn balance(session: &Session) -> anyhow::Result<()> {
    let wallet = session.wallet()?;
    let view = session.distribution().account(wallet.account())?;
    session.answer(&view, || minor_units(view.balance))
}

fn minor_units(amount: Amount) -> String {
    format!("{amount} minor units")
}

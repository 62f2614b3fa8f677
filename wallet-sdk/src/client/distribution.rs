//! The distribution, as a wallet sees it: periods, claims, balances.

use unum_identity::action::Period;
use unum_identity::bytes::{AccountId, ProgrammeId, ServiceKey};
use unum_identity::claim::{Claim, ClaimReceipt};
use unum_identity::ledger::AccountView;
use unum_identity::programme::{PeriodView, ProgrammeView};
use unum_identity::signed::Signed;

use super::ClientError;
use super::http::Service;

/// A distribution.
#[derive(Clone, Debug)]
pub struct Distribution(Service);

/// A claim that was paid.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Claimed {
    /// Signed by the trusted key, and about this claim.
    pub receipt: Signed<ClaimReceipt>,
    /// Whether it was paid now; otherwise it had been paid before, and this is that receipt.
    pub now: bool,
}

impl Distribution {
    /// The distribution at `base`, such as `http://127.0.0.1:8081`.
    pub fn at(base: &str) -> Self {
        Self(Service::at(base))
    }

    /// A programme, whose id follows from its terms.
    ///
    /// # Errors
    ///
    /// A [`ClientError`].
    pub fn programme(&self, programme: ProgrammeId) -> Result<ProgrammeView, ClientError> {
        let view: ProgrammeView = self.0.get(&format!("/v1/programmes/{programme}"))?;
        if view.id != programme || view.terms.id(&view.ledger) != programme {
            return Err(ClientError::Untrue("it is about another programme"));
        }
        Ok(view)
    }

    /// One period: who may claim, what, and until when.
    ///
    /// # Errors
    ///
    /// A [`ClientError`].
    pub fn period(&self, programme: ProgrammeId, period: Period) -> Result<PeriodView, ClientError> {
        let view: PeriodView = self.0.get(&format!("/v1/programmes/{programme}/periods/{period}"))?;
        if (view.programme, view.period) != (programme, period) {
            return Err(ClientError::Untrue("it is about another period"));
        }
        Ok(view)
    }

    /// Sends a claim. The same claim again gives the first receipt again.
    ///
    /// # Errors
    ///
    /// [`ClientError::Refused`] with `claimed_for_another_recipient` if this person's share went elsewhere, among
    /// others.
    pub fn claim(&self, claim: &Claim, trusted: &ServiceKey) -> Result<Claimed, ClientError> {
        let (status, receipt) = self.0.post("/v1/claims", claim)?;
        accept(claim, &receipt, trusted)?;
        Ok(Claimed { receipt, now: status == 201 })
    }

    /// What an account holds.
    ///
    /// # Errors
    ///
    /// A [`ClientError`].
    pub fn account(&self, account: AccountId) -> Result<AccountView, ClientError> {
        let view: AccountView = self.0.get(&format!("/v1/accounts/{account}"))?;
        if view.account != account {
            return Err(ClientError::Untrue("it is about another account"));
        }
        Ok(view)
    }
}

/// Whether a receipt is signed by the trusted key and says that this claim was paid as it asked.
fn accept(claim: &Claim, receipt: &Signed<ClaimReceipt>, trusted: &ServiceKey) -> Result<(), ClientError> {
    let paid = receipt
        .verify(trusted)
        .map_err(|_| ClientError::Untrue("the receipt is not signed by the trusted key"))?;
    let found = (paid.programme, paid.period, paid.nullifier, paid.recipient);
    if found != (claim.programme, claim.period, claim.nullifier, claim.terms.recipient) {
        return Err(ClientError::Untrue("the receipt is for another claim"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;
    use unum_identity::bytes::{EntryHash, LedgerId};
    use unum_identity::claim::{Amount, ClaimTerms};
    use unum_identity::field::Nullifier;
    use unum_identity::proof::ProofBytes;
    use unum_identity::signed::service_key;
    use unum_identity::time::UnixTime;

    use super::*;

    #[test]
    fn only_our_receipt_under_the_trusted_key_is_accepted() {
        let (key, other) = (SigningKey::from_bytes(&[1; 32]), SigningKey::from_bytes(&[2; 32]));
        let terms = ClaimTerms {
            ledger: LedgerId([1; 16]),
            recipient: AccountId([2; 32]),
            fee: Amount::ZERO,
            deadline: UnixTime(9),
        };
        let claim = Claim {
            programme: ProgrammeId([3; 16]),
            period: Period(4),
            nullifier: Nullifier(5.into()),
            terms,
            proof: ProofBytes([0; 256]),
        };
        let paid = ClaimReceipt {
            programme: claim.programme,
            period: claim.period,
            nullifier: claim.nullifier,
            recipient: claim.terms.recipient,
            amount: Amount::new(100).unwrap(),
            ledger_sequence: 1,
            entry_hash: EntryHash([0; 32]),
            paid_at: UnixTime(8),
        };
        let accepts =
            |paid: ClaimReceipt, signer| accept(&claim, &Signed::new(paid, signer), &service_key(&key));
        assert!(accepts(paid.clone(), &key).is_ok());
        assert!(accepts(paid.clone(), &other).is_err(), "another signer");
        let changes: [fn(&mut ClaimReceipt); 4] = [
            |r| r.programme.0[0] ^= 1,
            |r| r.period.0 += 1,
            |r| r.nullifier = Nullifier(6.into()),
            |r| r.recipient.0[0] ^= 1,
        ];
        for change in changes {
            let mut changed = paid.clone();
            change(&mut changed);
            assert!(accepts(changed, &key).is_err(), "a receipt for something else");
        }
        let mut altered = Signed::new(paid, &key);
        altered.statement.amount = Amount::new(1_000).unwrap();
        assert!(accept(&claim, &altered, &service_key(&key)).is_err(), "altered after signing");
    }
}

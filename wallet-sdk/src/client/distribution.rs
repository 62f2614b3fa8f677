//! The distribution, as a wallet sees it: periods, claims, payments, balances.

use unum_identity::account::AccountStatement;
use unum_identity::action::Period;
use unum_identity::bytes::{AccountId, ProgrammeId, ServiceKey};
use unum_identity::claim::{Claim, ClaimReceipt};
use unum_identity::ledger::{AccountView, LedgerView};
use unum_identity::payment::{Payment, PaymentReceipt, SignedPayment};
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

/// A payment that was made.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Paid {
    /// Signed by the trusted key, and about this payment.
    pub receipt: Signed<PaymentReceipt>,
    /// Whether it was made now; otherwise it had been made before, and this is that receipt.
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

    /// Which ledger it keeps. It is the distribution's own word: compare it with what you know from elsewhere.
    ///
    /// # Errors
    ///
    /// A [`ClientError`].
    pub fn ledger(&self) -> Result<LedgerView, ClientError> {
        self.0.get("/v1/ledger")
    }

    /// Sends a payment. The same payment again gives the first receipt again.
    ///
    /// # Errors
    ///
    /// [`ClientError::Refused`] with `balance_insufficient` or `deadline_passed`, among others; after any other error
    /// nobody knows whether it was made: send the same again.
    pub fn pay(&self, order: &SignedPayment, trusted: &ServiceKey) -> Result<Paid, ClientError> {
        let (status, receipt) = self.0.post("/v1/payments", order)?;
        accept_payment(&order.payment, &receipt, trusted)?;
        Ok(Paid { receipt, now: status == 201 })
    }

    /// What moved an account, newest first: `limit` lines at most, before the place `before`.
    ///
    /// # Errors
    ///
    /// A [`ClientError`].
    pub fn statement(
        &self,
        account: AccountId,
        before: Option<u64>,
        limit: u32,
    ) -> Result<AccountStatement, ClientError> {
        let older = before.map(|place| format!("&before={place}")).unwrap_or_default();
        let statement: AccountStatement =
            self.0.get(&format!("/v1/accounts/{account}/statement?limit={limit}{older}"))?;
        accept_statement(&statement, account, before, limit)?;
        Ok(statement)
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

/// Whether a receipt is signed by the trusted key and says that this payment was made.
fn accept_payment(
    payment: &Payment,
    receipt: &Signed<PaymentReceipt>,
    trusted: &ServiceKey,
) -> Result<(), ClientError> {
    let said = receipt
        .verify(trusted)
        .map_err(|_| ClientError::Untrue("the receipt is not signed by the trusted key"))?;
    if *said != payment.receipt(said.ledger_sequence, said.entry_hash, said.paid_at) {
        return Err(ClientError::Untrue("the receipt is for another payment"));
    }
    Ok(())
}

/// Whether a statement is the page that was asked for, and its lines add up.
fn accept_statement(
    statement: &AccountStatement,
    account: AccountId,
    before: Option<u64>,
    limit: u32,
) -> Result<(), ClientError> {
    let newest = statement.lines.first().map(|line| line.sequence);
    let is_page = newest.is_none_or(|newest| before.is_none_or(|before| newest < before));
    if statement.account != account || !is_page || statement.lines.len() > limit as usize {
        return Err(ClientError::Untrue("it is about another account, or another page"));
    }
    if !statement.adds_up() {
        return Err(ClientError::Untrue("the lines of the statement do not add up"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;
    use unum_identity::account::{AccountLine, Movement};
    use unum_identity::bytes::{EntryHash, LedgerId, PaymentKey};
    use unum_identity::claim::{Amount, ClaimTerms};
    use unum_identity::field::Nullifier;
    use unum_identity::ledger::Balance;
    use unum_identity::proof::ProofBytes;
    use unum_identity::signed::service_key;
    use unum_identity::time::UnixTime;

    use super::*;

    #[test]
    fn only_our_payments_receipt_is_accepted() {
        let (key, other) = (SigningKey::from_bytes(&[1; 32]), SigningKey::from_bytes(&[2; 32]));
        let payment = Payment {
            ledger: LedgerId([1; 16]),
            from: AccountId([2; 32]),
            to: AccountId([3; 32]),
            amount: Amount::new(100).unwrap(),
            idempotency_key: PaymentKey([4; 16]),
            deadline: UnixTime(9),
        };
        let said = payment.receipt(7, EntryHash([0; 32]), UnixTime(8));
        let accepts = |said: PaymentReceipt, signer| {
            accept_payment(&payment, &Signed::new(said, signer), &service_key(&key)).is_ok()
        };
        assert!(accepts(said.clone(), &key));
        assert!(!accepts(said.clone(), &other), "another signer");
        let changes: [fn(&mut PaymentReceipt); 4] = [
            |r| r.from.0[0] ^= 1,
            |r| r.to.0[0] ^= 1,
            |r| r.amount = Amount::new(99).unwrap(),
            |r| r.idempotency_key.0[0] ^= 1,
        ];
        for change in changes {
            let mut changed = said.clone();
            change(&mut changed);
            assert!(!accepts(changed, &key), "a receipt for something else");
        }
    }

    #[test]
    fn only_the_page_that_was_asked_for_is_accepted() {
        let account = AccountId([2; 32]);
        let line = AccountLine {
            sequence: 7,
            at: UnixTime(1),
            movement: Movement::Share { programme: ProgrammeId([1; 16]), period: Period(0) },
            amount: Balance::new(5).unwrap(),
            balance: Amount::new(5).unwrap(),
        };
        let page = AccountStatement { account, lines: vec![line], before: None };
        let accepts = |page: &AccountStatement, account, before, limit| {
            accept_statement(page, account, before, limit).is_ok()
        };
        assert!(accepts(&page, account, None, 1));
        assert!(accepts(&page, account, Some(8), 1));
        assert!(!accepts(&page, account, Some(7), 1), "not before");
        assert!(!accepts(&page, account, None, 0), "too many");
        assert!(!accepts(&page, AccountId([3; 32]), None, 1), "somebody else's");
        let mut altered = page;
        altered.lines[0].balance = Amount::new(6).unwrap();
        assert!(!accepts(&altered, account, None, 1), "does not add up");
    }

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
            relayer: None,
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

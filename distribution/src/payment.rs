//! Payments between people. The payer's signature is all that moves a wallet's money; nobody operates them.
//!
//! ```text
//! canonical decode (the types) ─► signature, account ─► look up: paid? can be paid? ─► the same under the lock, and pay
//! ```
//!
//! The payer's key for a payment is looked up before anything that depends on the time or on the balance: whoever lost the
//! answer gets the first receipt, whenever they come back. What can be refused without the lock on the end of the chain is
//! refused without it, so that orders that cannot be paid hold up nobody.

use unum_identity::bytes::{AccountId, LedgerId};
use unum_identity::claim::Amount;
use unum_identity::ledger::Balance;
use unum_identity::payment::{Payment, PaymentReceipt, SignedPayment};
use unum_identity::signed::{SignatureError, Signed};

use crate::app::App;
use crate::ledger::account::Account;
use crate::ledger::audit::PaidPayment;
use crate::ledger::entry::Draft;
use crate::store::{StoreError, Tx, ledger, payments};
use service::ProblemResponse;

/// Why nothing was paid.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PaymentError {
    /// Made for another ledger.
    #[error("this ledger is {0}")]
    OtherLedger(LedgerId),
    /// Pay somebody else, and something.
    #[error("a payment moves at least 1 minor unit, to another account")]
    MovesNothing,
    /// Nobody could ever spend it: look at the account again.
    #[error("{0} is no key that can sign")]
    Recipient(AccountId),
    /// Not signed by its payer: whoever knows why learns something to forge with.
    #[error("the signature does not hold")]
    Signature(#[from] SignatureError),
    /// Another payment of this payer has the key: draw a new one for a new payment.
    #[error("this key was used for {amount} to {to}")]
    KeyTaken { amount: Amount, to: AccountId },
    /// Sign a new order with a later deadline.
    #[error("the deadline {0} (seconds since 1970) has passed")]
    DeadlinePassed(u64),
    /// Pay less, or later.
    #[error("the account holds {balance}, the payment needs {amount}")]
    BalanceInsufficient { balance: Balance, amount: Amount },
    /// The recipient would hold more than the ledger can write. Nobody means this.
    #[error("the recipient would hold more than {max}", max = Amount::MAX)]
    TooLarge,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl PaymentError {
    fn status_and_code(&self) -> (u16, &'static str) {
        match self {
            Self::OtherLedger(_) => (422, "other_ledger"),
            Self::MovesNothing => (422, "payment_moves_nothing"),
            Self::Recipient(_) => (422, "recipient_cannot_sign"),
            Self::Signature(_) => (422, "signature_invalid"),
            Self::KeyTaken { .. } => (409, "idempotency_key_taken"),
            Self::DeadlinePassed(_) => (422, "deadline_passed"),
            Self::BalanceInsufficient { .. } => (409, "balance_insufficient"),
            Self::TooLarge => (422, "payment_too_large"),
            Self::Store(_) => (503, "unanswered"),
        }
    }
}

impl From<PaymentError> for ProblemResponse {
    fn from(error: PaymentError) -> Self {
        let ((status, code), detail) = (error.status_and_code(), error.to_string());
        match error {
            PaymentError::Store(error) => error.into(),
            _ => Self::new(status, code).detail(detail),
        }
    }
}

type Answer = (bool, Signed<PaymentReceipt>);
type Outcome<T> = Result<T, PaymentError>;

impl App {
    /// Pays what an account's owner has signed, once; answers when that is committed. `true` if it is new; the same again
    /// gets the first receipt.
    pub(crate) async fn pay(&self, order: &SignedPayment) -> Outcome<Answer> {
        let answer = self.check_and_pay(order).await;
        let outcome = match &answer {
            Ok((true, _)) => "paid",
            Ok((false, _)) => "repeated",
            Err(error) => error.status_and_code().1,
        };
        self.metrics.count("unum_payments_total", &[("outcome", outcome)], 1);
        answer
    }

    async fn check_and_pay(&self, order: &SignedPayment) -> Outcome<Answer> {
        check(order, self.ledger)?;
        let found = self.store.run_tx("look_up_payment", |tx| async move { self.decide(&tx, order).await });
        if let Some(receipt) = found.await?? {
            return Ok((false, receipt));
        }
        let paid = self.store.run_tx("pay", |tx| async move {
            let mut pen = ledger::lock(&tx).await?;
            match self.decide(&tx, order).await? {
                Err(refused) => return Ok(Err(refused)),
                Ok(Some(receipt)) => return Ok(Ok((false, receipt))),
                Ok(None) => {}
            }
            let (payment, now) = (&order.payment, self.now());
            let draft = Draft::payment(payment.from, payment.to, payment.idempotency_key, payment.amount);
            let Some(draft) = draft else { return Ok(Err(PaymentError::MovesNothing)) };
            let placed = pen.place(draft, now);
            let place = placed.head();
            ledger::write(&tx, pen, &[placed]).await?;
            let receipt = Signed::new(payment.receipt(place.sequence, place.hash, now), &self.signing);
            let paid = PaidPayment { order: order.clone(), receipt };
            payments::insert(&tx, &paid).await?;
            Ok(Ok((true, paid.receipt)))
        });
        paid.await?
    }

    /// The first receipt, if it was paid; none if it can be paid now. To be relied on only by whoever holds the end of the
    /// chain.
    async fn decide(
        &self,
        tx: &Tx,
        order: &SignedPayment,
    ) -> Result<Outcome<Option<Signed<PaymentReceipt>>>, StoreError> {
        let payment = &order.payment;
        // What speaks against paying is read before what was paid: if another server makes this very payment in between, its
        // receipt is found, and nobody is told that the account is empty.
        let payable = self.payable(tx, payment).await?;
        let Some(first) = payments::get(tx, self.ledger, payment.from, payment.idempotency_key).await? else {
            return Ok(payable.map(|()| None));
        };
        // Until when it would have been good is not what is paid: a request opened twice is the same payment.
        let Payment { amount, to, .. } = first.order.payment;
        let is_same = (to, amount) == (payment.to, payment.amount);
        Ok(if is_same { Ok(Some(first.receipt)) } else { Err(PaymentError::KeyTaken { amount, to }) })
    }

    /// Whether it could be made if nobody has made it.
    async fn payable(&self, tx: &Tx, payment: &Payment) -> Result<Outcome<()>, StoreError> {
        let amount = payment.amount;
        if self.now() > payment.deadline {
            return Ok(Err(PaymentError::DeadlinePassed(payment.deadline.0)));
        }
        let balance = ledger::balance(tx, &Account::Wallet(payment.from)).await?;
        if balance < amount.into() {
            return Ok(Err(PaymentError::BalanceInsufficient { balance, amount }));
        }
        let held = ledger::balance(tx, &Account::Wallet(payment.to)).await?;
        Ok(held.checked_add(amount.into()).map(|_| ()).ok_or(PaymentError::TooLarge))
    }
}

/// All that needs no database.
fn check(order: &SignedPayment, ledger: LedgerId) -> Outcome<()> {
    let payment = &order.payment;
    if payment.ledger != ledger {
        return Err(PaymentError::OtherLedger(ledger));
    }
    if payment.from == payment.to || payment.amount == Amount::ZERO {
        return Err(PaymentError::MovesNothing);
    }
    if !payment.to.can_sign() {
        return Err(PaymentError::Recipient(payment.to));
    }
    Ok(order.verify()?)
}

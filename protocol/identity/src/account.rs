//! What an account's owner looks at: its statement.

use serde::{Deserialize, Serialize};

use crate::action::Period;
use crate::bytes::{AccountId, PaymentKey, ProgrammeId};
use crate::claim::Amount;
use crate::ledger::{Balance, LedgerView};
use crate::time::UnixTime;

/// A page of what moved an account's balance, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AccountStatement {
    /// Whose.
    pub account: AccountId,
    /// The page.
    pub lines: Vec<AccountLine>,
    /// Where older lines go on: ask for those before this place. None on the last page.
    pub before: Option<u64>,
}

/// One entry of the ledger, as it concerns one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AccountLine {
    /// The entry's place in the ledger.
    pub sequence: u64,
    /// When it was written.
    pub at: UnixTime,
    /// Why money moved.
    pub movement: Movement,
    /// What was added; less than nothing if the account paid.
    pub amount: Balance,
    /// What the account held after it.
    pub balance: Amount,
}

/// Why money moved into or out of a wallet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Movement {
    /// A share of a period.
    Share {
        /// Whose.
        #[cfg_attr(feature = "openapi", schema(value_type = String))]
        programme: ProgrammeId,
        /// Which.
        period: Period,
    },
    /// The fee of a claim that the owner relayed.
    Fee {
        /// Whose share it was part of.
        #[cfg_attr(feature = "openapi", schema(value_type = String))]
        programme: ProgrammeId,
        /// Of which period.
        period: Period,
    },
    /// A payment, to somebody if the amount is below zero, else from somebody.
    Payment {
        /// The other one.
        with: AccountId,
        /// The payer's name for it, or the one in the request.
        idempotency_key: PaymentKey,
    },
}

impl AccountStatement {
    /// Whether the lines add up: each balance is the one before it and what was added, and the first one ever began with
    /// nothing.
    pub fn adds_up(&self) -> bool {
        let lines = &self.lines;
        let continues = |pair: &[AccountLine]| {
            pair[0].sequence > pair[1].sequence && pair[0].balance_before() == Some(pair[1].balance)
        };
        let begins = match (lines.last(), self.before) {
            (Some(oldest), Some(before)) => oldest.sequence == before,
            (Some(oldest), None) => oldest.balance_before() == Some(Amount::ZERO),
            (None, before) => before.is_none(),
        };
        begins && lines.windows(2).all(continues) && lines.iter().all(|line| line.balance_before().is_some())
    }
}

impl AccountStatement {
    /// A table for people, as wide as its longest amounts.
    pub fn text(&self, ledger: &LedgerView) -> String {
        let row = |line: &AccountLine| {
            let (amount, balance) = (ledger.text(line.amount), ledger.text(line.balance));
            [line.sequence.to_string(), line.at.0.to_string(), amount, balance, line.reason()]
        };
        let mut rows = vec![["entry", "seconds", "amount", "balance", "for"].map(str::to_owned)];
        rows.extend(self.lines.iter().map(row));
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let (a, b, c, d) = (width(0), width(1), width(2), width(3));
        let mut lines: Vec<String> = rows
            .iter()
            .map(|[entry, at, amount, balance, reason]| {
                format!("{entry:>a$}  {at:>b$}  {amount:>c$}  {balance:>d$}  {reason}")
            })
            .collect();
        lines.extend(self.before.map(|place| format!("older lines: --before {place}")));
        lines.join("\n")
    }
}

impl AccountLine {
    fn reason(&self) -> String {
        match &self.movement {
            Movement::Share { programme, period } => format!("share of period {period}, {programme}"),
            Movement::Fee { programme, period } => format!("fee of a claim in period {period}, {programme}"),
            Movement::Payment { with, .. } if self.amount < Balance::ZERO => format!("to {with}"),
            Movement::Payment { with, .. } => format!("from {with}"),
        }
    }

    /// What the account held before it; none if that is less than nothing.
    fn balance_before(&self) -> Option<Amount> {
        Balance::from(self.balance).checked_add(-self.amount)?.amount()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn statement(moved: &[i64]) -> AccountStatement {
        let mut held = 0_i64;
        let mut lines = Vec::new();
        for (place, amount) in (1..).zip(moved) {
            // What cannot be paid is received instead.
            let amount = if held + amount < 0 { -amount } else { *amount };
            held += amount;
            lines.push(AccountLine {
                sequence: 3 * place,
                at: UnixTime(place),
                movement: Movement::Payment {
                    with: AccountId([1; 32]),
                    idempotency_key: PaymentKey([2; 16]),
                },
                amount: Balance::new(amount.into()).unwrap(),
                balance: Amount::new(held as u128).unwrap(),
            });
        }
        lines.reverse();
        AccountStatement { account: AccountId([3; 32]), lines, before: None }
    }

    #[test]
    fn an_account_that_was_never_paid() {
        assert!(statement(&[]).adds_up());
        assert!(!AccountStatement { before: Some(1), ..statement(&[]) }.adds_up());
    }

    #[test]
    fn a_statement_for_people() {
        let unit = Some(crate::ledger::Unit { name: "EUR".into(), minor_digits: 2 });
        let ledger =
            LedgerView { id: crate::bytes::LedgerId([0; 16]), key: crate::bytes::ServiceKey([0; 32]), unit };
        let text = AccountStatement { before: Some(3), ..statement(&[1250, -250]) }.text(&ledger);
        let other = "01".repeat(32);
        let expected = [
            "entry  seconds     amount    balance  for",
            &format!("    6        2  -2.50 EUR  10.00 EUR  to {other}"),
            &format!("    3        1  12.50 EUR  12.50 EUR  from {other}"),
            "older lines: --before 3",
        ];
        assert_eq!(text, expected.join("\n"));
    }

    #[test]
    fn a_line_in_json() {
        let json = serde_json::to_value(&statement(&[5]).lines[0]).unwrap();
        let expected = serde_json::json!({
            "sequence": 3, "at": 1, "amount": "5", "balance": "5",
            "movement": {"kind": "payment", "with": "01".repeat(32), "idempotency_key": "02".repeat(16)},
        });
        assert_eq!(json, expected);
    }

    proptest! {
        #[test]
        fn true_lines_add_up_on_every_page(
            moved in prop::collection::vec(-(1_i64 << 40)..1_i64 << 40, 1..20),
            at in 0..20_usize,
        ) {
            let whole = statement(&moved);
            prop_assert!(whole.adds_up());
            let at = at % moved.len();
            let (newer, older) = (whole.lines[..=at].to_vec(), whole.lines[at + 1..].to_vec());
            let before = (!older.is_empty()).then_some(newer[at].sequence);
            let newer = AccountStatement { lines: newer, before, ..whole.clone() };
            let older = AccountStatement { lines: older, ..whole };
            prop_assert!(newer.adds_up() && older.adds_up());
        }

        #[test]
        fn altered_lines_do_not(
            moved in prop::collection::vec(1..1_i64 << 40, 2..20),
            at in any::<prop::sample::Index>(),
            by in 1..1000_u128,
            what in 0..4_u8,
        ) {
            let mut altered = statement(&moved);
            let at = at.index(moved.len());
            match what {
                0 => altered.lines[at].balance = altered.lines[at].balance.checked_add(Amount::new(by).unwrap()).unwrap(),
                1 => altered.lines[at].amount = altered.lines[at].amount.checked_add(Balance::new(by as i128).unwrap()).unwrap(),
                2 => drop(altered.lines.remove(at)),
                _ => altered.before = Some(altered.lines[0].sequence + 1),
            }
            // The newest line can be dropped unseen: whoever asks compares with the balance.
            prop_assert_eq!(altered.adds_up(), what == 2 && at == 0);
        }
    }
}

use ed25519_dalek::SigningKey;
use proptest::prelude::*;
use unum_identity::bytes::{AccountId, KeyHash, NullifierSetHash, PaymentKey};
use unum_identity::field::{Nullifier, Root};
use unum_identity::payment::{Payment, SignedPayment};
use unum_identity::programme::{EligibleSet, Length, Policy};
use unum_identity::time::UnixTime;

use super::super::entry::{Draft, Posting};
use super::*;

const LEDGER: LedgerId = LedgerId([1; 16]);
const PROGRAMME: ProgrammeId = ProgrammeId([2; 16]);
const PERIOD: Period = Period(0);
const SHARE: u128 = 1000;
const RELAYER: Option<AccountId> = Some(AccountId([0x77; 32]));

fn amount(minor: u128) -> Amount {
    Amount::new(minor).unwrap()
}

fn terms(policy: Policy) -> ProgrammeTerms {
    ProgrammeTerms {
        name: "basic".into(),
        unit: "UNM".into(),
        minor_digits: 2,
        policy,
        starts_at: UnixTime(0),
        length: Length::Seconds { seconds: 1000 },
        claim_window: 2,
    }
}

fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn owner(person: u8) -> SigningKey {
    SigningKey::from_bytes(&[person; 32])
}

fn account(person: u8) -> AccountId {
    AccountId(owner(person).verifying_key().to_bytes())
}

/// A ledger as it stands in the database: one deposit, one period of three people of whom two claim.
struct Books {
    entries: Vec<StoredEntry>,
    head: Head,
    accounts: Vec<LedgerAccount>,
    periods: Vec<StoredPeriod>,
}

impl Books {
    fn sealed() -> Self {
        let mut books = Self { entries: vec![], head: Head::GENESIS, accounts: vec![], periods: vec![] };
        let label = |text: &str| text.parse().unwrap();
        books.post(Draft::deposit(PROGRAMME, label("city"), label("first"), amount(5000)));
        books.post(Draft::reserve(PROGRAMME, PERIOD, amount(3 * SHARE)));
        books.claim(11, 0);
        books.claim(12, 30);
        books.post(Draft::return_rest(PROGRAMME, PERIOD, amount(SHARE)).unwrap());
        books.seal();
        books
    }

    fn post(&mut self, draft: Draft) {
        self.post_at(draft, UnixTime(100 + self.head.sequence));
    }

    fn post_at(&mut self, draft: Draft, at: UnixTime) {
        let entry = draft.place(LEDGER, self.head, at);
        self.head = entry.head();
        for line in &entry.postings {
            let name = line.account.to_string();
            match self.accounts.iter_mut().find(|account| account.name == name) {
                Some(account) => account.balance = account.balance.checked_add(line.amount).unwrap(),
                None => self.accounts.push(LedgerAccount { name, balance: line.amount }),
            }
        }
        let Head { sequence, hash } = self.head;
        self.entries.push(StoredEntry { sequence, hash, entry: Some(entry), receipt: None, payment: None });
    }

    fn claim(&mut self, person: u64, fee: u128) {
        self.claim_of(person, SHARE, fee);
    }

    fn claim_of(&mut self, person: u64, share: u128, fee: u128) {
        self.claim_at(person, share, fee, UnixTime(100 + self.head.sequence));
    }

    fn claim_at(&mut self, person: u64, share: u128, fee: u128, at: UnixTime) {
        let (nullifier, recipient) = (Nullifier(person.into()), account(person as u8));
        let place = (PROGRAMME, PERIOD);
        let draft = Draft::claim(place, nullifier, recipient, amount(share), amount(fee), RELAYER);
        self.post_at(draft.unwrap(), at);
        let entry = self.entries.last_mut().unwrap();
        let receipt = ClaimReceipt {
            programme: PROGRAMME,
            period: PERIOD,
            nullifier,
            recipient,
            amount: amount(share - fee),
            ledger_sequence: entry.sequence,
            entry_hash: entry.hash,
            paid_at: entry.entry.as_ref().unwrap().at,
        };
        entry.receipt = Some(Signed::new(receipt, &key()));
    }

    fn pay(&mut self, from: u8, to: u8, minor: u128) {
        let payment = Payment {
            ledger: LEDGER,
            from: account(from),
            to: account(to),
            amount: amount(minor),
            idempotency_key: PaymentKey([self.entries.len() as u8; 16]),
            deadline: UnixTime(10_000),
        };
        self.order(SignedPayment::new(payment, &owner(from)));
    }

    /// Books an order, whether or not anybody should.
    fn order(&mut self, order: SignedPayment) {
        let payment = &order.payment;
        let draft = Draft::payment(payment.from, payment.to, payment.idempotency_key, payment.amount);
        self.post(draft.unwrap());
        let entry = self.entries.last_mut().unwrap();
        let receipt = payment.receipt(entry.sequence, entry.hash, entry.entry.as_ref().unwrap().at);
        entry.payment = Some(PaidPayment { order, receipt: Signed::new(receipt, &key()) });
    }

    /// Takes the entry at an index back.
    fn reverse(&mut self, entry: usize) {
        let deposit = self.entries[entry].entry.as_ref().unwrap();
        self.post(Draft::reversal(deposit, "mistake".parse().unwrap()).unwrap());
    }

    fn seal(&mut self) {
        let statement = PeriodStatement {
            programme: PROGRAMME,
            period: PERIOD,
            ledger: LEDGER,
            set: EligibleSet { root: Root(9.into()), size: 3, people: 3 },
            amount: amount(SHARE),
            claims: 2,
            paid: amount(2 * SHARE),
            expired: amount(SHARE),
            nullifiers: NullifierSetHash([4; 32]),
            ledger_sequence: self.head.sequence,
            chain_head: self.head.hash,
            verifying_key: KeyHash([5; 32]),
            sealed_at: UnixTime(999),
        };
        self.periods.push(StoredPeriod {
            programme: PROGRAMME,
            period: PERIOD,
            state: PeriodState::Sealed,
            terms: Some(terms(Policy::Fixed { amount: amount(SHARE) })),
            people: 3,
            most: amount(SHARE),
            statement: Some(Signed::new(statement, &key())),
        });
    }

    fn check(self) -> LedgerReport {
        let mut audit = Audit::new(LEDGER, &self.periods);
        self.entries.iter().for_each(|entry| audit.entry(entry));
        audit.finish(self.head, self.accounts, &self.periods)
    }

    fn line(&mut self, entry: usize, line: usize) -> &mut Posting {
        &mut self.entries[entry].entry.as_mut().unwrap().postings[line]
    }

    fn statement(&mut self) -> &mut Signed<PeriodStatement> {
        self.periods[0].statement.as_mut().unwrap()
    }
}

fn minor(n: i128) -> Balance {
    Balance::new(n).unwrap()
}

#[track_caller]
fn finds(change: impl FnOnce(&mut Books), expected: &[LedgerProblem]) {
    let mut books = Books::sealed();
    change(&mut books);
    let report = books.check();
    for problem in expected {
        assert!(report.problems.contains(problem), "{problem:?} not in {:?}", report.problems);
    }
}

#[test]
fn good_books_have_no_problem() {
    let books = Books::sealed();
    let head = books.head.hash;
    let report = books.check();
    assert_eq!(report.problems, []);
    assert_eq!((report.transfers, report.difference, report.chain_head), (5, Balance::ZERO, head));
    let balances: Vec<_> = report.accounts.iter().map(|account| account.balance.minor()).collect();
    assert_eq!(balances, [-5000, 3000, 0, 1000, 970, 30], "source, pool, reserve, two wallets, relayer");
}

#[test]
fn an_empty_ledger_has_no_problem() {
    let books = Books { entries: vec![], head: Head::GENESIS, accounts: vec![], periods: vec![] };
    assert_eq!(books.check().problems, []);
}

#[test]
fn altered_amount() {
    let more = |books: &mut Books| books.line(2, 1).amount = minor(2000);
    let unbalanced = LedgerProblem::EntryUnbalanced { sequence: 3, sum: minor(1000) };
    finds(
        more,
        &[
            LedgerProblem::EntryAltered { sequence: 3 },
            unbalanced,
            LedgerProblem::ClaimMismatch { sequence: 3 },
        ],
    );
}

#[test]
fn altered_recipient() {
    let thief = Account::Wallet(AccountId([66; 32]));
    finds(|books| books.line(2, 1).account = thief, &[LedgerProblem::EntryAltered { sequence: 3 }]);
}

#[test]
fn dropped_line() {
    let drop = |books: &mut Books| drop(books.entries[3].entry.as_mut().unwrap().postings.pop());
    let unbalanced = LedgerProblem::EntryUnbalanced { sequence: 4, sum: minor(-30) };
    finds(drop, &[LedgerProblem::EntryAltered { sequence: 4 }, unbalanced]);
}

#[test]
fn dropped_entry() {
    finds(|books| drop(books.entries.remove(2)), &[LedgerProblem::EntryMissing { sequence: 3 }]);
}

#[test]
fn chain_cut_short() {
    finds(|books| drop(books.entries.pop()), &[LedgerProblem::EntryMissing { sequence: 5 }]);
}

#[test]
fn reordered_entries() {
    let swap = |books: &mut Books| {
        for (place, sequence) in [(2, 4), (3, 3)] {
            books.entries[place].sequence = sequence;
            books.entries[place].entry.as_mut().unwrap().sequence = sequence;
        }
        books.entries.swap(2, 3);
    };
    finds(swap, &[LedgerProblem::EntryAltered { sequence: 3 }, LedgerProblem::EntryAltered { sequence: 4 }]);
}

#[test]
fn rewritten_entry_with_its_own_hash() {
    let rewrite = |books: &mut Books| {
        let stored = &mut books.entries[0];
        let entry = stored.entry.as_mut().unwrap();
        entry.at = UnixTime(7);
        stored.hash = entry.hash();
    };
    finds(rewrite, &[LedgerProblem::ChainBroken { sequence: 2 }]);
}

#[test]
fn entry_that_says_nothing() {
    finds(|books| books.entries[4].entry = None, &[LedgerProblem::EntryAltered { sequence: 5 }]);
}

#[test]
fn altered_balance() {
    let name = || Account::Wallet(account(11)).to_string();
    let richer = |books: &mut Books| books.accounts[3].balance = minor(1001);
    finds(
        richer,
        &[LedgerProblem::BalanceWrong { account: name(), stored: minor(1001), posted: minor(1000) }],
    );
    let poorer = |books: &mut Books| books.accounts[3].balance = minor(-1);
    finds(poorer, &[LedgerProblem::BalanceNegative { account: name() }]);
    let gone = |books: &mut Books| drop(books.accounts.remove(3));
    finds(
        gone,
        &[LedgerProblem::BalanceWrong { account: name(), stored: Balance::ZERO, posted: minor(1000) }],
    );
}

#[test]
fn claims_without_receipt_and_receipts_without_claim() {
    finds(|books| books.entries[2].receipt = None, &[LedgerProblem::ClaimMismatch { sequence: 3 }]);
    let stray = |books: &mut Books| books.entries[0].receipt = books.entries[2].receipt.clone();
    finds(stray, &[LedgerProblem::ClaimMismatch { sequence: 1 }]);
    let forged = |books: &mut Books| {
        books.entries[2].receipt.as_mut().unwrap().statement.recipient = AccountId([66; 32]);
    };
    finds(forged, &[LedgerProblem::ClaimMismatch { sequence: 3 }]);
}

#[test]
fn a_claim_that_pays_others_than_it_says() {
    let mismatch = |sequence| [LedgerProblem::ClaimMismatch { sequence }];
    let split = |books: &mut Books| {
        let postings = &mut books.entries[2].entry.as_mut().unwrap().postings;
        postings[1].amount = minor(900);
        postings.push(Posting { account: Account::Fees, amount: minor(100) });
    };
    finds(split, &mismatch(3));
    finds(|books| books.line(3, 2).amount = minor(31), &mismatch(4));
}

#[test]
fn payments_hold_and_deposits_are_taken_back() {
    let mut books = Books::sealed();
    books.pay(11, 12, 400);
    books.pay(12, 11, 1370);
    books.post(Draft::deposit(PROGRAMME, "city".parse().unwrap(), "second".parse().unwrap(), amount(70)));
    books.reverse(7);
    assert_eq!(books.check().problems, []);
}

#[test]
fn payments_that_nobody_signed() {
    let problem = || [LedgerProblem::PaymentMismatch { sequence: 6 }];
    let paid = |change: fn(&mut StoredEntry)| {
        move |books: &mut Books| {
            books.pay(11, 12, 400);
            change(books.entries.last_mut().unwrap());
        }
    };
    finds(paid(|entry| entry.payment = None), &problem());
    finds(paid(|entry| entry.payment.as_mut().unwrap().order.signature.0[0] ^= 1), &problem());
    finds(paid(|entry| entry.payment.as_mut().unwrap().order.payment.deadline.0 += 1), &problem());
    finds(paid(|entry| entry.payment.as_mut().unwrap().receipt.signature.0[0] ^= 1), &problem());
    finds(paid(|entry| entry.entry.as_mut().unwrap().postings[1].amount = minor(401)), &problem());
    let resigned = |change: fn(&mut Payment), signer: u8| {
        move |books: &mut Books| {
            books.pay(11, 12, 400);
            let mut payment = books.entries.pop().unwrap().payment.unwrap().order.payment;
            books.head.sequence -= 1;
            change(&mut payment);
            books.order(SignedPayment::new(payment, &owner(signer)));
        }
    };
    finds(resigned(|_| {}, 12), &problem());
    finds(resigned(|payment| payment.ledger.0[0] ^= 1, 11), &problem());
    finds(resigned(|payment| payment.deadline.0 = 104, 11), &problem());
    let stray = |books: &mut Books| {
        books.pay(11, 12, 400);
        books.entries[4].payment = books.entries[5].payment.clone();
    };
    finds(stray, &[LedgerProblem::PaymentMismatch { sequence: 5 }]);
}

#[test]
fn an_order_that_was_booked_twice() {
    let twice = |books: &mut Books| {
        books.pay(11, 12, 400);
        let order = books.entries[5].payment.as_ref().unwrap().order.clone();
        books.order(order);
    };
    finds(twice, &[LedgerProblem::PaymentMismatch { sequence: 7 }]);
}

#[test]
fn reversals_of_what_was_not_deposited() {
    let problem = |sequence| [LedgerProblem::ReversalWrong { sequence }];
    let twice = |books: &mut Books| {
        books.reverse(0);
        books.reverse(0);
    };
    finds(twice, &problem(7));
    let altered = |books: &mut Books| {
        books.reverse(0);
        (books.line(5, 0).amount, books.line(5, 1).amount) = (minor(4999), minor(-4999));
    };
    finds(altered, &problem(6));
    let of_a_claim = |books: &mut Books| {
        books.reverse(0);
        let entry = books.entries[5].entry.as_mut().unwrap();
        entry.cause =
            Cause::Reversal { programme: PROGRAMME, reversed: 3, reason: "mistake".parse().unwrap() };
    };
    finds(of_a_claim, &problem(6));
}

#[test]
fn a_period_that_paid_more_than_it_reserved() {
    let unbalanced = [LedgerProblem::PeriodUnbalanced { programme: PROGRAMME, period: PERIOD }];
    finds(|books| books.claim(13, 0), &unbalanced);
    finds(|books| books.periods[0].people = 2, &unbalanced);
}

#[test]
fn a_claim_that_was_paid_another_share() {
    let wrong = |sequence, due, paid| {
        [LedgerProblem::ShareWrong { sequence, due: amount(due), paid: minor(paid as i128) }]
    };
    finds(|books| books.claim_of(13, 2 * SHARE, 0), &wrong(6, SHARE, 2 * SHARE));
    finds(|books| books.line(2, 0).amount = minor(-7), &wrong(3, SHARE, 7));
}

/// The claims of these books come in the first two minutes, when nothing has accrued; more come later.
#[test]
fn a_claim_of_an_accrual_is_held_to_its_hours() {
    let accrual = Policy::Accrual { per_hour: amount(SHARE), cap_days: 1 };
    let grows = |books: &mut Books| {
        books.periods[0].terms = Some(terms(accrual.clone()));
        books.periods[0].most = amount(24 * SHARE);
    };
    finds(
        |books| {
            grows(books);
            books.claim_at(13, SHARE, 0, UnixTime(3_600));
            books.claim_at(14, 2 * SHARE, 0, UnixTime(7_199));
        },
        &[
            LedgerProblem::ShareWrong { sequence: 3, due: Amount::ZERO, paid: minor(1000) },
            LedgerProblem::ShareWrong { sequence: 7, due: amount(SHARE), paid: minor(2000) },
        ],
    );
    let mut books = Books::sealed();
    grows(&mut books);
    books.claim_at(13, SHARE, 0, UnixTime(3_600));
    let is_sixth = |problem: &LedgerProblem| matches!(problem, LedgerProblem::ShareWrong { sequence: 6, .. });
    assert!(!books.check().problems.iter().any(is_sixth));
}

#[test]
fn a_share_of_the_pool_is_held_to_the_pool() {
    // The pool holds 5000: 60 % of it are 3000, for three people.
    let share = |rate_ppm| {
        move |books: &mut Books| {
            let policy = Policy::PoolShare { rate_ppm, floor: amount(1), cap: amount(5000) };
            books.periods[0].terms = Some(terms(policy));
        }
    };
    let mut books = Books::sealed();
    share(600_000)(&mut books);
    assert_eq!(books.check().problems, []);
    finds(share(500_000), &[LedgerProblem::PeriodUnbalanced { programme: PROGRAMME, period: PERIOD }]);
}

#[test]
fn a_statement_that_lies() {
    let wrong = || [LedgerProblem::StatementWrong { programme: PROGRAMME, period: PERIOD }];
    finds(|books| books.statement().statement.claims = 1, &wrong());
    let resigned = |change: fn(&mut PeriodStatement)| {
        move |books: &mut Books| {
            let signed = books.statement();
            let mut statement = signed.statement.clone();
            change(&mut statement);
            *signed = Signed::new(statement, &key());
        }
    };
    finds(resigned(|statement| statement.claims = 1), &wrong());
    finds(resigned(|statement| statement.paid = amount(SHARE)), &wrong());
    finds(resigned(|statement| statement.chain_head = EntryHash([0; 32])), &wrong());
    finds(resigned(|statement| statement.ledger_sequence = 99), &wrong());
    finds(|books| books.periods[0].statement = None, &wrong());
    finds(|books| books.periods[0].state = PeriodState::Closed, &wrong());
}

#[test]
fn a_forged_place_far_away_does_not_fill_the_report() {
    let mut books = Books::sealed();
    books.entries[4].sequence = u64::MAX;
    assert!(books.check().problems.len() < 2 * MAX_MISSING + 10);
}

proptest! {
    #[test]
    fn any_other_amount_anywhere_is_found(entry in 0..5_usize, line in 0..2_usize, to in any::<i64>()) {
        let mut books = Books::sealed();
        let posting = books.line(entry, line);
        prop_assume!(posting.amount.minor() != i128::from(to));
        posting.amount = minor(to.into());
        let expected = LedgerProblem::EntryAltered { sequence: entry as u64 + 1 };
        prop_assert!(books.check().problems.contains(&expected));
    }

    #[test]
    fn sums_never_overflow(amounts in prop::collection::vec(-(10_i128.pow(38) - 1)..10_i128.pow(38), 5)) {
        let mut books = Books::sealed();
        for (entry, amount) in amounts.into_iter().enumerate() {
            books.line(entry, 0).amount = minor(amount);
            books.line(entry, 1).amount = minor(amount);
        }
        books.check();
    }
}

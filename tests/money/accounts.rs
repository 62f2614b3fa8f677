//! What the owner of an account sees: its statement, the fees it got, the unit it all is in.

use distribution::client::ClientError as Refusal;
use unum_identity::account::{AccountLine, Movement};
use unum_identity::action::Period;
use unum_identity::bytes::{AccountId, PaymentKey};
use unum_identity::claim::{Claim, ClaimTerms};
use unum_identity::ledger::Unit;
use unum_identity::programme::ProgrammeTerms;
use wallet_sdk::client::Distribution;

use super::bank::{Bank, LEDGER, SHARE, START, amount, terms, to};
use super::payments::{account, bank, order, pay};

#[test]
fn a_ledger_counts_in_one_unit() {
    let bank = Bank::with_people(1);
    assert_eq!(bank.operator.ledger().unwrap().unit, None);
    bank.programme();
    let other = |change: fn(&mut ProgrammeTerms)| {
        let mut other = terms();
        other.name = "another".into();
        change(&mut other);
        bank.operator.create_programme(&other)
    };
    let changes: [fn(&mut ProgrammeTerms); 2] = [|t| t.unit = "EUR".into(), |t| t.minor_digits = 0];
    for change in changes {
        let Err(Refusal::Refused(problem)) = other(change) else { panic!("two units on one ledger") };
        assert_eq!((problem.status, &*problem.code), (409, "unit_differs"));
        assert!(problem.detail.unwrap().contains("UNM with 2 digits"), "it says which one the ledger has");
    }
    other(|_| {}).unwrap();
    let ledger = bank.operator.ledger().unwrap();
    assert_eq!((ledger.id, ledger.key), (LEDGER, bank.key()));
    assert_eq!(ledger.unit, Some(Unit { name: "UNM".into(), minor_digits: 2 }));
    assert_eq!(bank.operator.programmes().unwrap().len(), 2);
}

/// Two first programmes at once cannot differ either.
#[test]
fn of_two_units_at_once_one_is_refused() {
    let bank = Bank::with_people(1);
    let made: usize = std::thread::scope(|scope| {
        let asked: Vec<_> = ["UNM", "EUR", "ETH", "XAU"]
            .map(|unit| {
                let mut terms = terms();
                (terms.name, terms.unit) = (unit.into(), unit.into());
                let operator = &bank.operator;
                scope.spawn(move || usize::from(operator.create_programme(&terms).is_ok()))
            })
            .into_iter()
            .collect();
        asked.into_iter().map(|asked| asked.join().unwrap()).sum()
    });
    assert_eq!(made, 1);
}

/// All pages of a statement, as a wallet reads and checks them.
fn lines(bank: &Bank, account: AccountId, limit: u32) -> Vec<AccountLine> {
    let (server, mut lines, mut before) = (Distribution::at(&bank.url("")), Vec::new(), None);
    loop {
        let page = server.statement(account, before, limit).unwrap();
        assert!(!page.lines.is_empty(), "a page that is announced has lines");
        lines.extend(page.lines);
        before = page.before;
        if before.is_none() {
            return lines;
        }
    }
}

/// Numbers that look like chance, the same in every run (xorshift64, Marsaglia 2003).
fn numbers(mut state: u64) -> impl FnMut(u64) -> u64 {
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    }
}

#[test]
fn statements_follow_from_the_entries() {
    let bank = bank(3);
    let mut number = numbers(0x9e37_79b9_7f4a_7c15);
    let mut made = 0;
    for key in 0..40 {
        let (from, to) = (number(3) as u8, number(4) as u8);
        if from != to {
            made += u64::from(pay(&bank, &order(from, to, 1 + u128::from(number(600)), key)).status == 201);
        }
    }
    assert!(made > 10, "only {made} payments");
    assert_eq!(bank.books().transfers, 5 + made);
    let mut intruder = bank.intruder();
    for person in 0..4 {
        let account = account(person);
        // The oracle adds upwards, entry by entry.
        let sql = "SELECT sequence, amount::text FROM postings WHERE account = $1 ORDER BY sequence, line";
        let name = format!("wallet:{account}");
        let mut held = 0_i128;
        let mut expected: Vec<(u64, i128, i128)> = intruder
            .query(sql, &[&name])
            .unwrap()
            .iter()
            .map(|row| {
                let moved: i128 = row.get::<_, String>(1).parse().unwrap();
                held += moved;
                (row.get::<_, i64>(0) as u64, moved, held)
            })
            .collect();
        expected.reverse();
        for limit in [1, 2, 7, 500] {
            let lines = lines(&bank, account, limit);
            let found: Vec<_> = lines
                .iter()
                .map(|line| (line.sequence, line.amount.minor(), line.balance.minor() as i128))
                .collect();
            assert_eq!(found, expected, "pages of {limit}");
        }
        assert_eq!(bank.balance(account) as i128, held);
    }
}

#[test]
fn a_line_says_who_and_why() {
    let bank = bank(2);
    pay(&bank, &order(0, 1, 400, 7));
    let programme = bank.programme().id;
    let idempotency_key = PaymentKey([7; 16]);
    let payment = |with| Movement::Payment { with: account(with), idempotency_key };
    let share = Movement::Share { programme, period: Period(0) };
    let seen = |person| -> Vec<_> {
        let lines = lines(&bank, account(person), 50);
        lines.into_iter().map(|line| (line.movement, line.amount.minor(), line.at.0)).collect()
    };
    let share_of = SHARE as i128;
    assert_eq!(seen(0), [(payment(1), -400, START), (share.clone(), share_of, START)]);
    assert_eq!(seen(1), [(payment(0), 400, START), (share, share_of, START)]);

    let nobody = bank.get(&format!("/v1/accounts/{}/statement", account(9)));
    assert_eq!(nobody.text, format!(r#"{{"account":"{}","lines":[],"before":null}}"#, account(9)));
    let page = |query: &str| bank.get(&format!("/v1/accounts/{}/statement?{query}", account(0)));
    for query in
        ["limit=0", "limit=501", "limit=x", "limit=-1", "before=-1", "before=x", "after=1", "limit=1&limit=2"]
    {
        page(query).refused(400, "query_invalid");
    }
    assert_eq!(page(&format!("before={}", u64::MAX)).text, page("").text, "beyond the end");
    assert!(page("before=0").text.contains(r#""lines":[]"#));
    bank.get("/v1/accounts/xyz/statement").refused(400, "path_invalid");
}

#[test]
fn whoever_relays_a_claim_gets_its_fee_and_nothing_more() {
    let bank = Bank::with_people(3);
    bank.open(0);
    let terms = |person| ClaimTerms { recipient: account(person), fee: amount(30), ..to(0) };
    let claim = bank.prove(0, 0, terms(0));
    let relayed = |claim: &Claim, by| bank.send(&Claim { relayer: by, ..claim.clone() });
    let first = relayed(&claim, Some(account(7)));
    assert_eq!(first.receipt().statement.amount, amount(SHARE - 30));
    // The fee is paid to the first who comes.
    for other in [None, Some(account(8)), Some(account(7))] {
        let again = relayed(&claim, other);
        assert_eq!((again.status, &again.text), (200, &first.text));
    }
    assert_eq!(
        (bank.balance(account(0)), bank.balance(account(7)), bank.balance(account(8))),
        (SHARE - 30, 30, 0)
    );
    let programme = bank.programme().id;
    let fee = &lines(&bank, account(7), 50)[0];
    assert_eq!(fee.movement, Movement::Fee { programme, period: Period(0) });

    // Without a relayer as ever; by oneself it is one line for both.
    relayed(&bank.prove(1, 0, terms(1)), None).receipt();
    relayed(&bank.prove(2, 0, terms(2)), Some(account(2))).receipt();
    assert_eq!((bank.balance(account(1)), bank.balance(account(2))), (SHARE - 30, SHARE));
    let own = lines(&bank, account(2), 50);
    assert_eq!(own.len(), 1);
    assert_eq!(own[0].movement, Movement::Share { programme, period: Period(0) });
    let books = bank.books();
    assert_eq!(books.accounts.iter().find(|account| account.name == "fees").unwrap().balance.minor(), 30);

    let mut body = serde_json::to_value(&claim).unwrap();
    for spelling in ["", "00", &account(7).to_string().to_uppercase(), &format!("0x{}", account(7))] {
        body["relayer"] = spelling.into();
        bank.post("/v1/claims", &body.to_string()).refused(400, "body_invalid");
    }
}

//! Nobody alters the books unseen: what a client of the database could do is refused by the database, and what its
//! superuser does is found by the check.

use distribution::StartError;
use postgres::error::SqlState;
use unum_identity::ledger::{Balance, LedgerProblem};

use super::bank::{Bank, SHARE, to};

/// Entries: 1 deposit, 2 reserve, 3 to 5 claims.
fn bank() -> Bank {
    let bank = Bank::with_people(3);
    bank.open(0);
    for person in 0..3 {
        bank.send(&bank.prove(person, 0, to(person as u8))).receipt();
    }
    assert_eq!(bank.books().transfers, 5);
    bank
}

#[test]
fn the_database_refuses_to_change_what_is_written() {
    let bank = bank();
    let mut intruder = bank.intruder();
    for statement in [
        "UPDATE postings SET amount = amount + 1 WHERE sequence = 3 AND line = 2",
        "DELETE FROM postings WHERE sequence = 3",
        "UPDATE transfers SET created_at = now()",
        "DELETE FROM transfers WHERE sequence = 5",
        "UPDATE claims SET amount = amount + 1",
        "DELETE FROM claims",
        "UPDATE programmes SET amount = 1",
        "DELETE FROM accounts",
        "DELETE FROM ledger",
        "DELETE FROM periods",
        "UPDATE periods SET root = root",
        "UPDATE periods SET state = 'snapshot'",
        "UPDATE periods SET state = 'closed', people = 1",
        "UPDATE accounts SET balance = -1 WHERE name = 'fees' OR name LIKE 'wallet:%'",
        "UPDATE accounts SET name = 'wallet:of-nobody' WHERE name LIKE 'wallet:%'",
        "INSERT INTO postings SELECT 99, 1, name, 1 FROM accounts LIMIT 1",
        "INSERT INTO postings VALUES (5, 9, 'wallet:of-nobody', 1)",
        "INSERT INTO claims SELECT programme, period, sha256(nullifier), signal_hash, recipient, amount, 99, paid_at, \
         key, signature FROM claims LIMIT 1",
        "INSERT INTO claims SELECT programme, 7, nullifier, signal_hash, recipient, amount, 2, paid_at, key, signature \
         FROM claims LIMIT 1",
        "TRUNCATE transfers CASCADE",
        "TRUNCATE claims",
        "TRUNCATE postings",
        "INSERT INTO transfers SELECT 6, kind, programme, period, '\\x00', created_at, previous, sha256(hash) \
         FROM transfers WHERE sequence = 5",
        "UPDATE ledger SET sequence = 6",
        "UPDATE ledger SET head = sha256(head)",
        "UPDATE ledger SET sequence = 4, head = (SELECT hash FROM transfers WHERE sequence = 4)",
        // Each of these moves the end as the server does, and then writes an entry as no server does.
        "WITH moved AS (UPDATE ledger SET sequence = 6, head = sha256('6') RETURNING 6) \
         INSERT INTO postings SELECT 5, 9, name, 1 FROM accounts WHERE name = 'fees'",
    ] {
        let error = intruder.execute(statement, &[]).unwrap_err();
        // By a trigger (P0001) or a constraint (23…), and not because the statement is none.
        let code = error.code().unwrap().code();
        assert!(code == "P0001" || code.starts_with("23"), "{statement}: {error:?}");
    }
    bank.books();
}

/// Whoever takes over the server holds its role, which has no right to rewrite anything or to take a guard away.
#[test]
fn the_servers_role_can_rewrite_nothing() {
    let bank = bank();
    let mut burglar = bank.burglar();
    for statement in [
        "UPDATE transfers SET created_at = created_at",
        "UPDATE postings SET amount = amount",
        "UPDATE claims SET recipient = recipient",
        "UPDATE programmes SET amount = amount",
        "UPDATE accounts SET name = name",
        "UPDATE ledger SET id = id",
        "DELETE FROM transfers",
        "DELETE FROM accounts",
        "TRUNCATE postings",
        "ALTER TABLE transfers DISABLE TRIGGER ALL",
        "DROP TRIGGER append_only ON transfers",
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "CREATE TRIGGER mine BEFORE INSERT ON claims EXECUTE FUNCTION refuse_change()",
        "DROP TABLE claims",
        "CREATE TABLE mine ()",
        "SET session_replication_role = replica",
        "SET ROLE unum",
        "UPDATE refinery_schema_history SET version = version",
    ] {
        let error = burglar.execute(statement, &[]).unwrap_err();
        assert_eq!(error.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE), "{statement}: {error:?}");
    }
    bank.books();
}

#[test]
fn a_role_that_could_rewrite_is_refused() {
    let bank = Bank::with_people(1);
    let refused = |database: &str| bank.try_start_at(database).unwrap_err();
    assert!(matches!(refused(&bank.database), StartError::RoleTooStrong(_)));
    let mut owner = bank.intruder();
    let table = bank.database.rsplit('/').next().unwrap();
    owner
        .batch_execute(&format!("CREATE ROLE {table} LOGIN PASSWORD 'x'; GRANT DELETE ON claims TO {table}"))
        .unwrap();
    owner
        .batch_execute(&format!(
            "GRANT USAGE ON SCHEMA distribution TO {table}; GRANT SELECT ON ALL TABLES IN SCHEMA distribution TO {table}"
        ))
        .unwrap();
    let port = bank.database.split([':', '/']).nth(5).unwrap();
    let strong = refused(&format!("postgres://{table}:x@127.0.0.1:{port}/{table}"));
    assert!(matches!(&strong, StartError::RoleTooStrong(name) if name == "claims"), "{strong}");
    owner
        .batch_execute("UPDATE refinery_schema_history SET version = version + 1 WHERE version = 5")
        .unwrap();
    let outdated = refused(&bank.database.replacen("//unum:", "//unum_distribution:", 1));
    assert!(matches!(outdated, StartError::NotPrepared { .. }), "{outdated}");
}

#[test]
fn the_check_finds_what_a_superuser_altered() {
    let bank = bank();
    let mut intruder = bank.intruder();
    intruder.batch_execute("SET session_replication_role = replica").unwrap(); // no triggers, no foreign keys
    let wallet = format!("wallet:{}", to(0).recipient);
    let minor = |n: u128| Balance::new(n as i128).unwrap();
    let cases = [
        (
            "altered amount",
            "UPDATE postings SET amount = amount + 1 WHERE sequence = 3 AND line = 2",
            "UPDATE postings SET amount = amount - 1 WHERE sequence = 3 AND line = 2",
            LedgerProblem::EntryAltered { sequence: 3 },
        ),
        (
            "altered balance",
            &format!("UPDATE accounts SET balance = balance + 5 WHERE name = '{wallet}'"),
            &format!("UPDATE accounts SET balance = balance - 5 WHERE name = '{wallet}'"),
            LedgerProblem::BalanceWrong {
                account: wallet.clone(),
                stored: minor(SHARE + 5),
                posted: minor(SHARE),
            },
        ),
        (
            "dropped line",
            "CREATE TABLE kept AS SELECT * FROM postings WHERE sequence = 4 AND line = 2; \
             DELETE FROM postings WHERE sequence = 4 AND line = 2",
            "INSERT INTO postings SELECT * FROM kept; DROP TABLE kept",
            LedgerProblem::EntryUnbalanced { sequence: 4, sum: -minor(SHARE) },
        ),
        (
            "dropped entry",
            "CREATE TABLE kept AS SELECT * FROM transfers WHERE sequence = 4; \
             DELETE FROM transfers WHERE sequence = 4",
            "INSERT INTO transfers SELECT * FROM kept; DROP TABLE kept",
            LedgerProblem::EntryMissing { sequence: 4 },
        ),
        (
            "dropped newest entry",
            "CREATE TABLE kept AS SELECT * FROM transfers WHERE sequence = 5; \
             DELETE FROM transfers WHERE sequence = 5",
            "INSERT INTO transfers SELECT * FROM kept; DROP TABLE kept",
            LedgerProblem::EntryMissing { sequence: 5 },
        ),
        ("reordered entries", SWAP, SWAP, LedgerProblem::EntryAltered { sequence: 3 }),
        (
            "dropped claim",
            "CREATE TABLE kept AS SELECT * FROM claims WHERE sequence = 4; DELETE FROM claims WHERE sequence = 4",
            "INSERT INTO claims SELECT * FROM kept; DROP TABLE kept",
            LedgerProblem::ClaimMismatch { sequence: 4 },
        ),
        (
            "redirected receipt",
            "UPDATE claims SET recipient = sha256(recipient) WHERE sequence = 3",
            "UPDATE claims SET recipient = decode(repeat('00', 32), 'hex') WHERE sequence = 3",
            LedgerProblem::ClaimMismatch { sequence: 3 },
        ),
    ];
    for (name, alter, restore, expected) in cases {
        intruder.batch_execute(alter).unwrap();
        let problems = bank.operator.check_ledger().unwrap().problems;
        assert!(problems.contains(&expected), "{name}: {problems:?}");
        intruder.batch_execute(restore).unwrap();
        bank.books();
    }
}

/// Exchanges entries 3 and 4 everywhere; done twice, nothing has happened.
pub(super) const SWAP: &str = "\
    UPDATE transfers SET sequence = 7 - sequence + 1000 WHERE sequence IN (3, 4);
    UPDATE transfers SET sequence = sequence - 1000 WHERE sequence > 1000;
    UPDATE postings SET sequence = 7 - sequence + 1000 WHERE sequence IN (3, 4);
    UPDATE postings SET sequence = sequence - 1000 WHERE sequence > 1000;
    UPDATE claims SET sequence = 7 - sequence + 1000 WHERE sequence IN (3, 4);
    UPDATE claims SET sequence = sequence - 1000 WHERE sequence > 1000";

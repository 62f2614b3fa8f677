//! Auditors: a real period is sealed, published, and audited by the program, over HTTP and from a folder. Whatever is altered
//! in the folder, or behind the service's back in its database, is named.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use distribution::Transition;
use serde_json::{Value, json};
use tempfile::TempDir;
use unum_identity::claim::ClaimTerms;

use super::bank::{Bank, PERIOD_SECONDS, SHARE, START, amount, to};
use super::ledger::SWAP;
use super::set::ORIGIN;
use crate::harness::proving_keys;

/// Four people, of whom three claimed in period 0, one with a fee, while period 1 was open too; period 0 is sealed.
///
/// Entries: 1 deposit, 2 reserve, 3 and 4 claims, 5 deposit, 6 reserve and 7 claim of period 1, 8 claim, 9 return.
struct Sealed {
    bank: Bank,
    programme: String,
    folder: TempDir,
}

impl Sealed {
    fn new() -> Self {
        let bank = Bank::with_people(4);
        let programme = bank.programme().id.to_string();
        bank.open(0);
        bank.send(&bank.prove(0, 0, to(0))).receipt();
        bank.send(&bank.prove(1, 0, ClaimTerms { fee: amount(30), ..to(1) })).receipt();
        bank.open(1);
        bank.set_time(START + PERIOD_SECONDS);
        bank.send(&bank.prove(0, 1, to(0))).receipt();
        bank.send(&bank.prove(2, 0, to(2))).receipt();
        let sealed = Self { bank, programme, folder: tempfile::tempdir().unwrap() };
        fs::write(sealed.path("verifying.key"), &proving_keys().verifying_key).unwrap();
        let claims = sealed.bank.get(&sealed.published("claims"));
        claims.refused(409, "period_not_closed");
        assert_eq!(sealed.audit(&[]).0, 2, "there is no statement yet");
        sealed.bank.set_time(START + 2 * PERIOD_SECONDS);
        for step in [Transition::Close, Transition::Seal] {
            sealed.bank.advance(0, step).unwrap();
        }
        sealed.bank.deposit("later", 5 * SHARE);
        sealed
    }

    fn published(&self, what: &str) -> String {
        format!("/v1/programmes/{}/periods/0/{what}", self.programme)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, more: &[&str]) -> (i32, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_unum"))
            .args(["audit", "period", "0", "--programme", &self.programme])
            .args(more)
            .output()
            .unwrap();
        let printed = if output.stdout.is_empty() { output.stderr } else { output.stdout };
        (output.status.code().unwrap(), String::from_utf8(printed).unwrap())
    }

    /// Over HTTP, with everything that an auditor can trust.
    fn audit(&self, more: &[&str]) -> (i32, Value) {
        let (url, key) = (self.bank.url(""), self.bank.key().to_string());
        let at = ["--json", "--distribution", &url, "--enroll-server", &self.bank.set.url, "--key", &key];
        let (code, text) =
            self.run(&[&at[..], &self.trust_but_key().each_ref().map(String::as_str), more].concat());
        (code, serde_json::from_str(&text).unwrap_or(Value::from(text)))
    }

    fn trust_but_key(&self) -> [String; 6] {
        let verifying_key = self.path("verifying.key").display().to_string();
        let set_key = self.bank.set.key().to_string();
        ["--set-key", &set_key, "--origin", ORIGIN, "--verifying-key", &verifying_key].map(str::to_owned)
    }

    /// Without a network.
    fn audit_folder(&self, folder: &Path) -> (i32, Value) {
        let (key, folder) = (self.bank.key().to_string(), folder.display().to_string());
        let from = ["--json", "--from", &folder, "--key", &key];
        let (code, text) =
            self.run(&[&from[..], &self.trust_but_key().each_ref().map(String::as_str)].concat());
        (code, serde_json::from_str(&text).unwrap_or(Value::from(text)))
    }

    /// The folder of an archive.
    fn save(&self) -> PathBuf {
        let folder = self.path("archive");
        let (code, report) = self.audit(&["--save", folder.to_str().unwrap()]);
        assert_eq!((code, &report["problems"]), (0, &json!([])), "{report}");
        folder
    }
}

#[test]
fn a_sealed_period_holds_over_http_and_without_a_network() {
    let sealed = Sealed::new();
    let folder = sealed.save();
    let (code, over_http) = sealed.audit(&[]);
    assert_eq!((code, over_http["checked"].as_array().unwrap().len()), (0, 12), "{over_http}");
    assert_eq!(over_http["not_checked"], json!([]));
    assert_eq!((&over_http["entries"], &over_http["claims"]), (&json!(9), &json!(3)));
    assert_eq!(sealed.audit_folder(&folder), (0, over_http));

    let (code, again) = sealed.audit(&["--save", folder.to_str().unwrap()]);
    assert_eq!(code, 2, "an archive is never written over: {again}");
    let from = ["--from", folder.to_str().unwrap()];
    let (code, text) = sealed.run(&from);
    assert!(code == 0 && text.contains("not checked: the statement"), "{code} {text}");
    assert!(text.ends_with("what was checked holds; 3 not checked\n"), "{text}");
    let stranger = "ab".repeat(32);
    let (code, text) = sealed.run(&[&from[..], &["--key", &stranger]].concat());
    assert!(code == 1 && text.contains("✗ the statement"), "{code} {text}");
}

#[test]
fn the_set_of_another_size_is_not_counted() {
    let mut sealed = Sealed::new();
    sealed.bank.till.set.enroll(1);
    let (code, report) = sealed.audit(&[]);
    assert_eq!((code, &report["not_checked"][0]["check"]), (0, &json!("people")), "{report}");
    sealed.bank.set.hide();
    assert_eq!(sealed.audit(&[]).0, 2, "no answer is no report");
}

#[test]
fn pages_are_as_long_as_asked_for() {
    let sealed = Sealed::new();
    let (entries, claims) = ("/v1/ledger/entries", &sealed.published("claims"));
    let page = |url: &str| -> Value { serde_json::from_str(&sealed.bank.get(url).text).unwrap() };
    for (path, noun, most) in [(entries, "entries", 1000), (claims, "claims", 500)] {
        for limit in [0, most + 1] {
            sealed.bank.get(&format!("{path}?limit={limit}")).refused(422, "limit_invalid");
        }
        for query in ["limit=x", "after=0x5", "after=-1", "from=1"] {
            sealed.bank.get(&format!("{path}?{query}")).refused(400, "query_invalid");
        }
        let all = page(path)[noun].as_array().unwrap().clone();
        let place = |item: &Value| match noun {
            "entries" => item["sequence"].to_string(),
            _ => item["claim"]["nullifier"].as_str().unwrap().to_owned(),
        };
        let mut url = format!("{path}?limit=1");
        for item in &all {
            assert_eq!(page(&url)[noun], json!([item]));
            url = format!("{path}?limit=1&after={}", place(item));
        }
        assert_eq!(page(&url)[noun], json!([]));
    }
    assert_eq!(page(&format!("{entries}?after={}", u64::MAX))["entries"], json!([]));
    let planned = format!("/v1/programmes/{}/periods/7/checkpoint", sealed.programme);
    sealed.bank.get(&planned).refused(404, "no_snapshot");
}

/// An archive as lines of text.
fn alter(folder: &Path, file: &str, change: impl FnOnce(&mut Vec<String>)) {
    let path = folder.join(file);
    let mut lines: Vec<String> = fs::read_to_string(&path).unwrap().lines().map(str::to_owned).collect();
    change(&mut lines);
    fs::write(path, lines.join("\n") + "\n").unwrap();
}

type Change<'a> = Box<dyn Fn(&mut Vec<String>) + 'a>;

#[test]
fn what_is_altered_in_a_folder_is_named() {
    let sealed = Sealed::new();
    let honest = sealed.save();
    let parsed: Vec<Value> = fs::read_to_string(honest.join("claims.jsonl"))
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let nullifier = parsed[1]["claim"]["nullifier"].as_str().unwrap().to_owned();
    let sequence = &parsed[1]["receipt"]["ledger_sequence"];
    let invented = format!("0x{:064x}", 12345);
    let replace = |at: usize, from: &'static str, to: &'static str| -> Change<'_> {
        Box::new(move |lines| {
            let altered = lines[at].replacen(from, to, 1);
            assert_ne!(altered, lines[at]);
            lines[at] = altered;
        })
    };
    let added = |lines: &mut Vec<String>| lines.push(lines[1].replace(&nullifier, &invented));
    let cases: [(&str, &str, Change<'_>, Value); 9] = [
        (
            "altered amount",
            "entries.jsonl",
            replace(2, "\"1000\"", "\"2000\""),
            json!({ "problem": "entry_altered", "sequence": 3 }),
        ),
        (
            "dropped entry",
            "entries.jsonl",
            Box::new(|lines| drop(lines.remove(4))),
            json!({ "problem": "entry_missing", "sequence": 5 }),
        ),
        (
            "reordered entries",
            "entries.jsonl",
            Box::new(|lines| lines.swap(2, 3)),
            json!({ "problem": "entry_out_of_order", "sequence": 3 }),
        ),
        (
            "dropped claim",
            "claims.jsonl",
            Box::new(|lines| drop(lines.remove(1))),
            json!({ "problem": "claim_missing", "sequence": sequence, "nullifier": nullifier }),
        ),
        (
            "added claim",
            "claims.jsonl",
            Box::new(added),
            json!({ "problem": "claim_added", "nullifier": invented }),
        ),
        (
            "repeated claim",
            "claims.jsonl",
            Box::new(|lines| lines.push(lines[1].clone())),
            json!({ "problem": "claim_repeated", "nullifier": nullifier }),
        ),
        (
            "other terms",
            "claims.jsonl",
            replace(1, "\"fee\":\"", "\"fee\":\"1"),
            json!({ "problem": "proof_invalid", "nullifier": nullifier }),
        ),
        (
            "other statement",
            "statement.json",
            Box::new(|lines| {
                for line in lines {
                    *line = line.replace("\"claims\": 3", "\"claims\": 2");
                }
            }),
            json!({ "problem": "statement_unsigned" }),
        ),
        (
            "other checkpoint",
            "checkpoint.txt",
            replace(1, "4", "5"),
            json!({ "problem": "checkpoint_unsigned" }),
        ),
    ];
    for (name, file, change, expected) in cases {
        let folder = sealed.path(&name.replace(' ', "-"));
        fs::create_dir(&folder).unwrap();
        for entry in fs::read_dir(&honest).unwrap().map(Result::unwrap) {
            fs::copy(entry.path(), folder.join(entry.file_name())).unwrap();
        }
        alter(&folder, file, change);
        let (code, report) = sealed.audit_folder(&folder);
        let problems = report["problems"].as_array().unwrap_or_else(|| panic!("{name}: {report}"));
        assert!(code == 1 && problems.contains(&expected), "{name}: {expected} is not in {problems:#?}");
    }
    alter(&honest, "claims.jsonl", |lines| lines[2].truncate(100));
    let (code, said) = sealed.audit_folder(&honest);
    assert!(code == 2 && said.as_str().unwrap().contains("claims.jsonl, line 3"), "{code} {said}");
}

#[test]
fn what_a_superuser_altered_is_found_over_http() {
    let sealed = Sealed::new();
    let mut intruder = sealed.bank.intruder();
    intruder.batch_execute("SET session_replication_role = replica").unwrap(); // no triggers
    let keep = |table: &str, place: u64| {
        let alter = format!(
            "CREATE TABLE kept AS SELECT * FROM {table} WHERE sequence = {place}; \
             DELETE FROM {table} WHERE sequence = {place}"
        );
        (alter, format!("INSERT INTO {table} SELECT * FROM kept; DROP TABLE kept"))
    };
    let pair = |alter: &str, restore: &str| (alter.to_owned(), restore.to_owned());
    let cases = [
        (
            "altered amount",
            pair(
                "UPDATE postings SET amount = amount + 1 WHERE sequence = 3 AND line = 2",
                "UPDATE postings SET amount = amount - 1 WHERE sequence = 3 AND line = 2",
            ),
            json!({ "problem": "entry_altered", "sequence": 3 }),
        ),
        ("dropped entry", keep("transfers", 4), json!({ "problem": "entry_missing", "sequence": 4 })),
        ("reordered entries", pair(SWAP, SWAP), json!({ "problem": "entry_altered", "sequence": 4 })),
        ("dropped claim", keep("claims", 8), json!({ "problem": "claim_missing", "sequence": 8 })),
        (
            "added claim",
            pair(
                "CREATE TABLE kept AS SELECT * FROM claims WHERE sequence = 3; \
                 UPDATE kept SET nullifier = decode(repeat('01', 32), 'hex'), sequence = 99; \
                 INSERT INTO claims SELECT * FROM kept",
                "DELETE FROM claims WHERE sequence = 99; DROP TABLE kept",
            ),
            json!({ "problem": "claim_added", "nullifier": format!("0x{}", "01".repeat(32)) }),
        ),
        (
            "redirected claim",
            pair(
                "UPDATE claims SET recipient = sha256(recipient) WHERE sequence = 3",
                "UPDATE claims SET recipient = decode(repeat('00', 32), 'hex') WHERE sequence = 3",
            ),
            json!({ "problem": "receipt_wrong", "sequence": 3 }),
        ),
        (
            "other proof",
            pair(
                "CREATE TABLE kept AS SELECT * FROM claims WHERE sequence = 4; \
                 UPDATE claims SET proof = (SELECT proof FROM claims WHERE sequence = 3) WHERE sequence = 4",
                "DELETE FROM claims WHERE sequence = 4; INSERT INTO claims SELECT * FROM kept; DROP TABLE kept",
            ),
            json!({ "problem": "proof_invalid" }),
        ),
        (
            "other people",
            pair(
                "UPDATE periods SET statement = replace(statement, '\"people\":4', '\"people\":3')",
                "UPDATE periods SET statement = replace(statement, '\"people\":3', '\"people\":4')",
            ),
            json!({ "problem": "statement_unsigned" }),
        ),
    ];
    for (name, (alter, restore), expected) in cases {
        intruder.batch_execute(&alter).unwrap();
        let (code, report) = sealed.audit(&[]);
        let problems = report["problems"].as_array().unwrap_or_else(|| panic!("{name}: {report}"));
        let is_expected = |problem: &Value| {
            expected.as_object().unwrap().iter().all(|(field, value)| problem[field] == *value)
        };
        assert!(code == 1 && problems.iter().any(is_expected), "{name}: {expected} is not in {problems:#?}");
        intruder.batch_execute(&restore).unwrap();
        assert_eq!(sealed.audit(&[]).0, 0, "{name} is undone");
    }
    intruder.batch_execute("UPDATE programmes SET claim_window = claim_window + 1").unwrap();
    assert_eq!(sealed.audit(&[]).0, 2, "terms that are not those of the id are not even served");
}

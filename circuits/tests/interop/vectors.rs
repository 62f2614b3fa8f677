//! `circuits check-vectors` as its user sees it: every value of a file counts, and what is not known is named.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::program::circuits;

const POSEIDON: &str = include_str!("../../../protocol/identity/vectors/poseidon_bn254_circomlib.json");
const WORLD: &str = include_str!("../../../protocol/identity/vectors/worldid3.json");
const PROOF: &str = include_str!("../../vectors/worldid3_proof_depth30.json");

/// What the program says of a folder.
struct Verdict {
    /// Whether it ended well, and what it complained of.
    ended: Result<(), String>,
    summary: Value,
}

impl Verdict {
    fn of(folder: &Path) -> Self {
        let output = circuits(&["check-vectors", folder.to_str().unwrap(), "--json"], "");
        let complaint = String::from_utf8(output.stderr).unwrap();
        Self {
            ended: if output.status.success() { Ok(()) } else { Err(complaint) },
            summary: serde_json::from_slice(&output.stdout).unwrap(),
        }
    }

    fn of_texts<'a>(texts: impl IntoIterator<Item = (&'a str, String)>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in texts {
            fs::write(folder.path().join(name), text).unwrap();
        }
        Self::of(folder.path())
    }

    fn number(&self, name: &str) -> u64 {
        self.summary[name].as_u64().unwrap()
    }

    fn files(&self) -> &[Value] {
        self.summary["files"].as_array().unwrap()
    }

    /// What failed in a file.
    fn failed(&self, file: usize) -> Vec<&str> {
        self.files()[file]["failed"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect()
    }
}

#[test]
fn every_file_of_the_repository_passes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in ["vectors", "../protocol/identity/vectors"] {
        let verdict = Verdict::of(&root.join(folder));
        assert_eq!(verdict.ended, Ok(()), "{folder}");
        assert_eq!((verdict.number("failed"), verdict.number("unknown")), (0, 0), "{folder}");
        assert!(verdict.number("passed") >= 8, "{folder}");
    }
    let poseidon = Verdict::of_texts([("poseidon.json", POSEIDON.to_owned())]);
    assert_eq!(poseidon.number("passed"), 3 * 8, "width, hash, decimal of each vector, of every width");
}

/// Every number and every text of every file, changed alone, is noticed: nothing in them goes unread.
#[test]
fn every_changed_value_fails() {
    for (name, text) in [("Poseidon", POSEIDON), ("World", WORLD), ("proof", PROOF)] {
        let good: Value = serde_json::from_str(text).unwrap();
        let mut leaves = Vec::new();
        pointers(&good, String::new(), &mut leaves);
        assert!(leaves.len() > 20, "{name}");
        let names: Vec<String> = (0..leaves.len()).map(|at| format!("{at:04}.json")).collect();
        let changed = leaves.iter().map(|pointer| {
            let mut changed = good.clone();
            change(changed.pointer_mut(pointer).unwrap());
            changed.to_string()
        });
        let verdict = Verdict::of_texts(names.iter().map(String::as_str).zip(changed));
        assert_eq!((verdict.files().len(), verdict.number("unknown")), (leaves.len(), 0));
        for (at, pointer) in leaves.iter().enumerate() {
            assert!(!verdict.failed(at).is_empty(), "{name}: {pointer} is read by nothing");
        }
    }
}

/// Paths of all values that are neither list nor object, but for the sentence about the source.
fn pointers(value: &Value, at: String, leaves: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| pointers(value, format!("{at}/{name}"), leaves));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(i, value)| pointers(value, format!("{at}/{i}"), leaves));
        }
        _ if at == "/source" => {}
        _ => leaves.push(at),
    }
}

/// Another value of the same form.
fn change(value: &mut Value) {
    *value = match value {
        Value::Number(number) => (number.as_u64().unwrap() + 1).into(),
        Value::String(text) => {
            let last = match text.pop() {
                Some('1') => '2',
                _ => '1',
            };
            format!("{text}{last}").into()
        }
        other => panic!("{other}"),
    };
}

#[test]
fn a_missing_or_further_field_fails() {
    for text in [POSEIDON, WORLD, PROOF] {
        let mut more: Value = serde_json::from_str(text).unwrap();
        let mut fewer = more.clone();
        more["more"] = 1.into();
        fewer.as_object_mut().unwrap().remove("source");
        let verdict = Verdict::of_texts([("0.json", more.to_string()), ("1.json", fewer.to_string())]);
        assert!(verdict.failed(0)[0].contains("unknown field `more`"), "{:?}", verdict.failed(0));
        assert_eq!(verdict.failed(1).len(), 1);
    }
}

#[test]
fn nothing_to_check_fails() {
    let hollow = Verdict::of_texts([("hollow.json", r#"{"source": "", "vectors": []}"#.to_owned())]);
    assert_eq!(hollow.failed(0), ["nothing in it to check"]);
    assert!(Verdict::of_texts([]).ended.unwrap_err().contains("holds no vectors"));
}

#[test]
fn what_is_not_known_is_named_and_fails() {
    for (name, text) in [("other.json", r#"{"numbers": [1]}"#), ("notes.txt", "no JSON")] {
        let verdict = Verdict::of_texts([("a.json", POSEIDON.to_owned()), (name, text.to_owned())]);
        assert_eq!((verdict.number("failed"), verdict.number("unknown")), (0, 1));
        assert_eq!((&verdict.files()[1]["file"], &verdict.files()[1]["kind"]), (&name.into(), &Value::Null));
        assert!(verdict.ended.unwrap_err().contains("1 files not known"), "{name}");
    }
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("folder")).unwrap();
    assert_eq!(Verdict::of(folder.path()).number("unknown"), 1);
}

#[test]
fn a_failed_vector_fails_the_run() {
    let verdict = Verdict::of_texts([("bad.json", POSEIDON.replace("31213", "31214"))]);
    assert!(verdict.ended.unwrap_err().contains("22 passed, 2 failed, 0 files not known"));
}

#[test]
fn people_see_what_failed_and_what_is_not_known() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("changed.json"), WORLD.replace("\"hello\"", "\"hullo\"")).unwrap();
    fs::write(folder.path().join("other.json"), "{}").unwrap();
    let output = circuits(&["check-vectors", folder.path().to_str().unwrap()], "");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("FAILED commitment of \"hullo\""), "{said}");
    assert!(said.contains("other.json: NOT KNOWN"), "{said}");
}

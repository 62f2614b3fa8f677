use std::path::PathBuf;

use super::*;

const POSEIDON: &str = include_str!("../../../../protocol/identity/vectors/poseidon_bn254_circomlib.json");
const WORLD: &str = include_str!("../../../../protocol/identity/vectors/worldid3.json");
const PROOF: &str = include_str!("../../../vectors/worldid3_proof_depth30.json");

fn check(text: &str) -> Report {
    check_file("file.json".to_owned(), text)
}

#[test]
fn every_file_of_the_repository_passes() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    for folder in ["vectors", "../protocol/identity/vectors"] {
        let summary = check_folder(&root.join(folder)).unwrap();
        assert_eq!((summary.failed, summary.unknown), (0, 0), "{folder}");
        assert!(summary.passed >= 8, "{folder}");
        run(&root.join(folder), true).unwrap();
    }
    assert_eq!(check(POSEIDON).passed, 3 * 8, "width, hash, decimal of each vector, of every width");
}

/// Every number and every text of every file, changed alone, is noticed: nothing in them goes unread.
#[test]
fn every_changed_value_fails() {
    for (name, text) in [("Poseidon", POSEIDON), ("World", WORLD), ("proof", PROOF)] {
        let good: serde_json::Value = serde_json::from_str(text).unwrap();
        let mut leaves = Vec::new();
        pointers(&good, String::new(), &mut leaves);
        assert!(leaves.len() > 20, "{name}");
        for pointer in leaves {
            let mut changed = good.clone();
            change(changed.pointer_mut(&pointer).unwrap());
            let report = check(&changed.to_string());
            assert!(report.kind.is_some());
            assert!(!report.failed.is_empty(), "{name}: {pointer} is read by nothing");
        }
    }
}

/// Paths of all values that are neither list nor object, but for the sentence about the source.
fn pointers(value: &serde_json::Value, at: String, leaves: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| pointers(value, format!("{at}/{name}"), leaves));
        }
        serde_json::Value::Array(items) => {
            items.iter().enumerate().for_each(|(i, value)| pointers(value, format!("{at}/{i}"), leaves));
        }
        _ if at == "/source" => {}
        _ => leaves.push(at),
    }
}

/// Another value of the same form.
fn change(value: &mut serde_json::Value) {
    *value = match value {
        serde_json::Value::Number(number) => (number.as_u64().unwrap() + 1).into(),
        serde_json::Value::String(text) => {
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
        let mut more: serde_json::Value = serde_json::from_str(text).unwrap();
        more["more"] = 1.into();
        let report = check(&more.to_string());
        assert!(report.failed[0].contains("unknown field `more`"), "{}", report.failed[0]);
        let mut fewer: serde_json::Value = serde_json::from_str(text).unwrap();
        fewer.as_object_mut().unwrap().remove("source");
        assert_eq!(check(&fewer.to_string()).failed.len(), 1);
    }
}

#[test]
fn a_file_with_nothing_in_it_fails() {
    assert_eq!(check(r#"{"source": "", "vectors": []}"#).failed, ["nothing in it to check"]);
}

#[test]
fn what_is_not_known_is_named_and_fails() {
    let folder = tempfile::tempdir().unwrap();
    assert!(run(folder.path(), false).is_err(), "nothing to check");
    fs::write(folder.path().join("good.json"), POSEIDON).unwrap();
    run(folder.path(), false).unwrap();
    for (name, text) in [("other.json", r#"{"numbers": [1]}"#), ("notes.txt", "no JSON")] {
        fs::write(folder.path().join(name), text).unwrap();
        let summary = check_folder(folder.path()).unwrap();
        assert_eq!((summary.failed, summary.unknown), (0, 1));
        let unknown = summary.files.iter().find(|report| report.kind.is_none()).unwrap();
        assert_eq!(unknown.file, name);
        assert!(run(folder.path(), true).is_err(), "{name}");
        fs::remove_file(folder.path().join(name)).unwrap();
    }
    fs::create_dir(folder.path().join("folder")).unwrap();
    assert_eq!(check_folder(folder.path()).unwrap().unknown, 1);
}

#[test]
fn a_failed_vector_fails_the_run() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("bad.json"), POSEIDON.replace("31213", "31214")).unwrap();
    let refusal = run(folder.path(), false).unwrap_err().to_string();
    assert_eq!(refusal, "22 passed, 2 failed, 0 files not known");
}

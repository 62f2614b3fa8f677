//! The program `unum`, as people run it: the whole path from an eye to a claimed share, on drawn eyes and on files, with
//! bad files among them; and a machine that loses its power.

use std::fmt::Write as _;
use std::fs::Permissions;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use orb_firmware::camera::Eye;
use orb_firmware::camera::render::{Conditions, Subject};
use orb_firmware::frame::Frame;
use serde_json::Value;
use unum_identity::enrollment::Snapshot;

use crate::harness::{self, Person, bench};

fn unum() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_unum"));
    command.stdin(Stdio::null());
    command
}

/// Runs a demo, which leaves nothing running; what it printed, and its facts.
fn demo(arguments: &[&str]) -> (Output, Value) {
    // Postgres has a user of its own, which has to walk through the folder.
    let folder = tempfile::Builder::new().permissions(Permissions::from_mode(0o711)).tempdir().unwrap();
    let facts = folder.path().join("facts.json");
    let output = unum()
        .arg("demo")
        .args(arguments)
        .arg("--json")
        .arg(&facts)
        .env("TMPDIR", folder.path())
        .output()
        .unwrap();
    assert_eq!(left_behind(folder.path()), Vec::<String>::new());
    let facts = std::fs::read(&facts).unwrap_or_else(|_| panic!("no facts: {output:?}"));
    (output, serde_json::from_slice(&facts).unwrap())
}

#[track_caller]
fn has(facts: &Value, expected: &[(&str, u64)]) {
    for (name, value) in expected {
        assert_eq!(facts[name], *value, "{name} in {facts:#}");
    }
}

#[test]
fn drawn_people_walk_the_whole_path() {
    let (output, facts) = demo(&["--people", "4"]);
    assert!(output.status.success(), "{output:?}");
    has(
        &facts,
        &[
            ("people", 4),
            ("enrolled", 4),
            ("duplicate_attempts", 4),
            ("duplicates_refused", 4),
            ("enrolled_again", 0),
            ("false_duplicates", 0),
            ("claims_paid", 4),
            ("double_claims_refused", 8),
            ("app_verified", 4),
            ("app_reuse_refused", 4),
        ],
    );
    assert_eq!(facts["ledger_difference"], "0");
    assert_eq!(facts["source"], "rendered");
    assert_eq!(facts["failures"], serde_json::json!([]));
    for measured in ["proof_ms_median", "enroll_ms_median", "seconds"] {
        assert!(facts[measured].as_f64().is_some_and(|value| value > 0.0), "{measured}");
    }
}

/// Command lines of processes that name `folder`.
fn left_behind(folder: &Path) -> Vec<String> {
    let what = folder.to_str().unwrap();
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = processes.filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
    lines
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .filter(|line| line.contains(what))
        .collect()
}

fn save(frame: &Frame, path: &Path) {
    let pixels = frame.pixels().to_vec();
    image::GrayImage::from_raw(frame.width(), frame.height(), pixels).unwrap().save(path).unwrap();
}

#[test]
fn files_of_eyes_and_everything_that_is_no_eye() {
    let folder = tempfile::tempdir().unwrap();
    let mut list = "path,person,eye,session,shot\n".to_owned();
    let mut row = |person: &str, eye: Eye, shot: u64, frame: Option<&Frame>| {
        let name = format!("{person}-{eye}-{shot}.png");
        if let Some(frame) = frame {
            save(frame, &folder.path().join(&name));
        }
        writeln!(list, "{name},{person},{eye},1,{shot}").unwrap();
    };
    // Two people with eyes like everyone's: four images for enrolling, two kept back.
    for (name, person) in [("zelda", 901), ("bob", 902)] {
        for eye in Eye::BOTH {
            let visit = Subject::new(person, eye).visit(1);
            for shot in 1..=6 {
                row(name, eye, shot, Some(&visit.shot(shot).frame));
            }
        }
    }
    // People who cannot be enrolled, each for another reason.
    let conditions = [
        ("closed", Conditions::closed()),
        ("blurred", Conditions::blurred(9.0)),
        ("covered", Conditions::half_covered()),
    ];
    for (name, conditions) in conditions {
        for eye in Eye::BOTH {
            let visit = Subject::new(910, eye).visit_under(1, conditions.clone());
            for shot in [1, 2, 4] {
                row(name, eye, shot, Some(&visit.shot(shot).frame));
            }
        }
    }
    for eye in Eye::BOTH {
        row("missing", eye, 1, None);
    }
    for (name, bytes) in
        [("text", b"this is no picture".to_vec()), ("tiny", tiny_picture()), ("huge", huge_picture())]
    {
        for eye in Eye::BOTH {
            std::fs::write(folder.path().join(format!("{name}-{eye}-1.png")), &bytes).unwrap();
            row(name, eye, 1, None);
        }
    }
    list.push_str("one-field\nx.png,dora,left-ish,1,1\nx.png,dora,L,one,1\n");
    let manifest = folder.path().join("eyes.csv");
    std::fs::write(&manifest, list).unwrap();

    let (output, facts) = demo(&["--eyes", manifest.to_str().unwrap()]);
    assert!(output.status.success(), "{output:?}");
    let people = 2 + 3 + 1 + 3;
    has(
        &facts,
        &[
            ("people", people),
            ("enrolled", 2),
            ("recaptures", people - 2),
            ("duplicate_attempts", 4),
            ("duplicates_refused", 4),
            ("enrolled_again", 0),
            ("false_duplicates", 0),
            ("claims_paid", 2),
        ],
    );
    assert_eq!(facts["source"], "images");
    let said = String::from_utf8_lossy(&output.stderr);
    for reason in [
        "no eye found: pupil edge",           // closed, covered
        "sharpness",                          // blurred
        "image is 16×16, needs at least 120", // tiny
        "image is 4097×130, allowed are",     // huge
        "not a readable",                     // text
        "cannot be read",                     // missing
        "row 51: has 1 fields, needs 5",
        "row 52: eye is neither L nor R",
        "row 53: session is no number",
    ] {
        assert!(said.contains(reason), "{reason:?} is not in {said}");
    }
    for name in ["zelda", "bob", "closed-L", "text-L", "dora"] {
        assert!(!said.contains(name), "{name} names a person or a file: {said}");
    }
}

#[test]
fn somebody_who_comes_again_with_other_eyes_is_told_and_the_books_balance() {
    let folder = tempfile::tempdir().unwrap();
    let mut list = "path,person,eye,session,shot\n".to_owned();
    for (eye, shot) in Eye::BOTH.into_iter().flat_map(|eye| (1..=6).map(move |shot| (eye, shot))) {
        let person = if shot % 3 == 0 { 904 } else { 903 }; // every third image is kept back for the second visit
        let name = format!("{eye}-{shot}.png");
        save(&Subject::new(person, eye).visit(1).shot(shot).frame, &folder.path().join(&name));
        writeln!(list, "{name},one,{eye},1,{shot}").unwrap();
    }
    let manifest = folder.path().join("eyes.csv");
    std::fs::write(&manifest, list).unwrap();

    let (output, facts) = demo(&["--eyes", manifest.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(facts["failures"][0], "people enrolled twice: 1");
    has(&facts, &[("enrolled", 1), ("duplicate_attempts", 2), ("enrolled_again", 1), ("claims_paid", 1)]);
    assert_eq!(facts["ledger_difference"], "0");
}

fn picture(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::GrayImage::new(width, height).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

fn tiny_picture() -> Vec<u8> {
    picture(16, 16)
}

fn huge_picture() -> Vec<u8> {
    picture(Frame::MAX_SIDE + 1, 130)
}

#[test]
fn a_list_that_is_no_list_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = folder.path().join("eyes.csv");
    for (text, reason) in [(None, "cannot be read"), (Some("a,b\n1,2\n"), "does not start with")] {
        if let Some(text) = text {
            std::fs::write(&manifest, text).unwrap();
        }
        let output = unum().args(["demo", "--eyes"]).arg(&manifest).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&output.stderr).contains(reason), "{output:?}");
    }
}

/// `unum up`, and where its enrollment server is.
fn up(data: &Path) -> (Child, String) {
    let mut child = unum().args(["up", "--json", "--data"]).arg(data).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let addresses: Value = serde_json::from_str(&line).unwrap_or_else(|error| {
        let status = child.wait().unwrap();
        panic!("`unum up` ended with {status} and said {line:?} ({error}); its reason is above")
    });
    (child, addresses["enroll"].as_str().unwrap().to_owned())
}

fn snapshot(url: &str) -> Snapshot {
    harness::get(&format!("{url}/v1/set/snapshot")).parse()
}

#[test]
fn a_machine_that_loses_its_power_loses_no_leaf() {
    let data = tempfile::Builder::new().prefix("unum-up-").tempdir().unwrap();
    let (mut child, url) = up(data.path());
    let token = std::fs::read_to_string(data.path().join("operator.token")).unwrap();
    let device = bench::register_as(&url, token.trim());
    let person = Person::new();
    assert_eq!(bench::enroll(&url, &device, &person).status, 201);
    let before = snapshot(&url);
    child.kill().unwrap();
    child.wait().unwrap();

    let (mut child, url) = up(data.path());
    assert_eq!(snapshot(&url), before);
    assert_eq!(bench::enroll(&url, &device, &person.again()).code(), (409, "duplicate"));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn the_doctor_finds_nothing_missing_here() {
    let output = unum().args(["doctor", "--json"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let findings: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(findings.as_array().unwrap().iter().any(|finding| finding["name"] == "Postgres, private"));
}

//! An evaluation of rendered eyes, and of what is none.

use std::fmt::Write as _;

use image::{ExtendedColorType, ImageFormat, save_buffer_with_format};

use super::*;
use crate::camera::Eye;
use crate::camera::render::Subject;

/// Few resamples: their number has tests of its own.
fn options(threads: usize) -> Options {
    Options { resampling: Resampling { resamples: 100, seed: 1 }, threads, ..Options::default() }
}

/// Writes one picture and its row.
fn add(folder: &Path, list: &mut String, [person, session, shot]: [u64; 3], eye: Eye) {
    let frame = Subject::new(person, eye).visit(session).shot(shot).frame;
    let name = format!("{person}-{eye}-{session}-{shot}.png");
    let (width, height) = (frame.width(), frame.height());
    let path = folder.join(&name);
    save_buffer_with_format(path, frame.pixels(), width, height, ExtendedColorType::L8, ImageFormat::Png)
        .unwrap();
    writeln!(list, "{name},{person},{eye},{session},{shot}").unwrap();
}

#[test]
fn eyes_are_told_apart_and_bad_rows_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut list = "path,person,eye,session,shot\n".to_owned();
    for person in 0..3 {
        for session in 1..=2 {
            add(folder.path(), &mut list, [person, session, 0], Eye::Left);
        }
    }
    std::fs::write(folder.path().join("secret-name.png"), b"no image").unwrap();
    let mut grey = b"P5 200 200 255\n".to_vec();
    grey.resize(grey.len() + 200 * 200, 128);
    std::fs::write(folder.path().join("grey.pgm"), grey).unwrap();
    list += "secret-name.png,3,L,1,1\nmissing.png,3,L,1,2\n0-L-1-0.png,0,both,1,1\ngrey.pgm,4,R,1,1\n";
    let manifest = folder.path().join("eyes.csv");
    std::fs::write(&manifest, list).unwrap();

    let report = run(&manifest, &options(2), &|_| {}).unwrap();
    assert_eq!((report.images, report.people, report.eyes), (7, 4, 4));
    assert_eq!(
        (report.single.genuine_pairs, report.single.impostor_pairs, report.single.incomparable_pairs),
        (3, 12, 0)
    );
    assert!(report.single.eer < 1e-9, "{}", report.single.eer);
    assert_eq!(report.refused, Refusals::from([("NoEye".to_owned(), 1)]));
    assert_eq!(report.failed_rows.iter().map(|failed| failed.row).collect::<Vec<_>>(), [7, 8, 9]);
    // One image of seven is refused, of one person of four; nobody shows both eyes, nor three images of one.
    assert!((report.single.fte - 1.0 / 7.0).abs() < 1e-9);
    assert!(report.both_eyes.is_none() && report.three_enrolled.is_none());
    let shown = format!("{report}{}{}", report.page().unwrap(), serde_json::to_string(&report).unwrap());
    assert!(!shown.contains("secret-name") && !shown.contains("missing.png"), "{shown}");
}

#[test]
fn no_pairs_are_no_report() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = folder.path().join("eyes.csv");
    std::fs::write(&manifest, "path,person,eye,session,shot\n").unwrap();
    let error = run(&manifest, &options(1), &|_| {}).unwrap_err();
    assert!(matches!(error, EvaluateError::NoPairs { genuine: 0, impostor: 0 }), "{error}");
}

#[test]
fn all_protocols_have_rates_and_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let mut list = "path,person,eye,session,shot\n".to_owned();
    for person in 0..2 {
        for eye in Eye::BOTH {
            (0..4).for_each(|shot| add(folder.path(), &mut list, [person, 1, shot], eye));
        }
    }
    let manifest = folder.path().join("eyes.csv");
    std::fs::write(&manifest, list).unwrap();
    for measure in [Measure::Plain, Measure::Normalised] {
        let report = run(&manifest, &Options { measure, ..options(0) }, &|_| {}).unwrap();
        let counts = |outcome: &Outcome| {
            (outcome.genuine_pairs, outcome.impostor_pairs, outcome.incomparable_pairs, outcome.fte)
        };
        assert_eq!(counts(&report.single), (4 * 6, 6 * 16, 0, 0.0), "4 eyes, 4 images each");
        let both = report.both_eyes.as_ref().unwrap();
        assert_eq!(counts(both), (2 * 6, 4 * 4, 0, 0.0), "2 people, 4 moments each");
        let enrolled = report.three_enrolled.as_ref().unwrap();
        assert_eq!(counts(enrolled), (4, 4 * 3, 0, 0.0), "4 eyes enrolled, 4 images left");
        assert!(both.genuine.median < both.impostor.least && enrolled.genuine.most < enrolled.impostor.least);
        assert!(enrolled.genuine.mean < report.single.genuine.mean, "three images are better than one");
        assert!(both.impostor.deviation < report.single.impostor.deviation, "two eyes are better than one");

        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["distance"], measure.to_string());
        assert_eq!(json["eer"], 0.0);
        assert_eq!(json["three_enrolled"]["fnmr_at_fmr"]["1e-3"], 0.0);
        assert_eq!(json["both_eyes"]["limit_at_fmr"]["1e-3"], json["both_eyes"]["impostor"]["least"]);
        assert!(
            json["intervals"]["eer"][1].as_f64().unwrap() > 0.0,
            "nothing wrong with two people proves little"
        );
        let page = report.page().unwrap();
        assert_eq!(page.matches("<svg").count(), 5, "the trade-off, three histograms, time");
        assert!(!page.contains("<script") && !page.contains("http") && !page.contains(".png"));
    }
}

//! An evaluation of rendered eyes, and of what is none.

use std::fmt::Write as _;

use image::{ExtendedColorType, ImageFormat, save_buffer_with_format};

use super::*;
use crate::camera::render::Subject;

#[test]
fn eyes_are_told_apart_and_bad_rows_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut list = "path,person,eye,session,shot\n".to_owned();
    for person in 0..3 {
        for session in 1..=2 {
            let frame = Subject::new(person, Eye::Left).visit(session).shot(0).frame;
            let name = format!("{person}-{session}.png");
            let (width, height) = (frame.width(), frame.height());
            let path = folder.path().join(&name);
            save_buffer_with_format(
                path,
                frame.pixels(),
                width,
                height,
                ExtendedColorType::L8,
                ImageFormat::Png,
            )
            .unwrap();
            writeln!(list, "{name},{person},L,{session},1").unwrap();
        }
    }
    std::fs::write(folder.path().join("secret-name.png"), b"no image").unwrap();
    let mut grey = b"P5 200 200 255\n".to_vec();
    grey.resize(grey.len() + 200 * 200, 128);
    std::fs::write(folder.path().join("grey.pgm"), grey).unwrap();
    list += "secret-name.png,3,L,1,1\nmissing.png,3,L,1,2\n0-1.png,0,both,1,1\ngrey.pgm,4,R,1,1\n";
    let manifest = folder.path().join("eyes.csv");
    std::fs::write(&manifest, list).unwrap();

    let report = run(&manifest, &Config::default(), 2, &|_| {}).unwrap();
    assert_eq!((report.images, report.people, report.eyes), (7, 4, 4));
    assert_eq!((report.genuine_pairs, report.impostor_pairs, report.incomparable_pairs), (3, 12, 0));
    assert!(report.eer < 1e-9, "{}", report.eer);
    assert_eq!(report.refused, Refusals::from([("NoEye".to_owned(), 1)]));
    assert_eq!(report.failed_rows.iter().map(|failed| failed.row).collect::<Vec<_>>(), [7, 8, 9]);
    let shown = format!("{report}{}", serde_json::to_string(&report).unwrap());
    assert!(!shown.contains("secret-name") && !shown.contains("missing.png"), "{shown}");
}

#[test]
fn no_pairs_are_no_report() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = folder.path().join("eyes.csv");
    std::fs::write(&manifest, "path,person,eye,session,shot\n").unwrap();
    let error = run(&manifest, &Config::default(), 1, &|_| {}).unwrap_err();
    assert!(matches!(error, EvaluateError::NoPairs { genuine: 0, impostor: 0 }), "{error}");
}

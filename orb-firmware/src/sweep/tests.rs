//! A few points of each curve, and the report of a small sweep.

use super::*;

/// Points that a test can wait for: two people, the harmless and the harmful end of each curve.
const FEW: [(&str, &[f32]); 6] = [
    ("blur", &[1.0, 6.0]),
    ("dilation", &[0.4, 0.6]),
    ("gaze", &[0.0, 16.0]),
    ("occlusion", &[0.0, 1.0]),
    ("noise", &[2.0, 16.0]),
    ("rotation", &[0.0, 20.0, 50.0]),
];

fn small() -> Report {
    let options = Options { people: 2, eyes: 2, ..Options::default() };
    let enroll = |person| curve::enroll(person, &options.pipeline).unwrap().unwrap();
    let enrolled: Vec<curve::Enrolled> = (0..options.people).map(enroll).collect();
    let curves = FEW.map(|(name, values)| {
        let factor = Factor::ALL.iter().find(|factor| factor.name == name).unwrap();
        curve::curve(factor, values, &enrolled, &options.pipeline, &|_| {}).unwrap()
    });
    let [ordinary, hard] = boundaries::both(&options, &|_| {}).unwrap();
    Report {
        people: enrolled.len(),
        strangers: curve::strangers(&enrolled),
        curves: curves.into(),
        ordinary,
        hard,
    }
}

fn point<'a>(report: &'a Report, name: &str, value: f32) -> &'a Point {
    let curve = report.curves.iter().find(|curve| curve.name == name).unwrap();
    curve.points.iter().find(|point| (point.value - value).abs() < 1e-6).unwrap()
}

#[track_caller]
fn near(report: &Report, name: &str, value: f32) {
    let point = point(report, name, value);
    assert_eq!((point.usable, point.incomparable), (2, 0), "{name} {value}: {}", point.gates());
    let distances = point.distances.unwrap();
    assert!(distances.high < 0.34, "{name} {value}: {distances:?}");
}

#[track_caller]
fn caught(report: &Report, name: &str, value: f32, gates: &[&str]) {
    let point = point(report, name, value);
    assert_eq!(point.usable, 0, "{name} {value} is let by");
    assert!(
        point.refused.keys().all(|gate| gates.contains(&gate.as_str())),
        "{name} {value}: {}",
        point.gates()
    );
}

#[test]
fn curves_begin_near_and_end_at_the_check_that_is_meant_for_it() {
    let report = small();
    assert_eq!(report.people, 2);
    assert!((0.42..0.48).contains(&report.strangers), "{}", report.strangers);
    near(&report, "blur", 1.0);
    near(&report, "dilation", 0.4);
    near(&report, "gaze", 0.0);
    near(&report, "occlusion", 0.0);
    near(&report, "noise", 2.0);
    near(&report, "rotation", 0.0);
    near(&report, "rotation", 20.0);
    caught(&report, "blur", 6.0, &["Blurred", "Faint", "NoIris"]);
    caught(&report, "occlusion", 1.0, &["NoEye", "NoIris", "PupilSize", "Doubtful", "Covered"]);
    let worse = |name, harmless, harmful| {
        let [harmless, harmful] = [harmless, harmful].map(|value| point(&report, name, value));
        let median = |point: &Point| point.distances.map_or(1.0, |distances| distances.median);
        assert!(median(harmful) > median(harmless), "{name}");
    };
    worse("noise", 2.0, 16.0);
    worse("dilation", 0.4, 0.6);
    worse("gaze", 0.0, 16.0);
    worse("rotation", 0.0, 50.0);

    for judged in [report.ordinary.unwrap(), report.hard.unwrap()] {
        assert_eq!(judged.wrong.of, 2);
    }
    assert_eq!(report.ordinary.unwrap().wrong.count, 0);
    let page = report.page().unwrap();
    assert_eq!(page.matches("<svg").count(), 12, "two charts for each of six conditions");
    assert!(
        serde_json::to_value(&report).unwrap()["curves"][0]["points"][0]["distances"]["median"].is_number()
    );
    assert!(report.to_string().contains("occlusion"));
}

#[test]
fn nobody_is_no_sweep() {
    let options = Options { people: 1, eyes: 0, threads: 1, ..Options::default() };
    let error = run(&options, &|_| {}).unwrap_err();
    assert!(matches!(error, SweepError::TooFewPeople { found: 0..=1, needed: 2 }), "{error}");
}

//! Rendered people come again, as they are and disguised, through the device's own pipeline: none enrolls a second time.

use std::ops::Range;

use orb_firmware::acquisition::{Config, acquire};
use orb_firmware::camera::render::Renderer;
use unum_iris::{COLUMNS, EyePair, Measure, Template, Thresholds};

use crate::harness::bench::{Bench, enroll_eyes};
use crate::harness::{cluster, somebodys_commitment};

/// What a device makes of a rendered person, in the first visit from `visit` on that gives both eyes.
fn capture(person: u64, visit: u64) -> EyePair {
    let visits = (visit..visit + 5).map(|visit| Renderer::new(person, visit));
    let mut captures = visits.filter_map(|mut camera| acquire(&mut camera, &Config::default()).ok());
    captures.next().expect("one of five visits gives both eyes").eyes
}

/// The same eyes with only the columns `open` to be seen.
fn covered(eyes: &EyePair, open: Range<usize>) -> EyePair {
    let cover = |eye: &Template| {
        let mask = std::array::from_fn(|i| if open.contains(&i) { eye.mask()[i] } else { 0 });
        Template::from_columns(eye.code(), &mask)
    };
    EyePair::new(eyes.left().map(cover), eyes.right().map(cover)).unwrap()
}

fn none_enrolls_twice(people: u64, measure: Measure) {
    let bench = Bench::on(cluster(), |config| config.thresholds = Thresholds::of(measure));
    let device = bench.device();
    let come = |eyes: &EyePair| enroll_eyes(&bench.url, &device, eyes, somebodys_commitment());
    for person in 0..people {
        let first = come(&capture(person, 0));
        assert_eq!(first.code(), (201, "enrolled"), "{person} is nobody else: {first:?}");
    }
    for person in 0..people {
        let again = capture(person, 1000);
        for eyes in &again.orientations() {
            assert_eq!(come(eyes).code(), (409, "duplicate"), "{person}");
        }
        for open in [0..COLUMNS / 2, COLUMNS / 2..COLUMNS] {
            // Too little to be seen, or enough to be known.
            let answer = come(&covered(&again, open));
            assert!(
                [(422, "recapture"), (409, "duplicate")].contains(&answer.code()),
                "{person}: {answer:?}"
            );
        }
    }
    assert_eq!(bench.counts(), [people as i64, people as i64, 0]);
}

#[test]
fn rendered_people_enroll_once_in_every_orientation_and_half_covered() {
    none_enrolls_twice(4, Measure::Plain);
}

#[test]
fn normalised_distances_tell_the_same() {
    none_enrolls_twice(4, Measure::Normalised);
}

#[test]
#[ignore = "some minutes"]
fn a_hundred_rendered_people_enroll_once() {
    none_enrolls_twice(100, Measure::Plain);
}

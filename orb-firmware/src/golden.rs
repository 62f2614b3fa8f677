//! Bit-exactness: the codes of rendered eyes, pinned. They are the same in debug and in release and on any number of
//! threads; whoever changes the recognition changes them on purpose, by copying what the failing test prints.

use std::fmt::Write as _;

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::camera::Eye;
use crate::camera::render::{Conditions, Subject};
use crate::frame::Frame;
use crate::pipeline::{self, Config};

/// The first eight bytes of SHA-256 of the picture and of its template's bytes, eye by eye.
///
/// Pictures are pinned beside codes so that a failure says which of the two changed: the renderer uses the floating-point
/// functions of the machine (these are of x86-64 with glibc).
const GOLDEN: &str = "\
1 L 0: aa3f0e858c140bf2 6e47405b016b3f29\n\
1 L 1: 9fff06ae92a62749 603b7a245904fd24\n\
1 L 2: 5d9cc32fe4f376fa 362d4badb49ec1ea\n\
2 R 0: 76d58d9bd3dd34d5 277e36f3107c6e21\n\
2 R 1: 0d8ae68267800316 80a139e124611d49\n\
2 R 2: f9f081d67be6678e 51077b58f167a2ce\n\
3 L 0: cc022a35e5c03291 0365c6adc21b026f\n\
3 L 1: 26699de09f13cd98 540e0a416f5b5137\n\
3 L 2: 28fe9f29612d6f2d ca22d3c03e4028cf";

fn frames() -> Vec<(String, Frame)> {
    let visits = |person, eye| {
        let subject = Subject::new(person, eye);
        let tilted = Conditions { rotation: 9.0, dilation: 0.48, glints: 3, ..Conditions::good() };
        let shots = [subject.visit(1), subject.visit(2), subject.visit_under(3, tilted)];
        let named = move |(index, visit): (usize, crate::camera::render::Visit)| {
            (format!("{person} {eye} {index}"), visit.shot(0).frame)
        };
        shots.into_iter().enumerate().map(named).collect::<Vec<_>>()
    };
    [(1, Eye::Left), (2, Eye::Right), (3, Eye::Left)]
        .into_iter()
        .flat_map(|(p, eye)| visits(p, eye))
        .collect()
}

fn short(bytes: &[u8]) -> String {
    Sha256::digest(bytes)[..8].iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn hashes(frames: &[(String, Frame)]) -> String {
    let line = |(name, frame): &(String, Frame)| {
        let code = match pipeline::template(frame, &Config::default()) {
            Ok(made) => short(&made.template.to_bytes()),
            Err(error) => error.to_string(),
        };
        format!("{name}: {} {code}", short(frame.pixels()))
    };
    frames.par_iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn codes_are_the_same_everywhere() {
    let frames = frames();
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| hashes(&frames))
    };
    let [one, four] = [1, 4].map(on);
    assert_eq!(one, four, "threads change a code");
    assert_eq!(
        one, GOLDEN,
        "if the recognition was meant to change, the left side is the new constant:\n{one}\n"
    );
}

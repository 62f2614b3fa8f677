//! Distances against vectors made by an independent implementation, `vectors/distance.py`.

use std::collections::HashMap;

use crate::{Distance, DistanceError, Measure, Template, closest_rotation, distance};
use serde::Deserialize;

#[derive(Deserialize)]
struct File {
    mirror: [String; 2],
    templates: HashMap<String, String>,
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    probe: String,
    gallery: String,
    min_compared: u32,
    unrotated: Counts,
    closest: Option<Counts>,
    fullest: u32,
}

#[derive(Deserialize)]
struct Counts {
    differing: u32,
    compared: u32,
}

impl Counts {
    /// What a distance over these counts has to be.
    fn expected(&self, min_compared: u32) -> Result<Distance, DistanceError> {
        let needed = min_compared.max(1);
        if self.compared < needed {
            return Err(DistanceError::TooLittleOverlap { compared: self.compared, needed });
        }
        Ok(Distance::new(self.differing, self.compared).unwrap())
    }
}

fn file() -> (File, HashMap<String, Template>) {
    let file: File = serde_json::from_str(include_str!("../vectors/distance.json")).unwrap();
    let templates = file
        .templates
        .iter()
        .map(|(name, bytes)| {
            let bytes = hex::decode(bytes).unwrap();
            let template = Template::from_bytes(&bytes).unwrap();
            assert_eq!(*template.to_bytes(), bytes, "template {name}");
            (name.clone(), template)
        })
        .collect();
    (file, templates)
}

#[track_caller]
fn check(v: &Vector, templates: &HashMap<String, Template>) {
    let (probe, gallery) = (&templates[&v.probe], &templates[&v.gallery]);
    let still = v.unrotated.expected(v.min_compared);
    assert_eq!(distance(probe, gallery, v.min_compared), still, "vector {}", v.name);
    let closest = match &v.closest {
        Some(counts) => counts.expected(v.min_compared),
        None => Err(DistanceError::TooLittleOverlap { compared: v.fullest, needed: v.min_compared.max(1) }),
    };
    assert_eq!(
        closest_rotation(probe, gallery, v.min_compared, Measure::Plain),
        closest,
        "vector {}",
        v.name
    );
}

#[test]
fn distances() {
    let (file, templates) = file();
    assert!(file.vectors.len() >= 12, "an empty file must not pass");
    file.vectors.iter().for_each(|v| check(v, &templates));
}

#[test]
fn mirror() {
    let (file, templates) = file();
    let [one, other] = &file.mirror;
    assert_eq!(templates[one].mirrored(), templates[other]);
}

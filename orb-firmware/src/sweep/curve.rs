//! One condition at a time: how the distance to a good picture of the same eye grows, and which check ends it.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use unum_iris::{MIN_COMPARED, Measure, Template, closest_rotation};

use super::{Options, Progress, SweepError, each};
use crate::camera::Eye;
use crate::camera::render::{Conditions, Subject};
use crate::gate;
use crate::pipeline::{self, CaptureError, Config};

/// A condition that gets worse.
#[derive(Debug, Clone, Copy)]
pub struct Factor {
    /// What changes.
    pub name: &'static str,
    /// In which unit.
    pub unit: &'static str,
    /// From where to where.
    pub values: &'static [f32],
    set: fn(&mut Conditions, f32),
}

/// How one condition changes the distance.
#[derive(Debug, Clone, Serialize)]
pub struct Curve {
    /// What changes.
    pub name: &'static str,
    /// In which unit.
    pub unit: &'static str,
    /// With rising values.
    pub points: Vec<Point>,
}

/// What became of everybody's picture at one value.
#[derive(Debug, Clone, Serialize)]
pub struct Point {
    /// The condition's value.
    pub value: f32,
    /// Distances to the same eye's good picture; nothing where every picture was refused.
    pub distances: Option<Distances>,
    /// Pictures that gave a template.
    pub usable: usize,
    /// Usable ones that overlap too little with the good picture.
    pub incomparable: usize,
    /// Refused ones, by the check that refused them.
    pub refused: BTreeMap<String, usize>,
}

/// How distances are spread.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Distances {
    /// One in ten is smaller.
    pub low: f64,
    /// Half are smaller.
    pub median: f64,
    /// One in ten is larger.
    pub high: f64,
}

impl Factor {
    /// All of them, each from harmless to hopeless or as far as an eye can go.
    pub const ALL: [Self; 6] = [
        Self {
            name: "blur",
            unit: "pixels, standard deviation",
            values: &[0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0],
            set: |conditions, value| conditions.blur = value,
        },
        Self {
            name: "dilation",
            unit: "pupil radius over iris radius",
            values: &[0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7],
            set: |conditions, value| conditions.dilation = value,
        },
        Self {
            name: "gaze",
            unit: "degrees to the side",
            values: &[0.0, 4.0, 8.0, 12.0, 16.0, 20.0, 25.0, 30.0],
            set: |conditions, value| conditions.gaze = [value, 0.0],
        },
        Self {
            name: "occlusion",
            unit: "closed part of the lids' opening",
            values: &[0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0],
            set: |conditions, value| conditions.openness = 1.0 - value,
        },
        Self {
            name: "noise",
            unit: "grey levels, standard deviation",
            values: &[0.0, 2.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0],
            set: |conditions, value| conditions.noise = value,
        },
        Self {
            name: "rotation",
            unit: "degrees of head tilt",
            values: &[0.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 40.0, 50.0],
            set: |conditions, value| conditions.rotation = value,
        },
    ];

    fn conditions(&self, value: f32) -> Conditions {
        let mut conditions = Conditions::good();
        (self.set)(&mut conditions, value);
        conditions
    }
}

/// A person with the template of their good picture.
pub(super) struct Enrolled {
    subject: Subject,
    template: Template,
}

/// The number of people on the curves, the mean distance between them, and the curves.
pub(super) fn all(
    options: &Options,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<(usize, f64, Vec<Curve>), SweepError> {
    let people: Vec<u64> = (0..options.people).collect();
    let enrolled = each("people", &people, progress, |&person| enroll(person, &options.pipeline))?;
    let enrolled: Vec<Enrolled> = enrolled.into_iter().flatten().collect();
    if enrolled.len() < 2 {
        return Err(SweepError::TooFewPeople { found: enrolled.len(), needed: 2 });
    }
    let strangers = strangers(&enrolled);
    let curves = Factor::ALL
        .iter()
        .map(|factor| curve(factor, factor.values, &enrolled, &options.pipeline, progress))
        .collect::<Result<_, _>>()?;
    Ok((enrolled.len(), strangers, curves))
}

pub(super) fn enroll(person: u64, config: &Config) -> Result<Option<Enrolled>, CaptureError> {
    let subject = Subject::new(person, Eye::BOTH[(person % 2) as usize]);
    let frame = subject.visit_under(1, Conditions::good()).shot(0).frame;
    match pipeline::template(&frame, config) {
        Ok(made) => Ok(Some(Enrolled { subject, template: made.template })),
        Err(CaptureError::Refused(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

pub(super) fn strangers(enrolled: &[Enrolled]) -> f64 {
    let pairs = enrolled.iter().enumerate().flat_map(|(index, one)| {
        enrolled[index + 1..].iter().filter_map(|other| apart(&one.template, &other.template))
    });
    let (count, sum) = pairs.fold((0, 0.0), |(count, sum), distance| (count + 1, sum + distance));
    sum / f64::from(count.max(1))
}

fn apart(a: &Template, b: &Template) -> Option<f64> {
    closest_rotation(a, b, MIN_COMPARED, Measure::Plain).ok().map(unum_iris::Distance::fraction)
}

/// What one picture gives: a distance, too little overlap, or a refusal.
enum Outcome {
    Distance(f64),
    Incomparable,
    Refused(String),
}

/// The curve of a factor through these values.
pub(super) fn curve(
    factor: &Factor,
    values: &[f32],
    enrolled: &[Enrolled],
    config: &Config,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Curve, CaptureError> {
    let shots: Vec<(f32, &Enrolled)> =
        values.iter().flat_map(|&value| enrolled.iter().map(move |one| (value, one))).collect();
    let outcomes = each(factor.name, &shots, progress, |(value, one)| {
        // Another visit: the texture has its own share of the day, as in life.
        let frame = one.subject.visit_under(2, factor.conditions(*value)).shot(0).frame;
        match pipeline::template(&frame, config) {
            Ok(made) => {
                Ok(apart(&one.template, &made.template).map_or(Outcome::Incomparable, Outcome::Distance))
            }
            Err(error @ CaptureError::Refused(_)) => Ok(Outcome::Refused(gate::name(&error))),
            Err(error) => Err(error),
        }
    })?;
    let points = values.iter().zip(outcomes.chunks(enrolled.len()));
    let points = points.map(|(&value, outcomes)| Point::of(value, outcomes)).collect();
    Ok(Curve { name: factor.name, unit: factor.unit, points })
}

impl Point {
    fn of(value: f32, outcomes: &[Outcome]) -> Self {
        let mut refused = BTreeMap::new();
        let (mut distances, mut incomparable) = (Vec::new(), 0);
        for outcome in outcomes {
            match outcome {
                Outcome::Distance(distance) => distances.push(*distance),
                Outcome::Incomparable => incomparable += 1,
                Outcome::Refused(gate) => *refused.entry(gate.clone()).or_default() += 1,
            }
        }
        let usable = distances.len() + incomparable;
        Self { value, distances: Distances::of(distances), usable, incomparable, refused }
    }

    /// Share of the pictures that were refused.
    pub fn refused_share(&self) -> f64 {
        let refused: usize = self.refused.values().sum();
        refused as f64 / (refused + self.usable).max(1) as f64
    }

    /// The checks that refused, with how often.
    pub fn gates(&self) -> String {
        let gates = self.refused.iter().map(|(gate, count)| format!("{gate} {count}"));
        gates.collect::<Vec<_>>().join(", ")
    }
}

impl Distances {
    fn of(mut distances: Vec<f64>) -> Option<Self> {
        distances.sort_unstable_by(f64::total_cmp);
        let last = distances.len().checked_sub(1)? as f64;
        let quantile = |share: f64| distances[(last * share).round() as usize];
        Some(Self { low: quantile(0.1), median: quantile(0.5), high: quantile(0.9) })
    }
}

impl fmt::Display for Curve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}, {}", self.name, self.unit)?;
        for point in &self.points {
            let distance = match point.distances {
                Some(Distances { low, median, high }) => format!("{median:.3} ({low:.3} … {high:.3})"),
                None => "–".to_owned(),
            };
            let refused = 100.0 * point.refused_share();
            writeln!(f, "  {:>6}  {distance:<24} refused {refused:>5.1} %  {}", point.value, point.gates())?;
        }
        Ok(())
    }
}

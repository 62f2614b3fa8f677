//! Who is compared with whom: single images, both eyes of one moment, or single images against enrolled eyes.
//!
//! | protocol | one side | the other side | genuine |
//! |---|---|---|---|
//! | single | every usable image | every later one | the same eye |
//! | both eyes | the two images of one person, session and shot number | every later such pair | the same person |
//! | three enrolled | [`fusion::fuse`] of an eye's first three usable images | every later usable image of every eye | the same eye |
//!
//! The distance of two pairs of eyes is pooled as the matcher pools it: left with left, right with right, each at its own
//! rotation. Only upright: images of these sets are not mirrored. A pair that cannot be compared is counted and in no rate.
//!
//! What fails is counted by person: an image refused, a pair of eyes with one refused, an eye of at least three readable
//! images that gives no enrolled template. Knows nothing about rates.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;
use unum_iris::{Distance, MIN_COMPARED, Measure, Template, closest_rotation};

use super::Progress;
use super::images::{People, Shot};
use crate::camera::Eye;
use crate::fusion;

/// One comparison.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pair {
    /// The numbers of the two people; the same twice within one person.
    pub(crate) people: [u32; 2],
    pub(crate) distance: f64,
}

/// Everything that a protocol gave.
#[derive(Debug, Default)]
pub(crate) struct Trials {
    pub(crate) genuine: Vec<Pair>,
    pub(crate) impostor: Vec<Pair>,
    /// Pairs of too little overlap.
    pub(crate) incomparable: usize,
    /// By person: how often something comparable was asked for, and how often there was none.
    pub(crate) attempts: Vec<Attempts>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Attempts {
    pub(crate) made: u32,
    pub(crate) failed: u32,
}

/// One side of a comparison.
struct Item<'a> {
    person: u32,
    /// Equal for what is the same: the number of an eye, or of a person where both eyes are shown.
    identity: usize,
    eyes: Vec<&'a Template>,
}

/// How to compare.
pub(crate) struct Comparison<'a> {
    pub(crate) shots: &'a [Shot],
    pub(crate) people: &'a People<'a>,
    pub(crate) measure: Measure,
    pub(crate) progress: &'a (dyn Fn(Progress) + Sync),
}

impl Comparison<'_> {
    /// One image against one image.
    pub(crate) fn single(&self) -> Trials {
        let (mut items, mut attempts) = (Vec::new(), self.no_attempts());
        for (identity, shots) in self.eyes().into_values().enumerate() {
            for shot in shots {
                let person = self.people.number(shot);
                attempts[person as usize].count(shot.template().is_some());
                items.extend(shot.template().map(|template| Item { person, identity, eyes: vec![template] }));
            }
        }
        Trials { attempts, ..self.each_with_later(&items) }
    }

    /// Both eyes of one moment against both eyes of another.
    pub(crate) fn both_eyes(&self) -> Trials {
        let mut moments: BTreeMap<(u32, u16, u16), BTreeMap<Eye, &Shot>> = BTreeMap::new();
        for shot in self.shots.iter().filter(|shot| shot.is_readable()) {
            let moment = (self.people.number(shot), shot.row.session, shot.row.shot);
            moments.entry(moment).or_default().insert(shot.row.eye, shot);
        }
        let (mut items, mut attempts) = (Vec::new(), self.no_attempts());
        for ((person, ..), eyes) in moments.into_iter().filter(|(_, eyes)| eyes.len() == Eye::BOTH.len()) {
            let eyes: Option<Vec<&Template>> = eyes.into_values().map(Shot::template).collect();
            attempts[person as usize].count(eyes.is_some());
            items.extend(eyes.map(|eyes| Item { person, identity: person as usize, eyes }));
        }
        Trials { attempts, ..self.each_with_later(&items) }
    }

    /// The usable images of every eye from the fourth on, against eyes enrolled with their first three.
    pub(crate) fn three_enrolled(&self) -> Trials {
        let (mut enrolled, mut probes, mut attempts) = (Vec::new(), Vec::new(), self.no_attempts());
        for (identity, shots) in self.eyes().into_values().enumerate() {
            let person = self.people.number(shots[0]);
            let usable: Vec<&Template> = shots.iter().filter_map(|shot| shot.template()).collect();
            let (first, others) = usable.split_at(usable.len().min(fusion::MIN_FRAMES));
            let frames: Vec<Template> = first.iter().map(|&template| template.clone()).collect();
            let fused = fusion::fuse(&frames, fusion::MIN_FRAMES).ok();
            if shots.len() >= fusion::MIN_FRAMES {
                attempts[person as usize].count(fused.is_some());
            }
            enrolled.extend(fused.map(|template| (person, identity, template)));
            probes.extend(others.iter().map(|&template| Item { person, identity, eyes: vec![template] }));
        }
        let gallery: Vec<Item<'_>> = enrolled
            .iter()
            .map(|(person, identity, template)| Item {
                person: *person,
                identity: *identity,
                eyes: vec![template],
            })
            .collect();
        Trials { attempts, ..self.each_with(&probes, |_| &gallery) }
    }

    fn no_attempts(&self) -> Vec<Attempts> {
        vec![Attempts::default(); self.people.count()]
    }

    /// The readable images of each eye, by session and shot number.
    fn eyes(&self) -> BTreeMap<(&str, Eye), Vec<&Shot>> {
        let mut eyes: BTreeMap<(&str, Eye), Vec<&Shot>> = BTreeMap::new();
        for shot in self.shots.iter().filter(|shot| shot.is_readable()) {
            eyes.entry(shot.owner()).or_default().push(shot);
        }
        for shots in eyes.values_mut() {
            shots.sort_by_key(|shot| (shot.row.session, shot.row.shot));
        }
        eyes
    }

    fn each_with_later(&self, items: &[Item<'_>]) -> Trials {
        self.each_with(items, |index| &items[index + 1..])
    }

    /// Every probe against `others(its index)`.
    fn each_with<'b>(&self, probes: &[Item<'_>], others: impl Fn(usize) -> &'b [Item<'b>] + Sync) -> Trials {
        let (total, done) = (probes.len(), AtomicUsize::new(0));
        let one = |index: usize| {
            let trials = self.one_with(&probes[index], others(index));
            (self.progress)(Progress::Comparisons { done: done.fetch_add(1, Ordering::Relaxed) + 1, total });
            trials
        };
        (0..total).into_par_iter().map(one).reduce(Trials::default, Trials::joined)
    }

    fn one_with(&self, item: &Item<'_>, others: &[Item<'_>]) -> Trials {
        let mut trials = Trials::default();
        for other in others {
            let list =
                if item.identity == other.identity { &mut trials.genuine } else { &mut trials.impostor };
            match self.pooled(&item.eyes, &other.eyes) {
                Some(distance) => list.push(Pair {
                    people: [item.person, other.person],
                    distance: self.measure.value(distance),
                }),
                None => trials.incomparable += 1,
            }
        }
        trials
    }

    /// All eyes as one, each at its own rotation; `None` if one of them cannot be compared, as in the matcher.
    fn pooled(&self, eyes: &[&Template], others: &[&Template]) -> Option<Distance> {
        let closest = |(eye, other)| closest_rotation(eye, other, MIN_COMPARED, self.measure).ok();
        let mut distances = eyes.iter().copied().zip(others.iter().copied()).map(closest);
        let first = distances.next()??;
        distances.try_fold(first, |sum, next| Some(sum.pooled(next?)))
    }
}

impl Attempts {
    fn count(&mut self, succeeded: bool) {
        self.made += 1;
        self.failed += u32::from(!succeeded);
    }
}

impl Trials {
    fn joined(mut self, other: Self) -> Self {
        self.genuine.extend(other.genuine);
        self.impostor.extend(other.impostor);
        self.incomparable += other.incomparable;
        self
    }
}

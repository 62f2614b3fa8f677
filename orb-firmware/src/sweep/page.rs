//! A sweep as a page to look at: a curve for each condition with the check that ends it, and the judged boundaries.

use super::{Boundaries, Curve, Report};
use crate::chart::{Axis, Chart, ChartError, Ink, Line};
use crate::page::{Page, percent};

/// Distances beyond which nothing is drawn: unrelated codes lie below one half.
const FARTHEST: f64 = 0.52;

impl Report {
    /// The page, complete.
    ///
    /// # Errors
    ///
    /// [`ChartError`] if a chart cannot be drawn, which is a fault of this program.
    pub fn page(&self) -> Result<String, ChartError> {
        let lead = format!(
            "{} rendered eyes under conditions that get worse, one at a time: how far each picture lies from a good one of \
             the same eye, and which check refuses it. Rendered eyes show where the program ends, not how well it works \
             on people.",
            self.people
        );
        let mut page = Page::new("How far recognition carries", &lead);
        self.boundaries(&mut page);
        for curve in &self.curves {
            let title = format!("{}{}", curve.name[..1].to_uppercase(), &curve.name[1..]);
            page.section(&title, &format!("In {}.", curve.unit));
            page.push(&self.distances(curve).figure()?);
            page.push(&refused(curve).figure()?);
            table(&mut page, curve);
        }
        Ok(page.finished())
    }

    fn boundaries(&self, page: &mut Page) {
        let judged: Vec<(&str, &Boundaries)> = [("ordinary", &self.ordinary), ("hard", &self.hard)]
            .into_iter()
            .filter_map(|(name, judged)| Some((name, judged.as_ref()?)))
            .collect();
        if judged.is_empty() {
            return;
        }
        page.section(
            "Boundaries",
            "Grossly wrong is a centre that is off by more than a tenth of the radius. Counted is what a template was made \
             of: what no check noticed. In brackets 95 % intervals.",
        );
        let rows: Vec<Vec<String>> = judged
            .into_iter()
            .map(|(name, judged)| {
                let shares = [judged.refused, judged.wrong, judged.wrong_radius];
                [name.to_owned()].into_iter().chain(shares.map(|share| share.to_string())).collect()
            })
            .collect();
        page.table("by conditions", &["", "refused", "grossly wrong, let by", "radius wrong, let by"], &rows);
    }

    fn distances(&self, curve: &Curve) -> Chart {
        let seen =
            || curve.points.iter().filter_map(|point| Some((f64::from(point.value), point.distances?)));
        let x = axis(curve);
        let ends = [x.range.start, x.range.end];
        Chart {
            id: format!("{}-distance", curve.name),
            title: format!("Distance to a good picture against {}", curve.name),
            description: seen()
                .map(|(value, distances)| format!("at {value:.2} the median is {:.3}", distances.median))
                .collect::<Vec<_>>()
                .join("; "),
            x,
            y: Axis::linear("distance", 0.0..FARTHEST, 6),
            lines: vec![
                Line {
                    name: "same eye: median, and four fifths of all".to_owned(),
                    ink: Ink::First,
                    points: seen().map(|(value, distances)| (value, distances.median)).collect(),
                    band: seen().map(|(value, distances)| (value, distances.low, distances.high)).collect(),
                    filled: false,
                },
                Line {
                    name: "different eyes: mean".to_owned(),
                    ink: Ink::Second,
                    points: ends.map(|end| (end, self.strangers)).into(),
                    band: Vec::new(),
                    filled: false,
                },
            ],
        }
    }
}

fn refused(curve: &Curve) -> Chart {
    let shares = || curve.points.iter().map(|point| (f64::from(point.value), point.refused_share()));
    Chart {
        id: format!("{}-refused", curve.name),
        title: format!("Refused pictures against {}", curve.name),
        description: shares()
            .map(|(value, share)| format!("at {value:.2} {}", percent(share)))
            .collect::<Vec<_>>()
            .join("; "),
        x: axis(curve),
        y: Axis::percent("refused", 1.0, 4),
        lines: vec![Line {
            name: "refused".to_owned(),
            ink: Ink::Third,
            points: shares().collect(),
            band: Vec::new(),
            filled: true,
        }],
    }
}

fn axis(curve: &Curve) -> Axis {
    let values = || curve.points.iter().map(|point| f64::from(point.value));
    let (least, most) = (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
    Axis::linear(curve.unit, least..most.max(least + 1e-3), 8)
}

fn table(page: &mut Page, curve: &Curve) {
    let rows: Vec<Vec<String>> = curve
        .points
        .iter()
        .map(|point| {
            let distance = point.distances.map_or_else(
                || "–".to_owned(),
                |seen| format!("{:.3} ({:.3} … {:.3})", seen.median, seen.low, seen.high),
            );
            vec![point.value.to_string(), distance, percent(point.refused_share()), point.gates()]
        })
        .collect();
    let caption = format!("{}, {}", curve.name, curve.unit);
    page.table(&caption, &[curve.name, "distance", "refused", "refused by"], &rows);
}

//! The figures of one evaluation as a page to look at: rates, curves, failures, time. No image and no name is on it.

use super::Report;
use super::report::{BINS, FARTHEST, Outcome};
use crate::chart::{Axis, Chart, ChartError, Ink, Line, stairs};
use crate::page::{Page, percent};

impl Report {
    /// The page, complete.
    ///
    /// # Errors
    ///
    /// [`ChartError`] if a chart cannot be drawn, which is a fault of this program.
    pub fn page(&self) -> Result<String, ChartError> {
        let (images, eyes, people) = (self.images, self.eyes, self.people);
        let lead = format!("{images} images of {eyes} eyes of {people} people, {} distance.", self.distance);
        let mut page = Page::new("How well eyes are recognised", &lead);
        self.rates(&mut page);
        page.section(
            "Missed against mistaken",
            "Each point is a threshold: the share of others that it lets pass, and the share of genuine pairs that it \
             misses. Nearer to the lower left is better. Bands hold 95 % of the resamples. A line on the lower edge \
             misses nobody.",
        );
        page.push(&self.trade().figure()?);
        page.section(
            "Distances",
            "How far apart two images of the same eye are, and two images of different ones. What overlaps is confused.",
        );
        for (index, (name, outcome)) in self.outcomes().into_iter().enumerate() {
            page.push(&distances(index, name, outcome).figure()?);
        }
        self.failures(&mut page);
        page.section(
            "Time",
            "From the decoded image to its template or its refusal, on one core. Other work on the machine counts in.",
        );
        page.push(&self.time().figure()?);
        Ok(page.finished())
    }

    fn rates(&self, page: &mut Page) {
        page.section(
            "Rates",
            "In brackets, how far a rate would move with other people: 95 of 100 resamples of the people lie inside.",
        );
        let outcomes = self.outcomes();
        let head: Vec<&str> = [""].into_iter().chain(outcomes.iter().map(|(name, _)| *name)).collect();
        let mut rows = vec![
            row("genuine pairs", &outcomes, |outcome| outcome.genuine_pairs.to_string()),
            row("impostor pairs", &outcomes, |outcome| outcome.impostor_pairs.to_string()),
            row("pairs of too little overlap", &outcomes, |outcome| outcome.incomparable_pairs.to_string()),
            row("d′", &outcomes, |outcome| format!("{:.2}", outcome.d_prime)),
        ];
        for (index, (name, ..)) in self.single.rates().into_iter().enumerate() {
            rows.push(row(&name, &outcomes, |outcome| {
                let (_, rate, [low, high]) = outcome.rates()[index];
                format!("{} ({:.2} … {:.2})", percent(rate), 100.0 * low, 100.0 * high)
            }));
        }
        let bootstrap = self.bootstrap;
        let caption = format!("{} resamples of people, seed {}", bootstrap.resamples, bootstrap.seed);
        page.table(&caption, &head, &rows);
    }

    fn trade(&self) -> Chart {
        // Nothing below half a pair of the finest protocol can be told from nothing.
        let pairs = self.outcomes().iter().map(|(_, outcome)| outcome.genuine_pairs).max().unwrap_or(1);
        let least = (0.5 / pairs as f64).log10();
        let log = |share: f64| share.log10().max(least);
        let lines: Vec<Line> = self
            .outcomes()
            .into_iter()
            .zip(Ink::ALL)
            .map(|((name, outcome), ink)| Line {
                name: name.to_owned(),
                ink,
                points: outcome.curves.trade.iter().map(|&(fmr, fnmr, _)| (fmr.log10(), log(fnmr))).collect(),
                band: (outcome.curves.trade.iter())
                    .map(|&(fmr, _, [low, high])| (fmr.log10(), log(low), log(high)))
                    .collect(),
                filled: false,
            })
            .collect();
        let ends = |end: fn(f64, f64) -> f64| {
            lines.iter().flat_map(|line| line.points.iter().map(|point| point.0)).reduce(end).unwrap_or(-1.0)
        };
        let (left, right) = (ends(f64::min), ends(f64::max));
        Chart {
            id: "trade".to_owned(),
            title: "Detection error trade-off".to_owned(),
            description: self.trade_in_words(),
            x: Axis::decades("others let pass (FMR)", left.min(right - 1.0), right),
            y: Axis::decades("genuine missed (FNMR)", least, -0.5),
            lines,
        }
    }

    fn trade_in_words(&self) -> String {
        let of = |(name, outcome): &(&str, &Outcome)| {
            let missed = outcome.fnmr_at_fmr["1e-3"];
            let equal = percent(outcome.eer);
            format!(
                "{name}: equal error rate {equal}, {} missed where 1 of 1,000 others passes",
                percent(missed)
            )
        };
        self.outcomes().iter().map(of).collect::<Vec<_>>().join("; ")
    }

    fn failures(&self, page: &mut Page) {
        page.section("Failures", "Images that gave no template, by the check that refused them.");
        let mut rows: Vec<Vec<String>> =
            self.refused.iter().map(|(kind, &count)| self.failed(kind, count)).collect();
        rows.push(self.failed("all refused", self.refused.values().sum()));
        page.table("of the readable images", &["", "images", "share"], &rows);
        if !self.failed_rows.is_empty() {
            let rows: Vec<Vec<String>> = (self.failed_rows.iter())
                .map(|failure| vec![failure.row.to_string(), failure.reason.clone()])
                .collect();
            page.table("rows of the manifest that could not be used", &["row", "why"], &rows);
        }
    }

    fn failed(&self, kind: &str, count: usize) -> Vec<String> {
        vec![kind.to_owned(), count.to_string(), percent(count as f64 / self.images as f64)]
    }

    fn time(&self) -> Chart {
        // Stragglers say more about the machine than about the program: the last bin holds them.
        let end = (self.ms_per_image_p95 * 1.5).max(1.0);
        let mut shares = vec![0.0; BINS / 2];
        for took in &self.milliseconds {
            let bin = ((took / end * shares.len() as f64) as usize).min(shares.len() - 1);
            shares[bin] += 1.0 / self.milliseconds.len() as f64;
        }
        let (median, late) = (self.ms_per_image_median, self.ms_per_image_p95);
        let text = format!("Half of the images take at most {median:.1} ms, 95 of 100 at most {late:.1} ms.");
        let tallest = shares.iter().copied().fold(0.0, f64::max);
        Chart {
            id: "time".to_owned(),
            title: format!("Time per image. {text}"),
            description: text,
            x: Axis::linear("milliseconds", 0.0..end, 6),
            y: Axis::percent("images", tallest * 1.1, 4),
            lines: vec![Line {
                name: "images".to_owned(),
                ink: Ink::First,
                points: stairs(&shares, end),
                band: Vec::new(),
                filled: true,
            }],
        }
    }
}

fn row(name: &str, outcomes: &[(&'static str, &Outcome)], cell: impl Fn(&Outcome) -> String) -> Vec<String> {
    [name.to_owned()].into_iter().chain(outcomes.iter().map(|(_, outcome)| cell(outcome))).collect()
}

fn distances(index: usize, name: &str, outcome: &Outcome) -> Chart {
    let tallest = outcome.curves.histograms.iter().flatten().copied().fold(0.0, f64::max);
    let (genuine, impostor) = (outcome.genuine, outcome.impostor);
    let lines = [("genuine", Ink::First), ("impostors", Ink::Second)]
        .into_iter()
        .zip(&outcome.curves.histograms)
        .map(|((name, ink), shares)| Line {
            name: name.to_owned(),
            ink,
            points: stairs(shares, FARTHEST),
            band: Vec::new(),
            filled: true,
        });
    Chart {
        id: format!("distances-{index}"),
        title: format!("Distances, {name}"),
        description: format!(
            "{} genuine distances, {:.3} ± {:.3}, at most {:.3}; {} impostor distances, {:.3} ± {:.3}, at least {:.3}",
            outcome.genuine_pairs,
            genuine.mean,
            genuine.deviation,
            genuine.most,
            outcome.impostor_pairs,
            impostor.mean,
            impostor.deviation,
            impostor.least
        ),
        x: Axis::linear("distance", 0.0..FARTHEST, 6),
        y: Axis::percent("pairs", tallest * 1.08, 4),
        lines: lines.collect(),
    }
}

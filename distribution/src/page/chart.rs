//! Two pictures as SVG: people of each period as bars, the pool as a line that steps. Every number in them stands in the
//! page as text, too; each picture says in a sentence what it shows.

use maud::{Markup, html};
use unum_identity::claim::Amount;
use unum_identity::programme::ProgrammeTerms;
use unum_identity::time::UnixTime;

use super::text::{Moment, Money, count};
use crate::overview::PeriodFacts;

/// Width and height of a picture, in its own units: about as many as pixels on a phone.
const SIZE: (f64, f64) = (480.0, 200.0);
/// Where the drawing ends on each side; below it and above it is text.
const LEFT: f64 = 4.0;
const RIGHT: f64 = 476.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = 176.0;
/// Share of its place that a bar takes.
const BAR: f64 = 0.72;
/// Widest place of a bar: a single period shall not fill the picture.
const PLACE: f64 = 60.0;

/// A bar for each period, the oldest first: the part of its people who have claimed, and the rest.
pub(super) fn people(newest_first: &[PeriodFacts]) -> Markup {
    let most = newest_first.iter().map(|facts| facts.eligible).max().unwrap_or(1).max(1);
    let place = ((RIGHT - LEFT) / newest_first.len().max(1) as f64).min(PLACE);
    let height = |people: u64| (BOTTOM - TOP) * people as f64 / most as f64;
    let bars = newest_first.iter().rev().enumerate().map(|(i, facts)| {
        let x = LEFT + place * (i as f64 + (1.0 - BAR) / 2.0);
        (x, height(facts.eligible), height(facts.claimed), facts)
    });
    html! {
        figure {
            svg viewBox=(view_box()) role="img" aria-labelledby="people-title" {
                title id="people-title" { "People eligible and people who have claimed, in each period; the table below has the numbers" }
                text.scale x=(LEFT) y=(TOP - 8.0) { (count(most)) " people" }
                line.axis x1=(LEFT) x2=(RIGHT) y1=(BOTTOM) y2=(BOTTOM) {}
                @for (x, eligible, claimed, facts) in bars {
                    rect.eligible x=(round(x)) y=(round(BOTTOM - eligible)) width=(round(place * BAR)) height=(round(eligible)) {}
                    rect.claimed x=(round(x)) y=(round(BOTTOM - claimed)) width=(round(place * BAR)) height=(round(claimed)) {}
                    text.label x=(round(x + place * BAR / 2.0)) y=(BOTTOM + 18.0) { (facts.period) }
                }
            }
            figcaption { span.key.claimed {} " have claimed " span.key.eligible {} " eligible" }
        }
    }
}

/// What the pool held, from its first movement shown until `now`.
pub(super) fn pool(held: &[(UnixTime, Amount)], terms: &ProgrammeTerms, now: UnixTime) -> Markup {
    let [(from, _), ..] = held else { return html! {} };
    let until = now.max(*from);
    let most = held.iter().map(|(_, amount)| amount.minor()).max().unwrap_or(1).max(1);
    let seconds = until.0.saturating_sub(from.0).max(1);
    let x = |at: UnixTime| LEFT + (RIGHT - LEFT) * at.0.saturating_sub(from.0) as f64 / seconds as f64;
    let y = |amount: Amount| BOTTOM - (BOTTOM - TOP) * (amount.minor() as f64 / most as f64);
    let steps = held.iter().map(|&(at, amount)| format!("H{}V{}", round(x(at)), round(y(amount))));
    let path = format!("M{LEFT} {BOTTOM}{}H{RIGHT}", steps.collect::<String>());
    html! {
        figure {
            svg viewBox=(view_box()) role="img" aria-labelledby="pool-title" {
                title id="pool-title" { "What the pool held from " (Moment(*from)) " until " (Moment(until)) }
                path.area d={ (path) "V" (BOTTOM) "Z" } {}
                path.held d=(path) {}
                text.scale x=(LEFT) y=(TOP - 8.0) { (Money { minor: most, digits: terms.minor_digits }) " " (terms.unit) }
                line.axis x1=(LEFT) x2=(RIGHT) y1=(BOTTOM) y2=(BOTTOM) {}
                text.scale x=(LEFT) y=(BOTTOM + 18.0) { (Moment(*from)) }
                text.end x=(RIGHT) y=(BOTTOM + 18.0) { (Moment(until)) }
            }
        }
    }
}

fn view_box() -> String {
    format!("0 0 {} {}", SIZE.0, SIZE.1)
}

/// To a tenth of a pixel.
fn round(length: f64) -> f64 {
    (length * 10.0).round() / 10.0
}

//! Charts for a page: lines with bands and filled steps, as SVG that goes into HTML.
//!
//! Each chart carries a title and a description for people who do not see it. Colours are written as they are on white
//! paper; the page's style sheet exchanges them by value where paper is dark ([`Ink::ON_WHITE`], [`Ink::ON_BLACK`]). What a
//! line means stands in a legend outside the picture. Refers to nothing outside itself.
//!
//! Knows nothing about what is drawn.

use std::fmt::Write as _;
use std::ops::Range;

use plotters::coord::Shift;
use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};
use plotters::prelude::*;

use crate::page::escaped;

/// Pixels of every chart; the page scales them.
const SIZE: (u32, u32) = (720, 340);

/// Why a chart could not be drawn.
#[derive(Debug, thiserror::Error)]
#[error("chart cannot be drawn: {0}")]
pub struct ChartError(String);

/// A chart of one or more lines.
pub(crate) struct Chart {
    /// Unique on the page; letters, digits and hyphens.
    pub(crate) id: String,
    pub(crate) title: String,
    /// What the picture shows, for who does not see it.
    pub(crate) description: String,
    pub(crate) x: Axis,
    pub(crate) y: Axis,
    pub(crate) lines: Vec<Line>,
}

/// One axis. Where it is logarithmic, range, ticks and points are logarithms already.
pub(crate) struct Axis {
    pub(crate) name: String,
    pub(crate) range: Range<f64>,
    pub(crate) ticks: Vec<(f64, String)>,
}

/// One line with what belongs to it.
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) ink: Ink,
    pub(crate) points: Vec<(f64, f64)>,
    /// From, to at an `x`; empty for none.
    pub(crate) band: Vec<(f64, f64, f64)>,
    /// Whether the area down to the axis is filled.
    pub(crate) filled: bool,
}

/// The colours of lines: told apart by eyes of every kind, and each of them on both papers (contrast 3:1 and more).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    First,
    Second,
    Third,
}

/// Text, axes and grid on white paper.
const TEXT: RGBColor = RGBColor(0x1B, 0x1F, 0x24);
const AXIS: RGBColor = RGBColor(0x57, 0x60, 0x6A);
const GRID: RGBColor = RGBColor(0xD8, 0xDE, 0xE4);

impl Ink {
    pub(crate) const ALL: [Self; 3] = [Self::First, Self::Second, Self::Third];
    /// Every colour that a chart uses on white paper …
    pub(crate) const ON_WHITE: [RGBColor; 6] = [
        RGBColor(0x0B, 0x5F, 0xA5),
        RGBColor(0xB3, 0x47, 0x0E),
        RGBColor(0x2B, 0x7A, 0x3B),
        TEXT,
        AXIS,
        GRID,
    ];
    /// … and what stands for it on black.
    pub(crate) const ON_BLACK: [RGBColor; 6] = [
        RGBColor(0x6C, 0xB6, 0xFF),
        RGBColor(0xF0, 0x95, 0x4E),
        RGBColor(0x7E, 0xD8, 0x8B),
        RGBColor(0xE6, 0xED, 0xF3),
        RGBColor(0x9A, 0xA7, 0xB4),
        RGBColor(0x2F, 0x38, 0x42),
    ];

    fn colour(self) -> RGBColor {
        Self::ON_WHITE[self as usize]
    }

    /// Dashes and gaps in pixels, so that lines differ without colour too.
    fn dashes(self) -> Option<(u32, u32)> {
        [None, Some((9, 4)), Some((3, 3))][self as usize]
    }

    pub(crate) fn class(self) -> &'static str {
        ["first", "second", "third"][self as usize]
    }
}

impl Axis {
    /// A linear axis in percent with at most `count` steps.
    pub(crate) fn percent(name: &str, most: f64, count: usize) -> Self {
        let step = round_step(100.0 * most / count as f64);
        let ticks = steps(0.0, 100.0 * most, step);
        let ticks = ticks.map(|percent| (percent / 100.0, format!("{} %", trimmed(percent)))).collect();
        Self { name: name.to_owned(), range: 0.0..most, ticks }
    }

    /// A linear axis with at most `count` steps.
    pub(crate) fn linear(name: &str, range: Range<f64>, count: usize) -> Self {
        let step = round_step((range.end - range.start) / count as f64);
        let first = (range.start / step).ceil() * step;
        let ticks = steps(first, range.end, step).map(|at| (at, trimmed(at))).collect();
        Self { name: name.to_owned(), range, ticks }
    }

    /// A logarithmic axis of shares, from 10^`least` to 10^`most`, ticked at the decades.
    pub(crate) fn decades(name: &str, least: f64, most: f64) -> Self {
        let ticks = (least.ceil() as i32..=most.floor() as i32)
            .map(|power| (f64::from(power), format!("{} %", trimmed(100.0 * 10_f64.powi(power)))))
            .collect();
        Self { name: name.to_owned(), range: least..most, ticks }
    }

    fn label(&self, at: f64) -> String {
        let found = self.ticks.iter().find(|(tick, _)| (tick - at).abs() < 1e-9);
        found.map_or_else(String::new, |(_, label)| label.clone())
    }
}

impl Ranged for &Axis {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (first, last): (i32, i32)) -> i32 {
        let share = (value - self.range.start) / (self.range.end - self.range.start);
        first + (share * f64::from(last - first)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _hint: Hint) -> Vec<f64> {
        self.ticks.iter().map(|(at, _)| *at).collect()
    }

    fn range(&self) -> Range<f64> {
        self.range.clone()
    }
}

/// The smallest of 1, 2, 5 times a power of ten that is at least `least`.
fn round_step(least: f64) -> f64 {
    let least = least.max(1e-9);
    let power = 10_f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0]
        .map(|by| by * power)
        .into_iter()
        .find(|step| *step >= least * 0.999)
        .unwrap_or(10.0 * power)
}

fn steps(first: f64, last: f64, step: f64) -> impl Iterator<Item = f64> {
    (0..).map(move |index| first + f64::from(index) * step).take_while(move |at| *at <= last + step * 1e-6)
}

/// A number without zeros at its end.
fn trimmed(value: f64) -> String {
    let text = format!("{value:.6}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

impl Chart {
    /// The chart as a figure with its legend.
    pub(crate) fn figure(&self) -> Result<String, ChartError> {
        let mut html = format!("<figure>\n{}<figcaption>{}", self.svg()?, escaped(&self.title));
        html += "<ul class=\"legend\">";
        for line in &self.lines {
            let shape = if line.filled { "area" } else { "line" };
            let (class, name) = (line.ink.class(), escaped(&line.name));
            let _ =
                write!(html, "<li><span class=\"{class} {shape}\" aria-hidden=\"true\"></span>{name}</li>");
        }
        html += "</ul></figcaption>\n</figure>\n";
        Ok(html)
    }

    fn svg(&self) -> Result<String, ChartError> {
        let mut text = String::new();
        let area = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
        self.draw(&area).map_err(|error| ChartError(error.to_string()))?;
        area.present().map_err(|error| ChartError(error.to_string()))?;
        drop(area);
        // The tag that the drawing library opens says neither that this is a picture nor what it shows.
        let (_, drawn) = text.split_once(">\n").ok_or_else(|| ChartError("no picture".to_owned()))?;
        let (id, (width, height)) = (&self.id, SIZE);
        Ok(format!(
            "<svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-labelledby=\"{id}-title {id}-text\">\n\
             <title id=\"{id}-title\">{}</title>\n<desc id=\"{id}-text\">{}</desc>\n{drawn}",
            escaped(&self.title),
            escaped(&self.description)
        ))
    }

    fn draw(
        &self,
        area: &DrawingArea<SVGBackend<'_>, Shift>,
    ) -> Result<(), DrawingAreaErrorKind<std::io::Error>> {
        let mut chart = ChartBuilder::on(area)
            .margin_top(10)
            .margin_right(24)
            .x_label_area_size(52)
            .y_label_area_size(76)
            .build_cartesian_2d(&self.x, &self.y)?;
        let font = |size: i32| ("sans-serif", size).into_font().color(&TEXT);
        chart
            .configure_mesh()
            .bold_line_style(GRID)
            .light_line_style(TRANSPARENT)
            .axis_style(AXIS)
            .label_style(font(17))
            .axis_desc_style(font(18))
            .x_labels(self.x.ticks.len())
            .y_labels(self.y.ticks.len())
            .x_desc(&self.x.name)
            .y_desc(&self.y.name)
            .x_label_formatter(&|at| self.x.label(*at))
            .y_label_formatter(&|at| self.y.label(*at))
            .draw()?;
        let inside = |y: f64| y.clamp(self.y.range.start, self.y.range.end);
        for line in &self.lines {
            let colour = line.ink.colour();
            if !line.band.is_empty() {
                let upper = line.band.iter().map(|&(x, _, to)| (x, inside(to)));
                let lower = line.band.iter().rev().map(|&(x, from, _)| (x, inside(from)));
                let outline: Vec<(f64, f64)> = upper.chain(lower).collect();
                chart.draw_series([Polygon::new(outline, colour.mix(0.15))])?;
            }
        }
        for line in &self.lines {
            let style = line.ink.colour().stroke_width(2);
            let points: Vec<(f64, f64)> = line.points.iter().map(|&(x, y)| (x, inside(y))).collect();
            if line.filled {
                let area = AreaSeries::new(points, self.y.range.start, line.ink.colour().mix(0.3));
                chart.draw_series(area.border_style(style))?;
            } else if let Some((dash, gap)) = line.ink.dashes() {
                chart.draw_series(DashedLineSeries::new(points, dash, gap, style))?;
            } else {
                chart.draw_series(LineSeries::new(points, style))?;
            }
        }
        Ok(())
    }
}

/// The corners of a histogram of `shares` in equal steps up to `end`.
pub(crate) fn stairs(shares: &[f64], end: f64) -> Vec<(f64, f64)> {
    let width = end / shares.len() as f64;
    let corners =
        |(index, &share): (usize, &f64)| [(index as f64 * width, share), ((index + 1) as f64 * width, share)];
    shares.iter().enumerate().flat_map(corners).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(lines: Vec<Line>) -> Chart {
        Chart {
            id: "test".to_owned(),
            title: "A <title> & more".to_owned(),
            description: "What it shows".to_owned(),
            x: Axis::decades("x", -4.2, -1.0),
            y: Axis::percent("y", 0.3, 5),
            lines,
        }
    }

    #[test]
    fn a_chart_says_what_it_is_and_refers_to_nothing() {
        let line = Line {
            name: "one & only".to_owned(),
            ink: Ink::Second,
            points: vec![(-4.0, 0.1), (-2.0, 9.0)],
            band: vec![(-4.0, 0.0, 0.2), (-2.0, 0.1, 0.3)],
            filled: false,
        };
        let figure = chart(vec![line]).figure().unwrap();
        assert!(figure.contains("role=\"img\"") && figure.contains("<desc id=\"test-text\">What it shows"));
        assert!(figure.contains("A &lt;title&gt; &amp; more") && figure.contains("one &amp; only"));
        assert!(!figure.contains("http") && !figure.contains("href"), "{figure}");
        for label in ["0.01 %", "0.1 %", "1 %", "10 %", "30 %"] {
            assert!(figure.contains(&format!("\n{label}\n")), "{label} in {figure}");
        }
    }

    #[test]
    fn only_known_colours_are_used() {
        let lines = Ink::ALL.map(|ink| Line {
            name: ink.class().to_owned(),
            ink,
            points: vec![(-4.0, 0.1), (-2.0, 0.2)],
            band: Vec::new(),
            filled: ink == Ink::First,
        });
        let figure = chart(lines.into()).figure().unwrap();
        for (at, _) in figure.match_indices("=\"#") {
            let found = &figure[at + 2..at + 9];
            let known =
                Ink::ON_WHITE.iter().any(|&RGBColor(r, g, b)| found == format!("#{r:02X}{g:02X}{b:02X}"));
            assert!(known, "{found} does not turn with the paper");
        }
    }

    #[test]
    fn ticks_are_round() {
        let labels = |axis: Axis| axis.ticks.into_iter().map(|(_, label)| label).collect::<Vec<_>>();
        assert_eq!(labels(Axis::linear("", 0.0..0.6, 6)), ["0", "0.1", "0.2", "0.3", "0.4", "0.5", "0.6"]);
        assert_eq!(labels(Axis::linear("", -25.0..25.0, 5)), ["-20", "-10", "0", "10", "20"]);
        assert_eq!(labels(Axis::percent("", 1.0, 4)), ["0 %", "50 %", "100 %"]);
    }

    #[test]
    fn stairs_have_two_corners_a_step() {
        assert_eq!(stairs(&[0.25, 0.75], 1.0), [(0.0, 0.25), (0.5, 0.25), (0.5, 0.75), (1.0, 0.75)]);
    }
}

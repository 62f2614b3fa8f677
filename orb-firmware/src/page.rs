//! The pages that `orb` writes: one file, light or dark as its reader's machine is set, with nothing to load or to run.
//!
//! Knows nothing about what stands on a page. Everything that is not markup goes through [`escaped`].

use std::fmt::Write as _;

use plotters::style::RGBColor;

use crate::chart::Ink;

/// A page under construction.
pub(crate) struct Page {
    body: String,
    title: String,
}

impl Page {
    pub(crate) fn new(title: &str, lead: &str) -> Self {
        let body = format!("<header><h1>{}</h1>\n<p>{}</p></header>\n", escaped(title), escaped(lead));
        Self { body, title: title.to_owned() }
    }

    pub(crate) fn section(&mut self, title: &str, text: &str) {
        let _ = write!(self.body, "<h2>{}</h2>\n<p>{}</p>\n", escaped(title), escaped(text));
    }

    /// Markup made elsewhere.
    pub(crate) fn push(&mut self, html: &str) {
        self.body += html;
    }

    /// A table. The first cell of each row names it; all others are set as figures.
    pub(crate) fn table(&mut self, caption: &str, head: &[&str], rows: &[Vec<String>]) {
        let _ = write!(
            self.body,
            "<div class=\"wide\"><table><caption>{}</caption><thead><tr>",
            escaped(caption)
        );
        for cell in head {
            let _ = write!(self.body, "<th scope=\"col\">{}</th>", escaped(cell));
        }
        self.body += "</tr></thead><tbody>\n";
        for row in rows {
            let (first, others) = row.split_first().expect("a row has a name");
            let _ = write!(self.body, "<tr><th scope=\"row\">{}</th>", escaped(first));
            for cell in others {
                let _ = write!(self.body, "<td>{}</td>", escaped(cell));
            }
            self.body += "</tr>\n";
        }
        self.body += "</tbody></table></div>\n";
    }

    pub(crate) fn finished(&self) -> String {
        let (title, style, body) = (escaped(&self.title), style(), &self.body);
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n\
             <style>\n{style}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n"
        )
    }
}

/// Text that stands for itself in HTML.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            other => escaped.push(other),
        }
    }
    escaped
}

/// A share as people read it.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.2} %", 100.0 * share)
}

const SHAPES: &str = "
body { margin: 0; background: var(--paper); color: var(--text); font: 1rem/1.55 system-ui, sans-serif; }
main { max-width: 50rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .5rem; text-wrap: balance; }
h2 { font-size: 1.2rem; margin: 2.75rem 0 .25rem; }
p { margin: .25rem 0 1rem; max-width: 42rem; }
figure { margin: 1rem 0 1.75rem; }
figure svg { display: block; width: 100%; height: auto; }
svg text { font-family: inherit; }
figcaption { font-size: .9rem; color: var(--soft); }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: .15rem 1.25rem; margin: .25rem 0 0; padding: 0; color: var(--text); }
.legend span { display: inline-block; width: 1.9rem; margin-right: .5rem; vertical-align: middle; border-top: 3px solid; }
.legend .second.line { border-top-style: dashed; }
.legend .third.line { border-top-style: dotted; }
.legend .area { height: .7rem; opacity: .75; background: currentColor; border: 0; }
.first { color: var(--first); } .second { color: var(--second); } .third { color: var(--third); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: .95rem; margin: .5rem 0 1.5rem; }
caption { text-align: left; color: var(--soft); font-size: .9rem; padding-bottom: .35rem; }
th, td { padding: .4rem .75rem .4rem 0; border-bottom: 1px solid var(--grid); text-align: right; vertical-align: top; }
th:first-child { text-align: left; font-weight: 500; }
thead th { color: var(--soft); font-weight: 500; }
";

/// The style sheet: the charts' colours as names, exchanged where paper is dark.
fn style() -> String {
    let names = ["first", "second", "third", "text", "soft", "grid"];
    let hex = |&RGBColor(r, g, b): &RGBColor| format!("#{r:02X}{g:02X}{b:02X}");
    let palette = |paper: &str, colours: &[RGBColor; 6]| {
        let mut rule = format!(":root {{ color-scheme: light dark; --paper: {paper};");
        for (name, colour) in names.iter().zip(colours) {
            let _ = write!(rule, " --{name}: {};", hex(colour));
        }
        rule + " }\n"
    };
    let mut style = palette("#FFFFFF", &Ink::ON_WHITE);
    let _ =
        writeln!(style, "@media (prefers-color-scheme: dark) {{ {} }}", palette("#0F1419", &Ink::ON_BLACK));
    style += SHAPES;
    for (name, colour) in names.iter().zip(&Ink::ON_WHITE) {
        let colour = hex(colour);
        let _ = writeln!(style, "svg [fill=\"{colour}\"] {{ fill: var(--{name}); }}");
        let _ = writeln!(style, "svg [stroke=\"{colour}\"] {{ stroke: var(--{name}); }}");
    }
    style
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_no_markup() {
        let mut page = Page::new("<b>", "a & b");
        page.section("\"quoted\"", "1 < 2");
        page.table("<i>", &["<", "n"], &[vec!["<row>".to_owned(), "3 > 2".to_owned()]]);
        let html = page.finished();
        for text in [
            "&lt;b&gt;",
            "a &amp; b",
            "&quot;quoted&quot;",
            "1 &lt; 2",
            "&lt;i&gt;",
            "&lt;row&gt;",
            "3 &gt; 2",
        ] {
            assert!(html.contains(text), "{text}");
        }
        assert!(!html.contains("<script") && !html.contains("http"), "{html}");
    }

    /// Contrast of two colours (WCAG 2.2, relative luminance).
    fn contrast(one: RGBColor, other: RGBColor) -> f64 {
        let luminance = |RGBColor(r, g, b): RGBColor| {
            let linear = |part: u8| {
                let part = f64::from(part) / 255.0;
                if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
            };
            0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
        };
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    #[test]
    fn text_and_lines_stand_out_on_both_papers() {
        let (white, black) = (RGBColor(0xFF, 0xFF, 0xFF), RGBColor(0x0F, 0x14, 0x19));
        for (paper, inks) in [(white, Ink::ON_WHITE), (black, Ink::ON_BLACK)] {
            for ink in &inks[..5] {
                assert!(contrast(*ink, paper) >= 4.5, "{ink:?} on {paper:?}: {}", contrast(*ink, paper));
            }
        }
    }
}

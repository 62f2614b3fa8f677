//! QR codes (ISO/IEC 18004) of what one person shows and another reads.

use anyhow::Context;
use qrcode::QrCode;
use qrcode::render::svg;
use qrcode::render::unicode::Dense1x2;

/// Least side of a picture: a module of the largest code is then still three pixels wide.
const SIDE: u32 = 531;

pub(crate) fn of(text: &str) -> anyhow::Result<QrCode> {
    QrCode::new(text).context("too long for a code")
}

/// Dark modules are the terminal's background: most terminals are dark, and readers know both polarities.
pub(crate) fn for_terminals(code: &QrCode) -> String {
    code.render::<Dense1x2>().dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build()
}

/// A picture for paper and screens.
pub(crate) fn as_svg(code: &QrCode) -> String {
    code.render::<svg::Color<'_>>().min_dimensions(SIDE, SIDE).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_request_fits() {
        // 140 characters of four bytes, three characters each in the link, and 210 for the rest of it.
        let code = of(&"%".repeat(140 * 4 * 3 + 210)).unwrap();
        let svg = as_svg(&code);
        assert!(svg.starts_with("<?xml") && svg.ends_with("</svg>"));
        assert!(!for_terminals(&code).is_empty());
    }
}

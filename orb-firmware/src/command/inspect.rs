//! `orb inspect`: what every stage makes of one image.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use image::{ExtendedColorType, ImageFormat};
use orb_firmware::decode;
use orb_firmware::inspect::{self, Figures, Inspection, Measured, Picture};
use orb_firmware::pipeline::Config;

/// What to look at.
#[derive(clap::Args)]
#[command(after_help = "Example:
  orb render --person 7 --eye L --count 1 --out eyes
  orb inspect eyes/p0007-L-s0-0.png --out inspected.png")]
pub(crate) struct Arguments {
    /// The image of an eye.
    image: PathBuf,
    /// The picture to write. It shows the eye: keep it as you keep the image.
    #[arg(long, value_name = "PNG")]
    out: Option<PathBuf>,
    /// Print the figures as JSON.
    #[arg(long)]
    json: bool,
}

/// Runs all stages, draws what they found, and prints what they measured.
pub(super) fn run(arguments: &Arguments) -> Result<()> {
    let frame = decode::read(&arguments.image).context("the image")?;
    let inspection = inspect::inspect(&frame, &Config::default())?;
    if let Some(path) = &arguments.out {
        save(path, &inspection.picture())?;
    }
    #[expect(clippy::print_stdout, reason = "a program's answer")]
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&inspection.figures())?);
    } else {
        print!("{}", shown(&inspection));
        if arguments.out.is_some() {
            println!("\n{}", Picture::LEGEND);
        }
    }
    Ok(())
}

fn shown(inspection: &Inspection) -> String {
    let Figures { refused_by, reason, pupil, iris, measures, .. } = inspection.figures();
    let mut text = match refused_by.zip(reason) {
        None => "usable\n".to_owned(),
        Some((gate, reason)) => format!("refused by {gate}: {reason}\n"),
    };
    for (name, circle) in [("pupil", pupil), ("iris", iris)] {
        if let Some([x, y, r]) = circle {
            let _ = writeln!(text, "{name:<18} centre {x:.1}, {y:.1}, radius {r:.1} pixels");
        }
    }
    for Measured { name, value, unit, least, most } in measures {
        let limits = match (least, most) {
            (Some(least), Some(most)) => format!("allowed {least} to {most}"),
            (Some(least), None) => format!("needs {least}"),
            (None, Some(most)) => format!("allowed {most}"),
            (None, None) => String::new(),
        };
        let _ = writeln!(text, "{name:<18} {value:>6} {unit:<28} {limits}");
    }
    text
}

fn save(path: &Path, picture: &Picture) -> Result<()> {
    let (width, height) = (picture.width(), picture.height());
    image::save_buffer_with_format(
        path,
        picture.rgb(),
        width,
        height,
        ExtendedColorType::Rgb8,
        ImageFormat::Png,
    )
    .with_context(|| format!("cannot write {}", path.display()))
}

//! `orb render`: pictures and their manifest.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use image::ImageFormat;
use orb_firmware::camera::Eye;
use orb_firmware::camera::render::{Subject, Visit};
use orb_firmware::frame::Frame;

/// What to draw.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  orb render --person 7 --eye L --count 3 --out eyes
  orb render --person 1 --people 20 --sessions 2 --count 3 --out eyes --csv eyes/eyes.csv")]
pub(crate) struct Arguments {
    /// The number that stands for the person, or for the first of them.
    #[arg(long, value_name = "SEED")]
    person: u64,
    /// How many people, numbered on from --person.
    #[arg(long, default_value_t = 1)]
    people: u64,
    /// L or R; both if left out.
    #[arg(long)]
    eye: Option<Eye>,
    /// Visits of each person.
    #[arg(long, default_value_t = 1)]
    sessions: u64,
    /// Pictures of each eye at each visit.
    #[arg(long, default_value_t = 3)]
    count: u64,
    /// Folder for the pictures; made if it does not exist.
    #[arg(long)]
    out: PathBuf,
    /// Manifest to write, with the columns path, person, eye, session, shot.
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
}

/// A row of the manifest; the order of the fields is that of the columns.
#[derive(serde::Serialize)]
struct Row {
    path: PathBuf,
    person: u64,
    eye: String,
    session: u64,
    shot: u64,
}

/// Draws everything and writes it down.
pub(super) fn run(arguments: &Arguments) -> Result<()> {
    // Absolute, because relative paths in a manifest start at the manifest.
    let out = std::path::absolute(&arguments.out)?;
    std::fs::create_dir_all(&out)
        .with_context(|| format!("cannot make the folder {}", arguments.out.display()))?;
    let mut rows = Vec::new();
    for person in arguments.person..arguments.person + arguments.people {
        for eye in Eye::BOTH.into_iter().filter(|eye| arguments.eye.is_none_or(|wanted| wanted == *eye)) {
            let subject = Subject::new(person, eye);
            for session in 0..arguments.sessions {
                let visit = subject.visit(session);
                for shot in 0..arguments.count {
                    rows.push(picture(&out, &visit, person, eye, session, shot)?);
                }
            }
        }
    }
    arguments.csv.as_deref().map_or(Ok(()), |path| manifest(path, &rows))
}

fn picture(out: &Path, visit: &Visit, person: u64, eye: Eye, session: u64, shot: u64) -> Result<Row> {
    let path = out.join(format!("p{person:04}-{eye}-s{session}-{shot}.png"));
    save(&path, &visit.shot(shot).frame)?;
    Ok(Row { path, person, eye: eye.to_string(), session, shot })
}

fn save(path: &Path, frame: &Frame) -> Result<()> {
    let colour = image::ExtendedColorType::L8;
    image::save_buffer_with_format(
        path,
        frame.pixels(),
        frame.width(),
        frame.height(),
        colour,
        ImageFormat::Png,
    )
    .with_context(|| format!("cannot write {}", path.display()))
}

fn manifest(path: &Path, rows: &[Row]) -> Result<()> {
    let mut writer =
        csv::Writer::from_path(path).with_context(|| format!("cannot write {}", path.display()))?;
    rows.iter().try_for_each(|row| writer.serialize(row))?;
    writer.flush().with_context(|| format!("cannot write {}", path.display()))
}

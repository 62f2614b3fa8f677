//! `orb capture`: one person, from eye to answer, to enroll or to recover.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use getrandom::SysRng;
use orb_firmware::acquisition;
use orb_firmware::camera::Camera;
use orb_firmware::camera::folder::Folder;
use orb_firmware::camera::render::Renderer;
use orb_firmware::client::{Client, Outcome};
use orb_firmware::device::{Device, firmware};
use orb_firmware::memory;
use orb_firmware::session::{Attempt, Station};
use rand_core::UnwrapErr;
use serde_json::json;
use unum_identity::envelope::Purpose;
use unum_identity::field::Commitment;

/// Whom to enroll, with what.
#[derive(clap::Args)]
#[command(
    group = clap::ArgGroup::new("source").required(true).multiple(true).args(["left", "right", "rendered"]),
    after_help = "Examples:
  orb capture --server https://enroll.example.org --device devices/bench-1 --commitment 0x1f…c4 \\
      --left a1.png a2.png a3.png --right b1.png b2.png b3.png
  orb capture --server http://127.0.0.1:8080 --device devices/bench-1 --commitment 0x1f…c4 --rendered 7
  orb capture --server http://127.0.0.1:8080 --device devices/bench-1 --commitment 0x2a…07 --rendered 7 \\
      --visit 1 --recover

Exit status: 0 enrolled or recovered, 2 an operator has to look, 3 refused, 1 anything else (nothing has happened; try again)."
)]
pub(crate) struct Arguments {
    /// The enrollment server; https, or http on this machine.
    #[arg(long, value_name = "URL")]
    server: String,
    /// Folder that `orb provision` made.
    #[arg(long, value_name = "DIR")]
    device: PathBuf,
    /// The wallet's commitment: the text of the code that it shows.
    #[arg(long, value_name = "0x…")]
    commitment: Commitment,
    /// Pictures of the left eye, at least three.
    #[arg(long, num_args = 1.., value_name = "IMAGE")]
    left: Vec<PathBuf>,
    /// Pictures of the right eye, at least three.
    #[arg(long, num_args = 1.., value_name = "IMAGE")]
    right: Vec<PathBuf>,
    /// In place of pictures: a drawn person, by number.
    #[arg(long, value_name = "SEED", conflicts_with_all = ["left", "right"])]
    rendered: Option<u64>,
    /// Which visit of the drawn person; every number gives other light, tilt and focus.
    #[arg(long, default_value_t = 0, requires = "rendered")]
    visit: u64,
    /// Recover somebody who is enrolled and has lost their wallet: the new commitment takes the old one's place.
    #[arg(long)]
    recover: bool,
    #[command(flatten)]
    finder: super::finder::Finder,
    /// Accept one eye where the other cannot be captured.
    #[arg(long)]
    one_eye: bool,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// Enrolls and prints the answer.
pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    if let Err(error) = memory::lock() {
        tracing::warn!(%error, "memory is not locked: do not use this machine for real people");
    }
    let firmware = firmware::measure_running().context("cannot measure this program")?;
    let mut station = Station {
        device: Device::open(&arguments.device, firmware)?,
        client: Client::new(&arguments.server)?,
        config: acquisition::Config {
            pipeline: arguments.finder.pipeline()?,
            one_eye: arguments.one_eye,
            ..acquisition::Config::default()
        },
    };
    let purpose = if arguments.recover { Purpose::Recover } else { Purpose::Enroll };
    let camera = &mut *camera(arguments);
    let attempt = station.attend(camera, purpose, arguments.commitment, &mut UnwrapErr(SysRng))?;
    #[expect(clippy::print_stdout, reason = "a program's answer")]
    {
        println!("{}", if arguments.json { as_json(&attempt).to_string() } else { as_text(&attempt) });
    }
    Ok(ExitCode::from(match attempt.outcome {
        Outcome::Enrolled(_) | Outcome::Recovered { .. } => 0,
        Outcome::Review => 2,
        _ => 3,
    }))
}

fn camera(arguments: &Arguments) -> Box<dyn Camera> {
    match arguments.rendered {
        Some(person) => Box::new(Renderer::new(person, arguments.visit)),
        None => Box::new(Folder::new(arguments.left.clone(), arguments.right.clone())),
    }
}

fn as_text(attempt: &Attempt) -> String {
    let answer = match &attempt.outcome {
        Outcome::Enrolled(receipt) => format!("enrolled as leaf {}", receipt.statement.leaf_index),
        Outcome::Recovered { receipt, .. } => {
            format!("recovered: the commitment is leaf {} from now on", receipt.statement.leaf_index)
        }
        Outcome::Review => "nothing is done yet: the eyes disagree, an operator has to look".to_owned(),
        Outcome::Refused(problem) => format!("refused: {problem}\n{}", advice(&problem.code)),
        _ => "an answer of a newer server".to_owned(),
    };
    let (capture, upload) = (attempt.capture.as_millis(), attempt.upload.as_millis());
    format!("{answer}\ncapture {capture} ms, upload {upload} ms")
}

/// What an operator does next.
fn advice(code: &str) -> &'static str {
    match code {
        "duplicate" => {
            "This person is enrolled already. If the wallet is lost, capture again with --recover."
        }
        "not_enrolled" => "Nobody like this person is enrolled. Enroll them, without --recover.",
        "recovered_lately" => {
            "This person has recovered lately. The detail says from when on they may again."
        }
        "commitment_known" => {
            "This wallet's commitment is in the set already. Show its status, or make a new wallet."
        }
        "recapture" => "The eyes cannot be compared well enough. Capture again, eyes wide open.",
        "nonce_used" | "nonce_unknown" | "nonce_expired" => "The session is over. Start again.",
        "consent_outdated" => "The consent text has changed. Show the new one and start again.",
        "quarantined" => "The server fails at this envelope. Start again, and tell whoever runs the server.",
        "counter_not_rising" => {
            "The server has seen a later envelope: is there a copy of this device? Revoke it."
        }
        "device_revoked" => "This device may not enroll any more. Return it to its operator.",
        "device_unknown" => "Register the device with what `orb provision` printed.",
        _ => "The code is explained in the operator's manual.",
    }
}

fn as_json(attempt: &Attempt) -> serde_json::Value {
    let outcome = match &attempt.outcome {
        Outcome::Enrolled(receipt) => json!({ "outcome": "enrolled", "receipt": receipt }),
        Outcome::Recovered { receipt, replaced } => {
            json!({ "outcome": "recovered", "receipt": receipt, "replaced": replaced })
        }
        Outcome::Review => json!({ "outcome": "review" }),
        Outcome::Refused(problem) => json!({ "outcome": "refused", "problem": problem }),
        _ => json!({ "outcome": "unknown" }),
    };
    let mut value = outcome;
    value["frames"] = json!(attempt.report.frames);
    value["capture_ms"] = json!(attempt.capture.as_millis() as u64);
    value["upload_ms"] = json!(attempt.upload.as_millis() as u64);
    value
}

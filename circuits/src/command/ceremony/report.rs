//! What a command prints about powers and parameters.

use circuits::ceremony::powers::{Attested, contribution::PowersContribution};
use circuits::ceremony::{Contribution, Kind, Parameters, Powers, Skipped, Transcript};
use serde_json::{Value, json};

/// Prints `value` as JSON, or runs `text`.
pub(super) fn print(as_json: bool, value: &Value, text: impl FnOnce()) {
    if as_json { println!("{value:#}") } else { text() }
}

pub(super) fn powers(powers: &Powers, attested: &Attested, file_hash: &str) -> Value {
    json!({
        "power": powers.power(),
        "blake2b": file_hash,
        "hermez_13": file_hash == circuits::ceremony::powers::HERMEZ_13,
        "members": attested.members,
        "beacon": attested.beacon,
        "attested_to_these_points": attested.to_these_points,
        "contributions": powers.contributions().iter().map(powers_step).collect::<Vec<_>>(),
    })
}

fn powers_step(step: &PowersContribution) -> Value {
    json!({ "name": step.name(), "kind": kind(step.kind()), "hash": step.hash(), "name_bound": step.name_is_bound() })
}

pub(super) fn parameters(parameters: &Parameters, skipped: &[Skipped]) -> Value {
    json!({
        "circuit_hash": parameters.circuit_hash(),
        "finished": parameters.finished(),
        "contributions": parameters.contributions().iter().map(step).collect::<Vec<_>>(),
        "skipped": skipped.iter().map(skip).collect::<Vec<_>>(),
    })
}

pub(super) fn transcript(transcript: &Transcript) -> Value {
    json!({
        "circuit_hash": transcript.circuit_hash(),
        "contributions": transcript.contributions().iter().map(step).collect::<Vec<_>>(),
    })
}

fn step(step: &Contribution) -> Value {
    json!({ "name": step.name(), "kind": kind(step.kind()), "hash": step.hash() })
}

fn skip(skipped: &Skipped) -> Value {
    json!({ "file": skipped.label, "reason": skipped.reason.to_string() })
}

fn kind(kind: &Kind) -> Value {
    match kind {
        Kind::Member => json!("member"),
        Kind::Beacon(source) => {
            json!({ "beacon": hex::encode(source.randomness()), "iterations": source.iterations() })
        }
    }
}

/// The chain for people to read.
pub(super) fn show(circuit_hash: &str, contributions: &[Contribution]) {
    println!("circuit  {circuit_hash}");
    for (index, step) in contributions.iter().enumerate() {
        println!("{:>7}  {}  {}", index + 1, step.hash(), describe(step.name(), step.kind()));
    }
}

pub(super) fn describe(name: Option<&str>, kind: &Kind) -> String {
    match kind {
        Kind::Member => name.unwrap_or("nameless").escape_debug().to_string(),
        Kind::Beacon(source) => {
            format!("beacon: 2^{} hashes of {}", source.iterations(), hex::encode(source.randomness()))
        }
    }
}

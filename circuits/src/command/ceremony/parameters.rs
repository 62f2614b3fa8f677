//! Phase 2, step by step.

use std::path::{Path, PathBuf};

use anyhow::Context;
use circuits::ceremony::r1cs::to_r1cs;
use circuits::ceremony::{Contribution, Parameters, Series};
use circuits::relation::Relation;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::files::{
    beacon_source, member_rng, read, read_parameters, read_powers, refuse_existing, stage, system, write_new,
};
use super::{Beacon, Contribute, develop, report};

pub(super) fn init(powers: &Path, out: &Path, json: bool) -> anyhow::Result<()> {
    refuse_existing(out)?;
    let (powers, relation) = (read_powers(powers)?, Relation::build());
    let parameters =
        stage("combining powers and circuit", || Parameters::initial(&powers, &relation, &mut system()))?;
    write_new(out, &parameters.to_zkey(&relation))?;
    report::print(json, &report::parameters(&parameters, &[]), || {
        report::show(&parameters.circuit_hash(), &[]);
    });
    Ok(())
}

pub(super) fn contribute(step: &Contribute) -> anyhow::Result<()> {
    refuse_existing(&step.to)?;
    let relation = Relation::build();
    let parameters = read_checked(&step.from, &relation)?;
    let mut rng = member_rng(step.entropy_file.as_deref())?;
    let next = stage("adding your secret", || parameters.contribute(&step.name, &mut rng))?;
    finish_step(&next, &relation, &step.to, step.json)
}

pub(super) fn beacon(step: &Beacon) -> anyhow::Result<()> {
    refuse_existing(&step.to)?;
    let (relation, source) = (Relation::build(), beacon_source(step)?);
    let parameters = read_checked(&step.from, &relation)?;
    let next = stage("drawing the beacon", || parameters.beacon(&source))?;
    finish_step(&next, &relation, &step.to, step.json)
}

/// Parameters whose contributions hold. Whether they come from the right powers is for `verify`: what is added to the
/// wrong ones is lost, but gives nothing away.
fn read_checked(path: &Path, relation: &Relation) -> anyhow::Result<Parameters> {
    let parameters = read_parameters(path, relation)?;
    stage("following the contributions", || parameters.verify_chain(&mut system()))
        .with_context(|| format!("{} cannot be continued; ask for the last good file", path.display()))?;
    Ok(parameters)
}

fn finish_step(next: &Parameters, relation: &Relation, out: &Path, json: bool) -> anyhow::Result<()> {
    write_new(out, &next.to_zkey(relation))?;
    let hash = next.contributions().last().map(Contribution::hash).unwrap_or_default();
    report::print(json, &json!({ "file": out, "hash": hash }), || {
        println!("wrote {}\nhash of this step  {hash}", out.display());
    });
    Ok(())
}

pub(super) fn verify(powers: &Path, files: &[PathBuf], json: bool) -> anyhow::Result<()> {
    let (powers, relation) = (read_powers(powers)?, Relation::build());
    let (first, rest) = files.split_first().context("no file is named")?;
    let bytes = read(first)?;
    let mut series = stage("verifying", || Series::start(&bytes, &powers, &relation, &mut system()))
        .with_context(|| format!("{} does not hold", first.display()))?;
    let style =
        ProgressStyle::with_template("{bar:40} {pos}/{len} {msg} {eta}").expect("the template is valid");
    let bar = ProgressBar::new(rest.len() as u64).with_style(style);
    for file in rest {
        let label = file.display().to_string();
        bar.set_message(label.clone());
        series.offer(&label, &read(file)?, &powers, &relation, &mut system());
        bar.inc(1);
    }
    bar.finish_and_clear();
    report::print(json, &report::parameters(&series.last, &series.skipped), || {
        report::show(&series.last.circuit_hash(), series.last.contributions());
        for skipped in &series.skipped {
            println!("skipped  {}: {}", skipped.label, skipped.reason);
        }
        println!(
            "verified: {}",
            if series.chain.finished { "finished" } else { "not finished, the beacon comes last" }
        );
    });
    Ok(())
}

pub(super) fn export(
    powers: &Path,
    file: &Path,
    keys: Option<&Path>,
    r1cs: Option<&Path>,
) -> anyhow::Result<()> {
    let (powers, relation) = (read_powers(powers)?, Relation::build());
    let parameters = read_parameters(file, &relation)?;
    stage("verifying", || parameters.verify(&powers, &relation, &mut system()))
        .with_context(|| format!("{} does not hold", file.display()))?;
    if let Some(folder) = keys {
        develop::write_folder(folder, &powers, &parameters)?;
        println!("wrote keys, transcript and powers to {}", folder.display());
    }
    if let Some(path) = r1cs {
        write_new(path, &to_r1cs(&relation))?;
        println!(
            "wrote {}\nNext: snarkjs zkey verify {} PREPARED.ptau {}",
            path.display(),
            path.display(),
            file.display()
        );
    }
    Ok(())
}

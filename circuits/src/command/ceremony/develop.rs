//! Key folders that carry their ceremony, and the one that the repository carries for development.

use std::path::Path;

use anyhow::{Context, bail};
use circuits::ceremony::step::BeaconSource;
use circuits::ceremony::{CeremonyError, Parameters, Powers, Transcript, contributor_rng};
use circuits::folder::KeyFolder;
use circuits::relation::Relation;
use rand_core::CryptoRng;
use sha2::{Digest, Sha256};

use super::files::{read, read_powers, refuse_existing, stage, system, write_new};
use super::report;

const POWERS: &str = "powers.compact";
const TRANSCRIPT: &str = "transcript";

/// Members of each phase of the development ceremony. All are this program, one after the other.
const MEMBERS: [&str; 3] = ["development 1", "development 2", "development 3"];
/// What the development beacon hashes. Not randomness: a ceremony for many takes a block hash announced beforehand.
const BEACON: &[u8] = b"Unum development ceremony: not for real use";
/// Enough to show that they are repeated by whoever verifies; more would only make the tests slower.
const ITERATIONS: u8 = 10;

/// A new folder with the keys, and what anyone needs to follow the ceremony again.
pub(super) fn write_folder(folder: &Path, powers: &Powers, parameters: &Parameters) -> anyhow::Result<()> {
    let keys = KeyFolder::create_with(folder, parameters.proving_key()?)?;
    keys.check()?;
    write_new(&folder.join(TRANSCRIPT), &Transcript::from(parameters).to_bytes())?;
    write_new(&folder.join(POWERS), &powers.to_compact())
}

/// From the powers in the folder to its keys: to the verifying key, and to the proving key if the folder has it.
pub(super) fn check(folder: &Path, json: bool) -> anyhow::Result<()> {
    let keys = KeyFolder::open(folder)
        .context("no keys there; `circuits ceremony export --keys DIR` makes a folder")?;
    let (verifying_key, relation) = (keys.verifying_key()?, Relation::build());
    let powers = read_powers(&folder.join(POWERS))?;
    let attested = stage("following phase 1", || powers.attested(&mut system()))?;
    if attested.members == 0 || !attested.beacon {
        bail!("phase 1 of the ceremony in {} is not finished", folder.display());
    }
    let transcript = Transcript::from_bytes(&read(&folder.join(TRANSCRIPT))?)?;
    let chain =
        stage("following phase 2", || transcript.verify(&verifying_key, &powers, &relation, &mut system()))?;
    let proving_key = keys.has_proving_key();
    if proving_key {
        stage("checking the proving key", || -> anyhow::Result<_> {
            keys.check()?;
            let parameters = transcript.clone().with_key(&keys.proving_key()?)?;
            Ok(parameters.verify(&powers, &relation, &mut system())?)
        })?;
    }
    let mut value = report::transcript(&transcript);
    value["keys"] = serde_json::to_value(keys.hashes())?;
    value["proving_key_checked"] = proving_key.into();
    report::print(json, &value, || {
        report::show(&transcript.circuit_hash(), transcript.contributions());
        let unchecked = if proving_key { "" } else { "  (not in the folder, not checked)" };
        println!("proving key    {}{unchecked}", keys.hashes().proving_key);
        println!("verifying key  {}", keys.hashes().verifying_key);
        println!("verified: {} members in phase 1, {} in phase 2, beacons", attested.members, chain.members);
    });
    Ok(())
}

/// Both phases in one go. Each member draws anew from the system and forgets.
pub(super) fn develop(powers: Option<&Path>, out: &Path) -> anyhow::Result<()> {
    refuse_existing(out)?;
    let relation = Relation::build();
    let beacon = BeaconSource::new(ITERATIONS, &Sha256::digest(BEACON))?;
    let powers = match powers {
        Some(path) => read_powers(path)?,
        None => stage("phase 1", || phase1(relation.describe().domain.ilog2(), &beacon))?,
    };
    let parameters = stage("phase 2", || phase2(&powers, &relation, &beacon))?;
    write_folder(out, &powers, &parameters)?;
    KeyFolder::open(out)?.pack()?;
    check(out, false)
}

fn phase1(power: u32, beacon: &BeaconSource) -> Result<Powers, CeremonyError> {
    let start = Powers::first(power)?;
    MEMBERS.iter().try_fold(start, |last, name| last.contribute(name, &mut member()))?.beacon(beacon)
}

fn phase2(powers: &Powers, relation: &Relation, beacon: &BeaconSource) -> Result<Parameters, CeremonyError> {
    let start = Parameters::initial(powers, relation, &mut system())?;
    MEMBERS.iter().try_fold(start, |last, name| last.contribute(name, &mut member()))?.beacon(beacon)
}

fn member() -> impl CryptoRng {
    contributor_rng(&mut system(), b"")
}

//! Files of a ceremony: read whole, written once and durably; and the words that a member types.

use std::fs::{self, File};
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use circuits::ceremony::step::BeaconSource;
use circuits::ceremony::{Parameters, Powers, contributor_rng};
use circuits::relation::Relation;
use indicatif::{ProgressBar, ProgressStyle};
use rand_core::{CryptoRng, UnwrapErr};
use zeroize::Zeroizing;

/// Runs `work` under a spinner that says what is being done. On a terminal only.
pub(super) fn stage<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let style = ProgressStyle::with_template("{spinner} {msg} {elapsed}").expect("the template is valid");
    let spinner = ProgressBar::new_spinner().with_style(style).with_message(what.to_owned());
    spinner.enable_steady_tick(Duration::from_millis(100));
    let done = work();
    spinner.finish_and_clear();
    done
}

pub(super) fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Powers in either form, every point checked, and checked to be powers.
pub(super) fn read_powers(path: &Path) -> anyhow::Result<Powers> {
    let bytes = read(path)?;
    let checked = stage("checking powers of tau", || {
        let powers = if bytes.starts_with(b"ptau") {
            Powers::from_ptau(&bytes)?
        } else {
            Powers::from_compact(&bytes)?
        };
        powers.check(&mut system()).map(|()| powers)
    });
    checked.with_context(|| format!("{} cannot be used", path.display()))
}

pub(super) fn read_parameters(path: &Path, relation: &Relation) -> anyhow::Result<Parameters> {
    let bytes = read(path)?;
    stage("reading parameters", || Parameters::from_zkey(&bytes, relation))
        .with_context(|| format!("{} cannot be used", path.display()))
}

/// Fails before the work and not after it, if there is something in the place where the result should go.
pub(super) fn refuse_existing(path: &Path) -> anyhow::Result<()> {
    if path.exists() {
        bail!("{} exists, and nothing is ever replaced: choose another name", path.display());
    }
    Ok(())
}

/// Writes a new file: whole or not at all, and on disk when this returns.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    let write = || -> anyhow::Result<()> {
        let mut draft = tempfile::NamedTempFile::new_in(folder)?;
        draft.write_all(bytes)?;
        draft.as_file().sync_all()?;
        make_readable(draft.as_file())?;
        draft.persist_noclobber(path)?;
        File::open(folder)?.sync_all()?;
        Ok(())
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

/// Temporary files are their owner's alone; what a ceremony makes is for everyone.
fn make_readable(file: &File) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.set_permissions(fs::Permissions::from_mode(0o644))?;
    }
    Ok(())
}

/// The operating system's generator.
pub(super) fn system() -> UnwrapErr<getrandom::SysRng> {
    UnwrapErr(getrandom::SysRng)
}

/// A member's generator: the system's randomness, and what the member adds.
pub(super) fn member_rng(entropy: Option<&Path>) -> anyhow::Result<impl CryptoRng> {
    let typed = Zeroizing::new(match entropy {
        Some(path) => read(path)?,
        None => ask()?,
    });
    Ok(contributor_rng(&mut system(), &typed))
}

fn ask() -> anyhow::Result<Vec<u8>> {
    if std::io::stdin().is_terminal() {
        eprint!("Type anything, the longer and stranger the better, then Enter: ");
    }
    let mut line = String::new();
    std::io::stdin()
        .read_line(&mut line)
        .context("cannot read what you type; --entropy-file takes a file")?;
    if line.trim().is_empty() {
        bail!("nothing was typed: type something, or name a file of your own randomness with --entropy-file");
    }
    Ok(line.into_bytes())
}

pub(super) fn beacon_source(step: &super::Beacon) -> anyhow::Result<BeaconSource> {
    let randomness =
        hex::decode(step.randomness.trim_start_matches("0x")).context("--randomness is not hex")?;
    Ok(BeaconSource::new(step.iterations, &randomness)?)
}

//! `orb provision`: a new device.

use std::path::PathBuf;

use anyhow::Result;
use getrandom::SysRng;
use orb_firmware::device;
use rand_core::UnwrapErr;

/// Where to make it.
#[derive(clap::Args)]
#[command(after_help = "Example:
  orb provision --out devices/bench-1 --label \"bench 1\" > registration.json

Prints the body with which an operator registers the device at the enrollment server. The private key stays in the
folder, readable by you alone.")]
pub(crate) struct Arguments {
    /// Folder for the key and the counter; made if it does not exist, refused if it holds a device.
    #[arg(long)]
    out: PathBuf,
    /// What operators call the device.
    #[arg(long, default_value = "unnamed")]
    label: String,
}

/// Makes the device and prints its registration.
pub(super) fn run(arguments: &Arguments) -> Result<()> {
    let registration = device::provision(&arguments.out, &arguments.label, &mut UnwrapErr(SysRng))?;
    #[expect(clippy::print_stdout, reason = "a program's answer")]
    {
        println!("{}", serde_json::to_string_pretty(&registration)?);
    }
    Ok(())
}

//! How the iris is found: the option that several subcommands have.

use std::path::PathBuf;

use anyhow::Result;
use orb_firmware::pipeline::Config;

/// The option.
#[derive(clap::Args)]
pub(super) struct Finder {
    /// Find the iris with this network (ONNX, 4 classes: eyeball, iris, pupil, lashes) rather than by its edges.
    #[arg(long, value_name = "ONNX")]
    network: Option<PathBuf>,
}

impl Finder {
    /// The pipeline that it asks for.
    pub(super) fn pipeline(&self) -> Result<Config> {
        let Some(path) = &self.network else { return Ok(Config::default()) };
        #[cfg(feature = "onnx")]
        {
            let network = orb_firmware::segment::Network::load(path)?;
            Ok(Config { segmenter: std::sync::Arc::new(network), ..Config::default() })
        }
        #[cfg(not(feature = "onnx"))]
        anyhow::bail!("{}: this program cannot run networks; build it with --features onnx", path.display())
    }
}

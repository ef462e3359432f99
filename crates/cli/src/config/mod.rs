//! The configuration file, `lakefront.toml`.

mod file;
mod mistake;
mod synced_table;
mod trigger;

pub use file::Config;

use crate::error::CliError;
use std::path::{Path, PathBuf};

/// The file that is read when none is named.
const DEFAULT_FILE: &str = "lakefront.toml";

/// A configuration and the folder that its relative paths start from.
#[derive(Debug, Default)]
pub struct Loaded {
    pub config: Config,
    pub folder: PathBuf,
    /// the file, where there is one
    pub file: Option<PathBuf>,
}

/// Reads the named file, or `lakefront.toml` where it exists.
pub fn load(named: Option<&Path>) -> Result<Loaded, CliError> {
    let path = match named {
        Some(path) => path.to_owned(),
        None if Path::new(DEFAULT_FILE).exists() => PathBuf::from(DEFAULT_FILE),
        None => return Ok(Loaded::default()),
    };
    let shown = path.display();
    let text = std::fs::read_to_string(&path).map_err(|e| {
        CliError::usage(
            format!("cannot read the configuration file {shown}: {e}"),
            "name another with --config",
        )
    })?;
    let config: Config = toml::from_str(&text)
        .map_err(|e| CliError::usage(format!("{shown}: {}", e.to_string().trim_end()), ""))?;
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    config.check().map_err(|wrong| CliError::usage(format!("{shown}: {}", wrong.message), wrong.hint))?;
    Ok(Loaded { config, folder, file: Some(path) })
}

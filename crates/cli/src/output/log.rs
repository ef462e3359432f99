//! Logging to stderr, off unless asked for.

use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Starts logging by a filter as `tracing` reads it; without one, warnings of Lakefront itself.
pub fn start(filter: Option<&str>) {
    let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
    let filter = EnvFilter::try_new(filter.unwrap_or("off,lakefront=warn,lakefront_sync=warn"))
        .unwrap_or_else(|_| EnvFilter::new("warn"));
    let format = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(colour)
        .with_writer(std::io::stderr)
        .with_target(false);
    // Only a second call in one process could fail.
    drop(format.try_init());
}

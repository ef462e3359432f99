//! Running PostgreSQL's programs.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use super::account::Account;
use super::error::EmbeddedError;

/// The variables that programs keep. The rest could change what they do (`PGDATA`, `PGPORT`,
/// `PGOPTIONS`) or what language they speak.
const KEPT: [&str; 5] = ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TZ", "SSL_CERT_FILE"];

/// A command with a clean environment, run as the server's user in a folder that everybody can
/// enter.
pub(super) fn new(account: Option<Account>, program: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .envs(KEPT.iter().filter_map(|name| std::env::var_os(name).map(|value| (name, value))))
        .env("LC_ALL", "C")
        .current_dir("/")
        .stdin(Stdio::null());
    if let Some(account) = account {
        command.uid(account.uid).gid(account.gid);
    }
    command
}

/// Runs a command to its end and gives what it printed on stdout. It is killed when the caller
/// stops waiting.
///
/// # Errors
/// [`EmbeddedError::Program`] with the end of what it printed.
pub(super) async fn run(command: Command) -> Result<String, EmbeddedError> {
    let program = Path::new(command.get_program()).to_owned();
    let failed = |output: String| EmbeddedError::Program { program: program.clone(), output };
    let mut command = tokio::process::Command::from(command);
    let output = command.kill_on_drop(true).output().await.map_err(|error| failed(error.to_string()))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(text);
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    let said = if errors.trim().is_empty() { text.trim() } else { errors.trim() };
    let last: Vec<_> = said.lines().rev().take(5).collect();
    let last: Vec<_> = last.into_iter().rev().collect();
    Err(failed(if last.is_empty() { output.status.to_string() } else { last.join("\n") }))
}

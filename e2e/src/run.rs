//! Running the binary.

use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;

/// The built binary: beside the folder of the running test.
pub fn binary() -> PathBuf {
    let test = std::env::current_exe().expect("the test's own path");
    let target = test.parent().and_then(|deps| deps.parent()).expect("target/debug/deps");
    let binary = target.join("lakefront");
    assert!(binary.exists(), "{} is not built: run the tests with `make test`", binary.display());
    binary
}

/// A command that ended.
#[derive(Debug)]
pub struct Finished {
    /// its exit code
    pub code: i32,
    /// what it printed as data
    pub stdout: String,
    /// and what it told
    pub stderr: String,
}

/// A command `lakefront` that sees nothing of this machine's own settings.
pub(crate) fn command() -> Command {
    let mut command = Command::new(binary());
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("PG") || name.starts_with("LAKEBASE_") || name == "DATABASE_URL" {
            command.env_remove(name);
        }
    }
    command
}

/// Runs `lakefront` to its end.
pub fn lakefront<S: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = S>) -> Finished {
    let output = command().args(arguments).output().expect("the binary runs");
    Finished {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).expect("UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

impl Finished {
    /// The same, if it ended with 0.
    pub fn good(self) -> Self {
        assert_eq!(self.code, 0, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    /// The document of `--json`.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|e| panic!("{e}: stdout: {}\nstderr: {}", self.stdout, self.stderr))
    }
}

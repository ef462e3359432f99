//! Running the binary.

use serde_json::Value;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

/// The user `nobody` of Debian, Ubuntu and macOS as others number it; that it has no entry here does not matter.
const NOBODY: u32 = 65534;

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

/// Whether the tests run as root, as they do in a container.
pub fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

/// A command `lakefront` of a normal user whose home is this empty folder. Needs root.
pub fn as_normal_user(home: &Path) -> Command {
    // Folders above the built binary may be closed to this user.
    let copy = home.join("lakefront");
    std::fs::copy(binary(), &copy).expect("room for the binary");
    std::fs::set_permissions(home, PermissionsExt::from_mode(0o755)).expect("own folder");
    chown(home, Some(NOBODY), Some(NOBODY)).expect("root may");
    let mut command = Command::new(copy);
    command.uid(NOBODY).gid(NOBODY).current_dir(home).env_clear();
    // What leads to the network of this machine stays.
    for (name, value) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("PIP_") || text.to_lowercase().ends_with("_proxy") {
            command.env(name, value);
        }
    }
    command.env("HOME", home).env("PATH", "/usr/local/bin:/usr/bin:/bin");
    command
}

/// A command `lakefront` that sees nothing of this machine's own settings.
pub fn command() -> Command {
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
    Finished::of(command().args(arguments))
}

impl Finished {
    /// Runs a command to its end.
    pub fn of(command: &mut Command) -> Self {
        let output = command.output().expect("the binary runs");
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }

    /// Waits for the end of a process that tells little, whose outputs are pipes.
    pub(crate) fn of_child(child: &mut Child) -> Self {
        let all = |pipe: Option<&mut dyn Read>| {
            let mut text = String::new();
            pipe.expect("a pipe").read_to_string(&mut text).expect("UTF-8");
            text
        };
        let stdout = all(child.stdout.as_mut().map(|pipe| pipe as &mut dyn Read));
        let stderr = all(child.stderr.as_mut().map(|pipe| pipe as &mut dyn Read));
        Self { code: child.wait().expect("it ends").code().unwrap_or(-1), stdout, stderr }
    }

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

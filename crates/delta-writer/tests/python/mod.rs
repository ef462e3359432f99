//! Runs the Python packages that read Delta independently of this crate.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// What `read_back.py` says of a table; `None`, said loudly, when Python or `deltalake` is missing.
pub fn read_back(table: &Path) -> Option<Value> {
    let python = std::env::var("LAKEFRONT_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let probe = Command::new(&python).args(["-c", "import deltalake, pyarrow"]).output();
    if !probe.is_ok_and(|probe| probe.status.success()) {
        eprintln!(
            "SKIPPED: {python} cannot import deltalake and pyarrow; \
             name an interpreter that can in LAKEFRONT_TEST_PYTHON"
        );
        return None;
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/read_back.py");
    let output = Command::new(&python).arg(script).arg(table).output().expect("python starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "read_back.py failed:\n{errors}");
    Some(serde_json::from_slice(&output.stdout).expect("read_back.py prints JSON"))
}

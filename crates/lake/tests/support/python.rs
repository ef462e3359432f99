//! Runs the independent readers and writers.

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What one reader says of one table: sorted rows, or why it cannot read it.
pub type Answer = Result<Vec<String>, String>;

/// A Python with deltalake, duckdb and pyarrow: `LAKEFRONT_TEST_PYTHON`, or `python3` if it has them. None, said
/// loudly, where there is none.
pub fn interpreter() -> Option<PathBuf> {
    let python = std::env::var_os("LAKEFRONT_TEST_PYTHON").map_or_else(|| "python3".into(), PathBuf::from);
    let probe = Command::new(&python).args(["-c", "import deltalake, duckdb, pyarrow"]).output();
    if probe.is_ok_and(|probe| probe.status.success()) {
        return Some(python);
    }
    eprintln!(
        "SKIPPED: {} has no deltalake, duckdb and pyarrow (LAKEFRONT_TEST_PYTHON names an interpreter that has)",
        python.display()
    );
    None
}

/// Reads tables (`path` or `path@version`) with all independent readers: answers by table and reader.
pub fn read_all(python: &Path, tables: &[String]) -> BTreeMap<String, BTreeMap<String, Answer>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/independent.py");
    let output = Command::new(python).arg(script).args(tables).output().expect("python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut answers: BTreeMap<String, BTreeMap<String, Answer>> = BTreeMap::new();
    for line in output.stdout.split(|&b| b == b'\n').filter(|line| !line.is_empty()) {
        let line: Value = serde_json::from_slice(line).expect("a line of JSON");
        let text = |key: &str| line[key].as_str().expect(key).to_owned();
        let answer = match &line["error"] {
            Value::String(error) => Err(error.clone()),
            _ => {
                let rows = line["rows"].as_array().expect("rows").iter();
                Ok(rows.map(|row| row.as_str().expect("text").to_owned()).collect())
            }
        };
        let table = match line["version"].as_u64() {
            Some(version) => format!("{}@{version}", text("table")),
            None => text("table"),
        };
        answers.entry(table).or_default().insert(text("reader"), answer);
    }
    answers
}

/// Runs a piece of Python with `folder` as its first argument.
pub fn run(python: &Path, code: &str, folder: &Path) {
    let output = Command::new(python).arg("-c").arg(code).arg(folder).output().expect("python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

//! What a table should hold, by a plain replay of its log that shares no code with Lakefront.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use tokio_postgres::Client;

/// The Python that has the packages of the tests.
pub fn python() -> String {
    std::env::var("LAKEFRONT_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned())
}

/// The collection of tables by other writers, its folder and theirs; None where it is not there.
pub fn golden_tables() -> Option<(PathBuf, Vec<PathBuf>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/delta-tables");
    if !folder.is_dir() {
        eprintln!("SKIPPED: {} is not there: no golden table was loaded", folder.display());
        return None;
    }
    let folder = folder.canonicalize().unwrap();
    let mut found = Vec::new();
    let mut open = vec![folder.clone()];
    while let Some(folder) = open.pop() {
        if folder.join("_delta_log").is_dir() {
            found.push(folder);
            continue;
        }
        open.extend(std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir()));
    }
    found.sort();
    Some((folder, found))
}

/// The newest version of each table: `{"table", "columns", "rows"}`, or `{"table", "error"}`. Values are the texts that
/// PostgreSQL's own input functions read.
pub fn replay(tables: &[PathBuf]) -> Vec<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/expected.py");
    let output = Command::new(python()).arg(script).args(tables).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{} with pyarrow is needed (`make test` makes one): {told}", python());
    String::from_utf8(output.stdout).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

/// Rows that only the copy or only the replay has, compared as text, which tells -0 from 0 and 1.0 from 1. `copy` is
/// the table's SQL name; the client's time zone must be UTC.
pub async fn differing(client: &Client, copy: &str, answer: &Value) -> Vec<String> {
    let columns = answer["columns"].as_array().unwrap_or_else(|| panic!("{answer}"));
    let names: Vec<String> =
        columns.iter().map(|c| format!("\"{}\"", c.as_str().unwrap().replace('"', "\"\""))).collect();
    let names = names.join(", ");
    let make = format!(
        "DROP TABLE IF EXISTS pg_temp.expected; CREATE TEMP TABLE expected AS SELECT {names} FROM {copy} LIMIT 0"
    );
    client.batch_execute(&make).await.unwrap_or_else(|e| panic!("{make}: {e:?}"));
    // Row by row, so that each literal takes its column's type; many of them in one go.
    let insert = |row: &Value| {
        let literals: Vec<String> = row.as_array().unwrap().iter().map(literal).collect();
        format!("INSERT INTO expected VALUES ({})", literals.join(", "))
    };
    for rows in answer["rows"].as_array().unwrap().chunks(100) {
        let inserts = rows.iter().map(insert).collect::<Vec<_>>().join(";\n");
        client.batch_execute(&inserts).await.unwrap_or_else(|e| panic!("{inserts}: {e:?}"));
    }
    let side = |kind: &str, a: &str, b: &str| {
        format!(
            "(SELECT '{kind} ' || t::text FROM (SELECT {names} FROM {a}) AS t EXCEPT ALL SELECT '{kind} ' || t::text FROM (SELECT {names} FROM {b}) AS t)"
        )
    };
    let sql = format!(
        "{} UNION ALL {} LIMIT 6",
        side("surplus", copy, "expected"),
        side("missing", "expected", copy)
    );
    client.query(&sql, &[]).await.unwrap().iter().map(|r| r.get(0)).collect()
}

fn literal(value: &Value) -> String {
    match value.as_str() {
        None => "NULL".to_owned(),
        Some(text) => format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''")),
    }
}

/// Copies a table's folder.
pub fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(|e| e.unwrap()) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

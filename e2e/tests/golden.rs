//! Tables by other writers, loaded with the binary: PostgreSQL holds what a plain replay of their logs holds.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use lakefront_e2e::lakefront;
use lakefront_testkit::TestDatabase;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use tokio_postgres::Client;

/// Tables that must end in a clear error: their condition and what the message names.
const REFUSED: [(&str, &str, &str); 4] = [
    ("table-with-geo", "UNSUPPORTED_TYPE", "geom"),
    ("crc-malformed", "SOURCE_READ_ERROR", "damaged"),
    ("app-txn-with-last-updated", "SOURCE_READ_ERROR", "is gone"),
    ("with_checkpoint_no_last_checkpoint", "SOURCE_READ_ERROR", "is gone"),
];

/// Their values have no independent JSON text: only their number is compared.
const COUNTED: [&str; 1] = ["unshredded-variant"];

fn collection() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/delta-tables");
    if folder.is_dir() {
        return Some(folder.canonicalize().unwrap());
    }
    eprintln!("SKIPPED: {} is not there: no golden table was loaded", folder.display());
    None
}

fn tables(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        if folder.join("_delta_log").is_dir() {
            found.push(folder);
            continue;
        }
        open.extend(std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir()));
    }
    found.sort();
    found
}

fn expected(tables: &[PathBuf]) -> Vec<Value> {
    let python = std::env::var("LAKEFRONT_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/expected.py");
    let output = Command::new(&python).arg(script).args(tables).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{python} with pyarrow is needed (`make test` makes one): {told}");
    String::from_utf8(output.stdout).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_copy_equals_a_plain_replay() {
    let Some(folder) = collection() else { return };
    let database = TestDatabase::create().await;
    let client = database.client().await;
    client.batch_execute("SET TimeZone = 'UTC'; CREATE SCHEMA expected").await.unwrap();
    let tables = tables(&folder);
    assert!(tables.len() >= 50);
    let mut compared = 0;
    for (place, answer) in expected(&tables).iter().enumerate() {
        let source = tables[place].display().to_string();
        let short = tables[place].strip_prefix(&folder).unwrap().display().to_string();
        let (into, url) = (format!("golden.t{place}"), database.url());
        let loaded = lakefront(["load", &source, "--into", &into, "--database", &url, "--json"]);
        if let Some((_, condition, named)) = REFUSED.iter().find(|(name, ..)| *name == short) {
            let error = loaded.json()["error"].clone();
            assert_eq!((loaded.code, error["condition"].as_str()), (1, Some(*condition)), "{short}");
            assert!(error["message"].as_str().unwrap().contains(named), "{short}: {error}");
            continue;
        }
        let report = loaded.good().json();
        let rows = answer["rows"].as_array().unwrap_or_else(|| panic!("{short}: {answer}"));
        assert_eq!(report["rows"], rows.len(), "{short}");
        if !COUNTED.contains(&short.as_str()) {
            fill(&client, place, answer["columns"].as_array().unwrap(), rows).await;
            assert_eq!(differing(&client, place).await, Vec::<String>::new(), "{short}");
            compared += 1;
        }
    }
    assert!(compared >= 45, "{compared} tables were compared");
}

/// A table of the copy's shape with the expected rows, read by PostgreSQL's own input functions.
async fn fill(client: &Client, place: usize, columns: &[Value], rows: &[Value]) {
    client.batch_execute(&format!("CREATE TABLE expected.t{place} (LIKE golden.t{place})")).await.unwrap();
    let names: Vec<String> =
        columns.iter().map(|c| format!("\"{}\"", c.as_str().unwrap().replace('"', "\"\""))).collect();
    for row in rows {
        let literals: Vec<String> = row.as_array().unwrap().iter().map(literal).collect();
        let insert =
            format!("INSERT INTO expected.t{place} ({}) VALUES ({})", names.join(", "), literals.join(", "));
        client.batch_execute(&insert).await.unwrap_or_else(|e| panic!("{insert}: {e:?}"));
    }
}

fn literal(value: &Value) -> String {
    match value.as_str() {
        None => "NULL".to_owned(),
        Some(text) => format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''")),
    }
}

/// Rows that only one of the two has, compared as text, which tells -0 from 0 and 1.0 from 1.
async fn differing(client: &Client, place: usize) -> Vec<String> {
    let side = |a: &str, b: &str| {
        format!(
            "(SELECT '{a} ' || t::text FROM {a}.t{place} AS t EXCEPT ALL SELECT '{a} ' || t::text FROM {b}.t{place} AS t)"
        )
    };
    let sql = format!("{} UNION ALL {} LIMIT 6", side("golden", "expected"), side("expected", "golden"));
    client.query(&sql, &[]).await.unwrap().iter().map(|r| r.get(0)).collect()
}

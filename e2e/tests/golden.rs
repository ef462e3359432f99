//! Tables by other writers, loaded with the binary: PostgreSQL holds what a plain replay of their logs holds.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use lakefront_e2e::{differing, golden_tables, lakefront, replay};
use lakefront_testkit::TestDatabase;

/// Tables that must end in a clear error: their condition and what the message names.
const REFUSED: [(&str, &str, &str); 4] = [
    ("table-with-geo", "UNSUPPORTED_TYPE", "geom"),
    ("crc-malformed", "SOURCE_READ_ERROR", "damaged"),
    ("app-txn-with-last-updated", "SOURCE_READ_ERROR", "is gone"),
    ("with_checkpoint_no_last_checkpoint", "SOURCE_READ_ERROR", "is gone"),
];

/// Their values have no independent JSON text: only their number is compared.
const COUNTED: [&str; 1] = ["unshredded-variant"];

#[tokio::test(flavor = "multi_thread")]
async fn the_copy_equals_a_plain_replay() {
    let Some((folder, tables)) = golden_tables() else { return };
    let database = TestDatabase::create().await;
    let client = database.client().await;
    client.batch_execute("SET TimeZone = 'UTC'").await.unwrap();
    assert!(tables.len() >= 50);
    let mut compared = 0;
    for (place, answer) in replay(&tables).iter().enumerate() {
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
            assert_eq!(differing(&client, &into, answer).await, Vec::<String>::new(), "{short}");
            compared += 1;
        }
    }
    assert!(compared >= 45, "{compared} tables were compared");
}

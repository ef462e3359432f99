//! Commits that the protocol allows and few writers make, written by hand.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use arrow_array::{Int64Array, RecordBatch, StringArray};
use lakefront_delta_writer::{DeltaTable, Operation, TableSpec};
use lakefront_e2e::{ShopTable, copy_folder, lakefront};
use lakefront_testkit::TestDatabase;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::sync::Arc;

fn commit_file(table: &Path, version: u64) -> std::path::PathBuf {
    table.join(format!("_delta_log/{version:020}.json"))
}

/// The action of one kind that a commit has.
fn action(table: &Path, version: u64, kind: &str) -> Value {
    let text = fs::read_to_string(commit_file(table, version)).unwrap();
    let actions = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    actions.filter_map(|action| action.get(kind).cloned()).next().unwrap()
}

fn commit(table: &Path, version: u64, actions: &[Value]) {
    let lines: Vec<String> = actions.iter().map(Value::to_string).collect();
    fs::write(commit_file(table, version), lines.join("\n")).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_added_again_goes_with_its_rows() {
    for shop in [ShopTable::with_rows(100), ShopTable::without_feed(100)] {
        let mut shop = shop;
        let database = TestDatabase::create().await;
        let (url, table) = (database.url(), shop.path());
        shop.append((101..=150).map(Some));
        let source = table.display().to_string();
        lakefront(["load", &source, "--into", "shop.products", "--key", "product_id", "--database", &url])
            .good();

        let version = shop.version();
        let mut again = action(&table, version, "add");
        again["tags"] = json!({"statistics": "new"});
        let path = again["path"].clone();
        commit(&table, version + 1, &[json!({"add": again})]);
        let removed =
            json!({"path": path, "dataChange": true, "deletionTimestamp": 1, "partitionValues": {}});
        commit(&table, version + 2, &[json!({"remove": removed})]);

        let refresh = ["refresh", "shop.products", "--database", &url, "--json"];
        let report = lakefront(refresh).good().json();
        assert_eq!((&report["refresh"], &report["rows"]), (&json!("full"), &json!(100)), "{report}");
        assert!(report["reason"].as_str().unwrap().contains("added again"), "{report}");
        lakefront(["verify", "shop.products", "--database", &url]).good();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_came_and_went_are_no_reason_to_copy_everything() {
    let database = TestDatabase::create().await;
    let url = database.url();
    let mut shop = ShopTable::without_feed(100);
    let source = shop.path().display().to_string();
    lakefront(["load", &source, "--into", "shop.products", "--key", "product_id", "--database", &url]).good();
    shop.append((101..=150).map(Some));
    shop.reprice(101..=110, 5);
    shop.delete(111..=150);
    let report = lakefront(["refresh", "shop.products", "--database", &url, "--json"]).good().json();
    assert_eq!((&report["refresh"], &report["inserted"]), (&json!("incremental"), &json!(10)), "{report}");
    lakefront(["verify", "shop.products", "--database", &url]).good();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_column_overrules_one_that_a_user_added() {
    let database = TestDatabase::create().await;
    let url = database.url();
    let shop = ShopTable::with_rows(100);
    let table = shop.path();
    let source = table.display().to_string();
    lakefront(["load", &source, "--into", "shop.products", "--key", "product_id", "--database", &url]).good();
    let client = database.client().await;
    let own = "ALTER TABLE shop.products ADD COLUMN note text; UPDATE shop.products SET note = 'of the user'";
    client.batch_execute(own).await.unwrap();

    let mut metadata = action(&table, 0, "metaData");
    let mut schema: Value = serde_json::from_str(metadata["schemaString"].as_str().unwrap()).unwrap();
    let note = json!({"name": "note", "type": "string", "nullable": true, "metadata": {}});
    schema["fields"].as_array_mut().unwrap().push(note);
    metadata["schemaString"] = json!(schema.to_string());
    commit(&table, shop.version() + 1, &[json!({"metaData": metadata})]);
    let refresh = ["refresh", "shop.products", "--database", &url, "--json"];
    let report = lakefront(refresh).good().json();
    assert!(report["reason"].as_str().unwrap().contains("had already"), "{report}");
    lakefront(["verify", "shop.products", "--database", &url]).good();
    assert_eq!(lakefront(refresh).good().json()["refresh"], "none");
}

/// A copy of a folder is another table with the same id.
#[tokio::test(flavor = "multi_thread")]
async fn another_place_is_another_source() {
    let database = TestDatabase::create().await;
    let url = database.url();
    let mut shop = ShopTable::with_rows(100);
    let scratch = tempfile::tempdir().unwrap();
    let other = scratch.path().join("products");
    copy_folder(&shop.path(), &other);
    let version = shop.version();
    shop.append((101..=150).map(Some));
    let load = |source: &Path| {
        let source = source.display().to_string();
        let into = ["load", &source, "--into", "shop.products", "--key", "product_id", "--database", &url];
        lakefront(into.into_iter().chain(["--json"])).good().json()
    };
    load(&shop.path());
    let path = action(&other, version, "add")["path"].clone();
    commit(&other, version + 1, &[json!({"remove": {"path": path, "dataChange": true}})]);
    let report = load(&other);
    assert_eq!((&report["refresh"], &report["rows"]), (&json!("full"), &json!(0)), "{report}");
    assert!(report["reason"].as_str().unwrap().contains("another place"), "{report}");
    assert_eq!(load(&other)["refresh"], "none");
}

/// Where the change data feed is off, a table may have a column of the name that change data files need.
#[tokio::test(flavor = "multi_thread")]
async fn a_column_may_have_a_name_of_the_feed() {
    let database = TestDatabase::create().await;
    let url = database.url();
    let scratch = tempfile::tempdir().unwrap();
    let rows = |ids: Vec<i64>| {
        let texts = StringArray::from_iter_values(ids.iter().map(|id| format!("change {id}")));
        RecordBatch::try_from_iter([
            ("id", Arc::new(Int64Array::from(ids)) as _),
            ("_change_type", Arc::new(texts) as _),
        ])
        .unwrap()
    };
    let spec = TableSpec::new(rows(vec![1]).schema());
    let mut table = DeltaTable::create(scratch.path().join("changes"), spec).unwrap();
    table.commit(Operation::Append(vec![rows(vec![1, 2])])).unwrap();
    let source = scratch.path().join("changes").display().to_string();
    lakefront(["load", &source, "--into", "shop.changes", "--key", "id", "--database", &url]).good();
    table.commit(Operation::Append(vec![rows(vec![3])])).unwrap();
    let report = lakefront(["refresh", "shop.changes", "--database", &url, "--json"]).good().json();
    assert_eq!((&report["refresh"], &report["inserted"]), (&json!("incremental"), &json!(1)), "{report}");
    lakefront(["verify", "shop.changes", "--database", &url]).good();
}

/// Names that Lakefront's own statements use are free for columns.
#[tokio::test(flavor = "multi_thread")]
async fn columns_may_have_any_name() {
    let database = TestDatabase::create().await;
    let url = database.url();
    let scratch = tempfile::tempdir().unwrap();
    let names = ["id", "t", "s", "d", "l", "r", "n", "row", "old", "new", "reason", "old_place", "new_place"];
    let rows = |round: i64, ids: &[i64]| {
        let column = |place: usize| match place {
            0 => Int64Array::from(ids.to_vec()),
            _ => ids.iter().map(|id| Some(id * 10 + round + place as i64)).collect(),
        };
        let columns = names.iter().enumerate().map(|(place, name)| (*name, Arc::new(column(place)) as _));
        RecordBatch::try_from_iter(columns).unwrap()
    };
    let spec = TableSpec::new(rows(0, &[1]).schema());
    let mut table = DeltaTable::create(scratch.path().join("names"), spec).unwrap();
    table.commit(Operation::Append(vec![rows(0, &[1, 2, 2, 3])])).unwrap();
    let source = scratch.path().join("names").display().to_string();
    let file = scratch.path().join("lakefront.toml");
    let text = format!(
        "[[synced_tables]]\nname = \"shop.names\"\nsource = {source:?}\nprimary_key = [\"id\"]\nduplicate_key = \"quarantine\"\n"
    );
    fs::write(&file, text).unwrap();
    let file = file.display().to_string();
    let run = |words: &[&str]| {
        lakefront(words.iter().copied().chain(["--database", &url, "--config", &file, "--json"]))
            .good()
            .json()
    };
    assert_eq!(run(&["refresh", "shop.names"])["quarantined"], 2);
    let client = database.client().await;
    let whole = "SELECT count(*) FROM lakefront.quarantine WHERE (source_row::jsonb->>'t')::int IN (21, 22)";
    assert_eq!(client.query_one(whole, &[]).await.unwrap().get::<_, i64>(0), 2);
    table.commit(Operation::Append(vec![rows(1, &[4, 5])])).unwrap();
    assert_eq!(run(&["refresh", "shop.names"])["inserted"], 2);
    run(&["refresh", "shop.names", "--full"]);
    run(&["verify", "shop.names"]);
}

//! Commits that the protocol allows and few writers make, written by hand.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use arrow_array::{Int64Array, RecordBatch, StringArray};
use lakefront_delta_writer::{DeltaTable, Operation, TableSpec};
use lakefront_e2e::{Finished, Follow, ShopTable, copy_folder, lakefront, until};
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
        shop.load(&url);

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
    shop.load(&url);
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
    shop.load(&url);
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

/// A writer that makes a commit's file first and fills it later, as by hand or over some network disks.
#[tokio::test(flavor = "multi_thread")]
async fn a_commit_counts_when_it_is_written() {
    let database = TestDatabase::create().await;
    let (url, client) = (database.url(), database.client().await);
    let mut shop = ShopTable::without_feed(100);
    let table = shop.path();
    shop.append((101..=150).map(Some));
    let (version, file) = (shop.version(), commit_file(&table, shop.version()));
    let written = fs::read_to_string(&file).unwrap();
    fs::write(&file, "").unwrap();
    let follow = Follow::start(&table, "shop.products", "product_id", &url);
    until("the copy", &client, "SELECT count(*) = 100 FROM shop.products").await;
    fs::write(&file, &written).unwrap();
    until("the commit", &client, "SELECT count(*) = 150 FROM shop.products").await;
    drop(follow);

    // Its last action comes late, after a first one was read and applied.
    let (info, rest) = written.split_once('\n').unwrap();
    let again = rest.replace("\"add\"", "\"remove\"");
    let next = commit_file(&table, version + 1);
    fs::write(&next, format!("{info}\n")).unwrap();
    let refresh = ["refresh", "shop.products", "--database", &url, "--json"];
    assert_eq!(lakefront(refresh).good().json()["rows"], 150);
    fs::write(&next, format!("{info}\n{again}")).unwrap();
    let report = lakefront(refresh).good().json();
    assert_eq!((&report["refresh"], &report["rows"]), (&json!("full"), &json!(100)), "{report}");
    assert!(report["reason"].as_str().unwrap().contains("written again"), "{report}");
    assert_eq!(lakefront(refresh).good().json()["refresh"], "none");
    lakefront(["verify", "shop.products", "--database", &url]).good();
}

/// A table whose columns the source promises to fill, as its declaration asks for in the copy.
#[tokio::test(flavor = "multi_thread")]
async fn null_is_allowed_when_the_source_allows_it() {
    let database = TestDatabase::create().await;
    let url = database.url();
    let shop = ShopTable::with_rows(100);
    let table = shop.path();
    let nullable = |version: u64, is: bool| {
        let mut metadata = action(&table, 0, "metaData");
        let mut schema: Value = serde_json::from_str(metadata["schemaString"].as_str().unwrap()).unwrap();
        schema["fields"][2]["nullable"] = json!(is);
        metadata["schemaString"] = json!(schema.to_string());
        commit(&table, version, &[json!({"metaData": metadata})]);
    };
    let version = shop.version();
    nullable(version + 1, false);
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("lakefront.toml").display().to_string();
    let source = table.display();
    let text = format!(
        "[[synced_tables]]\nname = \"shop.products\"\nsource = \"{source}\"\nprimary_key = [\"product_id\"]\nnot_null = \"source\"\n"
    );
    fs::write(&file, text).unwrap();
    let refresh = ["refresh", "shop.products", "--database", &url, "--config", &file, "--json"];
    lakefront(refresh).good();
    let client = database.client().await;
    let clear = "UPDATE shop.products SET price = NULL WHERE product_id = 1";
    assert!(client.batch_execute(clear).await.is_err(), "the price is NOT NULL");
    nullable(version + 2, true);
    assert_eq!(lakefront(refresh).good().json()["refresh"], "incremental");
    client.batch_execute(clear).await.unwrap();
    drop(shop);
}

/// Rows are set aside while others are copied; where that fails the refresh fails, and does not wait for ever.
#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_ends_when_rows_cannot_be_set_aside() {
    let database = TestDatabase::create().await;
    let (url, client) = (database.url(), database.client().await);
    let mut shop = ShopTable::with_rows(10);
    shop.append((0..20_000).map(|_| None));
    client
        .batch_execute(
            "CREATE FUNCTION public.shut() RETURNS event_trigger LANGUAGE plpgsql AS $$
             DECLARE made record;
             BEGIN
                 FOR made IN SELECT * FROM pg_event_trigger_ddl_commands() WHERE object_identity LIKE 'lakefront.%rejected' LOOP
                     EXECUTE format('ALTER TABLE %s ADD CHECK (false)', made.object_identity);
                 END LOOP;
             END $$;
             CREATE EVENT TRIGGER shut ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION public.shut()",
        )
        .await
        .unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("lakefront.toml").display().to_string();
    let text = format!(
        "[[synced_tables]]\nname = \"shop.products\"\nsource = \"{}\"\nprimary_key = [\"product_id\"]\nnull_key = \"quarantine\"\n",
        shop.path().display()
    );
    fs::write(&file, text).unwrap();
    let mut refresh = std::process::Command::new("timeout");
    refresh.arg("60").arg(lakefront_e2e::binary());
    let ended = Finished::of(refresh.args([
        "refresh",
        "shop.products",
        "--database",
        &url,
        "--config",
        &file,
        "--json",
    ]));
    assert_eq!(ended.code, 1, "124 says that it had to be ended: {}", ended.stdout);
    assert!(ended.json()["error"]["message"].is_string());
}

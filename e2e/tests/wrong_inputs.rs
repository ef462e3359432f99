//! What a user on a bad day reads.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use lakefront_e2e::{Finished, ShopTable, lakefront};
use lakefront_testkit::TestDatabase;

/// What was told, with what differs from run to run left out.
fn told(finished: &Finished, folder: &str) -> String {
    assert!(finished.stdout.is_empty(), "data on stdout: {}", finished.stdout);
    let text = finished.stderr.replace(folder, "LAKE");
    format!("exit code {}\n{}", finished.code, text.trim_end())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_wrong_input_has_its_message() {
    let database = TestDatabase::create().await;
    let url = database.url();
    let mut shop = ShopTable::with_rows(10);
    shop.append([None, None, Some(3)]);
    let source = shop.path().display().to_string();
    let folder = shop.path().parent().unwrap().display().to_string();
    std::fs::create_dir(format!("{folder}/parquet")).unwrap();
    std::fs::write(format!("{folder}/parquet/part-0.parquet"), b"PAR1").unwrap();
    std::fs::create_dir(format!("{folder}/empty")).unwrap();
    let missing = format!("{folder}/nothing");
    let (parquet, empty) = (format!("{folder}/parquet"), format!("{folder}/empty"));
    let into = ["--into", "shop.products", "--database", url.as_str()];
    let run = |source: &str, more: &[&str]| {
        let mut arguments = vec!["load", source];
        arguments.extend(into);
        arguments.extend(more);
        told(&lakefront(arguments), &folder)
    };
    insta::assert_snapshot!("missing_table", run(&missing, &["--key", "product_id"]));
    insta::assert_snapshot!("not_a_delta_table", run(&parquet, &["--key", "product_id"]));
    insta::assert_snapshot!("empty_folder", run(&empty, &["--key", "product_id"]));
    insta::assert_snapshot!("unknown_key", run(&source, &["--key", "sku"]));
    insta::assert_snapshot!("null_key", run(&source, &["--key", "product_id"]));
    insta::assert_snapshot!("override_of_a_wrong_type", run(&source, &["--override", "name=vector:512"]));
    insta::assert_snapshot!("override_without_size", run(&source, &["--override", "name=varchar"]));
    insta::assert_snapshot!("override_of_no_column", run(&source, &["--override", "nope=varchar:3"]));
    let clean = ShopTable::with_rows(10);
    let too_long =
        run(&clean.path().display().to_string(), &["--key", "product_id", "--override", "name=varchar:9"]);
    insta::assert_snapshot!("varchar_too_short", too_long);
    let unknown = lakefront(["refresh", "shop.nothing", "--database", &url]);
    insta::assert_snapshot!("unknown_synced_table", told(&unknown, &folder));
}

#[test]
fn an_unreachable_server_is_named() {
    let shop = ShopTable::with_rows(1);
    let source = shop.path().display().to_string();
    // Port 1 is tcpmux, which no machine of today serves.
    let url = "postgres://someone:secret@127.0.0.1:1/db";
    let finished = lakefront(["load", &source, "--into", "a.b", "--key", "product_id", "--database", url]);
    let text = told(&finished, &source);
    assert!(!text.contains("secret"), "{text}");
    insta::assert_snapshot!("unreachable_server", text);
    let finished = lakefront(["load", &source, "--into", "a.b", "--database", url, "--json"]);
    assert_eq!(finished.json()["error"]["condition"], "CONNECTION_ERROR");
}

#[test]
fn wrong_usage_ends_with_2() {
    assert_eq!(lakefront(["load", "x", "--into", "only_a_table"]).code, 2);
    assert_eq!(lakefront(["load", "x"]).code, 2);
    assert_eq!(lakefront(["refresh"]).code, 2);
    assert_eq!(lakefront(["status", "--database", "mysql://x"]).code, 2);
    let finished = lakefront(["status", "--config", "/nonexistent/lakefront.toml"]);
    assert_eq!(finished.code, 2);
    insta::assert_snapshot!("no_such_configuration", told(&finished, "/nonexistent"));
}

#[test]
fn what_is_mistyped_is_told_as_a_document_too() {
    for words in [vec!["refresh"], vec!["load"], vec!["status", "--wtach"], vec!["nothing"]] {
        let finished = lakefront(words.iter().chain(&["--json"]));
        assert_eq!(finished.code, 2, "{words:?}: {}", finished.stderr);
        let error = &finished.json()["error"];
        assert_eq!(error["condition"], "INVALID_PARAMETER_VALUE", "{words:?}");
        assert!(
            !error["message"].as_str().unwrap().is_empty() && !error["hint"].as_str().unwrap().is_empty()
        );
    }
    assert!(lakefront(["refresh", "--json", "--help"]).good().stdout.contains("Usage:"));
}

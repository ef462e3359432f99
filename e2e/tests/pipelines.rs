//! Atomic pipelines: their tables become visible together, as their sources were at one moment.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use lakefront_e2e::{Serve, ShopTable, command, lakefront, until};
use lakefront_testkit::TestDatabase;
use serde_json::json;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;
use tokio::runtime::Handle;
use tokio_postgres::{Client, IsolationLevel};

/// Two tables of one pipeline: what the shop sells, and one row for each of them besides.
struct Pipeline {
    folder: tempfile::TempDir,
    products: ShopTable,
    details: ShopTable,
}

impl Pipeline {
    fn of(rows: i64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder, products: ShopTable::with_rows(rows), details: ShopTable::with_rows(rows) }
    }

    /// A configuration for a database, with more lines for each table.
    fn configuration(&self, url: &str, more: &str) -> String {
        let table = |name: &str, source: &Path| {
            format!(
                "[[synced_tables]]\nname = \"shop.{name}\"\nsource = \"{}\"\nprimary_key = [\"product_id\"]\npipeline = \"shop\"\n{more}\n",
                source.display()
            )
        };
        let (products, details) = (self.products.path(), self.details.path());
        let text = format!(
            "[database]\nurl = \"{url}\"\n{}{}[pipelines.shop]\natomic = true\n",
            table("products", &products),
            table("details", &details)
        );
        let file = self.folder.path().join("lakefront.toml");
        std::fs::write(&file, text).unwrap();
        file.display().to_string()
    }

    /// Products with their details, which come first, as whoever writes two tables for readers of both does.
    fn append(&mut self, ids: std::ops::Range<i64>) {
        self.details.append(ids.clone().map(Some));
        self.products.append(ids.map(Some));
    }
}

/// Products without details, in a single statement and then in two within one snapshot.
async fn torn(client: &mut Client) -> i64 {
    let lonely = "SELECT count(*) FROM shop.products AS p WHERE NOT EXISTS (SELECT FROM shop.details AS d WHERE d.product_id = p.product_id)";
    let at_once: i64 = client.query_one(lonely, &[]).await.unwrap().get(0);
    let read = client.build_transaction().isolation_level(IsolationLevel::RepeatableRead).read_only(true);
    let txn = read.start().await.unwrap();
    let products: i64 = txn.query_one("SELECT count(*) FROM shop.products", &[]).await.unwrap().get(0);
    let details: i64 = txn.query_one("SELECT count(*) FROM shop.details", &[]).await.unwrap().get(0);
    txn.commit().await.unwrap();
    at_once + (products - details).max(0)
}

async fn versions(client: &Client) -> Vec<Option<i64>> {
    let sql = "SELECT version FROM lakefront.synced_tables ORDER BY table_name";
    client.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_name_refreshes_all_of_its_tables() {
    let database = TestDatabase::create().await;
    let url = database.url();
    let mut pipeline = Pipeline::of(100);
    let file = pipeline.configuration(&url, "");
    let refresh = ["refresh", "shop.products", "--config", &file, "--json"];
    let reports = lakefront(refresh).good().json();
    let ways = |reports: &serde_json::Value| {
        let list = reports.as_array().unwrap().iter();
        list.map(|r| format!("{} {}", r["table"].as_str().unwrap(), r["refresh"].as_str().unwrap()))
            .collect::<Vec<_>>()
    };
    assert_eq!(ways(&reports), ["shop.products full", "shop.details full"]);
    // The first copies became visible in one transaction.
    let client = database.client().await;
    let sql = "SELECT count(DISTINCT xmin::text) FROM lakefront.synced_tables";
    assert_eq!(client.query_one(sql, &[]).await.unwrap().get::<_, i64>(0), 1);

    pipeline.append(101..111);
    let reports = lakefront(refresh).good().json();
    assert_eq!(ways(&reports), ["shop.products incremental", "shop.details incremental"]);
    assert_eq!((&reports[0]["inserted"], &reports[1]["inserted"]), (&json!(10), &json!(10)));
    pipeline.details.reprice(1..=5, 3);
    assert_eq!(ways(&lakefront(refresh).good().json()), ["shop.products none", "shop.details incremental"]);
    let full = [refresh.as_slice(), &["--full"]].concat();
    assert_eq!(ways(&lakefront(full).good().json()), ["shop.products full", "shop.details full"]);
    let status = lakefront(["status", "--config", &file, "--json"]).good().json();
    assert_eq!(status[0]["pipeline"], json!({"name": "shop", "atomic": true}));
    lakefront(["verify", "--all", "--config", &file]).good();
}

#[tokio::test(flavor = "multi_thread")]
async fn no_reader_sees_a_product_without_its_details() {
    let database = TestDatabase::create().await;
    let url = database.url();
    let mut pipeline = Pipeline::of(1_000);
    let file = pipeline.configuration(&url, "scheduling_policy = \"CONTINUOUS\"");
    lakefront(["refresh", "--all", "--config", &file]).good();
    let serve = Serve::start(Path::new(&file));
    let mut reader = database.client().await;
    let stop = AtomicBool::new(false);
    let mut looks = 0;
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut next = 1_001;
            while !stop.load(Ordering::Relaxed) {
                pipeline.append(next..next + 20);
                next += 20;
            }
        });
        tokio::task::block_in_place(|| {
            Handle::current().block_on(async {
                let begun = versions(&reader).await;
                let both_moved = |now: &[Option<i64>]| {
                    now.iter().zip(&begun).all(|(now, begun)| now.unwrap() >= begun.unwrap() + 25)
                };
                let start = Instant::now();
                while !both_moved(&versions(&reader).await) {
                    looks += 1;
                    assert_eq!(torn(&mut reader).await, 0);
                    assert!(start.elapsed().as_secs() < 60, "the tables do not move");
                }
            });
        });
        stop.store(true, Ordering::Relaxed);
        writer.join().unwrap();
    });
    let newest = format!(
        "SELECT array_agg(version ORDER BY table_name) = ARRAY[{}, {}]::bigint[] FROM lakefront.synced_tables",
        pipeline.details.version(),
        pipeline.products.version()
    );
    until("the newest versions of both tables", &reader, &newest).await;
    assert_eq!(serve.stop(), 0);
    assert!(looks > 10, "only {looks} looks");
    lakefront(["verify", "--all", "--config", &file]).good();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_fails_holds_the_others_back() {
    let database = TestDatabase::create().await;
    let url = database.url();
    let mut pipeline = Pipeline::of(100);
    let file = pipeline.configuration(&url, "");
    let refresh = ["refresh", "--all", "--config", &file, "--json"];
    lakefront(refresh).good();
    let client = database.client().await;
    let before = versions(&client).await;

    pipeline.append(101..111);
    pipeline.details.append([Some(7)]);
    let failed = lakefront(refresh);
    assert_eq!(failed.code, 1);
    // Known to the ledger by now, they come in the order of their names.
    let errors = failed.json();
    assert_eq!(errors[0]["error"]["condition"], "PRIMARY_KEY_CONSTRAINT_VIOLATION");
    let held = errors[1]["error"]["message"].as_str().unwrap();
    assert!(held.contains("held back, since shop.details of the same pipeline failed"), "{held}");
    assert_eq!(versions(&client).await, before);
    let status = lakefront(["status", "--config", &file, "--json"]).good().json();
    for (place, said) in [(0, "is not unique"), (1, "held back, since shop.details")] {
        let message = status[place]["message"].as_str().unwrap();
        assert!(message.contains(said), "{message}");
        assert_eq!(status[place]["state"], "SYNCED_TABLE_ONLINE_PIPELINE_FAILED");
    }

    pipeline.details.delete([7]);
    lakefront(refresh).good();
    let status = lakefront(["status", "--config", &file, "--json"]).good().json();
    assert_eq!((&status[0]["message"], &status[1]["message"]), (&json!(null), &json!(null)));
    lakefront(["verify", "--all", "--config", &file]).good();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_and_one_that_is_killed() {
    let database = TestDatabase::create().await;
    let url = database.url();
    let mut pipeline = Pipeline::of(20_000);
    let file = pipeline.configuration(&url, "");
    let refresh = ["refresh", "shop.details", "--config", &file];
    lakefront(refresh).good();
    let mut client = database.client().await;
    // Each time killed at another moment; one that passes unseen ends with the refresh.
    let doing = |what: &str| {
        format!(
            "EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query LIKE '{what}')"
        )
    };
    let began =
        |tables: i32| format!("(SELECT count(*) >= {tables} FROM lakefront.updates WHERE ended_at IS NULL)");
    let moments = [
        began(1),
        began(2),
        doing("COPY%"),
        doing("UPDATE%"),
        doing("INSERT INTO \"shop\"%"),
        doing("COMMIT%"),
    ];
    for (round, moment) in (0..).zip(moments) {
        let first = 30_000 + round * 5_000;
        pipeline.append(first..first + 5_000);
        pipeline.products.reprice(1..=5_000, round + 1);
        let before = versions(&client).await;
        let mut killed = command().args(refresh).spawn().unwrap();
        let over = format!(
            "(SELECT max(version) FROM lakefront.synced_tables) <> {}",
            before.iter().max().unwrap().unwrap()
        );
        until("the moment", &client, &format!("SELECT {moment} OR {over}")).await;
        killed.kill().unwrap();
        killed.wait().unwrap();
        assert_eq!(torn(&mut client).await, 0);
        let now = versions(&client).await;
        let moved = now.iter().zip(&before).filter(|(now, before)| now != before).count();
        assert!(moved == 0 || moved == 2, "{before:?} -> {now:?}");
        std::thread::scope(|scope| {
            let both = [(); 2].map(|()| scope.spawn(|| lakefront(refresh)));
            for one in both {
                one.join().unwrap().good();
            }
        });
        assert_eq!(torn(&mut client).await, 0);
    }
    lakefront(["verify", "--all", "--config", &file]).good();
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_that_cannot_go_together_are_refused() {
    let pipeline = Pipeline::of(1);
    let file = pipeline.configuration("postgresql:///unused", "");
    let text = std::fs::read_to_string(&file).unwrap();
    let told = |text: String| {
        std::fs::write(&file, text).unwrap();
        let refused = lakefront(["refresh", "--all", "--config", &file]);
        assert_eq!(refused.code, 2);
        refused.stderr
    };
    let told_of_policy = told(text.replacen("pipeline", "scheduling_policy = \"CONTINUOUS\"\npipeline", 1));
    assert!(told_of_policy.contains("scheduling_policy or trigger of"), "{told_of_policy}");
    let empty = told(text.replace("pipeline = \"shop\"", ""));
    assert!(empty.contains("pipeline \"shop\" has no synced table"), "{empty}");
}

//! A process is frozen in the middle of a refresh and loses its session, as a paused machine does; another one refreshes the
//! table meanwhile. The lost one stops itself when it goes on, and nothing is applied twice or mixed up.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use lakefront_e2e::{Finished, Frozen, ShopTable, lakefront, until};
use lakefront_testkit::TestDatabase;
use serde_json::json;
use tokio_postgres::Client;

/// A copy of 1,000 products, whose source has changed since.
struct Shop {
    database: TestDatabase,
    client: Client,
    table: ShopTable,
    url: String,
}

impl Shop {
    async fn open() -> Self {
        let database = TestDatabase::create().await;
        let (url, client) = (database.url(), database.client().await);
        let mut table = ShopTable::with_rows(1_000);
        table.load(&url);
        table.append((2_001..=2_500).map(Some));
        table.delete([1, 2, 3]);
        table.reprice(10..=20, 3);
        Self { database, client, table, url }
    }

    fn refresh(&self, full: bool) -> Vec<&str> {
        let mut refresh = vec!["refresh", "shop.products", "--database", &self.url, "--json"];
        refresh.extend(full.then_some("--full"));
        refresh
    }

    /// A second process refreshes the table: it waits for the frozen one, and goes on when the server ends that one's session.
    async fn overtake(&self, full: bool) -> Finished {
        let arguments: Vec<String> = self.refresh(full).into_iter().map(str::to_owned).collect();
        let second = tokio::task::spawn_blocking(move || lakefront(arguments));
        let waits = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')";
        until("the second process to wait for the first", &self.client, waits).await;
        assert!(!second.is_finished());
        self.end_session().await;
        second.await.unwrap()
    }

    /// The server ends the session that holds the table.
    async fn end_session(&self) {
        let end = "SELECT count(pg_terminate_backend(pid, 60000)) FROM pg_locks WHERE locktype = 'advisory' AND granted
                   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        assert_eq!(self.client.query_one(end, &[]).await.unwrap().get::<_, i64>(0), 1);
    }

    /// The new rows are there once, and nothing is left behind.
    async fn is_right(&self, told: &str) {
        lakefront(["verify", "shop.products", "--database", &self.url]).good();
        let again = lakefront(self.refresh(false)).good().json();
        assert_eq!((&again["refresh"], &again["rows"]), (&json!("none"), &json!(1_497)), "{told}");
        let number = async |sql: &str| self.client.query_one(sql, &[]).await.unwrap().get::<_, i64>(0);
        let version = self.table.version();
        let applied = format!(
            "SELECT count(*) FROM lakefront.updates WHERE version = {version} AND ended_at IS NOT NULL AND condition IS NULL"
        );
        assert_eq!(number(&applied).await, 1, "{told}");
        assert_eq!(
            number("SELECT count(*) FROM lakefront.updates WHERE ended_at IS NULL").await,
            0,
            "{told}"
        );
        let stages =
            "SELECT count(*) FROM pg_tables WHERE schemaname = 'lakefront' AND tablename LIKE 'load\\_%'";
        assert_eq!(number(stages).await, 0, "{told}");
        let failed = "SELECT count(*) FROM lakefront.synced_tables WHERE condition IS NOT NULL OR state <> 'SYNCED_TABLE_ONLINE_NO_PENDING_UPDATE'";
        assert_eq!(number(failed).await, 0, "the lost one's failure is not the table's: {told}");
    }
}

/// A lost process ends by itself and says why.
fn stopped(lost: &Finished) -> String {
    let told = format!("{}{}", lost.stdout, lost.stderr);
    assert_eq!(lost.code, 1, "{told}");
    let condition = &lost.json()["error"]["condition"];
    assert_eq!(condition, "RESOURCE_CONFLICT", "{told}");
    told
}

async fn overtaken_at(moment: &str, full: bool) {
    let shop = Shop::open().await;
    let frozen = Frozen::at(moment, &shop.refresh(full));
    shop.overtake(false).await.good();
    let told = format!("{moment}: {}", stopped(&frozen.thaw()));
    shop.is_right(&told).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn overtaken_while_it_applies_changes() {
    for moment in ["claimed", "begun", "copied", "applied", "checkpoint-moved"] {
        overtaken_at(moment, false).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn overtaken_while_it_copies_everything() {
    for moment in ["stage-made", "staged", "applied"] {
        overtaken_at(moment, true).await;
    }
}

/// The lost process goes on while the other one is still at it.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_process_leaves_the_stage_of_the_other_one_alone() {
    for (first, second) in [("stage-made", "stage-made"), ("staged", "stage-made"), ("staged", "staged")] {
        let shop = Shop::open().await;
        let lost = Frozen::at(first, &shop.refresh(true));
        shop.end_session().await;
        let other = Frozen::at(second, &shop.refresh(true));
        let told = format!("{first}, {second}: {}", stopped(&lost.thaw()));
        let other = other.thaw();
        assert_eq!(other.code, 0, "{told}{}{}", other.stdout, other.stderr);
        shop.is_right(&told).await;
    }
}

/// A process that was frozen before it claimed the table sees that another one came first.
#[tokio::test(flavor = "multi_thread")]
async fn frozen_before_it_claims_the_table() {
    let shop = Shop::open().await;
    let frozen = Frozen::at("found", &shop.refresh(false));
    lakefront(shop.refresh(false)).good();
    assert_eq!(frozen.thaw().good().json()["refresh"], "none");
    shop.is_right("found").await;
    drop(shop.database);
}

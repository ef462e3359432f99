//! Readers that read a copy all the time while it is refreshed: they see whole versions only, and are never held up.

use lakefront_testkit::TestDatabase;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, SimpleQueryMessage};

/// What all readers saw.
#[derive(Default)]
struct Seen {
    /// the one fingerprint of each state, and who saw it first
    fingerprints: BTreeMap<String, (String, &'static str)>,
    faults: Vec<String>,
    /// statements beside what went on
    readings: u64,
    longest: Duration,
}

/// Readers of one copy, which read while something goes on beside them.
pub struct Readers {
    goes_on: watch::Sender<bool>,
    seen: Arc<Mutex<Seen>>,
    /// the reading of one that reads after each refresh
    own: Client,
    sql: String,
    tasks: Vec<JoinHandle<()>>,
}

/// Version and rows in one statement, so of one snapshot. Rows are known by keys, and by all their columns for each shape of
/// the copy: a full copy changes the shape in a commit of its own before it.
fn fingerprint_of(copy: &str, key: &str) -> String {
    format!(
        "SELECT concat(source_table_id, ' at ', version),
            (SELECT concat(count(*), ' rows, keys ', sum(hashtextextended(concat_ws('|', {key}), 0))) FROM {copy}),
            (SELECT md5(string_agg(concat_ws(' ', attname, atttypid, atttypmod), ',' ORDER BY attnum)) FROM pg_attribute
             WHERE attrelid = '{copy}'::regclass AND attnum > 0 AND NOT attisdropped),
            (SELECT sum(hashtextextended(r::text, 0)) FROM {copy} AS r)
         FROM lakefront.synced_tables WHERE format('%s.%s', schema_name, table_name) = '{copy}'"
    )
}

impl Readers {
    /// Starts them. `key` names the copy's key as SQL lists it, `simple` is what an application would ask.
    pub async fn start(database: &TestDatabase, copy: &str, key: &str, simple: &str) -> Self {
        let (goes_on, watched) = watch::channel(false);
        let seen = Arc::new(Mutex::new(Seen::default()));
        let sql = fingerprint_of(copy, key);
        // The lock comes before the snapshot, which would be older than a table that was rewritten meanwhile: PostgreSQL
        // shows that one empty ("Caveats" of its chapter on concurrency).
        let twice = format!(
            "BEGIN ISOLATION LEVEL REPEATABLE READ; LOCK TABLE {copy} IN ACCESS SHARE MODE; {sql}; {sql}; COMMIT"
        );
        let mut tasks = Vec::new();
        for (who, sql) in
            [("a reader", sql.as_str()), ("a repeatable reader", &twice), ("an application", simple)]
        {
            let (client, sql) = (database.client().await, sql.to_owned());
            tasks.push(tokio::spawn(read_on(who, client, sql, watched.clone(), Arc::clone(&seen))));
        }
        Self { goes_on, seen, own: database.client().await, sql, tasks }
    }

    /// Has them read while something is done.
    pub fn during<T>(&self, work: impl FnOnce() -> T) -> T {
        self.goes_on.send_replace(true);
        let done = work();
        self.goes_on.send_replace(false);
        done
    }

    /// Reads once more now that nothing goes on, and returns what was wrong so far; empty in the good case.
    pub async fn faults(&self) -> Vec<String> {
        read_once("afterwards", &self.own, &self.sql, &self.seen).await;
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).faults.clone()
    }

    /// Ends them. Returns how often they read, and the longest time that a statement took.
    pub async fn stop(self) -> (u64, Duration) {
        drop(self.goes_on);
        for task in self.tasks {
            task.await.unwrap();
        }
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        (seen.readings, seen.longest)
    }
}

/// Reads as long as something goes on, and ends with the sender.
async fn read_on(
    who: &'static str,
    client: Client,
    sql: String,
    mut goes_on: watch::Receiver<bool>,
    seen: Arc<Mutex<Seen>>,
) {
    while goes_on.wait_for(|on| *on).await.is_ok() {
        read_once(who, &client, &sql, &seen).await;
    }
}

async fn read_once(who: &'static str, client: &Client, sql: &str, seen: &Mutex<Seen>) {
    let began = Instant::now();
    let answers = client.simple_query(sql).await;
    let took = began.elapsed();
    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    seen.readings += 1;
    seen.longest = seen.longest.max(took);
    let answers = match answers {
        Ok(answers) => answers,
        Err(error) => return seen.faults.push(format!("{who}: {error:?}")),
    };
    let rows = answers.iter().filter_map(|answer| match answer {
        SimpleQueryMessage::Row(row) if row.len() == 4 => Some(row),
        _ => None,
    });
    let mut own = Vec::new();
    for row in rows {
        let text = |place: usize| row.get(place).unwrap_or("nothing").to_owned();
        own.push((text(0), text(1), text(2), text(3)));
    }
    if own.windows(2).any(|pair| pair[0] != pair[1]) {
        seen.faults.push(format!("{who} saw two states in one transaction: {own:?}"));
    }
    for (version, keys, shape, rows) in own {
        seen.note(who, version.clone(), keys);
        seen.note(who, format!("{version} in the shape {shape}"), rows);
    }
}

impl Seen {
    fn note(&mut self, who: &'static str, state: String, fingerprint: String) {
        let (first, by) =
            self.fingerprints.entry(state.clone()).or_insert_with(|| (fingerprint.clone(), who));
        if *first != fingerprint {
            self.faults.push(format!("{state}: {by} saw {first}, {who} saw {fingerprint}"));
        }
    }
}

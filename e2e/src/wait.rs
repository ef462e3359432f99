//! Waiting for what happens by itself.

use std::time::{Duration, Instant};
use tokio_postgres::Client;

/// How long something may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Returns once PostgreSQL answers a question with true. One that fails, as about a table that is not there yet, is
/// asked again.
pub async fn until(what: &str, client: &Client, question: &str) {
    let start = Instant::now();
    while !client.query_one(question, &[]).await.is_ok_and(|row| row.get::<_, Option<bool>>(0) == Some(true))
    {
        assert!(start.elapsed() < PATIENCE, "waited for {what}");
        tokio::task::yield_now().await;
    }
}

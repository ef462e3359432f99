//! Listening for Lakefront's notifications.

use std::{
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::{StreamExt, stream};
use serde::Deserialize;
use tokio::time::{sleep, timeout};
use tokio_postgres::{AsyncMessage, Client};

use super::{CERTAIN_FOR, Changes};
use crate::database::{Connector, DatabaseError, quote_name};

/// Channel on which each sync transaction says what it changed.
const CHANNEL: &str = "lakefront";

/// How often the listening connection is asked whether it lives: often enough that one late answer does not
/// end the certainty.
const CONFIRM_EVERY: Duration = Duration::from_millis(300);

/// First and longest pause between attempts to connect again.
const RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Payload of a notification; fields that are not needed here are left out.
#[derive(Deserialize)]
struct Notice {
    table: String,
}

/// Listens until dropped and keeps `changes` true for the table. `schema` and `table` are unquoted names.
pub async fn follow_changes(connector: Connector, schema: String, table: String, changes: Arc<Changes>) {
    let mut pause = RETRY.0;
    loop {
        let began = Instant::now();
        let ended = listen(&connector, &schema, &table, &changes).await;
        changes.lost();
        if began.elapsed() > RETRY.1 {
            pause = RETRY.0;
        }
        match ended {
            Ok(()) => tracing::info!("listening for table changes ended; connecting again"),
            Err(error) => {
                tracing::warn!(%error, "cannot listen for table changes; counts are kept 1 s at most")
            }
        }
        sleep(pause).await;
        pause = (pause * 2).min(RETRY.1);
    }
}

async fn listen(
    connector: &Connector,
    schema: &str,
    table: &str,
    changes: &Changes,
) -> Result<(), DatabaseError> {
    let (client, mut connection) = connector.connect().await?;
    let (proof_sent, proof_heard) = tokio::sync::watch::channel(false);
    // A channel of our own on which we hear ourselves: behind a pooler that lends a server connection per
    // transaction, LISTEN succeeds and nothing ever arrives.
    let proof = format!("lakefront_storefront_{}", std::process::id());
    let hear = async {
        let mut messages = pin!(stream::poll_fn(|context| connection.poll_message(context)));
        while let Some(message) = messages.next().await {
            match message {
                Ok(AsyncMessage::Notification(notice)) if notice.channel() == proof => {
                    proof_sent.send_replace(true);
                }
                Ok(AsyncMessage::Notification(notice)) if concerns(notice.payload(), schema, table) => {
                    changes.changed();
                }
                Ok(_) => {}
                Err(_) => break,
            }
        }
    };
    let confirm = confirm(&client, &proof, proof_heard, changes);
    tokio::select! {
        () = hear => Ok(()),
        outcome = confirm => outcome.map_err(|error| DatabaseError::running(connector.settings(), &error)),
    }
}

/// Subscribes, then keeps asking. Returns when an answer does not come in time or is an error.
async fn confirm(
    client: &Client,
    proof: &str,
    mut proof_heard: tokio::sync::watch::Receiver<bool>,
    changes: &Changes,
) -> Result<(), tokio_postgres::Error> {
    let proof_channel = quote_name(proof);
    client.batch_execute(&format!("LISTEN {CHANNEL}; LISTEN {proof_channel}")).await?;
    client.batch_execute(&format!("NOTIFY {proof_channel}")).await?;
    if timeout(CERTAIN_FOR, proof_heard.wait_for(|heard| *heard)).await.is_err() {
        tracing::warn!(
            "PostgreSQL does not deliver notifications on this connection (a pooler in transaction mode?); \
             counts are kept 1 s at most"
        );
        // Without notifications there is nothing to confirm; the connection is kept to notice a restart.
        std::future::pending::<()>().await;
    }
    client.batch_execute(&format!("UNLISTEN {proof_channel}")).await?;
    // What was committed before LISTEN took effect was not heard.
    changes.changed();
    loop {
        let asked = Instant::now();
        match timeout(CERTAIN_FOR * 5, client.batch_execute("")).await {
            Ok(answer) => answer?,
            Err(_) => return Ok(()),
        }
        changes.confirmed(asked);
        sleep(CONFIRM_EVERY).await;
    }
}

/// True when the payload names the table, or cannot be read: then anything may have changed.
fn concerns(payload: &str, schema: &str, table: &str) -> bool {
    match serde_json::from_str::<Notice>(payload).ok().and_then(|notice| split_name(&notice.table)) {
        Some(parts) => parts == [schema, table],
        None => true,
    }
}

/// The parts of a dotted SQL name, each quoted or plain. `None` when a quote is left open.
fn split_name(name: &str) -> Option<Vec<String>> {
    let mut parts = vec![String::new()];
    let mut quoted = false;
    let mut characters = name.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                parts.last_mut()?.push('"');
            }
            '"' => quoted = !quoted,
            '.' if !quoted => parts.push(String::new()),
            other => parts.last_mut()?.push(other),
        }
    }
    (!quoted).then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_concerns_its_table_and_an_unreadable_one_all_tables() {
        let of = |payload| concerns(payload, "fashion_demo", "productsdb");
        assert!(of(r#"{"table":"fashion_demo.productsdb","version":7}"#));
        assert!(of(r#"{"table":"\"fashion_demo\".productsdb","version":7}"#));
        assert!(!of(r#"{"table":"fashion_demo.usersdb","version":7}"#));
        assert!(of(""));
        assert!(of("{}"));
        assert!(of(r#"{"table":"fashion_demo.\"products"}"#));
        let odd = split_name("shop.\"odd.\"\"name\"\"\"");
        assert_eq!(odd, Some(vec!["shop".to_owned(), "odd.\"name\"".to_owned()]));
    }
}

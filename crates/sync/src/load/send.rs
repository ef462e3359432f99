//! The connections of a load: chunks of rows, copied into the stage.

use super::Shared;
use super::chunks::Receiver;
use super::settle::TRANSACTION_BYTES;
use crate::SyncError;
use bytes::Bytes;
use lakefront_postgres::PgError;
use lakefront_postgres::copy::CopyIn;
use lakefront_postgres::encode::{COPY_HEADER, COPY_TRAILER};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio_postgres::Client;

/// One of the COPY connections.
pub(super) struct Connection {
    pub number: usize,
    pub client: Client,
}

/// Sends chunks over a connection until there are no more, and returns the number of rows that landed.
pub(super) async fn send(
    connection: Connection,
    shared: Arc<Shared>,
    chunks: Receiver,
) -> Result<u64, SyncError> {
    let sent = send_all(&connection, &shared, &chunks).await;
    if sent.is_err() {
        shared.stop.store(true, Ordering::SeqCst);
        chunks.close();
    }
    sent
}

/// Sends chunks in transactions of [`TRANSACTION_BYTES`]. What they leave behind when one fails is dropped with the
/// stage.
async fn send_all(
    Connection { number, client }: &Connection,
    shared: &Shared,
    chunks: &Receiver,
) -> Result<u64, SyncError> {
    // Nobody sees the stage before the transaction that publishes it, so no standby needs to be waited for.
    let local = client.batch_execute("SET synchronous_commit = local").await;
    local.map_err(|e| PgError::new("setting synchronous_commit", e))?;
    let names: Vec<&str> = shared.mapping.columns.iter().map(|c| c.name.as_str()).collect();
    let table = shared.stage.sql();
    let mut rows = 0;
    let mut next = chunks.next().await;
    while next.is_some() {
        let mut copy = CopyIn::start(client, &table, &names).await?;
        copy.send(Bytes::from_static(&COPY_HEADER)).await?;
        let mut sent = 0;
        while sent < TRANSACTION_BYTES
            && let Some(chunk) = next
        {
            sent += chunk.len();
            copy.send(chunk).await?;
            next = chunks.next().await;
        }
        if shared.stop.load(Ordering::SeqCst) {
            // Dropping the COPY unfinished rolls it back.
            return Ok(0);
        }
        copy.send(Bytes::from_static(&COPY_TRAILER)).await?;
        rows += copy.finish().await?;
        if next.is_some() {
            shared.settling.ended(&shared.stage, client, *number).await?;
        }
    }
    Ok(rows)
}

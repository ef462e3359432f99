//! The threads of a load: rows of the source, encoded, as chunks.

use super::Shared;
use super::chunks::{Closed, Outlet, Sender};
use crate::SyncError;
use crate::failure::internal;
use crate::policy::{Tally, Verdict, verdict};
use arrow_array::RecordBatch;
use lakefront_postgres::encode::{RejectedRow, RowEncoder, RowTexts};
use lakefront_postgres::table::Rejected;
use std::sync::atomic::Ordering;
use tokio::sync::mpsc;

/// Rows set aside that are sent to the server at once.
const REJECTED_ROWS: usize = 500;

/// Reads units of the scan until none is left. Returns the rows that were sent, and what was said of the others.
pub(super) fn read(
    shared: &Shared,
    chunks: Sender,
    rejected: &mpsc::Sender<Vec<Rejected>>,
) -> Result<(u64, Tally), SyncError> {
    let encoder = RowEncoder::new(&shared.schema, &shared.mapping.columns, shared.spec.nul_byte)?;
    let mut outlet = Outlet::new(chunks);
    let mut rows = 0u64;
    let mut tally = Tally::default();
    let mut refused = Vec::new();
    while !shared.stop.load(Ordering::Relaxed) {
        let Some(unit) = shared.units.get(shared.next.fetch_add(1, Ordering::Relaxed)) else { break };
        for batch in unit.read() {
            let batch = batch?;
            let mut bound = encoder.bind(&batch)?;
            let mut from = 0;
            while from < batch.num_rows() {
                let (buffer, enough) = outlet.buffer();
                let step = bound.encode(from..batch.num_rows(), enough, buffer, &mut refused);
                from += step.consumed;
                rows += step.written as u64;
                shared.progress.add_rows(step.written as u64);
                outlet.send_full()?;
                if refused.len() >= REJECTED_ROWS {
                    settle_refused(shared, &batch, &mut refused, &mut tally, rejected)?;
                }
            }
            settle_refused(shared, &batch, &mut refused, &mut tally, rejected)?;
        }
        shared.progress.add_bytes(unit.bytes());
    }
    outlet.send()?;
    Ok((rows, tally))
}

/// Counts rows that PostgreSQL could not take, and sends those that policy sets aside on their way.
fn settle_refused(
    shared: &Shared,
    batch: &RecordBatch,
    refused: &mut Vec<RejectedRow>,
    tally: &mut Tally,
    rejected: &mpsc::Sender<Vec<Rejected>>,
) -> Result<(), SyncError> {
    if refused.is_empty() {
        return Ok(());
    }
    let texts = RowTexts::bind(batch, &shared.mapping.columns)?;
    let mut set_aside = Vec::new();
    for row in refused.drain(..) {
        let key = || texts.key(row.row, &shared.mapping.key);
        match verdict(&shared.spec, &row.cause) {
            Verdict::Fail => tally.failed(&row, key),
            Verdict::SetAside => {
                let reason = row.cause.condition().name();
                tally.set_aside(reason, 1);
                set_aside.push(Rejected {
                    reason,
                    column: Some(row.column.to_string()),
                    key: key(),
                    row: texts.json(row.row),
                });
            }
        }
    }
    if set_aside.is_empty() { Ok(()) } else { Ok(rejected.blocking_send(set_aside).map_err(|_| Closed)?) }
}

/// A closed queue means that the other side failed; its own error is the one that is told.
impl From<Closed> for SyncError {
    fn from(Closed: Closed) -> Self {
        internal("the connection ended while rows were read".to_owned())
    }
}

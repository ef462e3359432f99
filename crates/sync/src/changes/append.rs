//! Ranges of changes that only bring new rows: they go straight into the live table.
//!
//! Whether their keys are new is for the table's primary key to say, which the rows meet in any case. So nothing has to
//! be remembered of them, and PostgreSQL writes them while others are still read.

use super::Unclear;
use super::encoded::cannot_be_held;
use super::side_by_side::each_unit;
use crate::SyncError;
use crate::load::{Outlet, Sender};
use crate::progress::Progress;
use lakefront_lake::{ChangeKind, ChangePlan, ChangeUnit};
use lakefront_model::{SyncedTableSpec, TableMapping};
use lakefront_postgres::encode::RowEncoder;
use std::sync::atomic::{AtomicU64, Ordering};

/// Whether changes only bring new rows.
pub(super) fn is_append(changes: &ChangePlan) -> bool {
    changes.units.iter().all(|unit| unit.kind == ChangeKind::Inserted)
}

/// Sends all rows of such a range, in no order. Returns how many. Blocks.
pub(super) fn read(
    plan: &ChangePlan,
    spec: &SyncedTableSpec,
    mapping: &TableMapping,
    chunks: &Sender,
    progress: &Progress,
) -> Result<u64, Unclear> {
    let encoder = RowEncoder::new(&plan.schema, &mapping.columns, spec.nul_byte)?;
    let rows = AtomicU64::new(0);
    each_unit(&plan.units, chunks, |unit, outlet| {
        let sent = send(unit, &encoder, outlet)?;
        rows.fetch_add(sent, Ordering::Relaxed);
        progress.add_rows(sent);
        progress.add_bytes(unit.bytes());
        Ok(())
    })?;
    Ok(rows.into_inner())
}

fn send(unit: &ChangeUnit, encoder: &RowEncoder, outlet: &mut Outlet) -> Result<u64, Unclear> {
    let (mut rows, mut refused) = (0, Vec::new());
    for batch in unit.read() {
        let batch = batch?;
        let mut bound = encoder.bind(&batch.rows)?;
        let mut from = 0;
        while from < bound.rows() {
            let (buffer, enough) = outlet.buffer();
            let step = bound.encode(from..bound.rows(), enough, buffer, &mut refused);
            if let Some(row) = refused.first() {
                return Err(cannot_be_held(row));
            }
            from += step.consumed;
            rows += step.written as u64;
            outlet.send_full().map_err(SyncError::from)?;
        }
    }
    Ok(rows)
}

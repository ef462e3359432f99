//! Looking for the rows of some keys in all of the source.

use super::Unclear;
use super::encoded::fingerprints;
use super::net::Keys;
use super::side_by_side::each_unit;
use crate::SyncError;
use crate::load::{Outlet, Sender};
use crate::progress::Progress;
use lakefront_lake::{ScanPlan, ScanUnit};
use lakefront_model::{SyncedTableSpec, TableMapping};
use lakefront_postgres::changes::Fate;
use lakefront_postgres::encode::{CopyBuffer, RowEncoder};

/// Sends the rows of `keys`, marked [`Fate::Update`]. Blocks.
pub(super) fn read(
    scan: &ScanPlan,
    keys: &Keys,
    spec: &SyncedTableSpec,
    mapping: &TableMapping,
    chunks: &Sender,
    progress: &Progress,
) -> Result<(), Unclear> {
    let encoder = RowEncoder::new(&scan.schema, &mapping.columns, spec.nul_byte)?;
    each_unit(&scan.units, chunks, |unit, outlet| {
        send(unit, &encoder, keys, mapping, outlet)?;
        progress.add_bytes(unit.bytes());
        Ok(())
    })
}

fn send(
    unit: &ScanUnit,
    encoder: &RowEncoder,
    keys: &Keys,
    mapping: &TableMapping,
    outlet: &mut Outlet,
) -> Result<(), Unclear> {
    let mut row = CopyBuffer::default();
    for batch in unit.read() {
        let batch = batch?;
        let mut bound = encoder.bind(&batch)?;
        for place in 0..batch.num_rows() {
            // A row that PostgreSQL cannot take is set aside already, or this would be a full refresh that fails.
            let Ok(encoded) = bound.encode_one(place, &mut row) else { continue };
            if keys.contains(&fingerprints(encoded, &mapping.key).0) {
                encoded.put_marked(Fate::Update.mark(), outlet.buffer().0);
                outlet.send_full().map_err(SyncError::from)?;
            }
        }
    }
    Ok(())
}

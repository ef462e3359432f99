//! Looking for the rows of some keys in all of the source.

use super::Unclear;
use super::net::Keys;
use super::read::fingerprints;
use crate::SyncError;
use crate::load::{Outlet, Sender};
use crate::progress::Progress;
use lakefront_lake::{ScanPlan, ScanUnit};
use lakefront_model::{SyncedTableSpec, TableMapping};
use lakefront_postgres::changes::Fate;
use lakefront_postgres::encode::{CopyBuffer, RowEncoder};
use std::sync::atomic::{AtomicUsize, Ordering};

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
    let next = AtomicUsize::new(0);
    let work = || {
        let mut outlet = Outlet::new(chunks.clone());
        while let Some(unit) = scan.units.get(next.fetch_add(1, Ordering::Relaxed)) {
            send(unit, &encoder, keys, mapping, &mut outlet)?;
            progress.add_bytes(unit.bytes());
        }
        Ok(outlet.send().map_err(SyncError::from)?)
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let own = work();
        let panicked = || Err(crate::failure::internal("a thread that read rows ended".to_owned()).into());
        workers.into_iter().map(|worker| worker.join().unwrap_or_else(|_| panicked())).fold(own, Result::and)
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

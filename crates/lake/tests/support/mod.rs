//! What the tests of this crate have in common.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod canonical;
pub mod python;
pub mod s3;

use lakefront_lake::{Lake, LakeOptions, Location, ScanOptions, Snapshot};
use std::path::{Path, PathBuf};

/// The folder of golden tables; None, said loudly, where the checkout has none.
pub fn golden_tables() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/delta-tables");
    match folder.canonicalize() {
        Ok(folder) => Some(folder),
        Err(_) => {
            eprintln!("SKIPPED: there are no golden tables in ../shared/data/delta-tables");
            None
        }
    }
}

pub fn lake() -> Lake {
    Lake::new(LakeOptions::default()).unwrap()
}

pub async fn snapshot(path: &Path, version: Option<u64>) -> Snapshot {
    let table = lake().open(&Location::from_path(path).unwrap()).await.unwrap();
    table.snapshot(version).await.unwrap()
}

/// Small units and batches, so that their edges are met.
pub fn small_steps() -> ScanOptions {
    ScanOptions { batch_rows: 7, unit_bytes: 1000, ..ScanOptions::default() }
}

/// All rows of a snapshot in canonical form, sorted.
pub async fn rows(
    snapshot: &Snapshot,
    options: ScanOptions,
) -> Result<Vec<String>, lakefront_lake::LakeError> {
    let plan = snapshot.scan(options).await?;
    let schema = snapshot.schema().clone();
    tokio::task::spawn_blocking(move || {
        let mut rows = Vec::new();
        for unit in &plan.units {
            for batch in unit.read() {
                let batch = batch?;
                assert!(batch.num_rows() > 0, "batches are never empty");
                assert_eq!(batch.num_columns(), plan.schema.fields().len());
                for (given, planned) in batch.schema().fields().iter().zip(plan.schema.fields()) {
                    assert_eq!(given.name(), planned.name());
                    assert!(given.data_type().equals_datatype(planned.data_type()), "{given} {planned}");
                }
                rows.extend(canonical::rows(&batch, &schema));
            }
        }
        rows.sort();
        Ok(rows)
    })
    .await
    .unwrap()
}

//! What keeps a lake of many small commits quick to read and bounded in size.

use std::time::Duration;

use lakefront_delta_writer::{DeltaTable, Operation};

use super::{ActivityKind, ActivityStep, ShopActivity};
use crate::error::DemoError;
use crate::layout::{EMBEDDINGS_TABLE, PRODUCTS_TABLE, layout_of};

/// Files of less than half the usual size that a table may have before they are joined.
const SMALL_FILES: usize = 24;
/// Commits between checkpoints: readers replay no more than these.
const CHECKPOINT_EVERY: u64 = 50;
/// Commits between removals of old files.
const VACUUM_EVERY: u64 = 200;
/// How long files stay that are no part of the newest version: a reader that is not further
/// behind finds all changes.
const RETENTION: Duration = Duration::from_secs(3_600);

impl ShopActivity {
    /// Joins small files when there are many.
    pub(super) fn compact(&mut self) -> Result<Option<ActivityStep>, DemoError> {
        for (name, table) in [(PRODUCTS_TABLE, &mut self.products), (EMBEDDINGS_TABLE, &mut self.embeddings)]
        {
            let half = layout_of(name).rows_per_file as u64 / 2;
            let small = table.files().iter().filter(|file| file.rows.is_some_and(|rows| rows < half)).count();
            if small <= SMALL_FILES {
                continue;
            }
            let commit = table.commit(Operation::Optimize)?;
            if !commit.written {
                continue;
            }
            let note = format!("{} small files of {name} joined", commit.files_removed);
            let commits = vec![(name, commit.version)];
            return Ok(Some(ActivityStep { kind: ActivityKind::Compaction, commits, rows: 0, note }));
        }
        Ok(None)
    }

    /// Checkpoints and removes old files after a step. The step has happened either way, so a
    /// failure here is only told.
    pub(super) fn keep_up(&mut self, step: &ActivityStep) {
        for (name, version) in &step.commits {
            let table = if *name == PRODUCTS_TABLE { &mut self.products } else { &mut self.embeddings };
            if let Err(error) = keep_up_table(table, *version) {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(table = name, version, error, "upkeep of the demo's lake failed");
            }
        }
    }
}

fn keep_up_table(table: &mut DeltaTable, version: u64) -> Result<(), DemoError> {
    if version.is_multiple_of(CHECKPOINT_EVERY) {
        table.checkpoint()?;
    }
    if version.is_multiple_of(VACUUM_EVERY) {
        let _ = table.vacuum(RETENTION)?;
    }
    Ok(())
}

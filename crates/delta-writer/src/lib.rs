//! Writes Delta tables by the protocol: tables, appended rows, row changes with their change
//! data files, compactions and checkpoints, one atomic commit each.
//!
//! It keeps to what it understands: unpartitioned tables on a local file system, without
//! deletion vectors, column mapping, constraints or generated columns. A table that has them is
//! refused, never damaged. What it writes, every reader of Delta reads.
//!
//! ```no_run
//! # fn main() -> Result<(), lakefront_delta_writer::DeltaWriteError> {
//! # let (schema, rows, changed): (arrow_schema::SchemaRef, arrow_array::RecordBatch, arrow_array::RecordBatch) = todo!();
//! use lakefront_delta_writer::{DeltaTable, KeyedChanges, Operation, TableSpec};
//!
//! let spec = TableSpec::new(schema).with_change_data_feed();
//! let mut table = DeltaTable::create("lake/shop/products", spec)?;
//! table.commit(Operation::Append(vec![rows]))?;
//! let changes = KeyedChanges::by(["product_id"]).upsert(changed);
//! let commit = table.commit(Operation::Merge(changes))?;
//! println!("version {}: {} rows updated", commit.version, commit.rows.updated);
//! # Ok(())
//! # }
//! ```

mod action;
mod change_file;
mod checkpoint;
mod commit;
mod conform;
mod data_file;
mod draft;
mod draft_metadata;
mod draft_rows;
mod error;
mod key;
mod keyed_changes;
mod log;
mod operation;
mod protocol;
mod rewrite;
mod schema;
mod spec;
mod state;
mod stats;
mod table;
mod vacuum;

pub use commit::{Commit, CommitOptions, RowCounts};
pub use error::DeltaWriteError;
pub use keyed_changes::KeyedChanges;
pub use operation::{Operation, RowFilter, RowUpdate};
pub use spec::{FileLayout, TableSpec};
pub use table::{DataFile, DeltaTable, StagedFile};
pub use vacuum::Vacuumed;

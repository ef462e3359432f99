//! The rows of a snapshot as units of work that can be read in parallel.

mod batch_size;
mod batches;
mod chosen;
mod columns;
mod deletions;
mod file;
mod file_bytes;
mod footer;
mod listing;
mod local;
mod logical;
mod null_maps;
mod partition;
mod remote;
mod split;
mod texts;

pub use batches::Batches;
pub(crate) use columns::FileColumns;
pub(crate) use file::{DataFile, RowChoice, ScanSource};
pub(crate) use listing::{arrow_schema, each_path, plan, source_of, statistics, store_of, units};
pub(crate) use partition::logical_columns;
pub(crate) use texts::plain;

use arrow_buffer::BooleanBuffer;
use arrow_schema::SchemaRef;
use split::Part;
use std::sync::Arc;

/// Rows of a batch: enough that the work per batch does not count, few enough for the cache.
const BATCH_ROWS: usize = 8192;
/// Bytes of a batch in memory.
const BATCH_BYTES: usize = 8 << 20;
/// Bytes of a unit in its file. Small enough that the last units of a table end at about the same time on all
/// threads, large enough that opening a file does not count.
const UNIT_BYTES: u64 = 16 << 20;

/// How a snapshot is divided and read.
#[derive(Debug, Clone)]
pub struct ScanOptions {
    /// at most so many rows in a batch
    pub batch_rows: usize,
    /// at most so many bytes in a batch, unless a single row has more
    pub batch_bytes: usize,
    /// files larger than this are divided into units of about this size, in bytes of the file
    pub unit_bytes: u64,
    /// the columns wanted, in this order; all of them when absent
    pub projection: Option<Vec<String>>,
}

impl Default for ScanOptions {
    fn default() -> Self {
        Self { batch_rows: BATCH_ROWS, batch_bytes: BATCH_BYTES, unit_bytes: UNIT_BYTES, projection: None }
    }
}

/// All rows of a snapshot, each in one unit.
#[derive(Debug)]
pub struct ScanPlan {
    /// in the order of the log's listing
    pub units: Vec<ScanUnit>,
    /// rows in all, when the log says so for each file
    pub rows: Option<u64>,
    /// bytes of all units in their files
    pub bytes: u64,
    /// columns of the batches: logical names and Arrow types in the source's (or the projection's) order.
    /// Batches of different files agree with it in these; the inner names of their lists and maps can differ.
    pub schema: SchemaRef,
}

/// Some rows of one data file.
#[derive(Debug, Clone)]
pub struct ScanUnit {
    file: Arc<DataFile>,
    part: Part,
    bytes: u64,
}

impl ScanUnit {
    /// Its bytes in the file, for progress.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The file's name, relative to the table's folder where it is inside.
    pub fn file_name(&self) -> &str {
        self.file.name()
    }

    /// Reads its rows. Opens nothing before the first batch is asked for. Blocks while it waits for the disk or
    /// the store, so it belongs on a thread for blocking work. The first error ends it.
    pub fn read(&self) -> Batches {
        Batches::new(self.clone(), None)
    }

    /// The same rows with only some of the table's columns, at these places. None where that is not simply a matter of
    /// reading fewer of the file's.
    pub(crate) fn narrowed(&self, columns: &[usize]) -> Option<Self> {
        let file = Arc::new(self.file.narrowed(columns)?);
        Some(Self { file, part: self.part.clone(), bytes: self.bytes })
    }

    /// The same rows with texts as views, which live as long as their pages do. None where something is made of the
    /// file's columns.
    pub(crate) fn with_views(&self) -> Option<Self> {
        Some(Self { file: Arc::new(self.file.with_views()?), part: self.part.clone(), bytes: self.bytes })
    }

    /// Reads only some of its rows: one bit for each row that [`read`](Self::read) gives, in its order.
    pub(crate) fn read_only(&self, wanted: BooleanBuffer) -> Batches {
        Batches::new(self.clone(), Some(wanted))
    }
}

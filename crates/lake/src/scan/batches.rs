//! Reads the rows of a unit.

use super::ScanUnit;
use super::batch_size::{rows_within, size_of};
use super::chosen;
use super::deletions::Deletions;
use super::file::DataFile;
use super::file_bytes::FileBytes;
use super::footer::Footer;
use super::split::Part;
use crate::LakeError;
use crate::kernel_error::{Reading, from_arrow, from_kernel, from_parquet};
use arrow_array::RecordBatch;
use arrow_buffer::BooleanBuffer;
use delta_kernel::ExpressionEvaluator;
use delta_kernel::engine::arrow_data::ArrowEngineData;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder, RowSelection};
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

/// The rows of a unit, batch by batch, with the table's columns. Batches are never empty.
#[derive(Debug)]
pub struct Batches {
    state: State,
}

#[derive(Debug)]
enum State {
    /// nothing is opened yet; with the rows wanted, if not all are
    Unopened(ScanUnit, Option<BooleanBuffer>),
    Reading(Box<Reader>),
    /// at the end, or after an error
    Ended,
}

impl Batches {
    pub(super) fn new(unit: ScanUnit, wanted: Option<BooleanBuffer>) -> Self {
        Self { state: State::Unopened(unit, wanted) }
    }
}

impl Iterator for Batches {
    type Item = Result<RecordBatch, LakeError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let State::Unopened(unit, wanted) = &self.state {
            match Reader::open(unit, wanted.as_ref()) {
                Ok(reader) => self.state = State::Reading(Box::new(reader)),
                Err(error) => {
                    self.state = State::Ended;
                    return Some(Err(error));
                }
            }
        }
        let State::Reading(reader) = &mut self.state else { return None };
        let next = reader.next_batch().transpose();
        if !matches!(next, Some(Ok(_))) {
            self.state = State::Ended;
        }
        next
    }
}

/// An open unit.
struct Reader {
    file: Arc<DataFile>,
    reading: Reading,
    footer: Arc<Footer>,
    bytes: FileBytes,
    row_groups: Range<usize>,
    parquet: ParquetRecordBatchReader,
    evaluator: Option<Arc<dyn ExpressionEvaluator>>,
    deletions: Option<Deletions>,
    /// the rows of the row groups that are read, if not all are
    selection: Option<RowSelection>,
    /// rows of the file before the unit's row groups
    base: u64,
    /// rows to read next, counted from `base`, or among those selected
    rest: Range<u64>,
    batch_rows: usize,
    /// decoded and not yet handed on
    ready: VecDeque<RecordBatch>,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader")
            .field("file", &self.file.name())
            .field("rest", &self.rest)
            .finish_non_exhaustive()
    }
}

impl Reader {
    fn open(unit: &ScanUnit, wanted: Option<&BooleanBuffer>) -> Result<Self, LakeError> {
        let file = Arc::clone(&unit.file);
        let reading = file.reading();
        let footer = file.footer()?;
        let sizes: Vec<u64> = footer.row_groups().map(|group| group.rows).collect();
        let row_groups = match &unit.part {
            Part::Whole => 0..sizes.len(),
            Part::RowGroups(range) => range.clone(),
            Part::Rows { row_group, .. } => *row_group..*row_group + 1,
        };
        // Row numbers of deletion vectors count from the file's first row over all its row groups.
        let base = sizes.iter().take(row_groups.start).sum();
        let mut rest = match &unit.part {
            Part::Rows { rows, .. } => rows.clone(),
            _ => 0..sizes.iter().take(row_groups.end).skip(row_groups.start).sum(),
        };
        let mut listed = file.listed_rows()?;
        let mut selection = None;
        if let Some(wanted) = wanted {
            let chosen = chosen::of_file(wanted, listed.take(), base, &rest);
            let chosen = chosen.ok_or_else(|| reading.damaged("it has other rows than before"))?;
            rest = 0..chosen.row_count() as u64;
            selection = Some(chosen);
        }
        let deletions = listed.map(|listed| Deletions::starting_at(listed, base + rest.start));
        let evaluator = file.evaluator()?;
        let bytes = file.open(&footer, &row_groups)?;
        let batch_rows = rows_within(&footer, &row_groups, file.source.batch_rows, file.source.batch_bytes);
        let parquet = build(&reading, &footer, &bytes, &row_groups, &selection, &rest, batch_rows)?;
        Ok(Self {
            file,
            reading,
            footer,
            bytes,
            row_groups,
            parquet,
            evaluator,
            deletions,
            selection,
            base,
            rest,
            batch_rows,
            ready: VecDeque::new(),
        })
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>, LakeError> {
        loop {
            if let Some(batch) = self.ready.pop_front() {
                return Ok(Some(self.bounded(batch)));
            }
            let Some(decoded) = self.parquet.next() else {
                if self.rest.start < self.rest.end {
                    return Err(self
                        .reading
                        .damaged(format!("{} rows are missing in it", self.rest.end - self.rest.start)));
                }
                return Ok(None);
            };
            let decoded = decoded.map_err(|error| {
                self.bytes.take_failure().unwrap_or_else(|| from_arrow(&self.reading, error))
            })?;
            let first = self.base + self.rest.start;
            self.rest.start += decoded.num_rows() as u64;
            let decoded = match &mut self.deletions {
                Some(deletions) => {
                    deletions.apply(decoded, first).map_err(|error| from_arrow(&self.reading, error))?
                }
                None => decoded,
            };
            if decoded.num_rows() == 0 {
                continue;
            }
            let batch = self.logical(decoded)?;
            self.narrow(&batch)?;
            self.ready.push_back(batch);
        }
    }

    /// The table's columns of the file's.
    fn logical(&self, decoded: RecordBatch) -> Result<RecordBatch, LakeError> {
        let fault = |error| from_kernel(&self.reading, error);
        let source = &self.file.source;
        let physical = source.columns.of(&self.reading, self.file.name(), &self.footer.columns, decoded)?;
        let mut batch = match &self.evaluator {
            None => RecordBatch::from(physical),
            Some(evaluator) => {
                let logical = evaluator.evaluate(&physical).map_err(fault)?;
                RecordBatch::from(*ArrowEngineData::try_from_engine_data(logical).map_err(fault)?)
            }
        };
        if let Some(keep) = source.keep {
            let kept: Vec<usize> = (0..keep).collect();
            batch = batch.project(&kept).map_err(|error| from_arrow(&self.reading, error))?;
        }
        Ok(batch)
    }

    /// Reads on with fewer rows when a batch came out much larger than its file's metadata let expect, as
    /// dictionaries of long texts do.
    fn narrow(&mut self, batch: &RecordBatch) -> Result<(), LakeError> {
        let (bound, size) = (self.file.source.batch_bytes, size_of(batch));
        if size <= bound.saturating_mul(2) || self.batch_rows == 1 || self.rest.is_empty() {
            return Ok(());
        }
        self.batch_rows = (batch.num_rows().saturating_mul(bound) / size).clamp(1, self.batch_rows);
        self.parquet = build(
            &self.reading,
            &self.footer,
            &self.bytes,
            &self.row_groups,
            &self.selection,
            &self.rest,
            self.batch_rows,
        )?;
        Ok(())
    }

    /// As many of a batch's first rows as the bound allows, the others kept for later.
    fn bounded(&mut self, mut batch: RecordBatch) -> RecordBatch {
        while batch.num_rows() > 1 && size_of(&batch) > self.file.source.batch_bytes {
            let half = batch.num_rows() / 2;
            self.ready.push_front(batch.slice(half, batch.num_rows() - half));
            batch = batch.slice(0, half);
        }
        batch
    }
}

/// A reader of the rows `rows`, counted from the first of the row groups or of the selection.
fn build(
    reading: &Reading,
    footer: &Footer,
    bytes: &FileBytes,
    row_groups: &Range<usize>,
    selection: &Option<RowSelection>,
    rows: &Range<u64>,
    batch_rows: usize,
) -> Result<ParquetRecordBatchReader, LakeError> {
    let count = |rows: u64| usize::try_from(rows).map_err(|_| reading.damaged("it counts too many rows"));
    let mut builder =
        ParquetRecordBatchReaderBuilder::new_with_metadata(bytes.clone(), footer.metadata.clone())
            .with_row_groups(row_groups.clone().collect())
            .with_batch_size(batch_rows)
            .with_limit(count(rows.end - rows.start)?);
    if let Some(selection) = selection {
        builder = builder.with_row_selection(selection.clone());
    }
    if rows.start > 0 {
        builder = builder.with_offset(count(rows.start)?);
    }
    if let Some(projection) = &footer.columns.projection {
        builder = builder.with_projection(projection.clone());
    }
    builder.build().map_err(|error| bytes.take_failure().unwrap_or_else(|| from_parquet(reading, error)))
}

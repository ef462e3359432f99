//! Rows of a batch in binary COPY format.

use super::bind::bind;
use super::buffer::CopyBuffer;
use super::cells::Cells;
use super::copy_format::{MAX_ROW_BYTES, NULL_FIELD};
use super::copy_row::CopyRow;
use super::error::EncodeError;
use super::json::{JsonState, Purpose};
use super::reject::{RejectCause, RejectedRow};
use arrow_array::{Array, RecordBatch, new_empty_array};
use arrow_schema::Schema;
use lakefront_model::{NulBytePolicy, TargetColumn};
use std::ops::Range;
use std::sync::Arc;

/// Writes the rows of a table's batches; made once per table.
#[derive(Debug, Clone)]
pub struct RowEncoder {
    columns: Vec<(Arc<str>, TargetColumn)>,
    nul: NulBytePolicy,
}

impl RowEncoder {
    /// An encoder for batches of this schema, whose columns are the source's in the source's order. The fields of
    /// a row come in the order of `columns`.
    ///
    /// # Errors
    /// [`EncodeError`] when a column is not there, or cannot be written as its PostgreSQL type.
    pub fn new(schema: &Schema, columns: &[TargetColumn], nul: NulBytePolicy) -> Result<Self, EncodeError> {
        for column in columns {
            let field = schema.fields().get(column.source_index);
            let field = field.filter(|field| *field.name() == column.name);
            let field = field.ok_or_else(|| missing(column, schema))?;
            bind_column(&new_empty_array(field.data_type()), column, nul)?;
        }
        let columns =
            columns.iter().map(|column| (Arc::from(column.name.as_str()), column.clone())).collect();
        Ok(Self { columns, nul })
    }

    /// The columns that are written, in order.
    pub fn columns(&self) -> impl ExactSizeIterator<Item = &TargetColumn> {
        self.columns.iter().map(|(_, column)| column)
    }

    /// Chooses the encoders for a batch. Strings are looked through here for 0x00, once, so that they need not be
    /// looked through row by row.
    ///
    /// # Errors
    /// [`EncodeError`] when the batch has not the schema the encoder was made for.
    pub fn bind<'a>(&'a self, batch: &'a RecordBatch) -> Result<BoundBatch<'a>, EncodeError> {
        let mut columns = Vec::with_capacity(self.columns.len());
        for (name, column) in &self.columns {
            let array = batch.columns().get(column.source_index);
            let array = array.ok_or_else(|| missing(column, batch.schema_ref()))?;
            let cells = bind_column(array, column, self.nul)?;
            columns.push(BoundColumn { name, not_null: column.not_null, cells });
        }
        let json = JsonState::new(Purpose::Jsonb(self.nul));
        Ok(BoundBatch { columns, rows: batch.num_rows(), json })
    }
}

fn bind_column<'a>(
    array: &'a dyn Array,
    column: &TargetColumn,
    nul: NulBytePolicy,
) -> Result<Cells<'a>, EncodeError> {
    bind(array, &column.data_type, &column.pg_type, nul).map_err(|read_as| EncodeError::ColumnType {
        column: column.name.clone(),
        source_type: Box::new(column.data_type.clone()),
        read_as,
        pg_type: Box::new(column.pg_type.clone()),
    })
}

pub(super) fn missing(column: &TargetColumn, schema: &Schema) -> EncodeError {
    EncodeError::ColumnMissing {
        column: column.name.clone(),
        place: column.source_index,
        columns: schema.fields().iter().map(|field| field.name().as_str()).collect::<Vec<_>>().join(", "),
    }
}

/// A batch with the encoders of its columns.
pub struct BoundBatch<'a> {
    columns: Vec<BoundColumn<'a>>,
    rows: usize,
    json: JsonState,
}

struct BoundColumn<'a> {
    name: &'a Arc<str>,
    not_null: bool,
    cells: Cells<'a>,
}

/// How far [`BoundBatch::encode`] came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Encoded {
    /// rows of the range that were dealt with: written or rejected. At least one, if the range has any.
    pub consumed: usize,
    /// rows that were written
    pub written: usize,
}

impl BoundBatch<'_> {
    /// How many rows the batch has.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Appends rows to `out`, without header and trailer, until `out` holds `byte_limit` bytes or more (so the
    /// last row may pass the limit, and only it) or the range ends. Rows that PostgreSQL could not hold go to
    /// `rejected`, with the first column that is wrong, and leave no bytes.
    pub fn encode(
        &mut self,
        rows: Range<usize>,
        byte_limit: usize,
        out: &mut CopyBuffer,
        rejected: &mut Vec<RejectedRow>,
    ) -> Encoded {
        let rows = rows.start..rows.end.min(self.rows);
        let first = rows.start;
        let mut encoded = Encoded { consumed: 0, written: 0 };
        for row in rows {
            let start = out.len();
            match self.encode_row(row, out) {
                Ok(()) if out.len() - start <= MAX_ROW_BYTES => encoded.written += 1,
                Ok(()) => {
                    rejected.push(self.too_large(row, out.since(start)));
                    out.truncate(start);
                }
                Err(rejection) => {
                    rejected.push(*rejection);
                    out.truncate(start);
                }
            }
            encoded.consumed = row + 1 - first;
            if out.len() >= byte_limit {
                break;
            }
        }
        encoded
    }

    /// Writes one row to `out`, in the place of what it held.
    ///
    /// # Errors
    /// The rejection when PostgreSQL could not hold the row; `out` is empty then.
    pub fn encode_one<'o>(
        &mut self,
        row: usize,
        out: &'o mut CopyBuffer,
    ) -> Result<CopyRow<'o>, RejectedRow> {
        out.clear();
        let mut rejected = Vec::new();
        let _ = self.encode(row..row + 1, usize::MAX, out, &mut rejected);
        rejected.pop().map_or(Ok(CopyRow::new(out.as_slice())), Err)
    }

    #[inline]
    fn encode_row(&mut self, row: usize, out: &mut CopyBuffer) -> Result<(), Box<RejectedRow>> {
        // PostgreSQL has at most 1,600 columns.
        out.put((self.columns.len() as u16).to_be_bytes());
        for column in &self.columns {
            if column.cells.is_null(row) {
                if column.not_null {
                    return Err(rejection(row, column.name, RejectCause::NullKey));
                }
                out.put(NULL_FIELD);
            } else if let Err(cause) = column.cells.values.write(row, out, &mut self.json) {
                return Err(rejection(row, column.name, *cause));
            }
        }
        Ok(())
    }

    #[cold]
    fn too_large(&self, row: usize, written: &[u8]) -> RejectedRow {
        let column = widest_field(written).and_then(|place| self.columns.get(place));
        RejectedRow {
            row,
            column: column.map_or_else(|| Arc::from(""), |column| Arc::clone(column.name)),
            cause: RejectCause::TooLarge { what: "a row", bytes: written.len(), max: MAX_ROW_BYTES },
        }
    }
}

/// Which field of a row has the most bytes.
fn widest_field(row: &[u8]) -> Option<usize> {
    let mut rest = row.get(2..)?;
    let (mut place, mut widest) = (0, None);
    while let Some((length, behind)) = rest.split_first_chunk() {
        let length = usize::try_from(i32::from_be_bytes(*length)).unwrap_or(0);
        if widest.is_none_or(|(most, _)| length > most) {
            widest = Some((length, place));
        }
        rest = behind.get(length..)?;
        place += 1;
    }
    widest.map(|(_, place)| place)
}

#[cold]
fn rejection(row: usize, column: &Arc<str>, cause: RejectCause) -> Box<RejectedRow> {
    Box::new(RejectedRow { row, column: Arc::clone(column), cause })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_widest_field_is_found() {
        let row = b"\0\x03\0\0\0\x01a\xff\xff\xff\xff\0\0\0\x02bc";
        assert_eq!(widest_field(row), Some(2));
        assert_eq!(widest_field(b"\0\0"), None);
    }
}

//! Rows as text, for messages and for the quarantine.

use super::buffer::CopyBuffer;
use super::error::EncodeError;
use super::json::{JsonColumn, JsonState, Purpose};
use super::row::missing;
use arrow_array::RecordBatch;
use lakefront_model::TargetColumn;

/// A value in a key's text is cut to this many characters: keys are for messages, the row's JSON has all of it.
const MAX_VALUE_CHARS: usize = 200;

/// The rows of a batch as text, by the types that they have at the source.
pub struct RowTexts<'a> {
    columns: Vec<(&'a str, JsonColumn<'a>)>,
}

impl<'a> RowTexts<'a> {
    /// Looks at a batch that has the source's columns in the source's order.
    ///
    /// # Errors
    /// [`EncodeError`] when a column is not there or has not its type.
    pub fn bind(batch: &'a RecordBatch, columns: &'a [TargetColumn]) -> Result<Self, EncodeError> {
        let mut bound = Vec::with_capacity(columns.len());
        for column in columns {
            let array = batch.columns().get(column.source_index);
            let array = array.ok_or_else(|| missing(column, batch.schema_ref()))?;
            let values =
                JsonColumn::bind(array, &column.data_type).map_err(|read_as| EncodeError::ColumnType {
                    column: column.name.clone(),
                    source_type: Box::new(column.data_type.clone()),
                    read_as,
                    pg_type: Box::new(column.pg_type.clone()),
                })?;
            bound.push((column.name.as_str(), values));
        }
        Ok(Self { columns: bound })
    }

    /// The row's key as `id=17`, or `(id, region)=(17, eu)` when it has several columns; a value that is NULL is
    /// `NULL`. `key` has places in the columns. Values are written as inside a JSON string, control characters
    /// escaped, so the text can go on a terminal and into a `text` column; long ones are cut.
    pub fn key(&self, row: usize, key: &[usize]) -> String {
        let columns: Vec<_> = key.iter().filter_map(|&place| self.columns.get(place)).collect();
        let names: Vec<_> = columns.iter().map(|(name, _)| *name).collect();
        let values: Vec<_> = columns.iter().map(|(_, values)| shown(values, row)).collect();
        match (names.as_slice(), values.as_slice()) {
            ([name], [value]) => format!("{name}={value}"),
            _ => format!("({})=({})", names.join(", "), values.join(", ")),
        }
    }

    /// The whole row as a JSON object, by the rules for values inside jsonb, but without loss: a 0x00 byte is
    /// `\u0000`, equal keys of a map are all there, and a malformed variant is an object of its two binaries in
    /// base64. jsonb takes neither `\u0000` nor keeps equal keys, so this is to be kept as `text`.
    pub fn json(&self, row: usize) -> String {
        let mut out = CopyBuffer::default();
        let mut state = JsonState::new(Purpose::Record);
        for (place, (name, values)) in self.columns.iter().enumerate() {
            out.put([if place == 0 { b'{' } else { b',' }]);
            out.put_slice(serde_json::Value::from(*name).to_string().as_bytes());
            out.put(*b":");
            // A record refuses nothing.
            let _ = values.write(row, &mut out, &mut state);
        }
        out.put_slice(if self.columns.is_empty() { b"{}" } else { b"}" });
        text(&mut out)
    }
}

fn shown(values: &JsonColumn<'_>, row: usize) -> String {
    let mut out = CopyBuffer::default();
    let _ = values.write_bare(row, &mut out, &mut JsonState::new(Purpose::Record));
    let mut text = text(&mut out);
    if let Some((end, _)) = text.char_indices().nth(MAX_VALUE_CHARS) {
        text.truncate(end);
        text.push('…');
    }
    text
}

fn text(out: &mut CopyBuffer) -> String {
    String::from_utf8(out.take())
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

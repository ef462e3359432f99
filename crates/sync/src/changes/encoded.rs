//! Changed rows as PostgreSQL gets them, encoded on the threads that read them.

use super::Unclear;
use super::fold::Fingerprint;
use lakefront_lake::{ChangeBatch, RowChange};
use lakefront_model::{NulBytePolicy, TableMapping};
use lakefront_postgres::encode::{CopyBuffer, CopyRow, EncodeError, RowEncoder};
use std::mem::size_of;
use twox_hash::XxHash3_64;

/// Encodes changed rows; made once per range of changes.
pub(super) struct Encoding {
    encoder: RowEncoder,
    /// the places of the key's columns
    key: Vec<usize>,
}

/// Rows of one batch. They need a fraction of the memory that small batches do.
pub(super) struct EncodedRows {
    bytes: Vec<u8>,
    rows: Vec<ChangedRow>,
}

/// What is known of a changed row beside its bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct ChangedRow {
    pub(super) key: Fingerprint,
    pub(super) row: Fingerprint,
    pub(super) change: RowChange,
    /// where its bytes end
    end: usize,
}

impl Encoding {
    /// For batches of a schema, as a table's copy takes them.
    pub(super) fn new(
        schema: &arrow_schema::Schema,
        mapping: &TableMapping,
        nul: NulBytePolicy,
    ) -> Result<Self, EncodeError> {
        let encoder = RowEncoder::new(schema, &mapping.columns, nul)?;
        Ok(Self { encoder, key: mapping.key.clone() })
    }

    /// Encodes a batch.
    ///
    /// # Errors
    /// [`Unclear::Changes`] when PostgreSQL could not hold one of its rows.
    pub(super) fn encode(&self, batch: &ChangeBatch) -> Result<EncodedRows, Unclear> {
        let mut bound = self.encoder.bind(&batch.rows)?;
        let mut buffer = CopyBuffer::default();
        let mut encoded = EncodedRows { bytes: Vec::new(), rows: Vec::with_capacity(batch.changes.len()) };
        for (place, &change) in batch.changes.iter().enumerate() {
            let bytes = bound.encode_one(place, &mut buffer).map_err(|row| cannot_be_held(&row))?;
            let (key, row) = fingerprints(bytes, &self.key);
            encoded.bytes.extend_from_slice(bytes.bytes());
            encoded.rows.push(ChangedRow { key, row, change, end: encoded.bytes.len() });
        }
        encoded.bytes.shrink_to_fit();
        Ok(encoded)
    }
}

impl EncodedRows {
    /// Its rows in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&ChangedRow, CopyRow<'_>)> {
        let mut start = 0;
        self.rows.iter().map(move |row| {
            let bytes = self.bytes.get(start..row.end).unwrap_or_default();
            start = row.end;
            (row, CopyRow::new(bytes))
        })
    }

    /// Bytes of memory that they need.
    pub(super) fn memory(&self) -> usize {
        size_of::<Self>() + self.bytes.len() + self.rows.len() * size_of::<ChangedRow>()
    }
}

/// The key's and the row's fingerprints: of the bytes that PostgreSQL gets, so that what is the same there is the same.
pub(super) fn fingerprints(row: CopyRow<'_>, key: &[usize]) -> (Fingerprint, Fingerprint) {
    let mut fingerprint = 0;
    let last = key.iter().max().map_or(0, |last| last + 1);
    for (place, field) in row.fields().take(last).enumerate() {
        if key.contains(&place) {
            fingerprint = XxHash3_64::oneshot_with_seed(fingerprint, field.unwrap_or_default());
        }
    }
    (fingerprint, XxHash3_64::oneshot(row.bytes()))
}

pub(super) fn cannot_be_held(row: &lakefront_postgres::encode::RejectedRow) -> Unclear {
    Unclear::Changes(format!(
        "a changed row cannot be copied as it is (column \"{}\": {})",
        row.column, row.cause
    ))
}

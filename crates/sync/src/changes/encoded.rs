//! Changed rows as PostgreSQL gets them, encoded on the threads that read them.

use super::Unclear;
use super::ahead::Made;
use super::fold::Fingerprint;
use arrow_schema::Schema;
use lakefront_lake::{ChangeBatch, RowChange};
use lakefront_model::{NulBytePolicy, TableMapping, TargetColumn};
use lakefront_postgres::encode::{CopyBuffer, CopyRow, EncodeError, RowEncoder};
use std::mem::size_of;
use twox_hash::XxHash3_64;

/// Encodes changed rows; made once per range of changes.
pub(super) struct Encoding {
    encoder: RowEncoder,
    /// the places of the key's columns
    key: Vec<usize>,
    /// the source's columns that the key is made of
    key_columns: Vec<usize>,
    /// for batches that have just these
    keys: RowEncoder,
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
        schema: &Schema,
        mapping: &TableMapping,
        nul: NulBytePolicy,
    ) -> Result<Self, EncodeError> {
        let encoder = RowEncoder::new(schema, &mapping.columns, nul)?;
        // In the copy's order, as fingerprints are made.
        let mut key = mapping.key.clone();
        key.sort_unstable();
        let mut of_key: Vec<TargetColumn> =
            key.iter().filter_map(|&place| mapping.columns.get(place)).cloned().collect();
        let key_columns: Vec<usize> = of_key.iter().map(|column| column.source_index).collect();
        of_key.iter_mut().enumerate().for_each(|(place, column)| column.source_index = place);
        let fields = key_columns.iter().filter_map(|&column| schema.fields().get(column)).cloned();
        let keys = RowEncoder::new(&Schema::new(fields.collect::<Vec<_>>()), &of_key, nul)?;
        Ok(Self { encoder, key, key_columns, keys })
    }

    /// The source's columns that the key is made of: in this order batches have them for
    /// [`encode_keys`](Self::encode_keys).
    pub(super) fn key_columns(&self) -> &[usize] {
        &self.key_columns
    }

    /// Makes fingerprints of rows of which only the key was read. They have no bytes, and the row's fingerprint is the
    /// key's.
    pub(super) fn encode_keys(&self, batch: &ChangeBatch) -> Result<EncodedRows, Unclear> {
        let mut bound = self.keys.bind(&batch.rows)?;
        let mut buffer = CopyBuffer::default();
        let places: Vec<usize> = (0..self.key.len()).collect();
        let mut rows = Vec::with_capacity(batch.changes.len());
        for (place, &change) in batch.changes.iter().enumerate() {
            let bytes = bound.encode_one(place, &mut buffer).map_err(|row| cannot_be_held(&row))?;
            let (key, _) = fingerprints(bytes, &places);
            rows.push(ChangedRow { key, row: key, change, end: 0 });
        }
        Ok(EncodedRows { bytes: Vec::new(), rows })
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
}

impl Made for EncodedRows {
    fn memory(&self) -> usize {
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

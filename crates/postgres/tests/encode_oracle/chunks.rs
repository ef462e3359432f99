//! Chunks are bounded by bytes.

use crate::oracle::Kind;
use arrow_array::*;
use lakefront_model::{DeltaType, NulBytePolicy, PgType};
use lakefront_postgres::encode::{CopyBuffer, Encoded, RowEncoder};
use std::sync::Arc;

#[test]
fn encoding_stops_behind_the_row_that_passes_the_limit() {
    let strings: Vec<_> = (0..10).map(|row| "x".repeat(if row == 4 { 1_000 } else { 10 })).collect();
    let array: ArrayRef = Arc::new(StringArray::from(strings));
    let batch = RecordBatch::try_from_iter([("s", array)]).unwrap();
    let column = Kind::new(DeltaType::String, PgType::Text).target(0, "s", false);
    let encoder = RowEncoder::new(batch.schema_ref(), &[column], NulBytePolicy::Fail).unwrap();
    let mut bound = encoder.bind(&batch).unwrap();
    let (mut out, mut rejected) = (CopyBuffer::with_capacity(100), Vec::new());
    let mut steps = Vec::new();
    let mut next = 0;
    while next < bound.rows() {
        let Encoded { consumed, written } = bound.encode(next..bound.rows(), 40, &mut out, &mut rejected);
        assert_eq!(consumed, written);
        steps.push((consumed, out.len()));
        out.clear();
        next += consumed;
    }
    // A row of ten letters has 16 bytes; the long one is alone with what came before it.
    assert_eq!(steps, [(3, 48), (2, 16 + 1_006), (3, 48), (2, 32)]);
    let nothing = bound.encode(10..12, 40, &mut out, &mut rejected);
    assert_eq!(nothing, Encoded { consumed: 0, written: 0 });
    let one = bound.encode(4..5, 0, &mut out, &mut rejected);
    assert_eq!(one, Encoded { consumed: 1, written: 1 });
}

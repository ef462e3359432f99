//! How fast rows become binary COPY, on one thread, without a server:
//! `cargo run -p lakefront-postgres --example encode_speed`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a measurement that cannot go on stops")]

use arrow_array::builder::{Float32Builder, ListBuilder, StringBuilder};
use arrow_array::*;
use arrow_schema::{Field, Schema};
use lakefront_model::{DeltaType, NulBytePolicy, PgType, StructField, TargetColumn};
use lakefront_postgres::encode::{CopyBuffer, RowEncoder};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

const ROWS: usize = 8_192;
const CHUNK_BYTES: usize = 1 << 20;
const TIME: Duration = Duration::from_secs(2);
/// The best of so many rounds: what disturbs the others is not the encoder's.
const ROUNDS: usize = 5;

fn main() {
    let mixed = mixed_columns();
    measure("10 mixed columns", &mixed);
    for column in &mixed {
        measure(&format!("  {} alone", column.name), std::slice::from_ref(column));
    }
    measure("tags array<string> as jsonb", &[tags()]);
    measure("struct of 4 as jsonb", &[attributes()]);
    measure("512 floats as vector", &[embedding(PgType::Vector(512))]);
    measure("512 floats as halfvec", &[embedding(PgType::Halfvec(512))]);
}

struct Column {
    name: &'static str,
    array: ArrayRef,
    data_type: DeltaType,
    pg_type: PgType,
}

fn measure(what: &str, columns: &[Column]) {
    let fields: Vec<_> =
        columns.iter().map(|c| Field::new(c.name, c.array.data_type().clone(), true)).collect();
    let schema = Arc::new(Schema::new(fields));
    let batch =
        RecordBatch::try_new(schema.clone(), columns.iter().map(|c| c.array.clone()).collect()).unwrap();
    let targets: Vec<_> = columns
        .iter()
        .enumerate()
        .map(|(source_index, column)| TargetColumn {
            source_index,
            name: column.name.to_owned(),
            data_type: column.data_type.clone(),
            pg_type: column.pg_type.clone(),
            not_null: false,
            comment: None,
        })
        .collect();
    let encoder = RowEncoder::new(&schema, &targets, NulBytePolicy::Fail).unwrap();
    let mut out = CopyBuffer::with_capacity(CHUNK_BYTES + 4096);
    let mut best: Option<(Duration, usize)> = None;
    for _ in 0..ROUNDS {
        let (mut rows, mut bytes, begin) = (0, 0, busy());
        while busy() - begin < TIME / ROUNDS as u32 {
            let mut rejected = Vec::new();
            let mut bound = encoder.bind(&batch).unwrap();
            let mut next = 0;
            while next < ROWS {
                next += bound.encode(next..ROWS, CHUNK_BYTES, &mut out, &mut rejected).consumed;
                if out.len() >= CHUNK_BYTES {
                    bytes += out.len();
                    out.clear();
                }
            }
            assert!(rejected.is_empty(), "{rejected:?}");
            rows += ROWS;
        }
        let per_row = (busy() - begin) / rows as u32;
        if best.is_none_or(|(best, _)| per_row < best) {
            best = Some((per_row, bytes / rows));
        }
    }
    let (per_row, bytes) = best.unwrap();
    let rate = 1e3 / per_row.as_nanos() as f64;
    println!("{what:32} {per_row:>9.0?}/row {rate:>8.2} M rows/s {:>8.0} MB/s", rate * bytes as f64);
}

/// The time that this thread has been on a processor where the system tells (Linux), so that neighbours do not count;
/// elsewhere the time of day.
fn busy() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = told.as_deref().and_then(|told| told.split(' ').next()?.parse().ok());
    nanos.map(Duration::from_nanos).unwrap_or_else(|| SystemTime::UNIX_EPOCH.elapsed().unwrap())
}

/// About 140 bytes a row in PostgreSQL.
fn mixed_columns() -> Vec<Column> {
    let mut random = Random(42);
    let column = |name, array, data_type, pg_type| Column { name, array, data_type, pg_type };
    let decimal = DeltaType::Decimal { precision: 10, scale: 2 };
    let price = Decimal128Array::from_iter_values((0..ROWS).map(|_| i128::from(random.below(500_000))));
    let price = price.with_precision_and_scale(10, 2).unwrap();
    let updated = (0..ROWS).map(|_| 1_700_000_000_000_000 + random.below(1 << 40) as i64);
    let updated = TimestampMicrosecondArray::from_iter_values(updated).with_timezone("UTC");
    let rating =
        Float64Array::from_iter((0..ROWS).map(|i| (i % 9 != 0).then(|| random.below(50) as f64 / 10.0)));
    let sold =
        Date32Array::from_iter((0..ROWS).map(|i| (i % 5 != 0).then(|| 19_000 + random.below(900) as i32)));
    let quantity = Int32Array::from_iter_values((0..ROWS).map(|_| random.below(100) as i32));
    let active = BooleanArray::from_iter((0..ROWS).map(|_| Some(random.below(2) == 0)));
    let id = Int64Array::from_iter_values((0..ROWS as i64).map(|i| i * 7919));
    vec![
        column("id", Arc::new(id), DeltaType::Long, PgType::BigInt),
        column("name", random.strings(10, 35, 0), DeltaType::String, PgType::Text),
        column("category", random.strings(4, 12, 0), DeltaType::String, PgType::Text),
        column("note", random.strings(0, 60, 10), DeltaType::String, PgType::Text),
        column("price", Arc::new(price), decimal, PgType::Numeric { precision: 10, scale: 2 }),
        column("rating", Arc::new(rating), DeltaType::Double, PgType::DoublePrecision),
        column("quantity", Arc::new(quantity), DeltaType::Integer, PgType::Integer),
        column("sold_on", Arc::new(sold), DeltaType::Date, PgType::Date),
        column("updated_at", Arc::new(updated), DeltaType::Timestamp, PgType::Timestamptz),
        column("active", Arc::new(active), DeltaType::Boolean, PgType::Boolean),
    ]
}

fn tags() -> Column {
    let mut random = Random(7);
    let mut builder = ListBuilder::new(StringBuilder::new());
    for _ in 0..ROWS {
        for _ in 0..random.below(6) {
            builder.values().append_value(random.word(8));
        }
        builder.append(true);
    }
    let data_type = DeltaType::Array(Box::new(DeltaType::String));
    Column { name: "tags", array: Arc::new(builder.finish()), data_type, pg_type: PgType::Jsonb }
}

fn attributes() -> Column {
    let parts: Vec<_> = mixed_columns().into_iter().filter(|c| c.name != "id").step_by(2).take(4).collect();
    let fields: Vec<_> =
        parts.iter().map(|c| Field::new(c.name, c.array.data_type().clone(), true)).collect();
    let array = StructArray::new(fields.into(), parts.iter().map(|c| c.array.clone()).collect(), None);
    let field = |c: &Column| StructField::new(c.name, c.data_type.clone());
    let data_type = DeltaType::Struct(parts.iter().map(field).collect());
    Column { name: "attributes", array: Arc::new(array), data_type, pg_type: PgType::Jsonb }
}

fn embedding(pg_type: PgType) -> Column {
    let mut random = Random(3);
    let mut builder = ListBuilder::new(Float32Builder::new());
    for _ in 0..ROWS {
        for _ in 0..512 {
            builder.values().append_value(random.below(2_000) as f32 / 1_000.0 - 1.0);
        }
        builder.append(true);
    }
    let data_type = DeltaType::Array(Box::new(DeltaType::Float));
    Column { name: "embedding", array: Arc::new(builder.finish()), data_type, pg_type }
}

/// Xorshift: the same data each time.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }

    fn word(&mut self, len: u64) -> String {
        (0..len).map(|_| char::from(b'a' + self.below(26) as u8)).collect()
    }

    /// Strings of `least` to `most` letters; each `null_every`-th is NULL.
    fn strings(&mut self, least: u64, most: u64, null_every: usize) -> ArrayRef {
        let string = |row: usize, random: &mut Self| {
            let len = least + random.below(most - least);
            let word = random.word(len);
            (null_every == 0 || !row.is_multiple_of(null_every)).then_some(word)
        };
        let strings: Vec<_> = (0..ROWS).map(|row| string(row, self)).collect();
        Arc::new(StringArray::from(strings))
    }
}

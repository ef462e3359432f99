//! Values copied into a real table, and what PostgreSQL makes of them.

use arrow_array::{Array, ArrayRef, Int64Array, RecordBatch};
use arrow_schema::{Field, Schema};
use bytes::Bytes;
use futures::SinkExt;
use lakefront_model::{DeltaType, NulBytePolicy, PgType, TargetColumn};
use lakefront_postgres::encode::{COPY_HEADER, COPY_TRAILER, CopyBuffer, RejectedRow, RowEncoder};
use lakefront_testkit::TestDatabase;
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use std::sync::Arc;
use tokio::runtime::Runtime;
use tokio_postgres::Client;

/// One session on a database of its own.
pub struct Oracle {
    client: Client,
    _database: TestDatabase,
    runtime: Runtime,
}

/// A column `v` of one type.
#[derive(Clone)]
pub struct Kind {
    pub source: DeltaType,
    pub pg_type: PgType,
}

impl Kind {
    pub fn new(source: DeltaType, pg_type: PgType) -> Self {
        Self { source, pg_type }
    }

    pub fn target(&self, source_index: usize, name: &str, not_null: bool) -> TargetColumn {
        TargetColumn {
            source_index,
            name: name.to_owned(),
            data_type: self.source.clone(),
            pg_type: self.pg_type.clone(),
            not_null,
            comment: None,
        }
    }
}

impl Oracle {
    pub fn new() -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let database = runtime.block_on(TestDatabase::create());
        let client = runtime.block_on(database.client());
        let settings = "SET TIME ZONE 'UTC'; SET datestyle = 'ISO'; CREATE EXTENSION IF NOT EXISTS vector";
        runtime.block_on(client.batch_execute(settings)).unwrap();
        Self { client, _database: database, runtime }
    }

    /// Copies the values into a new table, in two batches that are slices of one, in chunks of a few rows.
    pub fn copy(&self, kind: &Kind, values: &ArrayRef, nul: NulBytePolicy) -> Vec<RejectedRow> {
        let numbers = Int64Array::from_iter_values(0..values.len() as i64);
        let schema = Arc::new(Schema::new(vec![
            Field::new("n", numbers.data_type().clone(), false),
            Field::new("v", values.data_type().clone(), true),
        ]));
        let batch = RecordBatch::try_new(schema.clone(), vec![Arc::new(numbers), values.clone()]).unwrap();
        let key = Kind::new(DeltaType::Long, PgType::BigInt).target(0, "n", true);
        let encoder = RowEncoder::new(&schema, &[key, kind.target(1, "v", false)], nul).unwrap();
        let middle = values.len() / 3;
        let mut chunks = vec![COPY_HEADER.to_vec()];
        let mut rejected = Vec::new();
        for (offset, len) in [(0, middle), (middle, values.len() - middle)] {
            let part = batch.slice(offset, len);
            let mut bound = encoder.bind(&part).unwrap();
            let (mut next, before_part) = (0, rejected.len());
            while next < len {
                let mut out = CopyBuffer::with_capacity(64);
                let before = rejected.len();
                let encoded = bound.encode(next..len, 256, &mut out, &mut rejected);
                assert_eq!(encoded.consumed, encoded.written + rejected.len() - before);
                next += encoded.consumed;
                chunks.push(out.take());
            }
            rejected[before_part..].iter_mut().for_each(|row: &mut RejectedRow| row.row += offset);
        }
        chunks.push(COPY_TRAILER.to_vec());
        self.runtime.block_on(self.send(kind, chunks)).unwrap();
        rejected
    }

    async fn send(&self, kind: &Kind, chunks: Vec<Vec<u8>>) -> Result<u64, tokio_postgres::Error> {
        let table = format!(
            "DROP TABLE IF EXISTS pg_temp.t; CREATE TEMP TABLE t (n bigint PRIMARY KEY, v {})",
            kind.pg_type.sql()
        );
        self.client.batch_execute(&table).await?;
        let sink = self.client.copy_in::<_, Bytes>("COPY t FROM STDIN (FORMAT binary)").await?;
        let mut sink = std::pin::pin!(sink);
        for chunk in chunks {
            sink.send(Bytes::from(chunk)).await?;
        }
        sink.finish().await
    }

    /// The rows of the table for which `condition` does not hold. In it `v` is what is stored and `x` is what is
    /// expected, as text.
    pub fn disagreements(
        &self,
        kind: &Kind,
        values: &ArrayRef,
        expected: Vec<Option<String>>,
        condition: &str,
    ) -> Vec<String> {
        assert_eq!(values.len(), expected.len());
        let rejected = self.copy(kind, values, NulBytePolicy::Fail);
        let mut found: Vec<_> = rejected.iter().map(|row| format!("{}: {row}", row.row)).collect();
        let query = format!(
            "SELECT n, v::text, x FROM unnest($1::text[]) WITH ORDINALITY AS e(x, place)
             LEFT JOIN t ON n = place - 1 WHERE ({condition}) IS NOT TRUE ORDER BY place"
        );
        let rows = self.runtime.block_on(self.client.query(&query, &[&expected])).unwrap();
        found.extend(rows.iter().map(|row| {
            let shown = |i: usize| row.get::<_, Option<String>>(i);
            format!("row {:?}: stored {:?}, expected {:?}", row.get::<_, Option<i64>>(0), shown(1), shown(2))
        }));
        found
    }

    /// The stored values as text, in order.
    pub fn texts(&self, expression: &str) -> Vec<Option<String>> {
        let query = format!("SELECT ({expression})::text FROM t ORDER BY n");
        let rows = self.runtime.block_on(self.client.query(&query, &[])).unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// Runs a property on generated values.
    pub fn holds<S: Strategy>(
        &self,
        cases: u32,
        strategy: &S,
        property: impl Fn(S::Value) -> Result<(), TestCaseError>,
    ) {
        let config = Config { cases, failure_persistence: None, ..Config::default() };
        if let Err(error) = TestRunner::new(config).run(strategy, property) {
            panic!("{error}");
        }
    }
}

/// A condition on `v` and `x`: both NULL, or neither and `condition`.
pub fn or_null(condition: &str) -> String {
    format!(
        "CASE WHEN v IS NULL OR x IS NULL THEN v IS NULL AND x IS NULL AND n IS NOT NULL ELSE {condition} END"
    )
}

/// Values, each fifth of which is missing.
pub fn column<T: std::fmt::Debug + Clone>(
    value: impl Strategy<Value = T> + 'static,
) -> impl Strategy<Value = Vec<Option<T>>> {
    use proptest::prelude::*;
    let value = value.boxed();
    let cell = prop_oneof![1 => Just(None), 4 => value.clone().prop_map(Some)];
    // Columns without a NULL go another way.
    prop_oneof![
        proptest::collection::vec(cell, 1..60),
        proptest::collection::vec(value.prop_map(Some), 1..60),
    ]
}

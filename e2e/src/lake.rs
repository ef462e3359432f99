//! Small Delta tables to load.

use crate::run::lakefront;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{ArrayRef, Float32Array, Float64Array, Int64Array, ListArray, RecordBatch, StringArray};
use arrow_buffer::OffsetBuffer;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use lakefront_delta_writer::{DeltaTable, FileLayout, KeyedChanges, Operation, TableSpec};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

/// A table of products on disk, gone when it is dropped.
pub struct ShopTable {
    folder: TempDir,
    table: DeltaTable,
}

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("product_id", DataType::Int64, true),
        Field::new("name", DataType::Utf8, true),
        Field::new("price", DataType::Float64, true),
    ]))
}

/// Rows of products; the price follows from the number and `round`.
pub fn products(ids: impl IntoIterator<Item = Option<i64>>, round: i64) -> RecordBatch {
    let ids: Vec<Option<i64>> = ids.into_iter().collect();
    let names: StringArray = ids.iter().map(|id| id.map(|id| format!("product {id}"))).collect();
    let prices: Float64Array =
        ids.iter().map(|id| id.map(|id| (id * 7 % 1000 + round) as f64 / 4.0)).collect();
    let columns: Vec<ArrayRef> = vec![Arc::new(Int64Array::from(ids)), Arc::new(names), Arc::new(prices)];
    RecordBatch::try_new(schema(), columns).unwrap()
}

/// A table in `folder` of one product with an embedding of three numbers.
pub fn embeddings(folder: &Path) {
    let item = Arc::new(Field::new("element", DataType::Float32, true));
    let schema = Arc::new(Schema::new(vec![
        Field::new("product_id", DataType::Int64, true),
        Field::new("embedding", DataType::List(item.clone()), true),
    ]));
    let numbers = Arc::new(Float32Array::from(vec![0.25, 0.5, 1.0]));
    let lists = ListArray::new(item, OffsetBuffer::from_lengths([3]), numbers, None);
    let columns: Vec<ArrayRef> = vec![Arc::new(Int64Array::from(vec![1])), Arc::new(lists)];
    let rows = RecordBatch::try_new(schema.clone(), columns).unwrap();
    let mut table = DeltaTable::create(folder, TableSpec::new(schema)).unwrap();
    table.commit(Operation::Append(vec![rows])).unwrap();
}

impl ShopTable {
    /// A table with products 1 to `rows`, at version 1.
    pub fn with_rows(rows: i64) -> Self {
        let spec = TableSpec::new(schema()).with_change_data_feed().described("what the shop sells");
        Self::made(spec, rows)
    }

    /// The same without change data feed.
    pub fn without_feed(rows: i64) -> Self {
        Self::made(TableSpec::new(schema()), rows)
    }

    fn made(spec: TableSpec, rows: i64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let spec = spec.with_layout(FileLayout { rows_per_file: 20_000, rows_per_group: 5_000 });
        let table = DeltaTable::create(folder.path().join("products"), spec).unwrap();
        let mut shop = Self { folder, table };
        shop.append((1..=rows).map(Some));
        shop
    }

    /// Its folder.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("products")
    }

    /// Its newest version.
    pub fn version(&self) -> u64 {
        self.table.version()
    }

    /// Makes its first copy, `shop.products`, in a database.
    pub fn load(&self, url: &str) {
        let source = self.path().display().to_string();
        let load = ["load", &source, "--into", "shop.products", "--key", "product_id", "--database", url];
        lakefront(load).good();
    }

    /// Commits that touch no file, as maintenance leaves them.
    pub fn idle(&mut self, commits: u64) {
        let log = self.path().join("_delta_log");
        for version in self.version() + 1..=self.version() + commits {
            let action = r#"{"commitInfo":{"operation":"VACUUM END"}}"#;
            std::fs::write(log.join(format!("{version:020}.json")), action).unwrap();
        }
        self.table.refresh().unwrap();
    }

    /// Appends products.
    pub fn append(&mut self, ids: impl IntoIterator<Item = Option<i64>>) {
        self.table.commit(Operation::Append(vec![products(ids, 0)])).unwrap();
    }

    /// Appends products at the prices of a round.
    pub fn append_at(&mut self, ids: impl IntoIterator<Item = i64>, round: i64) {
        let rows = products(ids.into_iter().map(Some), round);
        self.table.commit(Operation::Append(vec![rows])).unwrap();
    }

    /// Deletes the rows of a product that have the price of a round.
    pub fn delete_priced(&mut self, id: i64, round: i64) {
        let wanted = products([Some(id)], round);
        let is_it = |rows: &RecordBatch| {
            let ids = rows.column(0).as_primitive::<Int64Type>().iter();
            let prices = rows.column(2).as_primitive::<Float64Type>().iter();
            let price = wanted.column(2).as_primitive::<Float64Type>().value(0);
            Ok(ids.zip(prices).map(|row| Some(row == (Some(id), Some(price)))).collect())
        };
        self.table.commit(Operation::delete(is_it)).unwrap();
    }

    /// Gives products another price; new ones are inserted.
    pub fn reprice(&mut self, ids: impl IntoIterator<Item = i64>, round: i64) {
        let changes = KeyedChanges::by(["product_id"]).upsert(products(ids.into_iter().map(Some), round));
        self.table.commit(Operation::Merge(changes)).unwrap();
    }

    /// Deletes products.
    pub fn delete(&mut self, ids: impl IntoIterator<Item = i64>) {
        let rows = products(ids.into_iter().map(Some), 0);
        let keys = rows.project(&[0]).unwrap();
        self.table.commit(Operation::Merge(KeyedChanges::by(["product_id"]).delete(keys))).unwrap();
    }
}

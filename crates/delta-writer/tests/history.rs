//! A random history of a table, compared with a plain model of it: as this crate reads it back, and
//! as the Python packages `deltalake` and `duckdb` do, change feed included.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod python;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::builder::{Float32Builder, ListBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use lakefront_delta_writer::{DeltaTable, FileLayout, KeyedChanges, Operation, TableSpec};
use serde_json::{Value, json};

/// A row of the model: text, numbers, microseconds.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    note: Option<String>,
    numbers: Vec<Option<f32>>,
    at: i64,
}

type Model = BTreeMap<i64, Row>;

fn schema() -> SchemaRef {
    let element = Arc::new(Field::new("item", DataType::Float32, true));
    let utc = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    Arc::new(Schema::new(vec![
        Field::new("id", DataType::Int64, false),
        Field::new("note", DataType::Utf8, true),
        Field::new("numbers", DataType::List(element), true),
        Field::new("at", utc, true),
    ]))
}

fn batch(rows: &Model) -> RecordBatch {
    let mut numbers = ListBuilder::new(Float32Builder::new());
    for row in rows.values() {
        for number in &row.numbers {
            numbers.values().append_option(*number);
        }
        numbers.append(true);
    }
    let at = TimestampMicrosecondArray::from_iter_values(rows.values().map(|row| row.at));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(rows.keys().copied())),
        Arc::new(StringArray::from_iter(rows.values().map(|row| row.note.clone()))),
        Arc::new(numbers.finish()),
        Arc::new(at.with_timezone("UTC")),
    ];
    RecordBatch::try_new(schema(), columns).unwrap()
}

fn model_of(table: &DeltaTable) -> Model {
    let mut model = Model::new();
    for file in table.files() {
        let rows = table.read(&file.path, None).unwrap();
        assert_eq!(file.rows, Some(rows.num_rows() as u64));
        for index in 0..rows.num_rows() {
            let note = rows["note"].as_string::<i32>();
            let numbers = rows["numbers"].as_list::<i32>().value(index);
            let row = Row {
                note: note.is_valid(index).then(|| note.value(index).to_owned()),
                numbers: numbers.as_primitive::<Float32Type>().iter().collect(),
                at: rows["at"].as_primitive::<TimestampMicrosecondType>().value(index),
            };
            let id = rows["id"].as_primitive::<Int64Type>().value(index);
            assert!(model.insert(id, row).is_none(), "id {id} is there twice");
        }
    }
    model
}

/// A small generator, so that a failing seed can be run again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }

    fn row(&mut self) -> Row {
        let note = match self.roll(5) {
            0 => None,
            1 => Some(String::new()),
            n => Some("naïve 🧥 ".repeat(n as usize)),
        };
        let numbers = (0..self.roll(4)).map(|n| (n != 2).then_some(n as f32 / 3.0)).collect();
        Row { note, numbers, at: self.roll(1 << 40) as i64 - (1 << 39) }
    }
}

fn as_json(id: i64, row: &Row) -> Value {
    json!({ "id": id, "note": row.note, "numbers": row.numbers, "at": row.at })
}

/// The changes of one commit, as the feed should tell them.
fn changes(before: &Model, after: &Model, version: u64) -> Vec<Value> {
    let change = |kind: &str, id: i64, row: &Row| {
        let mut change = as_json(id, row);
        change["_change_type"] = json!(kind);
        change["_commit_version"] = json!(version);
        change
    };
    let mut changes = Vec::new();
    for (id, row) in before {
        match after.get(id) {
            None => changes.push(change("delete", *id, row)),
            Some(new) if new != row => {
                changes.push(change("update_preimage", *id, row));
                changes.push(change("update_postimage", *id, new));
            }
            Some(_) => {}
        }
    }
    let inserted = after.iter().filter(|(id, _)| !before.contains_key(id));
    changes.extend(inserted.map(|(id, row)| change("insert", *id, row)));
    changes
}

fn by_remainder(divisor: i64) -> impl Fn(&RecordBatch) -> BooleanArray {
    move |rows| {
        let ids = rows["id"].as_primitive::<Int64Type>().iter();
        ids.map(|id| id.map(|id| id % divisor == 0)).collect()
    }
}

fn rewrite_note(rows: &RecordBatch, note: &str) -> RecordBatch {
    let note = StringArray::from(vec![note; rows.num_rows()]);
    let mut columns = rows.columns().to_vec();
    columns[1] = Arc::new(note);
    RecordBatch::try_new(rows.schema(), columns).unwrap()
}

/// Makes one random commit on table and model.
fn step(table: &mut DeltaTable, model: &mut Model, dice: &mut Dice) {
    let next_id = model.last_key_value().map_or(0, |(id, _)| id + 1);
    match dice.roll(7) {
        0 | 1 => {
            let rows: Model = (0..=dice.roll(25) as i64).map(|n| (next_id + n, dice.row())).collect();
            let commit = table.commit(Operation::Append(vec![batch(&rows)])).unwrap();
            assert_eq!(commit.rows.inserted, rows.len() as u64);
            model.extend(rows);
        }
        2 => {
            let divisor = dice.roll(9) as i64 + 2;
            let filter = by_remainder(divisor);
            let _ = table.commit(Operation::delete(move |rows| Ok(filter(rows)))).unwrap();
            model.retain(|id, _| id % divisor != 0);
        }
        3 => {
            let divisor = dice.roll(9) as i64 + 2;
            let filter = by_remainder(divisor);
            let note = format!("after version {}", table.version());
            let update =
                Operation::update(move |rows| Ok(filter(rows)), |rows| Ok(rewrite_note(rows, &note)));
            let _ = table.commit(update).unwrap();
            for (_, row) in model.iter_mut().filter(|(id, _)| **id % divisor == 0) {
                row.note = Some(note.clone());
            }
        }
        4 | 5 => {
            let upserts: Model = (0..5).map(|_| (dice.roll(next_id as u64 + 5) as i64, dice.row())).collect();
            let gone: Model = (0..3)
                .map(|_| (dice.roll(next_id as u64 + 5) as i64, dice.row()))
                .filter(|(id, _)| !upserts.contains_key(id))
                .collect();
            let keys = batch(&gone).project(&[0]).unwrap();
            let changes = KeyedChanges::by(["id"]).upsert(batch(&upserts)).delete(keys);
            let _ = table.commit(Operation::Merge(changes)).unwrap();
            model.retain(|id, _| !gone.contains_key(id));
            model.extend(upserts);
        }
        _ => {
            let commit = table.commit(Operation::Optimize).unwrap();
            assert_eq!(commit.rows, Default::default());
        }
    }
}

fn sorted(mut rows: Vec<Value>) -> Vec<String> {
    for row in &mut rows {
        row.as_object_mut().unwrap().remove("_commit_timestamp");
    }
    let mut texts: Vec<String> = rows.iter().map(Value::to_string).collect();
    texts.sort();
    texts
}

fn list(answer: &Value, name: &str) -> Vec<Value> {
    answer[name].as_array().unwrap_or_else(|| panic!("no {name}")).clone()
}

#[test]
fn a_random_history_reads_back_the_same_everywhere() {
    for seed in 1..=3 {
        let folder = tempfile::tempdir().unwrap();
        let layout = FileLayout { rows_per_file: 40, rows_per_group: 16 };
        let spec = TableSpec::new(schema()).named("t").with_change_data_feed().with_layout(layout);
        let mut table = DeltaTable::create(folder.path(), spec).unwrap();
        let (mut model, mut dice, mut feed) = (Model::new(), Dice(seed), Vec::new());
        for number in 0..60 {
            let (before, version) = (model.clone(), table.version());
            step(&mut table, &mut model, &mut dice);
            assert_eq!(model_of(&table), model, "seed {seed}, after step {number}");
            if table.version() > version {
                feed.extend(changes(&before, &model, table.version()));
            } else {
                assert_eq!(before, model, "seed {seed}: step {number} changed rows without a commit");
            }
            if number == 30 {
                table.checkpoint().unwrap();
            }
        }
        let reopened = DeltaTable::open(folder.path()).unwrap();
        assert_eq!(reopened.version(), table.version());
        assert_eq!(model_of(&reopened), model, "seed {seed}, reopened");
        let Some(answer) = python::read_back(folder.path()) else {
            return;
        };
        let expected = sorted(model.iter().map(|(id, row)| as_json(*id, row)).collect());
        assert_eq!(answer["version"], json!(table.version()));
        assert_eq!(answer["protocol"], json!([1, 7]));
        assert_eq!(sorted(list(&answer, "rows")), expected, "seed {seed}: deltalake");
        assert_eq!(sorted(list(&answer, "feed")), sorted(feed), "seed {seed}: the feed in deltalake");
        match answer.get("duckdb") {
            Some(_) => assert_eq!(sorted(list(&answer, "duckdb")), expected, "seed {seed}: duckdb"),
            None => eprintln!("NOT COMPARED with duckdb: its Delta extension is not installed"),
        }
    }
}

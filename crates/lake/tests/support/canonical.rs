//! Arrow batches in the canonical form that `independent.py` prints.

use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::{Array, ArrayRef, RecordBatch};
use lakefront_model::{DeltaType, SourceSchema};
use serde_json::{Value, json};

/// The rows of a batch as texts.
pub fn rows(batch: &RecordBatch, schema: &SourceSchema) -> Vec<String> {
    let columns: Vec<(&ArrayRef, &DeltaType)> = batch
        .columns()
        .iter()
        .zip(batch.schema().fields())
        .map(|(column, field)| (column, &schema.find(field.name()).expect("a source column").data_type))
        .collect();
    (0..batch.num_rows())
        .map(|row| {
            Value::Array(columns.iter().map(|(column, kind)| value(column, kind, row)).collect()).to_string()
        })
        .collect()
}

fn value(array: &ArrayRef, kind: &DeltaType, row: usize) -> Value {
    if *kind == DeltaType::Void || array.is_null(row) {
        return Value::Null;
    }
    match kind {
        DeltaType::Boolean => json!(array.as_boolean().value(row)),
        DeltaType::Byte => json!(array.as_primitive::<Int8Type>().value(row)),
        DeltaType::Short => json!(array.as_primitive::<Int16Type>().value(row)),
        DeltaType::Integer => json!(array.as_primitive::<Int32Type>().value(row)),
        DeltaType::Long => json!(array.as_primitive::<Int64Type>().value(row)),
        DeltaType::Float => {
            let value = array.as_primitive::<Float32Type>().value(row);
            json!(["f", if value.is_nan() { "nan".to_owned() } else { format!("{:08x}", value.to_bits()) }])
        }
        DeltaType::Double => {
            let value = array.as_primitive::<Float64Type>().value(row);
            json!(["d", if value.is_nan() { "nan".to_owned() } else { format!("{:016x}", value.to_bits()) }])
        }
        DeltaType::Decimal { precision, scale } => {
            let column = array.as_primitive::<Decimal128Type>();
            assert_eq!((column.precision(), column.scale()), (*precision, *scale as i8));
            json!(["dec", decimal(column.value(row), usize::from(*scale))])
        }
        DeltaType::String => json!(array.as_string::<i32>().value(row)),
        DeltaType::Binary => json!(["bin", hex(array.as_binary::<i32>().value(row))]),
        DeltaType::Date => json!(["date", array.as_primitive::<Date32Type>().value(row)]),
        DeltaType::Timestamp => json!(["ts", array.as_primitive::<TimestampMicrosecondType>().value(row)]),
        DeltaType::TimestampNtz => {
            json!(["ntz", array.as_primitive::<TimestampMicrosecondType>().value(row)])
        }
        DeltaType::IntervalYearMonth => json!(["ym", array.as_primitive::<Int32Type>().value(row)]),
        DeltaType::IntervalDayTime => json!(["dt", array.as_primitive::<Int64Type>().value(row)]),
        DeltaType::Array(element) => {
            let list = array.as_list::<i32>().value(row);
            let values = (0..list.len()).map(|i| value(&list, element, i));
            Value::Array(std::iter::once(json!("list")).chain(values).collect())
        }
        DeltaType::Map(key, item) => {
            let entries = array.as_map().value(row);
            let (keys, items) = (entries.column(0), entries.column(1));
            let mut pairs: Vec<Value> =
                (0..entries.len()).map(|i| json!([value(keys, key, i), value(items, item, i)])).collect();
            pairs.sort_by_key(Value::to_string);
            Value::Array(std::iter::once(json!("map")).chain(pairs).collect())
        }
        DeltaType::Struct(fields) => {
            let column = array.as_struct();
            let values = fields.iter().enumerate().map(|(i, field)| {
                assert_eq!(column.column_names()[i], field.name);
                json!([field.name, value(column.column(i), &field.data_type, row)])
            });
            Value::Array(std::iter::once(json!("struct")).chain(values).collect())
        }
        DeltaType::Variant => {
            let column = array.as_struct();
            let part = |name| hex(column.column_by_name(name).unwrap().as_binary::<i32>().value(row));
            json!(["variant", part("metadata"), part("value")])
        }
        DeltaType::Void => Value::Null,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn decimal(unscaled: i128, scale: usize) -> String {
    let digits = format!("{:0>width$}", unscaled.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let sign = if unscaled < 0 { "-" } else { "" };
    if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

//! Statistics of a data file as its `add` action carries them (Delta protocol, "Per-file Statistics").

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType,
};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, TimeUnit};
use chrono::{DateTime, Days, NaiveDate};
use serde_json::{Map, Value, json};

/// Strings in statistics are cut to this many characters, as other writers do.
const STRING_PREFIX: usize = 32;
/// Follows a cut maximum, so that it stays at least as great as what it stands for.
const ABOVE_ANY_CONTINUATION: char = '\u{10FFFF}';

/// The statistics of a file that holds these rows, as JSON text.
pub(crate) fn of(rows: &RecordBatch) -> String {
    let (mut min, mut max, mut nulls) = (Map::new(), Map::new(), Map::new());
    for (field, column) in rows.schema_ref().fields().iter().zip(rows.columns()) {
        if matches!(column.data_type(), DataType::Struct(_)) {
            continue;
        }
        nulls.insert(field.name().clone(), json!(column.logical_null_count()));
        if let Some((least, greatest)) = bounds(column.as_ref()) {
            min.insert(field.name().clone(), least);
            max.insert(field.name().clone(), greatest);
        }
    }
    json!({
        "numRecords": rows.num_rows(),
        "minValues": min,
        "maxValues": max,
        "nullCount": nulls,
    })
    .to_string()
}

/// The least and the greatest value of a column, where its type has an order that JSON can carry exactly.
fn bounds(column: &dyn Array) -> Option<(Value, Value)> {
    macro_rules! integers {
        ($type:ty) => {{
            let values = column.as_primitive::<$type>();
            let least = values.iter().flatten().min()?;
            let greatest = values.iter().flatten().max()?;
            Some((json!(least), json!(greatest)))
        }};
    }
    macro_rules! floats {
        ($type:ty) => {{
            let values = column.as_primitive::<$type>();
            let mut present = values.iter().flatten();
            let first = present.next()?;
            let mut range = (first, first);
            for value in present {
                range = (range.0.min(value), range.1.max(value));
            }
            let finite = values.iter().flatten().all(|value| value.is_finite());
            finite.then(|| (json!(range.0), json!(range.1)))
        }};
    }
    match column.data_type() {
        DataType::Int8 => integers!(Int8Type),
        DataType::Int16 => integers!(Int16Type),
        DataType::Int32 => integers!(Int32Type),
        DataType::Int64 => integers!(Int64Type),
        DataType::Float32 => floats!(Float32Type),
        DataType::Float64 => floats!(Float64Type),
        DataType::Utf8 => {
            let values = column.as_string::<i32>();
            let least = values.iter().flatten().min()?;
            let greatest = values.iter().flatten().max()?;
            Some((json!(cut(least)), json!(cut_upwards(greatest))))
        }
        DataType::Date32 => {
            let values = column.as_primitive::<Date32Type>();
            let least = values.iter().flatten().min()?;
            let greatest = values.iter().flatten().max()?;
            Some((json!(date_text(least)?), json!(date_text(greatest)?)))
        }
        DataType::Timestamp(TimeUnit::Microsecond, zone) => {
            let values = column.as_primitive::<TimestampMicrosecondType>();
            let least = values.iter().flatten().min()?;
            let greatest = values.iter().flatten().max()?;
            let suffix = if zone.is_some() { "Z" } else { "" };
            // Milliseconds, rounded outwards: the protocol lets readers expect no finer statistics.
            let least = instant_text(least.div_euclid(1000), suffix)?;
            let greatest = instant_text(greatest.checked_add(999)?.div_euclid(1000), suffix)?;
            Some((json!(least), json!(greatest)))
        }
        _ => None,
    }
}

fn cut(text: &str) -> String {
    text.chars().take(STRING_PREFIX).collect()
}

fn cut_upwards(text: &str) -> String {
    let mut cut = cut(text);
    if cut.len() < text.len() {
        cut.push(ABOVE_ANY_CONTINUATION);
    }
    cut
}

fn date_text(days: i32) -> Option<String> {
    let epoch = NaiveDate::from_ymd_opt(1970, 1, 1)?;
    let distance = Days::new(u64::from(days.unsigned_abs()));
    let date = if days < 0 { epoch.checked_sub_days(distance)? } else { epoch.checked_add_days(distance)? };
    Some(date.format("%Y-%m-%d").to_string())
}

fn instant_text(milliseconds: i64, suffix: &str) -> Option<String> {
    let instant = DateTime::from_timestamp_millis(milliseconds)?;
    Some(format!("{}{suffix}", instant.format("%Y-%m-%dT%H:%M:%S%.3f")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use arrow_array::{
        ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, StringArray, TimestampMicrosecondArray,
    };
    use std::sync::Arc;

    fn stats(columns: Vec<(&str, ArrayRef)>) -> Value {
        serde_json::from_str(&of(&RecordBatch::try_from_iter(columns).unwrap())).unwrap()
    }

    #[test]
    fn bounds_and_nulls_of_simple_columns() {
        let at = TimestampMicrosecondArray::from(vec![Some(-1), Some(1_500_001), None]);
        let found = stats(vec![
            ("n", Arc::new(Int64Array::from(vec![Some(3), None, Some(-9)]))),
            ("d", Arc::new(Date32Array::from(vec![Some(-1), Some(0), Some(31)]))),
            ("t", Arc::new(at.with_timezone("UTC"))),
            ("b", Arc::new(BooleanArray::from(vec![None, Some(true), Some(false)]))),
        ]);
        assert_eq!(found["numRecords"], 3);
        assert_eq!((&found["minValues"]["n"], &found["maxValues"]["n"]), (&json!(-9), &json!(3)));
        assert_eq!(found["minValues"]["d"], "1969-12-31");
        assert_eq!(found["maxValues"]["d"], "1970-02-01");
        assert_eq!(found["minValues"]["t"], "1969-12-31T23:59:59.999Z");
        assert_eq!(found["maxValues"]["t"], "1970-01-01T00:00:01.501Z");
        assert_eq!(found["nullCount"], json!({ "n": 1, "d": 0, "t": 1, "b": 1 }));
        assert!(found["minValues"].get("b").is_none());
    }

    #[test]
    fn long_strings_are_cut_outwards() {
        let long = "é".repeat(40);
        let found = stats(vec![("s", Arc::new(StringArray::from(vec![long.as_str()])))]);
        let (least, greatest) = (&found["minValues"]["s"], &found["maxValues"]["s"]);
        assert_eq!(least.as_str().unwrap(), "é".repeat(32));
        assert!(greatest.as_str().unwrap() > long.as_str());
    }

    #[test]
    fn not_a_number_leaves_the_bounds_out() {
        let floats = Float64Array::from(vec![1.0, f64::NAN]);
        let found = stats(vec![("f", Arc::new(floats))]);
        assert!(found["minValues"].get("f").is_none());
        assert_eq!(found["nullCount"]["f"], 0);
    }

    #[test]
    fn a_column_of_nulls_has_no_bounds() {
        let found = stats(vec![("s", Arc::new(StringArray::from(vec![None::<&str>, None])))]);
        assert_eq!(found["minValues"], json!({}));
        assert_eq!(found["nullCount"]["s"], 2);
    }
}

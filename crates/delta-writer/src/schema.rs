//! Arrow schema to Delta schema and back (Delta protocol, "Schema Serialization Format").

use std::sync::Arc;

use arrow_schema::{DataType, Field, FieldRef, Fields, Schema, SchemaRef, TimeUnit};
use serde_json::{Map, Value, json};

use crate::error::DeltaWriteError;

/// The JSON text of a Delta schema for an Arrow schema.
pub(crate) fn to_delta(schema: &Schema) -> Result<String, DeltaWriteError> {
    Ok(struct_to_json(schema.fields(), "")?.to_string())
}

/// The Arrow schema for the JSON text of a Delta schema. Lists hold an `element`, maps a
/// `key_value` of `key` and `value`, as Parquet names them.
pub(crate) fn to_arrow(text: &str) -> Result<SchemaRef, String> {
    let json: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let fields = struct_from_json(&json)?;
    Ok(Arc::new(Schema::new(fields)))
}

/// Whether two types are the same to Delta: names of list elements and nullability inside do not count.
pub(crate) fn same_type(left: &DataType, right: &DataType) -> bool {
    match (left, right) {
        (DataType::List(left), DataType::List(right)) | (DataType::Map(left, _), DataType::Map(right, _)) => {
            same_type(left.data_type(), right.data_type())
        }
        (DataType::Struct(left), DataType::Struct(right)) => {
            left.len() == right.len()
                && left.iter().zip(right).all(|(left, right)| same_type(left.data_type(), right.data_type()))
        }
        _ => left == right,
    }
}

/// Whether a type without time zone occurs anywhere: it asks for a table feature of its own.
pub(crate) fn has_timestamp_ntz(fields: &Fields) -> bool {
    fn within(data_type: &DataType) -> bool {
        match data_type {
            DataType::Timestamp(_, None) => true,
            DataType::List(item) | DataType::Map(item, _) => within(item.data_type()),
            DataType::Struct(fields) => has_timestamp_ntz(fields),
            _ => false,
        }
    }
    fields.iter().any(|field| within(field.data_type()))
}

fn struct_to_json(fields: &Fields, prefix: &str) -> Result<Value, DeltaWriteError> {
    let fields = fields
        .iter()
        .map(|field| {
            let path = format!("{prefix}{}", field.name());
            let metadata: Map<String, Value> = field
                .metadata()
                .iter()
                .map(|(key, value)| (key.clone(), Value::String(value.clone())))
                .collect();
            Ok(json!({
                "name": field.name(),
                "type": type_to_json(field.data_type(), &path)?,
                "nullable": field.is_nullable(),
                "metadata": metadata,
            }))
        })
        .collect::<Result<Vec<_>, DeltaWriteError>>()?;
    Ok(json!({ "type": "struct", "fields": fields }))
}

fn type_to_json(data_type: &DataType, path: &str) -> Result<Value, DeltaWriteError> {
    Ok(match data_type {
        DataType::Boolean => json!("boolean"),
        DataType::Int8 => json!("byte"),
        DataType::Int16 => json!("short"),
        DataType::Int32 => json!("integer"),
        DataType::Int64 => json!("long"),
        DataType::Float32 => json!("float"),
        DataType::Float64 => json!("double"),
        DataType::Utf8 => json!("string"),
        DataType::Binary => json!("binary"),
        DataType::Date32 => json!("date"),
        DataType::Decimal128(precision, scale) if *scale >= 0 => {
            json!(format!("decimal({precision},{scale})"))
        }
        DataType::Timestamp(TimeUnit::Microsecond, Some(zone)) if zone.as_ref() == "UTC" => {
            json!("timestamp")
        }
        DataType::Timestamp(TimeUnit::Microsecond, None) => json!("timestamp_ntz"),
        DataType::List(element) => json!({
            "type": "array",
            "elementType": type_to_json(element.data_type(), &format!("{path}.element"))?,
            "containsNull": element.is_nullable(),
        }),
        DataType::Struct(fields) => struct_to_json(fields, &format!("{path}."))?,
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(pair) if pair.len() == 2 => {
                let (key, value) = (&pair[0], &pair[1]);
                json!({
                    "type": "map",
                    "keyType": type_to_json(key.data_type(), &format!("{path}.key"))?,
                    "valueType": type_to_json(value.data_type(), &format!("{path}.value"))?,
                    "valueContainsNull": value.is_nullable(),
                })
            }
            other => return Err(unsupported(path, other)),
        },
        other => return Err(unsupported(path, other)),
    })
}

fn unsupported(path: &str, data_type: &DataType) -> DeltaWriteError {
    DeltaWriteError::UnsupportedType { column: path.to_owned(), data_type: data_type.to_string() }
}

fn struct_from_json(json: &Value) -> Result<Fields, String> {
    let fields = json.get("fields").and_then(Value::as_array).ok_or("the schema is no struct with fields")?;
    fields.iter().map(field_from_json).collect()
}

fn field_from_json(json: &Value) -> Result<FieldRef, String> {
    let name = json.get("name").and_then(Value::as_str).ok_or("a field of the schema has no name")?;
    let data_type = json.get("type").ok_or_else(|| format!("the field {name} has no type"))?;
    let nullable = json.get("nullable").and_then(Value::as_bool).unwrap_or(true);
    let metadata = json
        .get("metadata")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(key, value)| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            (key.clone(), text)
        })
        .collect();
    let field = Field::new(name, type_from_json(data_type)?, nullable).with_metadata(metadata);
    Ok(Arc::new(field))
}

fn type_from_json(json: &Value) -> Result<DataType, String> {
    if let Some(name) = json.as_str() {
        return primitive(name).ok_or_else(|| format!("the type {name} is not supported"));
    }
    let flag = |key: &str| json.get(key).and_then(Value::as_bool).unwrap_or(true);
    let part = |key: &str| {
        json.get(key).ok_or_else(|| format!("a nested type has no {key}")).and_then(type_from_json)
    };
    match json.get("type").and_then(Value::as_str) {
        Some("struct") => Ok(DataType::Struct(struct_from_json(json)?)),
        Some("array") => {
            let element = Field::new("element", part("elementType")?, flag("containsNull"));
            Ok(DataType::List(Arc::new(element)))
        }
        Some("map") => {
            let key = Field::new("key", part("keyType")?, false);
            let value = Field::new("value", part("valueType")?, flag("valueContainsNull"));
            let entries = Field::new("key_value", DataType::Struct(Fields::from(vec![key, value])), false);
            Ok(DataType::Map(Arc::new(entries), false))
        }
        _ => Err(format!("the type {json} is not supported")),
    }
}

fn primitive(name: &str) -> Option<DataType> {
    Some(match name {
        "boolean" => DataType::Boolean,
        "byte" => DataType::Int8,
        "short" => DataType::Int16,
        "integer" => DataType::Int32,
        "long" => DataType::Int64,
        "float" => DataType::Float32,
        "double" => DataType::Float64,
        "string" => DataType::Utf8,
        "binary" => DataType::Binary,
        "date" => DataType::Date32,
        "timestamp" => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        "timestamp_ntz" => DataType::Timestamp(TimeUnit::Microsecond, None),
        _ => {
            let inner = name.strip_prefix("decimal(")?.strip_suffix(')')?;
            let (precision, scale) = inner.split_once(',')?;
            DataType::Decimal128(precision.trim().parse().ok()?, scale.trim().parse().ok()?)
        }
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn list(item: DataType) -> DataType {
        DataType::List(Arc::new(Field::new("item", item, true)))
    }

    #[test]
    fn every_type_survives_the_way_to_delta_and_back() {
        let pair = Fields::from(vec![
            Field::new("key", DataType::Utf8, false),
            Field::new("value", DataType::Float32, true),
        ]);
        let entries = Arc::new(Field::new("entries", DataType::Struct(pair.clone()), false));
        let types = [
            DataType::Boolean,
            DataType::Int8,
            DataType::Int16,
            DataType::Int32,
            DataType::Int64,
            DataType::Float32,
            DataType::Float64,
            DataType::Utf8,
            DataType::Binary,
            DataType::Date32,
            DataType::Decimal128(38, 9),
            DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            DataType::Timestamp(TimeUnit::Microsecond, None),
            list(list(DataType::Utf8)),
            DataType::Struct(pair),
            DataType::Map(entries, false),
        ];
        for data_type in types {
            let schema = Schema::new(vec![Field::new("c", data_type.clone(), false)]);
            let back = to_arrow(&to_delta(&schema).unwrap()).unwrap();
            assert!(same_type(back.field(0).data_type(), &data_type), "{data_type}");
            assert!(!back.field(0).is_nullable());
        }
    }

    #[test]
    fn a_type_without_counterpart_is_named_with_its_column() {
        let inner = Fields::from(vec![Field::new("inner", DataType::UInt64, true)]);
        let schema = Schema::new(vec![Field::new("outer", DataType::Struct(inner), true)]);
        let error = to_delta(&schema).unwrap_err().to_string();
        assert!(error.contains("outer.inner") && error.contains("UInt64"), "{error}");
    }

    #[test]
    fn timestamps_without_zone_are_found_inside_lists() {
        let ntz = DataType::Timestamp(TimeUnit::Microsecond, None);
        let found = |t: DataType| has_timestamp_ntz(&Fields::from(vec![Field::new("c", t, true)]));
        assert!(found(list(ntz)));
        assert!(!found(list(DataType::Date32)));
    }
}

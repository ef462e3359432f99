//! The kernel's schemas in our words.

use crate::LakeError;
use crate::kernel_error::Reading;
use delta_kernel::schema::{DataType, MetadataValue, PrimitiveType, StructType};
use delta_kernel::table_features::ColumnMappingMode;
use lakefront_model::{DeltaType, SourceColumn, SourceSchema, StructField};

/// Key of a column's comment in its metadata, as Spark and delta-rs write it.
const COMMENT: &str = "comment";

/// A table's columns by their logical names.
///
/// # Errors
/// [`LakeError::UnsupportedType`] names the column.
pub(crate) fn source_schema(
    reading: &Reading,
    schema: &StructType,
    mapping: ColumnMappingMode,
    max_column_id: Option<i64>,
) -> Result<SourceSchema, LakeError> {
    let is_mapped = mapping != ColumnMappingMode::None;
    let columns = schema.fields().map(|field| {
        let comment = match field.metadata().get(COMMENT) {
            Some(MetadataValue::String(text)) if !text.is_empty() => Some(text.clone()),
            _ => None,
        };
        Ok(SourceColumn {
            name: field.name().clone(),
            physical_name: is_mapped.then(|| field.physical_name(mapping).to_owned()),
            column_id: field.column_mapping_id().filter(|_| is_mapped),
            data_type: delta_type(reading, field.name(), field.data_type(), mapping)?,
            nullable: field.is_nullable(),
            comment,
        })
    });
    let columns = columns.collect::<Result<_, LakeError>>()?;
    Ok(SourceSchema { columns, max_column_id: max_column_id.filter(|_| is_mapped) })
}

fn delta_type(
    reading: &Reading,
    column: &str,
    data_type: &DataType,
    mapping: ColumnMappingMode,
) -> Result<DeltaType, LakeError> {
    let is_mapped = mapping != ColumnMappingMode::None;
    let inner = |name: &str, data_type| delta_type(reading, &format!("{column}.{name}"), data_type, mapping);
    Ok(match data_type {
        DataType::Primitive(primitive) => {
            primitive_type(primitive).ok_or_else(|| LakeError::UnsupportedType {
                location: reading.location(),
                column: column.to_owned(),
                data_type: primitive.to_string(),
            })?
        }
        DataType::Array(array) => {
            let element = inner("element", array.element_type())?;
            DeltaType::Array(Box::new(element))
        }
        DataType::Map(map) => {
            let key = inner("key", map.key_type())?;
            let value = inner("value", map.value_type())?;
            DeltaType::Map(Box::new(key), Box::new(value))
        }
        DataType::Struct(fields) => {
            let fields = fields.fields().map(|field| {
                let data_type = inner(field.name(), field.data_type())?;
                let physical_name = is_mapped.then(|| field.physical_name(mapping).to_owned());
                Ok(StructField { name: field.name().clone(), physical_name, data_type })
            });
            DeltaType::Struct(fields.collect::<Result<_, LakeError>>()?)
        }
        DataType::Variant(_) => DeltaType::Variant,
    })
}

fn primitive_type(primitive: &PrimitiveType) -> Option<DeltaType> {
    Some(match primitive {
        PrimitiveType::String => DeltaType::String,
        PrimitiveType::Long => DeltaType::Long,
        PrimitiveType::Integer => DeltaType::Integer,
        PrimitiveType::Short => DeltaType::Short,
        PrimitiveType::Byte => DeltaType::Byte,
        PrimitiveType::Float => DeltaType::Float,
        PrimitiveType::Double => DeltaType::Double,
        PrimitiveType::Boolean => DeltaType::Boolean,
        PrimitiveType::Binary => DeltaType::Binary,
        PrimitiveType::Date => DeltaType::Date,
        PrimitiveType::Timestamp => DeltaType::Timestamp,
        PrimitiveType::TimestampNtz => DeltaType::TimestampNtz,
        PrimitiveType::Void => DeltaType::Void,
        PrimitiveType::IntervalYearMonth => DeltaType::IntervalYearMonth,
        PrimitiveType::IntervalDayTime => DeltaType::IntervalDayTime,
        PrimitiveType::Decimal(decimal) => {
            DeltaType::Decimal { precision: decimal.precision(), scale: decimal.scale() }
        }
        // Types that the kernel knows only behind switches that are off here.
        #[allow(unreachable_patterns)]
        _ => return None,
    })
}

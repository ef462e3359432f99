//! What makes the table's columns of a file's: partition values from the log, the others by their physical names.

use crate::LakeError;
use crate::kernel_error::{Reading, from_kernel};
use crate::snapshot::Snapshot;
use delta_kernel::expressions::{Expression, Scalar};
use delta_kernel::schema::{DataType, StructField, StructType};
use delta_kernel::table_features::ColumnMappingMode;

/// An expression for each of the logical columns; None when all of them are the file's own. `value` gives the text that
/// the log has for a partition column's physical name.
///
/// # Errors
/// [`LakeError::CorruptLog`] when a partition's value is not of its column's type.
pub(crate) fn logical_columns<'v>(
    snapshot: &Snapshot,
    logical: &StructType,
    value: impl Fn(&str) -> Option<&'v str>,
) -> Result<Option<Vec<Expression>>, LakeError> {
    let mapping = snapshot.kernel().table_configuration().column_mapping_mode();
    let partitions = snapshot.partition_columns();
    if partitions.is_empty() && mapping == ColumnMappingMode::None {
        return Ok(None);
    }
    let reading = Reading::log(snapshot.location());
    let column = |field: &StructField| {
        let physical = field.physical_name(mapping);
        if partitions.iter().any(|partition| partition == field.name()) {
            Ok(Expression::literal(partition_value(&reading, field, value(physical))?))
        } else {
            Ok(Expression::column([physical]))
        }
    };
    logical.fields().map(column).collect::<Result<Vec<_>, LakeError>>().map(Some)
}

/// A partition's value. Empty text is NULL for each type (Delta protocol, section "Partition Value Serialization"), as
/// other readers have it; the kernel's scan takes it for an empty text where the column's type is `string`.
fn partition_value(reading: &Reading, field: &StructField, text: Option<&str>) -> Result<Scalar, LakeError> {
    match (field.data_type(), text) {
        (data_type, None) => Ok(Scalar::Null(data_type.clone())),
        (DataType::Primitive(primitive), Some(text)) => {
            primitive.parse_scalar(text).map_err(|e| from_kernel(reading, e))
        }
        (data_type, Some(_)) => Err(reading.damaged(format!("a partition column has type {data_type}"))),
    }
}

//! From a source table's schema to the columns of its PostgreSQL copy.

use crate::name::MAX_IDENTIFIER_BYTES;
use crate::{
    DeltaType, NotNull, OverrideError, OverrideType, PgType, SourceColumn, SourceSchema, SyncedTableSpec,
    TypeOverride,
};

/// PostgreSQL's limit for columns of a table (MaxHeapAttributeNumber).
const MAX_COLUMNS: usize = 1600;
/// PostgreSQL's limit for columns of an index (INDEX_MAX_KEYS).
const MAX_KEY_COLUMNS: usize = 32;
/// Names that every PostgreSQL table has already (System Columns, chapter 5.6 of its manual).
const SYSTEM_COLUMNS: [&str; 6] = ["tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"];

/// One column of the copy that is fed from the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetColumn {
    /// its place among the source's columns, from 0
    pub source_index: usize,
    /// its name, the same on both sides
    pub name: String,
    /// its type at the source
    pub data_type: DeltaType,
    /// its type in PostgreSQL
    pub pg_type: PgType,
    /// whether it is NOT NULL
    pub not_null: bool,
    /// the source's comment
    pub comment: Option<String>,
}

/// The copy's shape, worked out once for a source schema and a spec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableMapping {
    /// the copy's columns in the source's order
    pub columns: Vec<TargetColumn>,
    /// the key's columns, in the key's order, as places in `columns`
    pub key: Vec<usize>,
    /// the timeseries key's place in `columns`
    pub timeseries_key: Option<usize>,
    /// source columns that have no counterpart (type void)
    pub left_out: Vec<String>,
}

impl TableMapping {
    /// The names of the key's columns.
    pub fn key_names(&self) -> Vec<&str> {
        self.key.iter().filter_map(|&i| self.columns.get(i)).map(|c| c.name.as_str()).collect()
    }

    /// Whether a column of the copy needs pgvector.
    pub fn needs_pgvector(&self) -> bool {
        self.columns.iter().any(|c| c.pg_type.needs_pgvector())
    }
}

/// Why a source cannot be copied as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    /// a key column that the source has not
    #[error("primary key column \"{column}\" is not in the source; it has: {columns}")]
    KeyColumnMissing {
        /// the column asked for
        column: String,
        /// the columns there are
        columns: String,
    },
    /// a key column named twice
    #[error("primary key column \"{0}\" is named twice")]
    KeyColumnTwice(String),
    /// too many key columns
    #[error("the primary key has {0} columns: PostgreSQL allows 32")]
    KeyTooWide(usize),
    /// a type that cannot be a key
    #[error("primary key column \"{column}\" is {data_type}: a key must be of a scalar type")]
    KeyType {
        /// the column
        column: String,
        /// its type at the source
        data_type: String,
    },
    /// a timeseries key that the source has not
    #[error("timeseries key column \"{column}\" is not in the source; it has: {columns}")]
    TimeseriesColumnMissing {
        /// the column asked for
        column: String,
        /// the columns there are
        columns: String,
    },
    /// a timeseries key without a key
    #[error("a timeseries key needs a primary key: it chooses among rows with the same key")]
    TimeseriesWithoutKey,
    /// a timeseries key that cannot be ordered
    #[error("timeseries key column \"{column}\" is {data_type}: it must be of a scalar type")]
    TimeseriesType {
        /// the column
        column: String,
        /// its type at the source
        data_type: String,
    },
    /// an override for a column that the source has not
    #[error("type override for column \"{column}\": the source has no such column; it has: {columns}")]
    OverrideColumnMissing {
        /// the column asked for
        column: String,
        /// the columns there are
        columns: String,
    },
    /// an override that does not go with the column's type
    #[error(
        "type override for column \"{column}\": {wanted} is made from {from}, and the column is {data_type}"
    )]
    OverrideType {
        /// the column
        column: String,
        /// the type asked for
        wanted: &'static str,
        /// what it can be made from
        from: &'static str,
        /// the column's type at the source
        data_type: String,
    },
    /// an override whose size is wrong
    #[error(transparent)]
    Override(#[from] OverrideError),
    /// a name PostgreSQL would cut
    #[error("column \"{0}\": its name is longer than the 63 bytes that PostgreSQL allows")]
    NameTooLong(String),
    /// a name PostgreSQL keeps for itself
    #[error("column \"{0}\": PostgreSQL keeps this name for a system column")]
    SystemColumn(String),
    /// too many columns
    #[error("the source has {0} columns: PostgreSQL allows 1600")]
    TooManyColumns(usize),
    /// nothing to copy
    #[error("the source has no column that can be copied")]
    NoColumns,
}

/// Works out the copy's columns and key.
///
/// # Errors
/// [`MappingError`] names the column and what is wrong with it.
pub fn map_schema(source: &SourceSchema, spec: &SyncedTableSpec) -> Result<TableMapping, MappingError> {
    check_overrides(source, &spec.type_overrides)?;
    let mut columns = Vec::with_capacity(source.columns.len());
    let mut left_out = Vec::new();
    for (source_index, column) in source.columns.iter().enumerate() {
        check_name(&column.name)?;
        let wanted = spec.type_overrides.iter().find(|o| is_same(source, &o.column_name, column));
        let pg_type = match wanted {
            Some(wanted) => overridden(column, wanted)?,
            None => match default_type(&column.data_type) {
                Some(pg_type) => pg_type,
                None => {
                    left_out.push(column.name.clone());
                    continue;
                }
            },
        };
        columns.push(TargetColumn {
            source_index,
            name: column.name.clone(),
            data_type: column.data_type.clone(),
            pg_type,
            not_null: spec.not_null == NotNull::Source && !column.nullable,
            comment: column.comment.clone(),
        });
    }
    if columns.is_empty() {
        return Err(MappingError::NoColumns);
    }
    if columns.len() > MAX_COLUMNS {
        return Err(MappingError::TooManyColumns(columns.len()));
    }
    let key = map_key(source, spec, &mut columns)?;
    let timeseries_key = map_timeseries(source, spec, &columns)?;
    Ok(TableMapping { columns, key, timeseries_key, left_out })
}

/// The default type of TYPES.md; None for void, which has no values to keep.
fn default_type(data_type: &DeltaType) -> Option<PgType> {
    Some(match data_type {
        DeltaType::Boolean => PgType::Boolean,
        DeltaType::Byte | DeltaType::Short => PgType::SmallInt,
        DeltaType::Integer => PgType::Integer,
        DeltaType::Long => PgType::BigInt,
        DeltaType::Float => PgType::Real,
        DeltaType::Double => PgType::DoublePrecision,
        DeltaType::Decimal { precision, scale } => PgType::Numeric { precision: *precision, scale: *scale },
        DeltaType::String => PgType::Text,
        DeltaType::Binary => PgType::Bytea,
        DeltaType::Date => PgType::Date,
        DeltaType::Timestamp => PgType::Timestamptz,
        DeltaType::TimestampNtz => PgType::Timestamp,
        DeltaType::IntervalYearMonth | DeltaType::IntervalDayTime => PgType::Interval,
        DeltaType::Array(_) | DeltaType::Map(..) | DeltaType::Struct(_) | DeltaType::Variant => PgType::Jsonb,
        DeltaType::Void => return None,
    })
}

fn overridden(column: &SourceColumn, wanted: &TypeOverride) -> Result<PgType, MappingError> {
    let size = wanted.size.unwrap_or_default();
    let refuse = |wanted, from| MappingError::OverrideType {
        column: column.name.clone(),
        wanted,
        from,
        data_type: column.data_type.to_string(),
    };
    match wanted.pg_type {
        OverrideType::Vector if is_float_array(&column.data_type) => Ok(PgType::Vector(size)),
        OverrideType::Vector => Err(refuse("vector", "an array of float or double")),
        OverrideType::Halfvec if is_float_array(&column.data_type) => Ok(PgType::Halfvec(size)),
        OverrideType::Halfvec => Err(refuse("halfvec", "an array of float or double")),
        OverrideType::Varchar if column.data_type == DeltaType::String => Ok(PgType::Varchar(size)),
        OverrideType::Varchar => Err(refuse("varchar", "a string")),
        OverrideType::Array => match &column.data_type {
            DeltaType::Array(element) => match default_type(element) {
                Some(PgType::Jsonb) | None => Err(refuse("a native array", "an array of a scalar type")),
                Some(element) => Ok(PgType::Array(Box::new(element))),
            },
            _ => Err(refuse("a native array", "an array of a scalar type")),
        },
    }
}

fn is_float_array(data_type: &DeltaType) -> bool {
    matches!(data_type, DeltaType::Array(element) if matches!(**element, DeltaType::Float | DeltaType::Double))
}

fn is_same(source: &SourceSchema, name: &str, column: &SourceColumn) -> bool {
    source.find(name).is_some_and(|found| found.name == column.name)
}

fn check_overrides(source: &SourceSchema, overrides: &[TypeOverride]) -> Result<(), MappingError> {
    for wanted in overrides {
        wanted.check()?;
        if source.find(&wanted.column_name).is_none() {
            return Err(MappingError::OverrideColumnMissing {
                column: wanted.column_name.clone(),
                columns: source.names(),
            });
        }
    }
    Ok(())
}

fn check_name(name: &str) -> Result<(), MappingError> {
    if name.len() > MAX_IDENTIFIER_BYTES {
        return Err(MappingError::NameTooLong(name.to_owned()));
    }
    if SYSTEM_COLUMNS.contains(&name) {
        return Err(MappingError::SystemColumn(name.to_owned()));
    }
    Ok(())
}

fn map_key(
    source: &SourceSchema,
    spec: &SyncedTableSpec,
    columns: &mut [TargetColumn],
) -> Result<Vec<usize>, MappingError> {
    if spec.primary_key.len() > MAX_KEY_COLUMNS {
        return Err(MappingError::KeyTooWide(spec.primary_key.len()));
    }
    let mut key = Vec::with_capacity(spec.primary_key.len());
    for wanted in &spec.primary_key {
        let missing = || MappingError::KeyColumnMissing { column: wanted.clone(), columns: source.names() };
        let found = source.find(wanted).ok_or_else(missing)?;
        let wrong_type =
            || MappingError::KeyType { column: found.name.clone(), data_type: found.data_type.to_string() };
        let (place, column) =
            columns.iter_mut().enumerate().find(|(_, c)| c.name == found.name).ok_or_else(wrong_type)?;
        if !column.pg_type.can_be_key() {
            return Err(wrong_type());
        }
        if key.contains(&place) {
            return Err(MappingError::KeyColumnTwice(found.name.clone()));
        }
        column.not_null = true;
        key.push(place);
    }
    Ok(key)
}

fn map_timeseries(
    source: &SourceSchema,
    spec: &SyncedTableSpec,
    columns: &[TargetColumn],
) -> Result<Option<usize>, MappingError> {
    let Some(wanted) = &spec.timeseries_key else { return Ok(None) };
    if spec.primary_key.is_empty() {
        return Err(MappingError::TimeseriesWithoutKey);
    }
    let found = source.find(wanted).ok_or_else(|| MappingError::TimeseriesColumnMissing {
        column: wanted.clone(),
        columns: source.names(),
    })?;
    match columns.iter().position(|c| c.name == found.name && c.pg_type.can_be_key()) {
        Some(place) => Ok(Some(place)),
        None => Err(MappingError::TimeseriesType {
            column: found.name.clone(),
            data_type: found.data_type.to_string(),
        }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::TableName;

    fn schema(columns: &[(&str, DeltaType)]) -> SourceSchema {
        SourceSchema {
            columns: columns
                .iter()
                .map(|(name, data_type)| SourceColumn {
                    physical_name: None,
                    column_id: None,
                    name: (*name).to_owned(),
                    data_type: data_type.clone(),
                    nullable: true,
                    comment: None,
                })
                .collect(),
            max_column_id: None,
        }
    }

    fn spec(key: &[&str]) -> SyncedTableSpec {
        let key = key.iter().map(|&k| k.to_owned()).collect();
        SyncedTableSpec::new(TableName::parse("s.t").unwrap(), "/lake/t", key)
    }

    #[test]
    fn keys_are_not_null_and_found_regardless_of_case() {
        let source = schema(&[("Id", DeltaType::Long), ("v", DeltaType::Byte), ("n", DeltaType::Void)]);
        let mapping = map_schema(&source, &spec(&["id"])).unwrap();
        assert_eq!(mapping.key, [0]);
        assert!(mapping.columns[0].not_null && !mapping.columns[1].not_null);
        assert_eq!(mapping.columns[1].pg_type, PgType::SmallInt);
        assert_eq!(mapping.left_out, ["n"]);
    }

    #[test]
    fn wrong_keys_are_named() {
        let array = DeltaType::Array(Box::new(DeltaType::Float));
        let source = schema(&[("id", DeltaType::Long), ("e", array)]);
        let error = map_schema(&source, &spec(&["nope"])).unwrap_err().to_string();
        assert_eq!(error, "primary key column \"nope\" is not in the source; it has: id, e");
        let error = map_schema(&source, &spec(&["e"])).unwrap_err().to_string();
        assert_eq!(error, "primary key column \"e\" is array<float>: a key must be of a scalar type");
        assert!(matches!(map_schema(&source, &spec(&["id", "ID"])), Err(MappingError::KeyColumnTwice(_))));
    }

    #[test]
    fn overrides_go_with_their_types() {
        let array = DeltaType::Array(Box::new(DeltaType::Float));
        let nested = DeltaType::Array(Box::new(array.clone()));
        let source = schema(&[("id", DeltaType::Long), ("e", array), ("nn", nested)]);
        let mut wanted = spec(&["id"]);
        wanted.type_overrides = vec![TypeOverride::parse("E=vector:3").unwrap()];
        assert_eq!(map_schema(&source, &wanted).unwrap().columns[1].pg_type, PgType::Vector(3));
        wanted.type_overrides = vec![TypeOverride::parse("id=varchar:3").unwrap()];
        let error = map_schema(&source, &wanted).unwrap_err().to_string();
        assert_eq!(
            error,
            "type override for column \"id\": varchar is made from a string, and the column is long"
        );
        wanted.type_overrides = vec![TypeOverride::parse("nn=array").unwrap()];
        assert!(matches!(map_schema(&source, &wanted), Err(MappingError::OverrideType { .. })));
    }
}

//! The types of the Delta protocol (section "Schema Serialization Format").

use serde::{Deserialize, Serialize};

/// A Delta data type, with the parameters that the mapping to PostgreSQL needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeltaType {
    /// `boolean`
    Boolean,
    /// `byte`, 8 bits signed
    Byte,
    /// `short`, 16 bits signed
    Short,
    /// `integer`, 32 bits signed
    Integer,
    /// `long`, 64 bits signed
    Long,
    /// `float`, IEEE 754 single
    Float,
    /// `double`, IEEE 754 double
    Double,
    /// `decimal(precision, scale)`, precision 1 to 38
    Decimal {
        /// digits in all
        precision: u8,
        /// digits after the point
        scale: u8,
    },
    /// `string`, UTF-8
    String,
    /// `binary`
    Binary,
    /// `date`, days since 1970-01-01, proleptic Gregorian
    Date,
    /// `timestamp`, microseconds since the epoch, UTC
    Timestamp,
    /// `timestamp_ntz`, microseconds since the epoch on a clock without zone
    TimestampNtz,
    /// `interval year to month`
    IntervalYearMonth,
    /// `interval day to second`
    IntervalDayTime,
    /// `array<element>`
    Array(Box<DeltaType>),
    /// `map<key, value>`
    Map(Box<DeltaType>, Box<DeltaType>),
    /// `struct<…>`
    Struct(Vec<StructField>),
    /// `variant`, the open variant encoding (metadata and value), unshredded
    Variant,
    /// `void`: a column that holds nothing but NULL
    Void,
}

/// A field of a [`DeltaType::Struct`]. Another field of the same name and type is not the same one.
#[derive(Debug, Clone, Eq, Serialize, Deserialize)]
pub struct StructField {
    /// logical name
    pub name: String,
    /// the name by which files know it; None where the table has no column mapping
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub physical_name: Option<String>,
    /// its type
    pub data_type: DeltaType,
}

impl StructField {
    /// A field of a table without column mapping.
    pub fn new(name: impl Into<String>, data_type: DeltaType) -> Self {
        Self { name: name.into(), physical_name: None, data_type }
    }

    fn in_files(&self) -> &str {
        self.physical_name.as_deref().unwrap_or(&self.name)
    }
}

impl PartialEq for StructField {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.in_files() == other.in_files() && self.data_type == other.data_type
    }
}

impl DeltaType {
    /// Whether its values have parts.
    pub fn is_nested(&self) -> bool {
        matches!(self, Self::Array(_) | Self::Map(..) | Self::Struct(_))
    }

    /// Whether each of its values is one of `wider`, by the changes that the Delta protocol allows (section "Type
    /// Widening").
    pub fn widens_to(&self, wider: &Self) -> bool {
        let digits = match self {
            Self::Byte => 3,
            Self::Short => 5,
            Self::Integer => 10,
            Self::Long => 19,
            _ => 0,
        };
        match (self, wider) {
            (Self::Byte, Self::Short | Self::Integer | Self::Long | Self::Double)
            | (Self::Short, Self::Integer | Self::Long | Self::Double)
            | (Self::Integer, Self::Long | Self::Double)
            | (Self::Float, Self::Double)
            | (Self::Date, Self::TimestampNtz) => true,
            (Self::Decimal { precision: p, scale: s }, Self::Decimal { precision, scale }) => {
                scale >= s
                    && precision.saturating_sub(*scale) >= p.saturating_sub(*s)
                    && (precision, scale) != (p, s)
            }
            (_, Self::Decimal { precision, scale }) => {
                digits > 0 && precision.saturating_sub(*scale) >= digits
            }
            _ => false,
        }
    }
}

impl std::fmt::Display for DeltaType {
    /// As Spark prints a type: `array<struct<a:integer,b:string>>`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Boolean => f.write_str("boolean"),
            Self::Byte => f.write_str("byte"),
            Self::Short => f.write_str("short"),
            Self::Integer => f.write_str("integer"),
            Self::Long => f.write_str("long"),
            Self::Float => f.write_str("float"),
            Self::Double => f.write_str("double"),
            Self::Decimal { precision, scale } => write!(f, "decimal({precision},{scale})"),
            Self::String => f.write_str("string"),
            Self::Binary => f.write_str("binary"),
            Self::Date => f.write_str("date"),
            Self::Timestamp => f.write_str("timestamp"),
            Self::TimestampNtz => f.write_str("timestamp_ntz"),
            Self::IntervalYearMonth => f.write_str("interval year to month"),
            Self::IntervalDayTime => f.write_str("interval day to second"),
            Self::Array(element) => write!(f, "array<{element}>"),
            Self::Map(key, value) => write!(f, "map<{key},{value}>"),
            Self::Struct(fields) => {
                f.write_str("struct<")?;
                for (i, field) in fields.iter().enumerate() {
                    if i > 0 {
                        f.write_str(",")?;
                    }
                    write!(f, "{}:{}", field.name, field.data_type)?;
                }
                f.write_str(">")
            }
            Self::Variant => f.write_str("variant"),
            Self::Void => f.write_str("void"),
        }
    }
}

//! The PostgreSQL types that a synced table's columns have.

use serde::{Deserialize, Serialize};

/// A PostgreSQL column type, precise enough to write its DDL and to choose its binary encoder.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PgType {
    /// `boolean`
    Boolean,
    /// `smallint`
    SmallInt,
    /// `integer`
    Integer,
    /// `bigint`
    BigInt,
    /// `real`
    Real,
    /// `double precision`
    DoublePrecision,
    /// `numeric(precision, scale)`
    Numeric {
        /// digits in all
        precision: u8,
        /// digits after the point
        scale: u8,
    },
    /// `text`
    Text,
    /// `varchar(n)`: at most n characters
    Varchar(u32),
    /// `bytea`
    Bytea,
    /// `date`
    Date,
    /// `timestamptz`
    Timestamptz,
    /// `timestamp` without time zone
    Timestamp,
    /// `interval`
    Interval,
    /// `jsonb`
    Jsonb,
    /// pgvector's `vector(n)`: n single floats
    Vector(u32),
    /// pgvector's `halfvec(n)`: n half floats
    Halfvec(u32),
    /// a native array of a scalar type
    Array(Box<PgType>),
}

impl PgType {
    /// The type as PostgreSQL's `format_type` prints it, so that wanted and found can be compared as text.
    pub fn sql(&self) -> String {
        match self {
            Self::Boolean => "boolean".into(),
            Self::SmallInt => "smallint".into(),
            Self::Integer => "integer".into(),
            Self::BigInt => "bigint".into(),
            Self::Real => "real".into(),
            Self::DoublePrecision => "double precision".into(),
            Self::Numeric { precision, scale } => format!("numeric({precision},{scale})"),
            Self::Text => "text".into(),
            Self::Varchar(n) => format!("character varying({n})"),
            Self::Bytea => "bytea".into(),
            Self::Date => "date".into(),
            Self::Timestamptz => "timestamp with time zone".into(),
            Self::Timestamp => "timestamp without time zone".into(),
            Self::Interval => "interval".into(),
            Self::Jsonb => "jsonb".into(),
            Self::Vector(n) => format!("vector({n})"),
            Self::Halfvec(n) => format!("halfvec({n})"),
            Self::Array(element) => format!("{}[]", element.sql()),
        }
    }

    /// Whether the type comes from the pgvector extension.
    pub fn needs_pgvector(&self) -> bool {
        match self {
            Self::Vector(_) | Self::Halfvec(_) => true,
            Self::Array(element) => element.needs_pgvector(),
            _ => false,
        }
    }

    /// Whether a column of this type can be part of a primary key (has a default btree operator class
    /// and keys that fit its pages: jsonb and vectors are left out).
    pub fn can_be_key(&self) -> bool {
        !matches!(self, Self::Jsonb | Self::Vector(_) | Self::Halfvec(_) | Self::Array(_))
    }
}

impl std::fmt::Display for PgType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.sql())
    }
}

//! Values bound to a statement's parameters.

use std::error::Error;

use bytes::BytesMut;
use postgres_types::{IsNull, ToSql, Type, to_sql_checked};

/// One parameter. Each statement casts its parameters (`$1::text`), so these four types are all there are.
#[derive(Debug, Clone, PartialEq)]
pub enum Bind {
    /// `text`
    Text(String),
    /// `text[]`
    Texts(Vec<String>),
    /// `float8`
    Number(f64),
    /// `int8`
    Integer(i64),
}

impl ToSql for Bind {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Text(value) => value.to_sql(ty, out),
            Self::Texts(values) => values.to_sql(ty, out),
            Self::Number(value) => value.to_sql(ty, out),
            Self::Integer(value) => value.to_sql(ty, out),
        }
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::TEXT | Type::TEXT_ARRAY | Type::FLOAT8 | Type::INT8)
    }

    to_sql_checked!();
}

//! Type overrides: another PostgreSQL type than the default for a column.

use serde::{Deserialize, Serialize};

/// The types that a column can be given instead of its default (`type_overrides` of the synced-table API,
/// and Lakefront's own `ARRAY`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OverrideType {
    /// `vector(n)` from an array of float or double
    #[serde(rename = "PG_SPECIFIC_TYPE_VECTOR", alias = "vector")]
    Vector,
    /// `halfvec(n)` from an array of float or double
    #[serde(rename = "PG_SPECIFIC_TYPE_HALFVEC", alias = "halfvec")]
    Halfvec,
    /// `varchar(n)` from a string
    #[serde(rename = "PG_SPECIFIC_TYPE_VARCHAR", alias = "varchar")]
    Varchar,
    /// a native array from an array of a scalar type
    #[serde(rename = "ARRAY", alias = "array")]
    Array,
}

/// One column's override.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TypeOverride {
    /// the column's name
    pub column_name: String,
    /// the wanted type
    pub pg_type: OverrideType,
    /// length: numbers in a vector, characters in a varchar; absent for an array
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u32>,
}

/// Why an override cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OverrideError {
    /// not of the form `COLUMN=TYPE[:SIZE]`
    #[error("override \"{0}\" is not of the form COLUMN=TYPE:SIZE, such as embedding=vector:512")]
    Form(String),
    /// a type that is not offered
    #[error("override \"{given}\": \"{pg_type}\" is none of vector, halfvec, varchar, array")]
    UnknownType {
        /// what was written
        given: String,
        /// its type part
        pg_type: String,
    },
    /// size missing or not a positive number
    #[error(
        "override of column \"{column}\": {pg_type} needs a size from 1 to {max}, such as {pg_type}:{example}"
    )]
    Size {
        /// the column
        column: String,
        /// the type asked for
        pg_type: &'static str,
        /// the greatest size PostgreSQL takes
        max: u32,
        /// a size to show
        example: u32,
    },
    /// a size where none belongs
    #[error("override of column \"{0}\": array takes no size")]
    SizeNotTaken(String),
}

/// pgvector's limit for `vector` (VECTOR_MAX_DIM) and `halfvec` (HALFVEC_MAX_DIM).
const MAX_DIMENSIONS: u32 = 16_000;
/// PostgreSQL's limit for `varchar(n)` (MaxAttrSize).
const MAX_VARCHAR: u32 = 10_485_760;

impl OverrideType {
    fn limits(self) -> Option<(&'static str, u32, u32)> {
        match self {
            Self::Vector => Some(("vector", MAX_DIMENSIONS, 512)),
            Self::Halfvec => Some(("halfvec", MAX_DIMENSIONS, 512)),
            Self::Varchar => Some(("varchar", MAX_VARCHAR, 255)),
            Self::Array => None,
        }
    }
}

impl TypeOverride {
    /// Reads the command line's form, `COLUMN=TYPE[:SIZE]`. The column's name may hold `=`: the last one counts.
    ///
    /// # Errors
    /// [`OverrideError`] names what is wrong with it.
    pub fn parse(given: &str) -> Result<Self, OverrideError> {
        let form = || OverrideError::Form(given.to_owned());
        let (column, wanted) = given.rsplit_once('=').ok_or_else(form)?;
        if column.is_empty() || wanted.is_empty() {
            return Err(form());
        }
        let (name, size) = match wanted.split_once(':') {
            Some((name, size)) => (name, Some(size.parse::<u32>().map_err(|_| form())?)),
            None => (wanted, None),
        };
        let pg_type = match name.to_ascii_lowercase().as_str() {
            "vector" => OverrideType::Vector,
            "halfvec" => OverrideType::Halfvec,
            "varchar" => OverrideType::Varchar,
            "array" => OverrideType::Array,
            _ => {
                return Err(OverrideError::UnknownType { given: given.to_owned(), pg_type: name.to_owned() });
            }
        };
        let parsed = Self { column_name: column.to_owned(), pg_type, size };
        parsed.check()?;
        Ok(parsed)
    }

    /// Checks that the size fits the type.
    ///
    /// # Errors
    /// [`OverrideError::Size`] or [`OverrideError::SizeNotTaken`].
    pub fn check(&self) -> Result<(), OverrideError> {
        match (self.pg_type.limits(), self.size) {
            (None, None) => Ok(()),
            (None, Some(_)) => Err(OverrideError::SizeNotTaken(self.column_name.clone())),
            (Some((_, max, _)), Some(size)) if (1..=max).contains(&size) => Ok(()),
            (Some((pg_type, max, example)), _) => {
                Err(OverrideError::Size { column: self.column_name.clone(), pg_type, max, example })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn reads_the_command_lines_form() {
        let parsed = TypeOverride::parse("image_embedding=vector:512").unwrap();
        assert_eq!(parsed.column_name, "image_embedding");
        assert_eq!(parsed.pg_type, OverrideType::Vector);
        assert_eq!(parsed.size, Some(512));
        assert_eq!(TypeOverride::parse("a=b=array").unwrap().column_name, "a=b");
    }

    #[test]
    fn refuses_what_postgresql_would_refuse() {
        assert!(matches!(TypeOverride::parse("a=vector"), Err(OverrideError::Size { .. })));
        assert!(matches!(TypeOverride::parse("a=vector:0"), Err(OverrideError::Size { .. })));
        assert!(matches!(TypeOverride::parse("a=vector:16001"), Err(OverrideError::Size { .. })));
        assert!(matches!(TypeOverride::parse("a=array:3"), Err(OverrideError::SizeNotTaken(_))));
        assert!(matches!(TypeOverride::parse("a=text"), Err(OverrideError::UnknownType { .. })));
        assert!(matches!(TypeOverride::parse("vector:5"), Err(OverrideError::Form(_))));
    }
}

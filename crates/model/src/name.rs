//! Names of tables: `catalog.schema.table` in Lakefront, `schema.table` in PostgreSQL.

use serde::{Deserialize, Serialize};

/// PostgreSQL's limit for an identifier: NAMEDATALEN − 1 bytes.
pub(crate) const MAX_IDENTIFIER_BYTES: usize = 63;

/// Characters that the REST API's clients send unescaped in paths; a name with one could never be asked for again.
const REFUSED: [char; 4] = ['#', '/', '?', '%'];

/// Why a name cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// not the right number of parts
    #[error("\"{given}\" has {found} part(s): expected {expected}")]
    Parts {
        /// as given
        given: String,
        /// parts found
        found: usize,
        /// the form wanted
        expected: &'static str,
    },
    /// an empty part, or a quote that does not end
    #[error("\"{0}\" is not a name: a part is empty, or a quote is not closed")]
    Malformed(String),
    /// longer than PostgreSQL takes
    #[error("\"{0}\" is longer than the 63 bytes that PostgreSQL allows for a name")]
    TooLong(String),
    /// a character that names of synced tables cannot have
    #[error("\"{0}\" holds one of # / ? %, which names of synced tables cannot have")]
    RefusedCharacter(String),
}

/// `schema.table` in PostgreSQL.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct QualifiedName {
    /// schema
    pub schema: String,
    /// table
    pub table: String,
}

impl QualifiedName {
    /// Reads `schema.table` as SQL does: parts without quotes are folded to lower case.
    ///
    /// # Errors
    /// [`NameError`] when it has not two parts, or a part cannot be a PostgreSQL name.
    pub fn parse_sql(given: &str) -> Result<Self, NameError> {
        let parts = split(given, '.', true)?;
        let found = parts.len();
        let Ok([schema, table]) = <[String; 2]>::try_from(parts) else {
            return Err(NameError::Parts { given: given.to_owned(), found, expected: "SCHEMA.TABLE" });
        };
        check_target(&schema)?;
        check_target(&table)?;
        Ok(Self { schema, table })
    }
}

impl std::fmt::Display for QualifiedName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", shown(&self.schema), shown(&self.table))
    }
}

/// A synced table's or a source table's full name. The catalog is absent for tables made by `lakefront load`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TableName {
    /// the catalog, if one is named
    pub catalog: Option<String>,
    /// schema and table
    pub name: QualifiedName,
}

impl TableName {
    /// Reads `catalog.schema.table` or `schema.table`, letters kept as they are.
    ///
    /// # Errors
    /// [`NameError`] when it has other than two or three parts, or a part cannot be a PostgreSQL name.
    pub fn parse(given: &str) -> Result<Self, NameError> {
        let mut parts = split(given, '.', false)?;
        let found = parts.len();
        let catalog = (found == 3).then(|| parts.remove(0));
        let Ok([schema, table]) = <[String; 2]>::try_from(parts) else {
            return Err(NameError::Parts {
                given: given.to_owned(),
                found,
                expected: "CATALOG.SCHEMA.TABLE",
            });
        };
        check_target(&schema)?;
        check_target(&table)?;
        Ok(Self { catalog, name: QualifiedName { schema, table } })
    }
}

impl std::fmt::Display for TableName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.catalog {
            Some(catalog) => write!(f, "{}.{}", shown(catalog), self.name),
            None => self.name.fmt(f),
        }
    }
}

/// Reads a list of column names as SQL does: `--key '"a,b",c'` is two names.
///
/// # Errors
/// [`NameError::Malformed`] for an empty name or an open quote.
pub fn parse_identifiers(given: &str) -> Result<Vec<String>, NameError> {
    split(given, ',', true)
}

fn check_target(part: &str) -> Result<(), NameError> {
    if part.len() > MAX_IDENTIFIER_BYTES {
        return Err(NameError::TooLong(part.to_owned()));
    }
    if part.contains(REFUSED) || part.contains('\0') {
        return Err(NameError::RefusedCharacter(part.to_owned()));
    }
    Ok(())
}

/// Quotes a part only where reading it back needs quotes.
fn shown(part: &str) -> std::borrow::Cow<'_, str> {
    let plain = !part.is_empty() && !part.contains(['.', '"', ',', ' ']);
    if plain { part.into() } else { format!("\"{}\"", part.replace('"', "\"\"")).into() }
}

/// Splits at `separator` outside double quotes; `fold` lowers the letters of parts without quotes.
fn split(given: &str, separator: char, fold: bool) -> Result<Vec<String>, NameError> {
    let malformed = || NameError::Malformed(given.to_owned());
    let mut parts = Vec::new();
    let mut rest = given.trim();
    loop {
        let (part, after) = if let Some(quoted) = rest.strip_prefix('"') {
            let (part, after) = closing_quote(quoted).ok_or_else(malformed)?;
            (part, after.trim_start())
        } else {
            let end = rest.find(separator).unwrap_or(rest.len());
            let (part, after) = rest.split_at(end);
            let part = part.trim();
            (if fold { part.to_lowercase() } else { part.to_owned() }, after)
        };
        if part.is_empty() {
            return Err(malformed());
        }
        parts.push(part);
        if after.is_empty() {
            return Ok(parts);
        }
        rest = after.strip_prefix(separator).ok_or_else(malformed)?.trim_start();
    }
}

/// The text up to the quote that closes it, doubled quotes undone, and what comes after.
fn closing_quote(quoted: &str) -> Option<(String, &str)> {
    let mut part = String::new();
    let mut chars = quoted.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if c != '"' {
            part.push(c);
        } else if chars.peek().is_some_and(|&(_, next)| next == '"') {
            part.push('"');
            chars.next();
        } else {
            return quoted.get(at + 1..).map(|after| (part, after));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn reads_names_as_sql_does() {
        let name = QualifiedName::parse_sql("Shop.\"odd.Name\"").unwrap();
        assert_eq!((name.schema.as_str(), name.table.as_str()), ("shop", "odd.Name"));
        assert_eq!(name.to_string(), "shop.\"odd.Name\"");
        assert_eq!(parse_identifiers("\"a,b\",C , \"d\"\"e\"").unwrap(), ["a,b", "c", "d\"e"]);
    }

    #[test]
    fn keeps_letters_of_configured_names() {
        let name = TableName::parse("Main.fashion_demo.productsDB").unwrap();
        assert_eq!(name.catalog.as_deref(), Some("Main"));
        assert_eq!(name.to_string(), "Main.fashion_demo.productsDB");
        assert_eq!(TableName::parse("a.b").unwrap().catalog, None);
    }

    #[test]
    fn refuses_what_is_no_name() {
        for given in ["", "a", "a.b.c", "a..b", "a.", ".b", "\"a.b", "a.\"b\"c", "a.b/c"] {
            assert!(QualifiedName::parse_sql(given).is_err(), "{given}");
        }
        assert!(matches!(
            QualifiedName::parse_sql(&format!("a.{}", "é".repeat(32))),
            Err(NameError::TooLong(_))
        ));
        assert!(TableName::parse("a.b.c.d").is_err());
    }
}

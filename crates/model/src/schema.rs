//! The schema of a source table.

use crate::DeltaType;
use serde::{Deserialize, Serialize};

/// A column of a source table, by its logical name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceColumn {
    /// logical name, as the table's schema spells it
    pub name: String,
    /// the name by which its files know it, which never changes; None where the table has no column mapping
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub physical_name: Option<String>,
    /// its number, which no other column of the table ever had; None where the table has no column mapping
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column_id: Option<i64>,
    /// its type
    pub data_type: DeltaType,
    /// whether the source allows NULL
    pub nullable: bool,
    /// the column's comment, if it has one
    pub comment: Option<String>,
}

/// The columns of a source table, in the table's order, partition columns included.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SourceSchema {
    /// in order
    pub columns: Vec<SourceColumn>,
    /// the highest number that a column of the table ever had; None where it has no column mapping
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_column_id: Option<i64>,
}

impl SourceSchema {
    /// The column of this name. Delta column names are unique regardless of case, so a name that differs
    /// only in case finds its column too, exact spelling first.
    pub fn find(&self, name: &str) -> Option<&SourceColumn> {
        self.columns
            .iter()
            .find(|c| c.name == name)
            .or_else(|| self.columns.iter().find(|c| c.name.to_lowercase() == name.to_lowercase()))
    }

    /// Whether the table may have had, before this schema, a column that this schema lacks: files may hold values of it.
    pub fn may_have_had(&self, column: &SourceColumn) -> bool {
        let is_mapped = self.columns.iter().any(|known| known.physical_name.is_some());
        let is_older = |id| self.max_column_id.is_none_or(|max| id <= max);
        is_mapped && column.column_id.is_some_and(is_older)
    }

    /// All column names, for messages.
    pub fn names(&self) -> String {
        self.columns.iter().map(|c| c.name.as_str()).collect::<Vec<_>>().join(", ")
    }
}

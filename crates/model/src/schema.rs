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

    /// All column names, for messages.
    pub fn names(&self) -> String {
        self.columns.iter().map(|c| c.name.as_str()).collect::<Vec<_>>().join(", ")
    }
}

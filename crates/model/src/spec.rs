//! What a synced table should be: the part that a user declares.

use crate::{
    FullRefreshThreshold, NulBytePolicy, RowPolicy, SchedulingPolicy, TableName, Trigger, TypeOverride,
};
use serde::{Deserialize, Serialize};

/// Which columns besides the key are NOT NULL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NotNull {
    /// the key alone
    #[default]
    Key,
    /// those that the source promises
    Source,
}

/// A column that PostgreSQL computes, such as a `tsvector`, kept beside the source's columns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GeneratedColumn {
    /// its name
    pub name: String,
    /// its SQL type, such as `tsvector`
    #[serde(rename = "type")]
    pub sql_type: String,
    /// the SQL expression of `GENERATED ALWAYS AS (…) STORED`
    pub expression: String,
}

/// The declared state of one synced table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncedTableSpec {
    /// its name; the last two parts are its name in PostgreSQL
    pub name: TableName,
    /// the source as the user named it: a three-part name, a path or an address
    pub source: String,
    /// the columns that identify a row, in order; empty: no key, snapshots only
    pub primary_key: Vec<String>,
    /// the column whose greatest value wins where the source holds a key more than once
    #[serde(default)]
    pub timeseries_key: Option<String>,
    /// when it is refreshed
    #[serde(default)]
    pub scheduling_policy: SchedulingPolicy,
    /// what has it refreshed without being asked for; None: nothing
    #[serde(default)]
    pub trigger: Option<Trigger>,
    /// from where on a full refresh replaces an incremental one; None: the default
    #[serde(default)]
    pub full_refresh_threshold: Option<FullRefreshThreshold>,
    /// PostgreSQL types other than the default
    #[serde(default)]
    pub type_overrides: Vec<TypeOverride>,
    /// secondary indexes: what comes after `CREATE INDEX ON table`, such as `(price)` or
    /// `USING hnsw (embedding vector_cosine_ops)`
    #[serde(default)]
    pub indexes: Vec<String>,
    /// columns computed by PostgreSQL
    #[serde(default)]
    pub generated_columns: Vec<GeneratedColumn>,
    /// which columns are NOT NULL
    #[serde(default)]
    pub not_null: NotNull,
    /// rows with a NULL in their key
    #[serde(default)]
    pub null_key: RowPolicy,
    /// rows that share their key
    #[serde(default)]
    pub duplicate_key: RowPolicy,
    /// strings with a 0x00 byte
    #[serde(default)]
    pub nul_byte: NulBytePolicy,
}

impl SyncedTableSpec {
    /// A spec with defaults for everything but name, source and key.
    pub fn new(name: TableName, source: impl Into<String>, primary_key: Vec<String>) -> Self {
        Self {
            name,
            source: source.into(),
            primary_key,
            timeseries_key: None,
            scheduling_policy: SchedulingPolicy::default(),
            trigger: None,
            full_refresh_threshold: None,
            type_overrides: Vec::new(),
            indexes: Vec::new(),
            generated_columns: Vec::new(),
            not_null: NotNull::default(),
            null_key: RowPolicy::default(),
            duplicate_key: RowPolicy::default(),
            nul_byte: NulBytePolicy::default(),
        }
    }
}

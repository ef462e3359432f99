//! `[[synced_tables]]`

use lakefront_model::{
    GeneratedColumn, NotNull, NulBytePolicy, RowPolicy, SchedulingPolicy, SyncedTableSpec, TableName,
    TypeOverride,
};
use serde::Deserialize;

/// One synced table as the file declares it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SyncedTable {
    pub name: String,
    source: String,
    #[serde(default)]
    primary_key: Vec<String>,
    timeseries_key: Option<String>,
    #[serde(default)]
    scheduling_policy: SchedulingPolicy,
    #[serde(default)]
    type_overrides: Vec<TypeOverride>,
    #[serde(default)]
    indexes: Vec<String>,
    #[serde(default)]
    generated_columns: Vec<GeneratedColumn>,
    #[serde(default)]
    not_null: NotNull,
    #[serde(default)]
    null_key: RowPolicy,
    #[serde(default)]
    duplicate_key: RowPolicy,
    #[serde(default)]
    nul_byte: NulBytePolicy,
}

impl SyncedTable {
    pub fn spec(&self) -> Result<SyncedTableSpec, String> {
        let name = TableName::parse(&self.name).map_err(|e| e.to_string())?;
        if self.primary_key.is_empty() && self.scheduling_policy != SchedulingPolicy::Snapshot {
            return Err(format!(
                "without primary_key only scheduling_policy = \"SNAPSHOT\" is possible, not {}",
                self.scheduling_policy
            ));
        }
        for wanted in &self.type_overrides {
            wanted.check().map_err(|e| e.to_string())?;
        }
        Ok(SyncedTableSpec {
            name,
            source: self.source.clone(),
            primary_key: self.primary_key.clone(),
            timeseries_key: self.timeseries_key.clone(),
            scheduling_policy: self.scheduling_policy,
            type_overrides: self.type_overrides.clone(),
            indexes: self.indexes.clone(),
            generated_columns: self.generated_columns.clone(),
            not_null: self.not_null,
            null_key: self.null_key,
            duplicate_key: self.duplicate_key,
            nul_byte: self.nul_byte,
        })
    }
}

//! `[[synced_tables]]`

use super::file::PipelineConfig;
use super::mistake::Mistake;
use super::trigger::{RefreshOn, TriggerKeys};
use lakefront_model::{
    FullRefreshThreshold, GeneratedColumn, NotNull, NulBytePolicy, Pipeline, RowPolicy, SchedulingPolicy,
    SyncedTableSpec, TableName, TypeOverride,
};
use serde::Deserialize;
use std::collections::BTreeMap;

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
    schedule: Option<String>,
    schedule_time_zone: Option<String>,
    refresh_on: Option<RefreshOn>,
    min_time_between_triggers_seconds: Option<u64>,
    /// the pipeline's name
    pipeline: Option<String>,
    full_refresh_threshold: Option<FullRefreshThreshold>,
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
    /// The declaration; `pipelines` are those that the file declares.
    pub fn spec(&self, pipelines: &BTreeMap<String, PipelineConfig>) -> Result<SyncedTableSpec, Mistake> {
        let name = TableName::parse(&self.name).map_err(|e| e.to_string())?;
        if self.primary_key.is_empty() && self.scheduling_policy != SchedulingPolicy::Snapshot {
            return Err(format!(
                "without primary_key only scheduling_policy = \"SNAPSHOT\" is possible, not {}",
                self.scheduling_policy
            )
            .into());
        }
        for wanted in &self.type_overrides {
            wanted.check().map_err(|e| e.to_string())?;
        }
        let keys = TriggerKeys {
            schedule: self.schedule.as_deref(),
            schedule_time_zone: self.schedule_time_zone.as_deref(),
            refresh_on: self.refresh_on,
            min_time_between_triggers_seconds: self.min_time_between_triggers_seconds,
        };
        let trigger = keys.trigger(self.scheduling_policy)?;
        let pipeline = |name: &String| Pipeline {
            name: name.clone(),
            atomic: pipelines.get(name).is_some_and(|declared| declared.atomic),
        };
        Ok(SyncedTableSpec {
            name,
            source: self.source.clone(),
            primary_key: self.primary_key.clone(),
            timeseries_key: self.timeseries_key.clone(),
            scheduling_policy: self.scheduling_policy,
            trigger,
            pipeline: self.pipeline.as_ref().map(pipeline),
            full_refresh_threshold: self.full_refresh_threshold,
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

//! What a refresh brings a copy to.

use crate::plan::{Facts, Plan, plan};
use crate::session::Seen;
use crate::{RefreshRequest, SyncError};
use lakefront_lake::Snapshot;
use lakefront_model::{SchedulingPolicy, TableMapping};
use lakefront_postgres::ledger::Entry;
use lakefront_postgres::table::TableShape;
use std::sync::Arc;

/// A version of the source, and the columns that the copy has then.
#[derive(Clone)]
pub(crate) struct Goal {
    pub snapshot: Snapshot,
    pub mapping: Arc<TableMapping>,
    /// whether the commit that was applied last has been written again, or on, since
    pub is_revised: bool,
    /// whether this is only a part of the way, and the refresh goes on afterwards
    pub is_part: bool,
    /// rows that parts before this one replaced
    pub replaced_before: u64,
    /// why everything is copied although changes are known
    pub full_because: Option<String>,
}

impl Goal {
    /// The newest version of a source.
    pub(crate) fn newest(seen: &Seen, mapping: TableMapping, is_revised: bool) -> Self {
        let (snapshot, mapping) = (seen.snapshot.clone(), Arc::new(mapping));
        Self { snapshot, mapping, is_revised, is_part: false, replaced_before: 0, full_because: None }
    }

    /// What is to be done for a table, as it is found now, to come here.
    pub(crate) fn plan(
        &self,
        entry: &Entry,
        live: Option<&TableShape>,
        request: &RefreshRequest,
    ) -> Result<Plan, SyncError> {
        let (old, new) = (&entry.spec, &request.spec);
        let only_full = if new.scheduling_policy == SchedulingPolicy::Snapshot {
            Some("the policy is SNAPSHOT")
        } else if self.mapping.key.is_empty() {
            Some("without a key all rows are copied")
        } else {
            None
        };
        plan(&Facts {
            checkpoint: entry.version.map(|v| (v, entry.source_table_id.as_deref())),
            live,
            source: (self.snapshot.version(), self.snapshot.table_id()),
            schema: self.snapshot.schema(),
            mapping: &self.mapping,
            before: entry.source_schema.as_ref(),
            kept_columns: &entry.kept_columns,
            quarantined: entry.quarantined > 0,
            revised: self.is_revised,
            moved: entry.location != self.snapshot.location().to_string(),
            full: request.full,
            only_full,
            respecified: old.timeseries_key != new.timeseries_key
                || old.null_key != new.null_key
                || old.duplicate_key != new.duplicate_key
                || old.nul_byte != new.nul_byte
                || old.generated_columns != new.generated_columns,
        })
    }
}

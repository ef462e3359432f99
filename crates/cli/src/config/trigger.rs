//! What has a table refreshed by itself, as the file declares it.

use super::mistake::Mistake;
use lakefront_model::{Schedule, SchedulingPolicy, Trigger};
use serde::Deserialize;

/// The value of `refresh_on`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RefreshOn {
    SourceChange,
}

/// The keys of a synced table that say when it is refreshed.
#[derive(Debug)]
pub(super) struct TriggerKeys<'a> {
    pub schedule: Option<&'a str>,
    pub schedule_time_zone: Option<&'a str>,
    pub refresh_on: Option<RefreshOn>,
    pub min_time_between_triggers_seconds: Option<u64>,
}

impl TriggerKeys<'_> {
    /// What they mean together.
    pub fn trigger(&self, policy: SchedulingPolicy) -> Result<Option<Trigger>, Mistake> {
        let given = [
            ("schedule", self.schedule.is_some()),
            ("schedule_time_zone", self.schedule_time_zone.is_some()),
            ("refresh_on", self.refresh_on.is_some()),
            ("min_time_between_triggers_seconds", self.min_time_between_triggers_seconds.is_some()),
        ];
        let first = given.iter().find(|(_, is_given)| *is_given);
        if let Some((key, _)) = first
            && policy == SchedulingPolicy::Continuous
        {
            return Err(Mistake::new(
                format!(
                    "{key} is of no use with scheduling_policy = \"CONTINUOUS\", which applies each commit as it is made"
                ),
                "leave it out, or choose scheduling_policy = \"TRIGGERED\"",
            ));
        }
        if self.schedule_time_zone.is_some() && self.schedule.is_none() {
            return Err(Mistake::new(
                "schedule_time_zone is there without schedule",
                "add schedule = \"0 6 * * *\" or the like, or leave the time zone out",
            ));
        }
        if self.min_time_between_triggers_seconds.is_some() && self.refresh_on.is_none() {
            return Err(Mistake::new(
                "min_time_between_triggers_seconds is there without refresh_on",
                "add refresh_on = \"source_change\", or leave it out",
            ));
        }
        match (self.schedule, self.refresh_on) {
            (Some(_), Some(_)) => Err(Mistake::new(
                "schedule and refresh_on exclude each other",
                "keep schedule to refresh at set times, or refresh_on to refresh after each change of the source",
            )),
            (Some(expression), None) => Schedule::parse(expression, self.schedule_time_zone)
                .map(|schedule| Some(Trigger::Schedule(schedule)))
                .map_err(|e| Mistake::new(e.to_string(), e.hint())),
            (None, Some(RefreshOn::SourceChange)) => {
                let least = self.min_time_between_triggers_seconds.unwrap_or_default();
                Ok(Some(Trigger::SourceChange { min_time_between_triggers_seconds: least }))
            }
            (None, None) => Ok(None),
        }
    }
}

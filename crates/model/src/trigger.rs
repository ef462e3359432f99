//! What has a synced table refreshed by itself, besides being asked for.

use crate::Schedule;
use serde::{Deserialize, Serialize};

/// Under the policies TRIGGERED and SNAPSHOT; CONTINUOUS needs none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// the times of a schedule
    Schedule(Schedule),
    /// a new commit at the source
    SourceChange {
        /// the least time from the start of one refresh to that of the next; commits made meanwhile go together
        min_time_between_triggers_seconds: u64,
    },
}

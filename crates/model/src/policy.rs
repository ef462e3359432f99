//! What a synced table does with its time, and with rows that PostgreSQL cannot take.

use serde::{Deserialize, Serialize};

/// When a synced table is refreshed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SchedulingPolicy {
    /// a full copy each time it is asked for
    Snapshot,
    /// what changed since the last time, when asked or scheduled
    #[default]
    Triggered,
    /// each commit as it is made
    Continuous,
}

impl std::fmt::Display for SchedulingPolicy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Snapshot => "SNAPSHOT",
            Self::Triggered => "TRIGGERED",
            Self::Continuous => "CONTINUOUS",
        })
    }
}

/// What happens to rows with a NULL in their key, and to rows that share their key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RowPolicy {
    /// the refresh fails and names the key and the count
    #[default]
    Fail,
    /// the rows are set aside in `lakefront.quarantine` with their reason, and counted
    Quarantine,
}

/// What happens to a string with a 0x00 byte, which PostgreSQL's `text` and `jsonb` cannot hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NulBytePolicy {
    /// the refresh fails and names column and key
    #[default]
    Fail,
    /// the bytes are left out, the rest of the string is kept
    Strip,
    /// the row is set aside in `lakefront.quarantine`
    Quarantine,
}

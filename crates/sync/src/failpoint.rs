//! Moments of a refresh at which a test can have the process killed; in debug builds only.

/// The environment variable that names one.
const VARIABLE: &str = "LAKEFRONT_FAILPOINT";

/// A moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FailPoint {
    /// sources were looked at, nothing is claimed
    Found,
    /// the tables are claimed
    Claimed,
    /// a full copy is in its stage
    Staged,
    /// the transaction of the change began
    Begun,
    /// changed rows were copied beside the live table
    Copied,
    /// the live table has the new rows, the checkpoint is the old one
    Applied,
    /// data and checkpoint are moved and not committed
    CheckpointMoved,
    /// everything is committed, the claims still stand
    Committed,
    /// the claims were let go, secondary indexes were not looked at
    Released,
}

impl FailPoint {
    fn name(self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::Claimed => "claimed",
            Self::Staged => "staged",
            Self::Begun => "begun",
            Self::Copied => "copied",
            Self::Applied => "applied",
            Self::CheckpointMoved => "checkpoint-moved",
            Self::Committed => "committed",
            Self::Released => "released",
        }
    }

    /// Ends the process here, as a machine that fails would, if the environment says so.
    pub(crate) fn reached(self) {
        if cfg!(debug_assertions) && std::env::var_os(VARIABLE).is_some_and(|named| named == self.name()) {
            std::process::abort();
        }
    }
}

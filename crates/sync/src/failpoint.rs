//! Moments of a refresh at which a test can have the process killed or frozen; in debug builds only.

use std::sync::atomic::{AtomicBool, Ordering};

/// The environment variable that names one: `begun` kills the process there, `begun:stop` freezes it there once.
const VARIABLE: &str = "LAKEFRONT_FAILPOINT";

/// Whether the process was frozen: a refresh that is tried again comes by once more.
static WAS_FROZEN: AtomicBool = AtomicBool::new(false);

/// A moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FailPoint {
    /// sources were looked at, nothing is claimed
    Found,
    /// the tables are claimed
    Claimed,
    /// the stage of a full copy is there, nothing is in it
    StageMade,
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
            Self::StageMade => "stage-made",
            Self::Staged => "staged",
            Self::Begun => "begun",
            Self::Copied => "copied",
            Self::Applied => "applied",
            Self::CheckpointMoved => "checkpoint-moved",
            Self::Committed => "committed",
            Self::Released => "released",
        }
    }

    /// Ends or freezes the process here, if the environment says so: as a machine that fails would, or one that is paused.
    pub(crate) fn reached(self) {
        if !cfg!(debug_assertions) {
            return;
        }
        let asked = std::env::var(VARIABLE).unwrap_or_default();
        match asked.strip_suffix(":stop") {
            Some(named) if named == self.name() && !WAS_FROZEN.swap(true, Ordering::SeqCst) => freeze(),
            None if asked == self.name() => std::process::abort(),
            _ => {}
        }
    }
}

/// Stops all threads of the process until somebody sends it SIGCONT.
fn freeze() {
    let id = std::process::id().to_string();
    if !std::process::Command::new("kill").args(["-STOP", &id]).status().is_ok_and(|ended| ended.success()) {
        std::process::abort();
    }
}

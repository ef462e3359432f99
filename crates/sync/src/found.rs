//! One of the tables that are refreshed together, as it is found.

use crate::goal::Goal;
use crate::session::Seen;
use lakefront_postgres::ledger::Entry;

/// A member before anything is decided: its source, and what the ledger knows of it.
pub(crate) struct Found {
    pub seen: Seen,
    pub entry: Entry,
    /// what its copy is to become
    pub goal: Goal,
}

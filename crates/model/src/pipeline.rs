//! What runs one or more synced tables.

use serde::{Deserialize, Serialize};

/// The pipeline that a synced table belongs to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Pipeline {
    /// its name
    pub name: String,
    /// whether its tables become visible together, at one consistent set of versions
    #[serde(default)]
    pub atomic: bool,
}

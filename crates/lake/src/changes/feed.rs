//! Changed rows that writers recorded (Delta protocol, section "Add CDC File").

use super::Unlisted;
use super::commit::Commit;
use super::files::Files;
use super::unit::{ChangeKind, ChangeUnit};

/// The units of all commits.
pub(super) fn units(files: &Files, commits: &[Commit]) -> Result<Vec<ChangeUnit>, Unlisted> {
    let mut units = Vec::new();
    for commit in commits {
        if commit.recorded.is_empty() {
            // Such a commit only adds rows or only takes rows out, so its files are the record.
            units.extend(files.rewritten(commit.version, &commit.removed, &commit.added)?);
        }
        for file in &commit.recorded {
            units.extend(files.unit(commit.version, ChangeKind::Recorded, file)?);
        }
    }
    Ok(units)
}

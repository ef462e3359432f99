//! Changed rows that writers recorded (Delta protocol, section "Add CDC File").

use super::commit::Commit;
use super::files::Files;
use super::unit::{ChangeKind, ChangeUnit};
use crate::LakeError;

/// The units of all commits; None when the log does not say enough about a file.
pub(super) fn units(files: &Files, commits: &[Commit]) -> Result<Option<Vec<ChangeUnit>>, LakeError> {
    let mut units = Vec::new();
    for commit in commits {
        if commit.recorded.is_empty() {
            // Such a commit only adds rows or only takes rows out, so its files are the record.
            let Some(mut rows) = files.rewritten(commit.version, &commit.removed, &commit.added)? else {
                return Ok(None);
            };
            units.append(&mut rows);
            continue;
        }
        for file in &commit.recorded {
            let Some(mut recorded) = files.unit(commit.version, ChangeKind::Recorded, file)? else {
                return Ok(None);
            };
            units.append(&mut recorded);
        }
    }
    Ok(Some(units))
}

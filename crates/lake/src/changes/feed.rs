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
        // Where no file went, no row did.
        let only_inserts = !commit.removed.iter().any(|file| file.data_change);
        for file in &commit.recorded {
            let units_of_file = files.unit(commit.version, ChangeKind::Recorded, file)?;
            let replaced = |unit: ChangeUnit| if only_inserts { unit.replacing_none() } else { unit };
            units.extend(units_of_file.into_iter().map(replaced));
        }
    }
    Ok(units)
}

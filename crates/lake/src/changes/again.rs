//! Files that a commit adds although they are there already, as writers do that have new statistics to tell.
//!
//! Where such a file goes later in the same range it looks as if it had come and gone, and its rows would stay in the copy.

use super::Unlisted;
use super::commit::{Commit, FileAction};
use crate::LakeError;
use crate::scan::each_path;
use crate::snapshot::Snapshot;
use lakefront_model::Version;
use std::collections::{HashMap, HashSet};

/// What is said where that cannot be found out.
const UNKNOWN_BASE: &str =
    "files came and went, and the source's log no longer says which ones were there before";

/// Refuses a range in which a file of `base` was added again before it went.
///
/// The files of `base` are listed only where files came and went within the range, since one of them may be such a file.
pub(super) fn refuse(snapshot: &Snapshot, base: Version, commits: &[Commit]) -> Result<(), Unlisted> {
    let suspects = came_and_went(commits);
    if suspects.is_empty() {
        return Ok(());
    }
    let before = match Snapshot::load(snapshot.table().clone(), Some(base)) {
        Ok(before) => before,
        Err(LakeError::VersionNotAvailable { .. }) => return Err(Unlisted::Unknown(UNKNOWN_BASE)),
        Err(error) => return Err(error.into()),
    };
    let mut is_there = false;
    each_path(&before, |path| is_there |= suspects.contains(path))?;
    if is_there {
        return Err(Unlisted::Unknown("a file was added again while it was there, and went"));
    }
    Ok(())
}

/// The paths that the range's first commit which names them adds, and a later one takes out.
fn came_and_went(commits: &[Commit]) -> HashSet<&str> {
    // Whether the first commit that names a path only adds it.
    let mut came: HashMap<&str, bool> = HashMap::new();
    let mut suspects = HashSet::new();
    // Nothing is looked up where nothing was taken out, as in thousands of small appends.
    if !commits.iter().any(|commit| commit.removed.iter().any(|file| file.data_change)) {
        return suspects;
    }
    for commit in commits {
        let changed = |file: &&FileAction| file.data_change;
        for file in commit.removed.iter().filter(changed) {
            if *came.entry(&file.path).or_insert(false) {
                suspects.insert(file.path.as_str());
            }
        }
        for file in commit.added.iter().filter(changed) {
            came.entry(&file.path).or_insert(true);
        }
    }
    suspects
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::Location;
    use crate::kernel_error::Reading;

    fn suspects(texts: &[&str]) -> usize {
        let reading = Reading::log(&Location::parse("/tables/t").unwrap());
        let parse = |(version, text): (usize, &&str)| {
            Commit::parse(&reading, version as u64, text.as_bytes()).unwrap()
        };
        came_and_went(&texts.iter().enumerate().map(parse).collect::<Vec<_>>()).len()
    }

    #[test]
    fn only_files_that_came_and_went_are_looked_for() {
        let (add, remove) = (r#"{"add":{"path":"a"}}"#, r#"{"remove":{"path":"a"}}"#);
        assert_eq!(suspects(&[add, remove]), 1);
        assert_eq!(suspects(&[remove, add, remove]), 0, "it was there, as its removal says");
        assert_eq!(suspects(&[&format!("{add}\n{remove}"), remove]), 0, "it got another deletion vector");
        assert_eq!(suspects(&[add, r#"{"add":{"path":"b"}}"#]), 0);
        let compacted = r#"{"remove":{"path":"a","dataChange":false}}"#;
        assert_eq!(suspects(&[add, compacted]), 0, "its rows stay");
    }
}

//! Changed rows where nobody recorded them: those of the files that went and of the files that came.

use super::Unlisted;
use super::commit::{Commit, FileAction};
use super::files::Files;
use super::unit::ChangeUnit;
use std::collections::HashMap;

/// The units of all commits together.
///
/// Where no commit is a mere rewrite, files that came and went within the range cancel, and the rest is taken for one
/// change at the last version. A compaction among other commits would make that the whole table, so then each commit is
/// taken by itself and compactions are passed over.
pub(super) fn units(files: &Files, commits: Vec<Commit>) -> Result<Vec<ChangeUnit>, Unlisted> {
    if commits.iter().any(|commit| commit.files().any(|file| !file.data_change)) {
        let mut units = Vec::new();
        for commit in commits.iter().filter(|commit| !commit.keeps_rows()) {
            units.extend(files.rewritten(commit.version, &commit.removed, &commit.added)?);
        }
        return Ok(units);
    }
    let Some(last) = commits.last().map(|commit| commit.version) else { return Ok(Vec::new()) };
    let (removed, added) = net(commits);
    files.rewritten(last, &removed, &added)
}

/// The files that are gone and those that are new after all commits, in the order of the log. A file is known by its
/// path and its deletion vector (Delta protocol, section "Action Reconciliation").
fn net(commits: Vec<Commit>) -> (Vec<FileAction>, Vec<FileAction>) {
    let mut removed: HashMap<(String, String), (usize, FileAction)> = HashMap::new();
    let mut added: HashMap<(String, String), (usize, FileAction)> = HashMap::new();
    let mut order = 0;
    let key = |file: &FileAction| (file.path.clone(), file.vector_id.clone());
    for commit in commits {
        // A commit may take a file out and put the same path back with another vector.
        for file in commit.removed {
            order += 1;
            if added.remove(&key(&file)).is_none() {
                removed.insert(key(&file), (order, file));
            }
        }
        for file in commit.added {
            order += 1;
            if removed.remove(&key(&file)).is_none() {
                added.insert(key(&file), (order, file));
            }
        }
    }
    (in_order(removed), in_order(added))
}

fn in_order(files: HashMap<(String, String), (usize, FileAction)>) -> Vec<FileAction> {
    let mut files: Vec<_> = files.into_values().collect();
    files.sort_unstable_by_key(|(order, _)| *order);
    files.into_iter().map(|(_, file)| file).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::Location;
    use crate::kernel_error::Reading;

    fn commits(texts: &[&str]) -> Vec<Commit> {
        let reading = Reading::log(&Location::parse("/tables/t").unwrap());
        let parse = |(version, text): (usize, &&str)| {
            Commit::parse(&reading, version as u64, text.as_bytes()).unwrap()
        };
        texts.iter().enumerate().map(parse).collect()
    }

    fn paths(files: &[FileAction]) -> Vec<&str> {
        files.iter().map(|file| file.path.as_str()).collect()
    }

    #[test]
    fn files_that_came_and_went_cancel() {
        let (removed, added) = net(commits(&[
            "{\"add\":{\"path\":\"b\"}}\n{\"remove\":{\"path\":\"a\"}}",
            "{\"add\":{\"path\":\"c\"}}\n{\"remove\":{\"path\":\"b\"}}",
            "{\"add\":{\"path\":\"d\"}}",
        ]));
        assert_eq!((paths(&removed), paths(&added)), (vec!["a"], vec!["c", "d"]));
    }

    #[test]
    fn a_restored_file_is_no_change() {
        let (removed, added) = net(commits(&["{\"remove\":{\"path\":\"a\"}}", "{\"add\":{\"path\":\"a\"}}"]));
        assert!(removed.is_empty() && added.is_empty());
    }

    #[test]
    fn another_vector_of_a_file_is_another_file() {
        let vector = r#""deletionVector":{"storageType":"u","pathOrInlineDv":"ab^-aqEH.-t@S}K{vb[*k^","sizeInBytes":40,"cardinality":6}"#;
        let with = format!("{{\"add\":{{\"path\":\"a\",{vector}}}}}\n{{\"remove\":{{\"path\":\"a\"}}}}");
        let (removed, added) = net(commits(&[&with]));
        assert_eq!((paths(&removed), paths(&added)), (vec!["a"], vec!["a"]));
        assert_eq!((removed[0].vector_id.as_str(), added[0].vector_id.is_empty()), ("", false));
    }
}

//! The commit files of a table's log (Delta protocol, "Delta Log Entries").

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::action::LogLine;
use crate::error::{DeltaWriteError, io_at};

/// The folder of the log inside a table.
pub(crate) const LOG_FOLDER: &str = "_delta_log";

pub(crate) fn folder(table: &Path) -> PathBuf {
    table.join(LOG_FOLDER)
}

pub(crate) fn commit_path(table: &Path, version: u64) -> PathBuf {
    folder(table).join(format!("{version:020}.json"))
}

/// The version that a file of the log belongs to, with what follows the number: `json`, `checkpoint.parquet`, ….
pub(crate) fn version_of(file_name: &str) -> Option<(u64, &str)> {
    let (digits, rest) = file_name.split_once('.')?;
    if digits.len() != 20 {
        return None;
    }
    Some((digits.parse().ok()?, rest))
}

/// Makes a commit visible, whole or not at all, and only when no other writer has taken the version:
/// the content is written aside, made durable, and linked to its name, which fails when the name exists.
pub(crate) fn write_commit(table: &Path, version: u64, lines: &[LogLine]) -> Result<(), DeltaWriteError> {
    let target = commit_path(table, version);
    let mut text = Vec::new();
    for line in lines {
        serde_json::to_writer(&mut text, line).map_err(|error| DeltaWriteError::MalformedLog {
            path: target.clone(),
            reason: error.to_string(),
        })?;
        text.push(b'\n');
    }
    let aside = folder(table).join(format!("_commit_{}.json.tmp", Uuid::new_v4()));
    let written = write_durably(&aside, &text);
    let linked = written.and_then(|()| match fs::hard_link(&aside, &target) {
        Ok(()) => Ok(()),
        // A network file system may report the failure of a link that it has made; the content tells.
        Err(_) if fs::read(&target).is_ok_and(|present| present == text) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            Err(DeltaWriteError::Conflict { path: table.to_path_buf(), version })
        }
        Err(error) => Err(io_at(&target)(error)),
    });
    // A file left aside is harmless: its name means nothing to any reader.
    let _ = fs::remove_file(&aside);
    linked?;
    sync_folder(&folder(table));
    Ok(())
}

/// Writes a file and waits until it is on disk.
pub(crate) fn write_durably(path: &Path, content: &[u8]) -> Result<(), DeltaWriteError> {
    let mut file = File::create(path).map_err(io_at(path))?;
    file.write_all(content).map_err(io_at(path))?;
    file.sync_all().map_err(io_at(path))
}

/// Makes a new name durable where the file system can; a crash that loses it loses a commit whole, never half of one.
fn sync_folder(path: &Path) {
    if let Ok(folder) = File::open(path) {
        let _ = folder.sync_all();
    }
}

/// The actions of one commit, `None` when the version does not exist.
pub(crate) fn read_commit(table: &Path, version: u64) -> Result<Option<Vec<LogLine>>, DeltaWriteError> {
    let path = commit_path(table, version);
    match fs::read(&path) {
        Ok(bytes) => parse_lines(&path, &bytes).map(Some),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io_at(path)(error)),
    }
}

/// Lines end at `\n` only: strings in them may hold other line separators raw.
pub(crate) fn parse_lines(path: &Path, bytes: &[u8]) -> Result<Vec<LogLine>, DeltaWriteError> {
    bytes
        .split(|byte| *byte == b'\n')
        .enumerate()
        .filter(|(_, line)| !line.trim_ascii().is_empty())
        .map(|(number, line)| {
            serde_json::from_slice(line).map_err(|error| DeltaWriteError::MalformedLog {
                path: path.to_path_buf(),
                reason: format!("line {}: {error}", number + 1),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_of_the_log_give_their_version() {
        assert_eq!(version_of("00000000000000000012.json"), Some((12, "json")));
        let checkpoint = version_of("00000000000000000012.checkpoint.parquet");
        assert_eq!(checkpoint, Some((12, "checkpoint.parquet")));
        assert_eq!(version_of("12.json"), None);
        assert_eq!(version_of("_last_checkpoint"), None);
    }

    #[test]
    fn a_version_is_taken_once() {
        let table = tempfile::tempdir().unwrap();
        fs::create_dir(folder(table.path())).unwrap();
        let info = |text: &str| [LogLine::commit_info(serde_json::json!({ "by": text }))];
        write_commit(table.path(), 0, &info("first")).unwrap();
        let second = write_commit(table.path(), 0, &info("second")).unwrap_err();
        assert!(matches!(second, DeltaWriteError::Conflict { version: 0, .. }), "{second}");
        let lines = read_commit(table.path(), 0).unwrap().unwrap();
        assert_eq!(lines[0].commit_info.as_ref().unwrap()["by"], "first");
        let names: Vec<_> = fs::read_dir(folder(table.path())).unwrap().collect();
        assert_eq!(names.len(), 1, "nothing is left aside: {names:?}");
    }

    #[test]
    fn a_line_separator_inside_a_string_does_not_end_the_line() {
        let text = "{\"commitInfo\":{\"note\":\"a\u{2028}b\"}}\n\n{\"txn\":{\"appId\":\"x\"}}\n";
        let lines = parse_lines(Path::new("x.json"), text.as_bytes()).unwrap();
        assert_eq!(lines.len(), 2);
        assert!(lines[1].others.contains_key("txn"));
    }
}

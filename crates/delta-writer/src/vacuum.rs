//! Deletes what no reader needs any more: old data files, change data files, commits behind a checkpoint.

use std::collections::HashSet;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::change_file::CHANGE_FOLDER;
use crate::error::{DeltaWriteError, io_at};
use crate::log;
use crate::table::DeltaTable;

/// What [`DeltaTable::vacuum`] has deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Vacuumed {
    /// Data files and change data files.
    pub files: usize,
    /// Files of the log.
    pub log_files: usize,
    /// Bytes that became free.
    pub bytes: u64,
}

impl DeltaTable {
    /// Deletes files that no version of the last `retention` needs: data files that left the
    /// table before, orphans and change data files older than that, and the log's files before
    /// the newest checkpoint that is itself older. A reader that is further behind must read the
    /// whole table again.
    ///
    /// # Errors
    /// Failures of the file system, a file that is already gone excepted.
    pub fn vacuum(&mut self, retention: Duration) -> Result<Vacuumed, DeltaWriteError> {
        let before = SystemTime::now().checked_sub(retention).unwrap_or(UNIX_EPOCH);
        let since = before.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let since = i64::try_from(since).unwrap_or(i64::MAX);
        let state = self.state();
        let recent = state.tombstones.iter().filter(|(_, stone)| stone.removed_at >= since);
        let mut needed: HashSet<String> = recent.map(|(path, _)| path.clone()).collect();
        needed.extend(state.files.keys().cloned());
        let mut vacuumed = Vacuumed::default();
        for folder in ["", CHANGE_FOLDER] {
            let path = self.path().join(folder);
            vacuumed.files += remove_old(&path, before, &mut vacuumed.bytes, |name| {
                let unneeded = folder == CHANGE_FOLDER || !needed.contains(name);
                name.ends_with(".parquet") && unneeded
            })?;
        }
        let tombstones = &mut self.state_mut().tombstones;
        tombstones.retain(|_, stone| stone.removed_at >= since);
        let folder = log::folder(self.path());
        // What a writer that was killed had put aside.
        let aside = |name: &str| name.starts_with('_') && name.ends_with(".tmp");
        vacuumed.log_files = remove_old(&folder, before, &mut vacuumed.bytes, aside)?;
        if let Some(checkpoint) = newest_checkpoint_before(&folder, before)? {
            vacuumed.log_files += remove_old(&folder, before, &mut vacuumed.bytes, |name| {
                log::version_of(name).is_some_and(|(version, _)| version < checkpoint)
            })?;
        }
        Ok(vacuumed)
    }
}

fn newest_checkpoint_before(folder: &Path, before: SystemTime) -> Result<Option<u64>, DeltaWriteError> {
    let mut newest = None;
    visit(folder, |name, modified, _| {
        if let Some((version, "checkpoint.parquet")) = log::version_of(name)
            && modified < before
        {
            newest = newest.max(Some(version));
        }
        Ok(())
    })?;
    Ok(newest)
}

fn remove_old(
    folder: &Path,
    before: SystemTime,
    bytes: &mut u64,
    unneeded: impl Fn(&str) -> bool,
) -> Result<usize, DeltaWriteError> {
    let mut removed = 0;
    visit(folder, |name, modified, size| {
        if modified >= before || !unneeded(name) {
            return Ok(());
        }
        let path = folder.join(name);
        match fs::remove_file(&path) {
            Ok(()) => {
                removed += 1;
                *bytes += size;
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(io_at(path)(error)),
        }
    })?;
    Ok(removed)
}

/// Calls `each` with the name, time and size of every file of a folder; a folder that is not there has none.
fn visit(
    folder: &Path,
    mut each: impl FnMut(&str, SystemTime, u64) -> Result<(), DeltaWriteError>,
) -> Result<(), DeltaWriteError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(io_at(folder)(error)),
    };
    for entry in entries {
        let entry = entry.map_err(io_at(folder))?;
        let metadata = match entry.metadata() {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(io_at(entry.path())(error)),
        };
        if let (true, Some(name)) = (metadata.is_file(), entry.file_name().to_str()) {
            each(name, metadata.modified().map_err(io_at(entry.path()))?, metadata.len())?;
        }
    }
    Ok(())
}

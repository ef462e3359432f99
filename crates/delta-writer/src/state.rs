//! What a table is at one version: its log, replayed.

use std::collections::BTreeMap;
use std::path::Path;

use arrow_schema::SchemaRef;

use crate::action::{AddFile, LogLine, Metadata, Protocol};
use crate::checkpoint;
use crate::error::DeltaWriteError;
use crate::log;
use crate::protocol;
use crate::schema;

/// A table at one version.
#[derive(Debug, Clone)]
pub(crate) struct TableState {
    pub version: u64,
    pub protocol: Protocol,
    pub metadata: Metadata,
    pub schema: SchemaRef,
    /// The data files, by path.
    pub files: BTreeMap<String, AddFile>,
    /// Files that left the table and when, in milliseconds since 1970: readers of older versions may still use them.
    pub tombstones: BTreeMap<String, Tombstone>,
    /// The newest commit's own timestamp, in milliseconds since 1970.
    pub timestamp: i64,
    /// An action that this writer would lose in a checkpoint.
    pub foreign_action: Option<String>,
}

/// A file that left the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tombstone {
    /// Milliseconds since 1970.
    pub removed_at: i64,
    pub size: Option<i64>,
}

/// Actions gathered while a log is replayed, before it is known to be complete.
#[derive(Default)]
struct Replay {
    protocol: Option<Protocol>,
    metadata: Option<Metadata>,
    files: BTreeMap<String, AddFile>,
    tombstones: BTreeMap<String, Tombstone>,
    timestamp: i64,
    foreign_action: Option<String>,
}

impl TableState {
    /// Replays the whole log, from its newest checkpoint on where it has one.
    pub fn load(table: &Path) -> Result<Self, DeltaWriteError> {
        let mut replay = Replay::default();
        let mut next = 0;
        let mut newest = None;
        if let Some(version) = checkpoint::newest(table)? {
            replay.apply(table, checkpoint::read(table, version)?)?;
            newest = Some(version);
            next = version + 1;
        }
        while let Some(lines) = log::read_commit(table, next)? {
            replay.apply(table, lines)?;
            newest = Some(next);
            next += 1;
        }
        let not_a_table = || DeltaWriteError::NotATable { path: table.to_path_buf() };
        replay.finish(table, newest.ok_or_else(not_a_table)?)
    }

    /// Applies the commits that came after this state, by whatever writer.
    pub fn catch_up(&mut self, table: &Path) -> Result<(), DeltaWriteError> {
        while let Some(lines) = log::read_commit(table, self.version + 1)? {
            self.advance(table, lines)?;
        }
        Ok(())
    }

    /// Applies the commit that follows this state.
    pub fn advance(&mut self, table: &Path, lines: Vec<LogLine>) -> Result<(), DeltaWriteError> {
        let mut replay = Replay {
            protocol: Some(self.protocol.clone()),
            metadata: Some(self.metadata.clone()),
            files: std::mem::take(&mut self.files),
            tombstones: std::mem::take(&mut self.tombstones),
            timestamp: self.timestamp,
            foreign_action: self.foreign_action.take(),
        };
        replay.apply(table, lines)?;
        *self = replay.finish(table, self.version + 1)?;
        Ok(())
    }
}

impl Replay {
    fn apply(&mut self, table: &Path, lines: Vec<LogLine>) -> Result<(), DeltaWriteError> {
        for line in lines {
            if let Some(info) = line.commit_info {
                let timestamp = info.get("timestamp").and_then(serde_json::Value::as_i64);
                self.timestamp = timestamp.unwrap_or(self.timestamp);
            }
            if let Some(protocol) = line.protocol {
                self.protocol = Some(protocol);
            }
            if let Some(metadata) = line.meta_data {
                self.metadata = Some(metadata);
            }
            if let Some(remove) = line.remove {
                self.files.remove(&remove.path);
                let tombstone = Tombstone {
                    removed_at: remove.deletion_timestamp.unwrap_or_default(),
                    size: remove.size,
                };
                self.tombstones.insert(remove.path, tombstone);
            }
            if let Some(add) = line.add {
                check_file(table, &add)?;
                self.tombstones.remove(&add.path);
                self.files.insert(add.path.clone(), add);
            }
            if let Some(name) = line.others.into_keys().next() {
                self.foreign_action = Some(name);
            }
        }
        Ok(())
    }

    fn finish(self, table: &Path, version: u64) -> Result<TableState, DeltaWriteError> {
        let malformed = |reason: String| DeltaWriteError::MalformedLog { path: log::folder(table), reason };
        let missing = |what: &str| malformed(format!("no {what} action up to version {version}"));
        let protocol = self.protocol.ok_or_else(|| missing("protocol"))?;
        let metadata = self.metadata.ok_or_else(|| missing("metaData"))?;
        protocol::check_writable(table, &protocol, &metadata)?;
        let schema = schema::to_arrow(&metadata.schema_string).map_err(malformed)?;
        Ok(TableState {
            version,
            protocol,
            metadata,
            schema,
            files: self.files,
            tombstones: self.tombstones,
            timestamp: self.timestamp,
            foreign_action: self.foreign_action,
        })
    }
}

/// Refuses files that this writer could not rewrite correctly or safely.
fn check_file(table: &Path, add: &AddFile) -> Result<(), DeltaWriteError> {
    let refuse =
        |feature: String| Err(DeltaWriteError::UnsupportedFeature { path: table.to_path_buf(), feature });
    if add.deletion_vector.is_some() {
        return refuse(format!("the deletion vector of {}", add.path));
    }
    let outside = add.path.starts_with('/') || add.path.contains(':') || add.path.contains("..");
    if outside || add.path.contains('%') {
        return refuse(format!("the file address {}", add.path));
    }
    Ok(())
}

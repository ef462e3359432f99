//! A commit in the making: its actions, and the files that only it names.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::action::{AddFile, ChangeFile, LogLine, Metadata, Protocol, RemoveFile};
use crate::commit::RowCounts;
use crate::data_file;
use crate::state::TableState;

/// A commit before its version is taken. Dropped, it removes the files that it has written.
pub(crate) struct Draft {
    table: PathBuf,
    /// The operation's name in `commitInfo`, as Spark writes it.
    pub operation: &'static str,
    pub parameters: Map<String, Value>,
    /// Whether the commit depends on nothing that it read.
    pub blind_append: bool,
    /// False for commits that only move rows between files.
    pub data_change: bool,
    pub protocol: Option<Protocol>,
    pub metadata: Option<Metadata>,
    pub adds: Vec<AddFile>,
    pub removes: Vec<AddFile>,
    pub changes: Vec<ChangeFile>,
    pub rows: RowCounts,
    /// Rows that were only copied into a new file.
    pub copied: u64,
    keep_files: bool,
}

impl Draft {
    pub fn new(table: &Path, operation: &'static str) -> Self {
        Self {
            table: table.to_path_buf(),
            operation,
            parameters: Map::new(),
            blind_append: false,
            data_change: true,
            protocol: None,
            metadata: None,
            adds: Vec::new(),
            removes: Vec::new(),
            changes: Vec::new(),
            rows: RowCounts::default(),
            copied: 0,
            keep_files: false,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.adds.is_empty() && self.removes.is_empty() && self.protocol.is_none() && self.metadata.is_none()
    }

    /// The commit file's lines.
    pub fn lines(&self, state: Option<&TableState>, timestamp: i64, note: Option<&str>) -> Vec<LogLine> {
        let mut lines = vec![LogLine::commit_info(self.info(state, timestamp, note))];
        lines.extend(self.protocol.clone().map(LogLine::protocol));
        lines.extend(self.metadata.clone().map(LogLine::metadata));
        lines.extend(self.removes.iter().map(|file| {
            LogLine::remove(RemoveFile {
                path: file.path.clone(),
                deletion_timestamp: Some(timestamp),
                data_change: self.data_change,
                extended_file_metadata: Some(true),
                partition_values: Some(file.partition_values.clone()),
                size: Some(file.size),
            })
        }));
        lines.extend(self.adds.iter().map(|file| {
            let mut file = file.clone();
            file.data_change = self.data_change;
            LogLine::add(file)
        }));
        lines.extend(self.changes.iter().cloned().map(LogLine::cdc));
        lines
    }

    /// `commitInfo`, in the words that Spark uses; metrics are strings by that habit.
    fn info(&self, state: Option<&TableState>, timestamp: i64, note: Option<&str>) -> Value {
        let mut metrics = Map::new();
        for (name, count) in self.metrics() {
            metrics.insert(name.to_owned(), json!(count.to_string()));
        }
        let mut info = json!({
            "timestamp": timestamp,
            "operation": self.operation,
            "operationParameters": self.parameters,
            "isBlindAppend": self.blind_append,
            "operationMetrics": metrics,
            "engineInfo": concat!("lakefront-delta-writer/", env!("CARGO_PKG_VERSION")),
            "txnId": uuid::Uuid::new_v4().to_string(),
        });
        if let Some(state) = state {
            info["readVersion"] = json!(state.version);
        }
        if let Some(note) = note {
            info["userMetadata"] = json!(note);
        }
        info
    }

    fn metrics(&self) -> Vec<(&'static str, u64)> {
        let files = |files: &[AddFile]| u64::try_from(files.len()).unwrap_or(u64::MAX);
        let (added, removed) = (files(&self.adds), files(&self.removes));
        let changes = u64::try_from(self.changes.len()).unwrap_or(u64::MAX);
        let rows = self.rows;
        match self.operation {
            "WRITE" => vec![("numFiles", added), ("numOutputRows", rows.inserted)],
            "MERGE" => vec![
                ("numTargetRowsInserted", rows.inserted),
                ("numTargetRowsUpdated", rows.updated),
                ("numTargetRowsDeleted", rows.deleted),
                ("numTargetRowsCopied", self.copied),
                ("numTargetFilesAdded", added),
                ("numTargetFilesRemoved", removed),
                ("numTargetChangeFilesAdded", changes),
            ],
            "UPDATE" | "DELETE" => vec![
                ("numUpdatedRows", rows.updated),
                ("numDeletedRows", rows.deleted),
                ("numCopiedRows", self.copied),
                ("numAddedFiles", added),
                ("numRemovedFiles", removed),
                ("numAddedChangeFiles", changes),
            ],
            "OPTIMIZE" => vec![("numAddedFiles", added), ("numRemovedFiles", removed)],
            _ => Vec::new(),
        }
    }

    /// Leaves the written files in place: the log names them, or may name them.
    pub fn keep_files(&mut self) {
        self.keep_files = true;
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.keep_files {
            let data = self.adds.iter().map(|file| file.path.as_str());
            let changes = self.changes.iter().map(|file| file.path.as_str());
            data_file::discard(&self.table, data.chain(changes));
        }
    }
}

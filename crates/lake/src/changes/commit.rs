//! One commit of a log, as far as changes of rows need it (Delta protocol, section "Actions").

use crate::LakeError;
use crate::kernel_error::{Reading, from_kernel};
use delta_kernel::actions::deletion_vector::DeletionVectorDescriptor;
use delta_kernel::scan::state::DvInfo;
use lakefront_model::Version;
use serde::Deserialize;
use std::collections::HashMap;

/// The table property that has writers record changed rows (Delta protocol, section "Add CDC File").
const CHANGE_DATA_FEED: &str = "delta.enableChangeDataFeed";

/// Values of partition columns as the log has them, by physical column name.
pub(super) type PartitionValues = HashMap<String, Option<String>>;

/// What one commit did.
#[derive(Debug, Default)]
pub(super) struct Commit {
    pub(super) version: Version,
    pub(super) added: Vec<FileAction>,
    pub(super) removed: Vec<FileAction>,
    /// change data files, which say all that the commit changed when there are any
    pub(super) recorded: Vec<FileAction>,
    /// whether commits from this one on record their changed rows, when it says so
    pub(super) sets_feed: Option<bool>,
}

/// A file that a commit adds, removes or records changes in.
#[derive(Debug, Clone)]
pub(super) struct FileAction {
    /// as the log has it: relative to the table and encoded as a URL, or an absolute URL
    pub(super) path: String,
    /// absent where the writer left it out of a `remove`
    pub(super) partition_values: Option<PartitionValues>,
    /// bytes; 0 where the writer left it out
    pub(super) size: u64,
    /// rows, those that its deletion vector takes out left out; None where the writer did not count them
    pub(super) rows: Option<u64>,
    /// false for files that hold rows as they were, such as those that a compaction wrote
    pub(super) data_change: bool,
    pub(super) deletion_vector: DvInfo,
    /// what tells the vector from others of the same file, empty without one
    pub(super) vector_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    add: Option<FileFields>,
    remove: Option<FileFields>,
    cdc: Option<FileFields>,
    meta_data: Option<MetadataFields>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FileFields {
    path: String,
    #[serde(default)]
    partition_values: Option<PartitionValues>,
    #[serde(default)]
    size: Option<i64>,
    #[serde(default = "yes")]
    data_change: bool,
    #[serde(default)]
    deletion_vector: Option<VectorFields>,
    #[serde(default)]
    stats: Option<String>,
}

/// The part of a file's statistics that is of use here (Delta protocol, section "Per-file Statistics").
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Statistics {
    num_records: Option<u64>,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct VectorFields {
    storage_type: String,
    path_or_inline_dv: String,
    #[serde(default)]
    offset: Option<i32>,
    size_in_bytes: i32,
    cardinality: i64,
}

#[derive(Deserialize)]
struct MetadataFields {
    #[serde(default)]
    configuration: HashMap<String, Option<String>>,
}

impl Commit {
    /// Reads a commit's file.
    ///
    /// # Errors
    /// [`LakeError::CorruptLog`] names the version.
    pub(super) fn parse(reading: &Reading, version: Version, bytes: &[u8]) -> Result<Self, LakeError> {
        let mut commit = Self { version, ..Self::default() };
        // Not `lines` of text: strings may hold raw U+2028, and each action ends with a line feed alone.
        for line in bytes.split(|&byte| byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
            let line: Line = serde_json::from_slice(line)
                .map_err(|e| reading.damaged(format!("version {version} cannot be read: {e}")))?;
            if let Some(file) = line.add {
                commit.added.push(FileAction::read(reading, file)?);
            }
            if let Some(file) = line.remove {
                commit.removed.push(FileAction::read(reading, file)?);
            }
            if let Some(file) = line.cdc {
                commit.recorded.push(FileAction::read(reading, file)?);
            }
            if let Some(metadata) = line.meta_data {
                let set = metadata.configuration.get(CHANGE_DATA_FEED).and_then(Option::as_deref);
                commit.sets_feed = Some(set.is_some_and(|value| value.eq_ignore_ascii_case("true")));
            }
        }
        Ok(commit)
    }

    /// Whether it only rewrote files whose rows stay as they are.
    pub(super) fn keeps_rows(&self) -> bool {
        self.recorded.is_empty() && self.files().all(|file| !file.data_change)
    }

    /// Whether what it recorded can be true: rows change only where files do.
    pub(super) fn record_is_sound(&self) -> bool {
        self.recorded.is_empty() || self.files().any(|file| file.data_change)
    }

    /// The files that it adds and removes.
    pub(super) fn files(&self) -> impl Iterator<Item = &FileAction> {
        self.added.iter().chain(&self.removed)
    }
}

impl FileAction {
    fn read(reading: &Reading, fields: FileFields) -> Result<Self, LakeError> {
        let mut vector_id = String::new();
        let statistics = |text: String| serde_json::from_str::<Statistics>(&text).ok()?.num_records;
        let in_file = fields.stats.and_then(statistics);
        let deletion_vector = match fields.deletion_vector {
            None => DvInfo::default(),
            Some(vector) => {
                let offset = vector.offset.map_or_else(String::new, |offset| format!("@{offset}"));
                vector_id = format!("{}{}{offset}", vector.storage_type, vector.path_or_inline_dv);
                let kind = vector.storage_type.parse().map_err(|e| from_kernel(reading, e))?;
                let described = DeletionVectorDescriptor::try_new(
                    kind,
                    vector.path_or_inline_dv,
                    vector.offset,
                    vector.size_in_bytes,
                    vector.cardinality,
                );
                DvInfo::from(described.map_err(|e| from_kernel(reading, e))?)
            }
        };
        let deleted = deletion_vector.cardinality().ok().flatten().unwrap_or_default();
        Ok(Self {
            rows: in_file.and_then(|rows| rows.checked_sub(deleted)),
            path: fields.path,
            partition_values: fields.partition_values,
            size: fields.size.and_then(|size| u64::try_from(size).ok()).unwrap_or_default(),
            data_change: fields.data_change,
            deletion_vector,
            vector_id,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::Location;

    fn parse(text: &str) -> Result<Commit, LakeError> {
        let location = Location::parse("/tables/products").unwrap();
        Commit::parse(&Reading::log(&location), 7, text.as_bytes())
    }

    #[test]
    fn a_commit_is_read_line_by_line() {
        let commit = parse(concat!(
            r#"{"commitInfo":{"operation":"a b"}}"#,
            "\n",
            r#"{"add":{"path":"a=1/x.parquet","partitionValues":{"a":"1","b":null},"size":10,"modificationTime":1,"dataChange":true,"stats":"{}"}}"#,
            "\n",
            r#"{"remove":{"path":"y.parquet","dataChange":true,"deletionVector":{"storageType":"u","pathOrInlineDv":"ab^-aqEH.-t@S}K{vb[*k^","offset":4,"sizeInBytes":40,"cardinality":6}}}"#,
            "\r\n\n",
            r#"{"metaData":{"id":"1","configuration":{"delta.enableChangeDataFeed":"true"}}}"#,
        ))
        .unwrap();
        assert_eq!(commit.added[0].partition_values.as_ref().unwrap()["b"], None);
        assert_eq!((commit.added[0].size, commit.removed[0].size), (10, 0));
        assert!(commit.removed[0].deletion_vector.has_vector());
        assert_eq!(commit.removed[0].vector_id, "uab^-aqEH.-t@S}K{vb[*k^@4");
        assert_eq!(commit.sets_feed, Some(true));
        assert!(!commit.keeps_rows());
    }

    #[test]
    fn a_compaction_keeps_rows() {
        let commit = parse(
            "{\"add\":{\"path\":\"x\",\"dataChange\":false}}\n{\"remove\":{\"path\":\"y\",\"dataChange\":false}}",
        );
        assert!(commit.unwrap().keeps_rows());
    }

    #[test]
    fn half_a_line_is_told_with_its_version() {
        let error = parse("{\"add\":{\"path\":").unwrap_err();
        assert!(
            matches!(&error, LakeError::CorruptLog { detail, .. } if detail.contains("version 7")),
            "{error}"
        );
    }
}

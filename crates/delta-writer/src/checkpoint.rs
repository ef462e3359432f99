//! Checkpoints in the classic format: the whole state of a table in one Parquet file
//! (Delta protocol, "Checkpoints").

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_schema::{DataType, Field, Fields, Schema, SchemaRef};
use serde_json::json;
use uuid::Uuid;

use crate::action::{LogLine, RemoveFile};
use crate::data_file;
use crate::error::{DeltaWriteError, io_at};
use crate::log;
use crate::state::TableState;

/// Rows in one row group of a checkpoint.
const ROWS_PER_GROUP: usize = 64 * 1024;

pub(crate) fn path(table: &Path, version: u64) -> PathBuf {
    log::folder(table).join(format!("{version:020}.checkpoint.parquet"))
}

/// The version of the newest checkpoint in the classic single-file format.
pub(crate) fn newest(table: &Path) -> Result<Option<u64>, DeltaWriteError> {
    let folder = log::folder(table);
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io_at(folder)(error)),
    };
    let mut newest = None;
    for entry in entries {
        let name = entry.map_err(io_at(&folder))?.file_name();
        if let Some((version, "checkpoint.parquet")) = name.to_str().and_then(log::version_of) {
            newest = newest.max(Some(version));
        }
    }
    Ok(newest)
}

/// Writes the checkpoint of a state and points `_last_checkpoint` at it. Removed files stay
/// listed when they left after `keep_since` (milliseconds since 1970).
pub(crate) fn write(table: &Path, state: &TableState, keep_since: i64) -> Result<(), DeltaWriteError> {
    if let Some(action) = &state.foreign_action {
        return Err(DeltaWriteError::UnsupportedFeature {
            path: table.to_path_buf(),
            feature: format!("a checkpoint of a log with {action} actions"),
        });
    }
    let mut lines =
        vec![LogLine::protocol(state.protocol.clone()), LogLine::metadata(state.metadata.clone())];
    lines.extend(state.files.values().map(|file| {
        let mut file = file.clone();
        file.data_change = false;
        LogLine::add(file)
    }));
    let kept = state.tombstones.iter().filter(|(_, stone)| stone.removed_at >= keep_since);
    lines.extend(kept.map(|(path, stone)| {
        LogLine::remove(RemoveFile {
            path: path.clone(),
            deletion_timestamp: Some(stone.removed_at),
            data_change: false,
            extended_file_metadata: Some(true),
            partition_values: Some(Default::default()),
            size: stone.size,
        })
    }));
    let mut decoder =
        arrow_json::ReaderBuilder::new(schema()).with_batch_size(lines.len().max(1)).build_decoder()?;
    decoder.serialize(&lines)?;
    let Some(rows) = decoder.flush()? else {
        return Ok(());
    };
    let folder = log::folder(table);
    let aside = folder.join(format!("_checkpoint_{}.parquet.tmp", Uuid::new_v4()));
    let target = path(table, state.version);
    let written = data_file::write(&aside, &rows, ROWS_PER_GROUP)?;
    fs::rename(&aside, &target).map_err(io_at(&target))?;
    let pointer = json!({
        "version": state.version,
        "size": lines.len(),
        "sizeInBytes": written.size,
        "numOfAddFiles": state.files.len(),
    });
    let aside = folder.join(format!("_last_checkpoint_{}.tmp", Uuid::new_v4()));
    log::write_durably(&aside, pointer.to_string().as_bytes())?;
    let target = folder.join("_last_checkpoint");
    fs::rename(&aside, &target).map_err(io_at(target))
}

/// The actions of a checkpoint.
pub(crate) fn read(table: &Path, version: u64) -> Result<Vec<LogLine>, DeltaWriteError> {
    let path = path(table, version);
    let rows = data_file::read(&path, &schema(), None)?;
    let mut text = arrow_json::LineDelimitedWriter::new(Vec::new());
    text.write(&rows)?;
    text.finish()?;
    log::parse_lines(&path, &text.into_inner())
}

fn schema() -> SchemaRef {
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    let long = |name: &str| Field::new(name, DataType::Int64, true);
    let flag = |name: &str| Field::new(name, DataType::Boolean, true);
    let integer = |name: &str| Field::new(name, DataType::Int32, true);
    let group =
        |name: &str, fields: Vec<Field>| Field::new(name, DataType::Struct(Fields::from(fields)), true);
    let texts = |name: &str| {
        let element = Arc::new(Field::new("element", DataType::Utf8, true));
        Field::new(name, DataType::List(element), true)
    };
    let map = |name: &str| {
        let pair = Fields::from(vec![
            Field::new("key", DataType::Utf8, false),
            Field::new("value", DataType::Utf8, true),
        ]);
        let entries = Arc::new(Field::new("key_value", DataType::Struct(pair), false));
        Field::new(name, DataType::Map(entries, false), true)
    };
    Arc::new(Schema::new(vec![
        group(
            "protocol",
            vec![
                integer("minReaderVersion"),
                integer("minWriterVersion"),
                texts("readerFeatures"),
                texts("writerFeatures"),
            ],
        ),
        group(
            "metaData",
            vec![
                text("id"),
                text("name"),
                text("description"),
                group("format", vec![text("provider"), map("options")]),
                text("schemaString"),
                texts("partitionColumns"),
                map("configuration"),
                long("createdTime"),
            ],
        ),
        group(
            "add",
            vec![
                text("path"),
                map("partitionValues"),
                long("size"),
                long("modificationTime"),
                flag("dataChange"),
                text("stats"),
            ],
        ),
        group(
            "remove",
            vec![
                text("path"),
                long("deletionTimestamp"),
                flag("dataChange"),
                flag("extendedFileMetadata"),
                map("partitionValues"),
                long("size"),
            ],
        ),
    ]))
}

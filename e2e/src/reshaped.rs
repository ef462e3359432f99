//! A table by another writer whose schema changes.

use crate::replay::{copy_folder, golden_tables, replay};
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

/// A copy of a golden table whose schema can be changed.
pub struct ReshapedTable {
    _scratch: TempDir,
    /// where it is
    pub folder: PathBuf,
}

impl ReshapedTable {
    /// A copy of the golden table of this name; None where the collection is not there.
    pub fn of(name: &str) -> Option<Self> {
        let (collection, _) = golden_tables()?;
        let scratch = tempfile::tempdir().unwrap();
        let folder = scratch.path().join("table");
        copy_folder(&collection.join(name), &folder);
        Some(Self { _scratch: scratch, folder })
    }

    fn log(&self) -> Vec<PathBuf> {
        let log = fs::read_dir(self.folder.join("_delta_log")).unwrap().map(|e| e.unwrap().path());
        let mut log: Vec<_> = log.filter(|file| file.extension().is_some_and(|e| e == "json")).collect();
        log.sort();
        log
    }

    /// Commits the newest metadata with another list of fields.
    pub fn change_fields(&self, change: impl FnOnce(&mut Vec<Value>)) {
        let log = self.log();
        let lines: Vec<String> = log
            .iter()
            .flat_map(|f| fs::read_to_string(f).unwrap().lines().map(str::to_owned).collect::<Vec<_>>())
            .collect();
        let newest = lines.iter().rev().find(|line| line.contains("\"metaData\"")).unwrap();
        let mut action: Value = serde_json::from_str(newest).unwrap();
        let mut schema: Value =
            serde_json::from_str(action["metaData"]["schemaString"].as_str().unwrap()).unwrap();
        change(schema["fields"].as_array_mut().unwrap());
        action["metaData"]["schemaString"] = json!(schema.to_string());
        let commit = json!({"commitInfo": {"timestamp": 1, "operation": "CHANGE COLUMN"}});
        let file = self.folder.join(format!("_delta_log/{:020}.json", log.len()));
        fs::write(file, format!("{commit}\n{action}\n")).unwrap();
    }

    /// What it should hold.
    pub fn replayed(&self) -> Value {
        replay(std::slice::from_ref(&self.folder)).pop().unwrap()
    }
}

/// The field of a name.
pub fn field<'a>(fields: &'a mut [Value], name: &str) -> &'a mut Value {
    fields.iter_mut().find(|f| f["name"] == name).unwrap()
}

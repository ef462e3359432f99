//! Operations on a table's metadata, turned into drafts.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_schema::{FieldRef, Schema};
use serde_json::json;

use crate::action::Metadata;
use crate::draft::Draft;
use crate::error::DeltaWriteError;
use crate::protocol;
use crate::schema;
use crate::table::DeltaTable;

impl DeltaTable {
    pub(crate) fn draft_properties(&self, properties: BTreeMap<String, String>) -> Draft {
        let mut draft = Draft::new(self.path(), "SET TBLPROPERTIES");
        let parameter = serde_json::to_string(&properties).unwrap_or_default();
        draft.parameters.insert("properties".to_owned(), json!(parameter));
        let mut metadata = self.state().metadata.clone();
        metadata.configuration.extend(properties);
        self.change_metadata(&mut draft, &self.schema(), metadata);
        draft
    }

    pub(crate) fn draft_columns(&self, fields: &[FieldRef]) -> Result<Draft, DeltaWriteError> {
        let refuse = |column: &str, reason: &str| {
            Err(DeltaWriteError::ColumnMismatch {
                path: self.path().to_path_buf(),
                column: column.to_owned(),
                reason: reason.to_owned(),
            })
        };
        let mut all = self.schema().fields().to_vec();
        for field in fields {
            if all.iter().any(|present| present.name().eq_ignore_ascii_case(field.name())) {
                return refuse(field.name(), "the table already has a column of this name");
            }
            if !field.is_nullable() {
                return refuse(field.name(), "a new column must be nullable, for old rows lack it");
            }
            all.push(Arc::clone(field));
        }
        let mut draft = Draft::new(self.path(), "ADD COLUMNS");
        let wider = Schema::new(all);
        let mut metadata = self.state().metadata.clone();
        metadata.schema_string = schema::to_delta(&wider)?;
        self.change_metadata(&mut draft, &wider, metadata);
        Ok(draft)
    }

    fn change_metadata(&self, draft: &mut Draft, schema: &Schema, metadata: Metadata) {
        let present = &self.state().protocol;
        let needed = protocol::needed(schema, &metadata.configuration, Some(present));
        draft.protocol = (needed != *present).then_some(needed);
        draft.metadata = (metadata != self.state().metadata).then_some(metadata);
    }
}

//! From a source as a user names it to an open table.

use crate::{Engine, SyncError};
use lakefront_lake::{DeltaTable, Location};
use lakefront_model::TableName;

/// A source table that was found.
#[derive(Debug, Clone)]
pub struct Source {
    /// where it is
    pub location: Location,
    /// the table, open
    pub table: DeltaTable,
}

impl Engine {
    /// Finds and opens a source: `catalog.schema.table` of a configured catalog, a path, or an address.
    ///
    /// # Errors
    /// When nothing is there, or it is no Delta table.
    pub async fn open_source(&self, given: &str) -> Result<Source, SyncError> {
        let location = self.locate(given).await?;
        let table = self.lake().open(&location).await?;
        Ok(Source { location, table })
    }

    /// A path that is there goes before a name, so that a folder `a.b.c` can be meant.
    async fn locate(&self, given: &str) -> Result<Location, SyncError> {
        let is_path = given.contains('/') || std::path::Path::new(given).exists();
        match TableName::parse(given) {
            Ok(name) if !is_path && name.catalog.is_some() => Ok(self.catalogs().resolve(&name).await?),
            _ => Ok(Location::parse(given)?),
        }
    }
}

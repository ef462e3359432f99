//! A catalog that is a folder: `root/schema/table`.

use super::{Catalog, CatalogError};
use crate::Location;
use futures::future::BoxFuture;
use lakefront_model::TableName;

/// Finds the table `schema.table` in the folder `schema/table` below its root, names as they are.
#[derive(Debug, Clone)]
pub struct FolderCatalog {
    root: Location,
}

impl FolderCatalog {
    /// A catalog over a folder of this machine or of an object store.
    pub fn new(root: Location) -> Self {
        Self { root }
    }
}

impl Catalog for FolderCatalog {
    fn resolve<'a>(&'a self, name: &'a TableName) -> BoxFuture<'a, Result<Location, CatalogError>> {
        Box::pin(async move {
            let child = self.root.child(&name.name.schema).and_then(|schema| schema.child(&name.name.table));
            let location = child.map_err(|source| CatalogError::Lake { table: name.to_string(), source })?;
            if let Some(path) = location.path()
                && !tokio::fs::try_exists(&path).await.unwrap_or(true)
            {
                let looked_in = location.to_string();
                return Err(CatalogError::NoSuchTable { table: name.to_string(), looked_in });
            }
            Ok(location)
        })
    }
}

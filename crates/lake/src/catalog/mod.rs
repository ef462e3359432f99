//! From the name of a source table to its place.

mod folder;

pub use folder::FolderCatalog;

use crate::{LakeError, Location};
use futures::future::BoxFuture;
use lakefront_model::TableName;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Why a name leads to no table. Each names the table and where it was looked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogError {
    /// a catalog that is not configured
    #[error("source {table}: there is no catalog \"{catalog}\"; there is: {known}")]
    NoSuchCatalog {
        /// the table asked for
        table: String,
        /// its catalog
        catalog: String,
        /// the catalogs there are
        known: String,
    },
    /// a name without catalog that is no explicit table either
    #[error(
        "source {table}: its catalog is missing (CATALOG.SCHEMA.TABLE), and no table of this name is listed"
    )]
    NoCatalog {
        /// the table asked for
        table: String,
    },
    /// a catalog that has no such table
    #[error("source {table}: no such table; looked in {looked_in}")]
    NoSuchTable {
        /// the table asked for
        table: String,
        /// the folder or address that was looked at
        looked_in: String,
    },
    /// the place was found and cannot be used
    #[error("source {table}: its place cannot be used")]
    Lake {
        /// the table asked for
        table: String,
        /// what is wrong with it
        source: LakeError,
    },
}

/// Knows where tables are. A catalog may ask a server, so the answer comes later.
pub trait Catalog: Send + Sync + std::fmt::Debug {
    /// The place of `schema.table`; `name` is its full name, for messages.
    fn resolve<'a>(&'a self, name: &'a TableName) -> BoxFuture<'a, Result<Location, CatalogError>>;
}

/// The catalogs of a configuration, and the tables whose place it gives itself, which go first.
#[derive(Debug, Clone, Default)]
pub struct Catalogs {
    catalogs: BTreeMap<String, Arc<dyn Catalog>>,
    tables: BTreeMap<String, Location>,
}

impl Catalogs {
    /// Adds a catalog under its name.
    pub fn add_catalog(&mut self, name: impl Into<String>, catalog: Arc<dyn Catalog>) {
        self.catalogs.insert(name.into(), catalog);
    }

    /// Gives a table's place.
    pub fn add_table(&mut self, name: &TableName, location: Location) {
        self.tables.insert(name.to_string(), location);
    }

    /// The place of a table. For folders of this machine that it is there has been checked; elsewhere opening it
    /// will tell.
    ///
    /// # Errors
    /// [`CatalogError`] names the table and where it was looked for.
    pub async fn resolve(&self, name: &TableName) -> Result<Location, CatalogError> {
        let table = name.to_string();
        if let Some(location) = self.tables.get(&table) {
            return Ok(location.clone());
        }
        let Some(catalog) = &name.catalog else { return Err(CatalogError::NoCatalog { table }) };
        match self.catalogs.get(catalog) {
            Some(found) => found.resolve(name).await,
            None => Err(CatalogError::NoSuchCatalog {
                table,
                catalog: catalog.clone(),
                known: match self.catalogs.is_empty() {
                    true => "none".to_owned(),
                    false => self.catalogs.keys().cloned().collect::<Vec<_>>().join(", "),
                },
            }),
        }
    }
}

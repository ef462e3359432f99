//! The file's shape.

use super::mistake::Mistake;
use super::synced_table::SyncedTable;
use lakefront_model::{SyncedTableSpec, TableName};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// All of `lakefront.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// which PostgreSQL; absent: the embedded one
    pub database: Option<Database>,
    /// catalogs by name
    pub catalogs: BTreeMap<String, CatalogConfig>,
    /// pipelines by name, those that need to be declared
    pipelines: BTreeMap<String, PipelineConfig>,
    /// what is kept fresh
    synced_tables: Vec<SyncedTable>,
    /// the application; absent: not served
    pub storefront: Option<Storefront>,
}

/// `[database]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// `postgres://…` or key=value pairs
    pub url: String,
}

impl std::fmt::Debug for Database {
    /// The address may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database").finish_non_exhaustive()
    }
}

/// `[catalogs.NAME]`: a lake catalog has `root` or `tables`, a database catalog has `database`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CatalogConfig {
    /// folder or address with a folder for each schema and in it one for each table
    pub root: Option<String>,
    /// places of single tables, by `schema.table`
    pub tables: BTreeMap<String, String>,
    /// the PostgreSQL database that the catalog is bound to
    pub database: Option<String>,
}

/// `[pipelines.NAME]`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PipelineConfig {
    /// whether its tables become visible together
    pub atomic: bool,
}

/// `[storefront]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Storefront {
    /// where it listens
    #[serde(default = "default_listen")]
    pub listen: SocketAddr,
    /// its own settings; the environment goes first
    #[serde(default)]
    pub settings: lakefront_storefront::GivenSettings,
}

fn default_listen() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 8080))
}

impl Config {
    /// What is kept fresh.
    pub fn specs(&self) -> Vec<SyncedTableSpec> {
        self.synced_tables.iter().filter_map(|t| t.spec(&self.pipelines).ok()).collect()
    }

    /// The database of a table's catalog, where it is bound to one.
    pub fn database_of(&self, name: &TableName) -> Option<&str> {
        self.catalogs.get(name.catalog.as_ref()?)?.database.as_deref()
    }

    /// What serde cannot see.
    pub(super) fn check(&self) -> Result<(), Mistake> {
        for (name, catalog) in &self.catalogs {
            let is_lake = catalog.root.is_some() || !catalog.tables.is_empty();
            if is_lake == catalog.database.is_some() {
                return Err(format!(
                    "catalog \"{name}\" needs either root (or tables): a lake catalog, or database: a database catalog"
                )
                .into());
            }
        }
        let mut seen = std::collections::BTreeSet::new();
        for table in &self.synced_tables {
            let spec = table.spec(&self.pipelines).map_err(|wrong| wrong.of_table(&table.name))?;
            if let Some(catalog) = &spec.name.catalog
                && self.database_of(&spec.name).is_none()
            {
                return Err(format!(
                    "synced table \"{}\": \"{catalog}\" is no database catalog; add [catalogs.{catalog}] with database = \"…\"",
                    table.name
                )
                .into());
            }
            if !seen.insert(spec.name.clone()) {
                return Err(format!("synced table \"{}\" is there twice", table.name).into());
            }
        }
        for (name, pipeline) in &self.pipelines {
            self.check_pipeline(name, pipeline)?;
        }
        Ok(())
    }

    /// The tables of an atomic pipeline are refreshed in one transaction, so they are in one database and are refreshed
    /// at the same times.
    fn check_pipeline(&self, name: &str, pipeline: &PipelineConfig) -> Result<(), Mistake> {
        let tables: Vec<SyncedTableSpec> = self.specs().into_iter().filter(|t| is_in(t, name)).collect();
        let Some((first, others)) = tables.split_first() else {
            return Err(Mistake::new(
                format!("pipeline \"{name}\" has no synced table"),
                "name it in the tables that belong to it, or leave it out",
            ));
        };
        for other in others.iter().filter(|_| pipeline.atomic) {
            let differs = |what: &str| {
                format!(
                    "pipeline \"{name}\" is atomic, and {what} of \"{}\" and \"{}\" differ",
                    first.name, other.name
                )
            };
            if self.database_of(&first.name) != self.database_of(&other.name) {
                return Err(Mistake::new(
                    differs("the databases"),
                    "tables become visible together only within one database: move one of them, or set atomic = false",
                ));
            }
            if (first.scheduling_policy, &first.trigger) != (other.scheduling_policy, &other.trigger) {
                return Err(Mistake::new(
                    differs("scheduling_policy or trigger"),
                    "they are refreshed together: declare the same times for all of them, or set atomic = false",
                ));
            }
        }
        Ok(())
    }
}

fn is_in(spec: &SyncedTableSpec, pipeline: &str) -> bool {
    spec.pipeline.as_ref().is_some_and(|own| own.name == pipeline)
}

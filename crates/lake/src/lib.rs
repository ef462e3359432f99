//! Reads Delta Lake tables, on local disk and in object stores, as bounded Arrow batches.
//!
//! [`Lake`] owns the connections, [`Lake::open`] gives a [`DeltaTable`], [`DeltaTable::snapshot`] one version of
//! it, [`Snapshot::scan`] the units of work that together hold each of its rows once. Log replay, column
//! mapping and partition values are `delta_kernel`'s; reading row groups in parallel and in bounded memory is
//! this crate's. It knows nothing of where the rows go.

mod catalog;
mod changes;
mod error;
mod kernel_error;
mod lake;
mod location;
mod refusal;
mod runtime;
mod scan;
mod schema;
mod snapshot;
mod store;
mod table;
mod watch;

pub use catalog::{Catalog, CatalogError, Catalogs, FolderCatalog};
pub use changes::{
    ChangeBase, ChangeBatch, ChangeKind, ChangePlan, ChangeUnit, ChangeWay, Changes, RowChange,
};
pub use error::LakeError;
pub use lake::{Lake, LakeOptions};
pub use location::Location;
pub use scan::{Batches, ScanOptions, ScanPlan, ScanUnit};
pub use snapshot::{FileStatistics, Snapshot};
pub use table::DeltaTable;
pub use watch::Watch;

//! The entry: connections to stores, and the tables in them.

use crate::kernel_error::{Reading, from_object_store};
use crate::runtime::Runtime;
use crate::store::{Store, connect};
use crate::table::DeltaTable;
use crate::{LakeError, Location};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use url::Url;

/// How stores are opened.
#[derive(Clone, Default)]
pub struct LakeOptions {
    /// Settings of object stores by their environment names (`AWS_ENDPOINT_URL`, `AZURE_STORAGE_ACCOUNT_NAME`, …,
    /// in either case), which go before the environment's own.
    pub settings: BTreeMap<String, String>,
}

impl std::fmt::Debug for LakeOptions {
    /// Names only: values can be secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LakeOptions").field("settings", &self.settings.keys()).finish()
    }
}

/// Connections to the stores that tables are in, one per bucket or container, opened when first needed.
/// Clones share them.
#[derive(Clone, Debug)]
pub struct Lake {
    inner: Arc<Connections>,
}

#[derive(Debug)]
struct Connections {
    options: LakeOptions,
    runtime: Arc<Runtime>,
    stores: Mutex<HashMap<String, Arc<Store>>>,
}

impl Lake {
    /// A lake without connections yet. It works on the current tokio runtime if that has several threads, and
    /// starts a small one of its own if not.
    ///
    /// # Errors
    /// [`LakeError::Internal`] when the system gives no threads.
    pub fn new(options: LakeOptions) -> Result<Self, LakeError> {
        let runtime = Runtime::new().map_err(|e| LakeError::Internal {
            location: "lake".to_owned(),
            reason: format!("no threads for its runtime: {e}"),
        })?;
        let inner = Connections { options, runtime: Arc::new(runtime), stores: Mutex::default() };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Opens the table at a location, which must be there.
    ///
    /// # Errors
    /// [`LakeError::NotFound`], [`LakeError::NotDelta`], [`LakeError::Access`], [`LakeError::Settings`] or
    /// [`LakeError::Io`].
    pub async fn open(&self, location: &Location) -> Result<DeltaTable, LakeError> {
        let table = DeltaTable::new(self.clone(), location.clone())?;
        table.check_is_delta().await?;
        Ok(table)
    }

    /// The store that holds an address, opened when it is the first of its bucket.
    pub(crate) fn store(&self, url: &Url, reading: &Reading) -> Result<Arc<Store>, LakeError> {
        let key = format!("{}://{}@{}", url.scheme(), url.username(), url.host_str().unwrap_or_default());
        let mut stores = self.inner.stores.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = stores.get(&key) {
            return Ok(Arc::clone(store));
        }
        let opened = connect(url, &self.inner.options.settings).map_err(|error| match error {
            object_store::Error::Generic { source, .. } => {
                LakeError::Settings { location: reading.location(), reason: source.to_string() }
            }
            other => from_object_store(reading, other),
        })?;
        let store = Arc::new(Store::new(opened, Arc::clone(&self.inner.runtime)));
        stores.insert(key, Arc::clone(&store));
        Ok(store)
    }
}

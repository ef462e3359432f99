//! One object store (or the local disk) with the kernel engine on it.

mod connect;
mod local;

pub(crate) use connect::{Credentials, Opened, connect};

use crate::runtime::{Runtime, wait_for};
use delta_kernel::object_store::path::Path;
use delta_kernel::object_store::{DynObjectStore, ObjectMeta, ObjectStoreExt};
use delta_kernel_default_engine::DefaultEngineBuilder;
use delta_kernel_default_engine::executor::tokio::TokioMultiThreadExecutor;
use futures::TryStreamExt;
use std::future::Future;
use std::num::NonZero;
use std::sync::Arc;
use url::Url;

/// Log and checkpoint files that the kernel reads ahead; its own default of 1,000 keeps as many in memory.
const LOG_FILES_AHEAD: NonZero<usize> = NonZero::<usize>::MIN.saturating_add(15);
/// Rows of log and checkpoint files per batch.
const LOG_BATCH_ROWS: NonZero<usize> = NonZero::<usize>::MIN.saturating_add(4095);

/// A store that tables are read from.
pub(crate) struct Store {
    engine: Box<dyn delta_kernel::Engine>,
    objects: Arc<DynObjectStore>,
    credentials: Option<Credentials>,
    runtime: Arc<Runtime>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("objects", &self.objects).finish_non_exhaustive()
    }
}

impl Store {
    pub(crate) fn new(opened: Opened, runtime: Arc<Runtime>) -> Self {
        let Opened { objects, credentials, is_local } = opened;
        // The kernel's default executor has one thread for everything and hangs when a checkpoint is written.
        let executor = Arc::new(TokioMultiThreadExecutor::new(runtime.handle().clone()));
        let engine = DefaultEngineBuilder::new(Arc::clone(&objects))
            .with_task_executor(executor)
            .with_buffer_size(LOG_FILES_AHEAD)
            .with_batch_size(LOG_BATCH_ROWS)
            .build();
        let engine: Box<dyn delta_kernel::Engine> = if is_local {
            Box::new(local::LocalEngine::new(engine, LOG_BATCH_ROWS.get()))
        } else {
            Box::new(engine)
        };
        Self { engine, objects, credentials, runtime }
    }

    pub(crate) fn engine(&self) -> &dyn delta_kernel::Engine {
        self.engine.as_ref()
    }

    pub(crate) fn objects(&self) -> &Arc<DynObjectStore> {
        &self.objects
    }

    /// Why there are no credentials, if there should be some.
    pub(crate) async fn missing_credentials(&self) -> Option<object_store::Error> {
        self.credentials.as_ref()?.check().await.err()
    }

    /// Runs a future of the store to its end on this thread; None when the runtime has ended.
    pub(crate) fn wait_for<T, F>(&self, future: F) -> Option<T>
    where
        F: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        wait_for(self.runtime.handle(), future)
    }

    /// Starts a future of the store.
    pub(crate) fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.runtime.handle().spawn(future);
    }

    /// Whether an object is there.
    pub(crate) async fn exists(&self, url: &Url) -> object_store::Result<bool> {
        Ok(self.find(url).await?.is_some())
    }

    /// What is known of an object, None when it is not there.
    pub(crate) async fn find(&self, url: &Url) -> object_store::Result<Option<ObjectMeta>> {
        match self.objects.head(&path_of(url)?).await {
            Ok(found) => Ok(Some(found)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Up to `limit` objects below a folder, in no particular order.
    pub(crate) async fn list(&self, folder: &Url, limit: usize) -> object_store::Result<Vec<ObjectMeta>> {
        let mut listing = self.objects.list(Some(&path_of(folder)?));
        let mut found = Vec::new();
        while found.len() < limit
            && let Some(object) = listing.try_next().await?
        {
            found.push(object);
        }
        Ok(found)
    }
}

/// An address's path inside its store.
pub(crate) fn path_of(url: &Url) -> object_store::Result<Path> {
    Ok(Path::from_url_path(url.path())?)
}

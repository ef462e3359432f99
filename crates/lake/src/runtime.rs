//! The async runtime on which object stores work while kernel calls and worker threads wait.

use std::future::Future;
use tokio::runtime::{Handle, RuntimeFlavor};

/// Threads of an owned runtime: they only move bytes, decoding happens on the callers' threads.
const OWN_THREADS: usize = 2;

/// A handle to a multi-threaded runtime: the caller's own where there is one, else a private one.
#[derive(Debug)]
pub(crate) struct Runtime {
    handle: Handle,
    own: Option<tokio::runtime::Runtime>,
}

impl Runtime {
    /// Shares the current runtime if that has several threads, else starts one.
    pub(crate) fn new() -> std::io::Result<Self> {
        if let Ok(handle) = Handle::try_current()
            && handle.runtime_flavor() == RuntimeFlavor::MultiThread
        {
            return Ok(Self { handle, own: None });
        }
        let own = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(OWN_THREADS)
            .thread_name("lake-io")
            .enable_all()
            .build()?;
        Ok(Self { handle: own.handle().clone(), own: Some(own) })
    }

    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        // The last owner may be dropped inside async code, where waiting for a runtime to end would panic.
        if let Some(own) = self.own.take() {
            own.shutdown_background();
        }
    }
}

/// Waits on this thread for a future that runs on `handle`; None when the runtime ended before it.
/// Unlike [`Handle::block_on`] it may be called from any thread.
pub(crate) fn wait_for<T, F>(handle: &Handle, future: F) -> Option<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let (sender, receiver) = std::sync::mpsc::sync_channel(1);
    handle.spawn(async move {
        let _ = sender.send(future.await);
    });
    receiver.recv().ok()
}

//! Threads that read units in no order.

use super::Unclear;
use crate::SyncError;
use crate::failure::internal;
use crate::load::{Outlet, Sender};
use std::sync::atomic::{AtomicUsize, Ordering};

/// One connection takes what they send: more would only wait for it.
const MOST_THREADS: usize = 4;

/// Has threads read units, each the next that none has taken, until all are read or one has failed. Blocks.
pub(super) fn each_unit<U: Sync>(
    units: &[U],
    chunks: &Sender,
    read: impl Fn(&U, &mut Outlet) -> Result<(), Unclear> + Sync,
) -> Result<(), Unclear> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut outlet = Outlet::new(chunks.clone());
        while let Some(unit) = units.get(next.fetch_add(1, Ordering::Relaxed)) {
            read(unit, &mut outlet).inspect_err(|_| next.store(units.len(), Ordering::Relaxed))?;
        }
        Ok(outlet.send().map_err(SyncError::from)?)
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (1..threads.min(units.len())).map(|_| scope.spawn(work)).collect();
        let own = work();
        let panicked = || Err(internal("a thread that read rows ended".to_owned()).into());
        workers.into_iter().map(|worker| worker.join().unwrap_or_else(|_| panicked())).fold(own, Result::and)
    })
}

//! Loading: a version of the source into a stage, over several COPY connections at once.
//!
//! Blocking threads read and encode, each the next unit of the scan that none has taken yet; connections send whatever
//! chunk is ready. So neither side is idle while the other has work.

mod chunks;
mod read;
mod send;
mod settle;

pub(crate) use chunks::{Outlet, Sender, queue};

use crate::failure::internal;
use crate::policy::Tally;
use crate::progress::Progress;
use crate::{Engine, SyncError};
use arrow_schema::SchemaRef;
use lakefront_lake::{ScanPlan, ScanUnit};
use lakefront_model::{SyncedTableSpec, TableMapping};
use lakefront_postgres::table::{Rejected, Stage};
use send::Connection;
use settle::Settling;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_postgres::Client;

/// Bytes of source files for which one more connection pays.
const BYTES_PER_CONNECTION: u64 = 1024 * 1024;

/// What is loaded, and how.
#[derive(Debug)]
pub(crate) struct Job {
    pub spec: SyncedTableSpec,
    pub mapping: Arc<TableMapping>,
    pub stage: Stage,
    pub scan: ScanPlan,
    pub progress: Arc<Progress>,
}

/// What was loaded.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    pub rows: u64,
    pub bytes: u64,
    pub tally: Tally,
}

/// What the threads and connections of one load share.
struct Shared {
    spec: SyncedTableSpec,
    mapping: Arc<TableMapping>,
    stage: Stage,
    schema: SchemaRef,
    units: Vec<ScanUnit>,
    /// the first unit that no thread has taken
    next: AtomicUsize,
    /// something failed: nobody needs to go on
    stop: AtomicBool,
    settling: Settling,
    progress: Arc<Progress>,
}

/// Fills the stage. Rows that policy sets aside are kept in the stage's table for them by way of `control`.
pub(crate) async fn load(engine: &Engine, control: &Client, job: Job) -> Result<Loaded, SyncError> {
    job.progress.expect(job.scan.rows.unwrap_or(0), job.scan.bytes);
    let bytes = job.scan.bytes;
    let connections = connections(engine, bytes);
    let threads = connections.min(job.scan.units.len());
    let shared = Arc::new(Shared {
        spec: job.spec,
        mapping: job.mapping,
        stage: job.stage.clone(),
        schema: job.scan.schema,
        units: job.scan.units,
        next: AtomicUsize::new(0),
        stop: AtomicBool::new(false),
        settling: Settling::new(connections),
        progress: job.progress,
    });
    let (sender, receiver) = chunks::queue(connections);
    let (rejected_tx, rejected_rx) = mpsc::channel::<Vec<Rejected>>(2);
    let mut copying = JoinSet::new();
    for number in 0..connections {
        let connection = Connection { number, client: engine.connect().await? };
        copying.spawn(send::send(connection, shared.clone(), receiver.clone()));
    }
    let mut reading = JoinSet::new();
    for _ in 0..threads {
        let (shared, sender, rejected) = (shared.clone(), sender.clone(), rejected_tx.clone());
        reading.spawn_blocking(move || {
            let read = read::read(&shared, sender.clone(), &rejected);
            shared.stop.fetch_or(read.is_err(), Ordering::SeqCst);
            // Not before: no connection must take the end of a queue for the end of all rows.
            drop(sender);
            read
        });
    }
    drop((sender, rejected_tx));
    let stage = &job.stage;
    // The queue goes with the first error, so that no thread waits for room in it.
    let keep = async move {
        let mut rejected = rejected_rx;
        while let Some(rows) = rejected.recv().await {
            stage.put_aside(control, &rows).await?;
        }
        Ok::<(), SyncError>(())
    };
    // A connection's error comes before that of a thread which only found its queue closed.
    let (kept, landed, read) = tokio::join!(
        keep,
        sum(copying, "sending", |total: &mut u64, rows| *total += rows),
        sum(reading, "reading", |(rows, tally): &mut (u64, Tally), (more, others)| {
            *rows += more;
            tally.merge(others);
        })
    );
    let landed = landed?;
    kept?;
    let (rows, tally) = read?;
    if let Some(error) = tally.error() {
        return Err(error);
    }
    if landed != rows {
        return Err(internal(format!("{rows} rows were sent to {} and {landed} landed", shared.stage.sql())));
    }
    Ok(Loaded { rows, bytes, tally })
}

/// As many connections as have something to do.
fn connections(engine: &Engine, bytes: u64) -> usize {
    let useful = usize::try_from(bytes / BYTES_PER_CONNECTION).unwrap_or(usize::MAX).saturating_add(1);
    engine.connections().min(useful)
}

/// What all tasks of a kind come to together, or the first error.
async fn sum<T: Default, P: 'static>(
    mut tasks: JoinSet<Result<P, SyncError>>,
    doing: &str,
    add: impl Fn(&mut T, P),
) -> Result<T, SyncError> {
    let mut total = T::default();
    let mut first_error = None;
    while let Some(ended) = tasks.join_next().await {
        match ended.unwrap_or_else(|e| Err(internal(format!("a task that was {doing} rows ended: {e}")))) {
            Ok(part) => add(&mut total, part),
            Err(error) => {
                first_error.get_or_insert(error);
            }
        }
    }
    first_error.map_or(Ok(total), Err)
}

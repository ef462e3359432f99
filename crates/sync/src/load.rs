//! Loading: a version of the source into a stage, over several COPY connections at once.
//!
//! Each worker is one blocking thread, which reads and encodes, and one COPY connection, with a short queue of chunks
//! between them. Workers take the scan's units from one shared list, so none is idle while there is work.

use crate::policy::{Tally, Verdict, verdict};
use crate::progress::Progress;
use crate::{Engine, SyncError};
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use bytes::Bytes;
use lakefront_lake::{ScanPlan, ScanUnit};
use lakefront_model::{Condition, SyncedTableSpec, TableMapping};
use lakefront_postgres::copy::CopyIn;
use lakefront_postgres::encode::{COPY_HEADER, COPY_TRAILER, CopyBuffer, RejectedRow, RowEncoder, RowTexts};
use lakefront_postgres::table::{Rejected, Stage};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tokio::sync::mpsc;
use tokio_postgres::Client;

/// Bytes of one chunk: large enough that a chunk costs no more than its bytes, small enough that queues stay small.
const CHUNK_BYTES: usize = 512 * 1024;
/// Chunks that wait for one connection.
const QUEUED_CHUNKS: usize = 3;
/// Rows set aside that are sent to the server at once.
const REJECTED_ROWS: usize = 500;

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

/// What the workers of one load share.
struct Shared {
    spec: SyncedTableSpec,
    mapping: Arc<TableMapping>,
    schema: SchemaRef,
    units: Vec<ScanUnit>,
    next: AtomicUsize,
    stop: AtomicBool,
    progress: Arc<Progress>,
}

/// Fills the stage. Rows that policy sets aside are kept in the stage's table for them by way of `control`.
pub(crate) async fn load(engine: &Engine, control: &Client, job: Job) -> Result<Loaded, SyncError> {
    job.progress.expect(job.scan.rows.unwrap_or(0), job.scan.bytes);
    let bytes = job.scan.bytes;
    let workers = engine.connections().min(job.scan.units.len().max(1));
    let shared = Arc::new(Shared {
        spec: job.spec,
        mapping: job.mapping,
        schema: job.scan.schema,
        units: job.scan.units,
        next: AtomicUsize::new(0),
        stop: AtomicBool::new(false),
        progress: job.progress,
    });
    let (rejected_tx, mut rejected_rx) = mpsc::channel::<Vec<Rejected>>(2);
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..workers {
        let client = engine.connect().await?;
        running.spawn(work(client, job.stage.sql(), shared.clone(), rejected_tx.clone()));
    }
    drop(rejected_tx);
    let keep = async {
        while let Some(rows) = rejected_rx.recv().await {
            job.stage.put_aside(control, &rows).await?;
        }
        Ok::<(), SyncError>(())
    };
    let finish = async {
        let mut loaded = Loaded { bytes, ..Loaded::default() };
        let mut first_error = None;
        while let Some(ended) = running.join_next().await {
            match ended.unwrap_or_else(|e| Err(internal(format!("a loading task ended: {e}")))) {
                Ok((rows, tally)) => {
                    loaded.rows += rows;
                    loaded.tally.merge(tally);
                }
                Err(error) => {
                    shared.stop.store(true, Ordering::Relaxed);
                    first_error.get_or_insert(error);
                }
            }
        }
        match first_error {
            Some(error) => Err(error),
            None => Ok(loaded),
        }
    };
    let (kept, loaded) = tokio::join!(keep, finish);
    let loaded = loaded?;
    kept?;
    match loaded.tally.error() {
        Some(error) => Err(error),
        None => Ok(loaded),
    }
}

/// One worker: what its thread encoded and what its connection's COPY counted must agree.
async fn work(
    client: Client,
    table: String,
    shared: Arc<Shared>,
    rejected: mpsc::Sender<Vec<Rejected>>,
) -> Result<(u64, Tally), SyncError> {
    let columns: Vec<String> = shared.mapping.columns.iter().map(|c| c.name.clone()).collect();
    let names: Vec<&str> = columns.iter().map(String::as_str).collect();
    let mut copy = CopyIn::start(&client, &table, &names).await?;
    let (chunks_tx, mut chunks_rx) = mpsc::channel::<Bytes>(QUEUED_CHUNKS);
    let reader = tokio::task::spawn_blocking(move || read(&shared, &chunks_tx, &rejected));
    let mut sent = Ok(());
    while let Some(chunk) = chunks_rx.recv().await {
        sent = copy.send(chunk).await;
        if sent.is_err() {
            break;
        }
    }
    // Closing the queue ends a reader whose connection has failed.
    drop(chunks_rx);
    let read = reader.await.unwrap_or_else(|e| Err(internal(format!("a reading thread ended: {e}"))));
    sent?;
    // A failed read drops the COPY unfinished, which rolls it back.
    let (rows, tally) = read?;
    let landed = copy.finish().await?;
    if landed != rows {
        return Err(internal(format!("{rows} rows were sent to {table} and {landed} landed")));
    }
    Ok((rows, tally))
}

/// The thread of one worker.
fn read(
    shared: &Shared,
    chunks: &mpsc::Sender<Bytes>,
    rejected: &mpsc::Sender<Vec<Rejected>>,
) -> Result<(u64, Tally), SyncError> {
    let encoder = RowEncoder::new(&shared.schema, &shared.mapping.columns, shared.spec.nul_byte)?;
    let mut out = CopyBuffer::with_capacity(CHUNK_BYTES + CHUNK_BYTES / 4);
    let mut rows = 0u64;
    let mut tally = Tally::default();
    let mut refused = Vec::new();
    send(chunks, Bytes::from_static(&COPY_HEADER))?;
    while !shared.stop.load(Ordering::Relaxed) {
        let Some(unit) = shared.units.get(shared.next.fetch_add(1, Ordering::Relaxed)) else { break };
        for batch in unit.read() {
            let batch = batch?;
            let mut bound = encoder.bind(&batch)?;
            let mut from = 0;
            while from < batch.num_rows() {
                let step = bound.encode(from..batch.num_rows(), CHUNK_BYTES, &mut out, &mut refused);
                from += step.consumed;
                rows += step.written as u64;
                shared.progress.add_rows(step.written as u64);
                if out.len() >= CHUNK_BYTES {
                    send(chunks, Bytes::copy_from_slice(out.as_slice()))?;
                    out.clear();
                }
                if refused.len() >= REJECTED_ROWS {
                    settle_refused(shared, &batch, &mut refused, &mut tally, rejected)?;
                }
            }
            settle_refused(shared, &batch, &mut refused, &mut tally, rejected)?;
        }
        shared.progress.add_bytes(unit.bytes());
    }
    send(chunks, Bytes::copy_from_slice(out.as_slice()))?;
    send(chunks, Bytes::from_static(&COPY_TRAILER))?;
    Ok((rows, tally))
}

/// Counts rows that PostgreSQL could not take, and sends those that policy sets aside on their way.
fn settle_refused(
    shared: &Shared,
    batch: &RecordBatch,
    refused: &mut Vec<RejectedRow>,
    tally: &mut Tally,
    rejected: &mpsc::Sender<Vec<Rejected>>,
) -> Result<(), SyncError> {
    if refused.is_empty() {
        return Ok(());
    }
    let texts = RowTexts::bind(batch, &shared.mapping.columns)?;
    let mut set_aside = Vec::new();
    for row in refused.drain(..) {
        let key = || texts.key(row.row, &shared.mapping.key);
        match verdict(&shared.spec, &row.cause) {
            Verdict::Fail => tally.failed(&row, key),
            Verdict::SetAside => {
                let reason = row.cause.condition().name();
                tally.set_aside(reason, 1);
                set_aside.push(Rejected {
                    reason,
                    column: Some(row.column.to_string()),
                    key: key(),
                    row: texts.json(row.row),
                });
            }
        }
    }
    if set_aside.is_empty() { Ok(()) } else { send(rejected, set_aside) }
}

/// A closed queue means that the other side failed; its own error is the one that is told.
fn send<T>(queue: &mpsc::Sender<T>, item: T) -> Result<(), SyncError> {
    queue.blocking_send(item).map_err(|_| internal("the connection ended while rows were read".to_owned()))
}

fn internal(message: String) -> SyncError {
    SyncError::new(Condition::InternalError, message, "")
}

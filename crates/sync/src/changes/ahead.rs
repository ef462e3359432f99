//! Changed rows in order, decoded ahead of their turn on other threads.

use super::Unclear;
use super::encoded::EncodedRows;
use crate::failure::internal;
use arrow_buffer::BooleanBuffer;
use lakefront_lake::{ChangeBatch, ChangeUnit, LakeError};
use std::borrow::Cow;
use std::ops::Range;
use std::sync::mpsc::{SyncSender, sync_channel};

/// Bytes of files that are read in one go, so that many small files cost about what a few large ones do.
const JOB_BYTES: u64 = 256 << 10;
/// Bytes of what was made of rows that are handed on together.
const PARCEL_BYTES: usize = 1 << 20;
/// Parcels of one thread that wait for their turn.
const WAITING: usize = 2;
/// More threads would only wait for the one that takes the rows.
const MOST_THREADS: usize = 4;

/// A unit, with its rows where they were kept.
pub(super) struct Kept<'a> {
    pub(super) unit: &'a ChangeUnit,
    /// the rows that count, where not all do
    pub(super) only: Option<BooleanBuffer>,
    /// those rows
    pub(super) batches: Option<Vec<ChangeBatch>>,
    /// the same, encoded
    pub(super) rows: Option<Vec<EncodedRows>>,
    /// the unit with nothing but the key's columns, where they are enough to know what happened to each key
    pub(super) keys: Option<ChangeUnit>,
    /// whether it was read before
    pub(super) is_read: bool,
}

/// What is read of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// all columns
    Rows,
    /// all columns, with texts as views where they are to be had: for comparing them
    Views,
    /// only the key's where they are enough
    Keys,
}

impl<'a> Kept<'a> {
    pub(super) fn new(unit: &'a ChangeUnit) -> Self {
        Self { unit, only: None, batches: None, rows: None, keys: None, is_read: false }
    }

    fn read(&self, wanted: Wanted) -> Box<dyn Iterator<Item = Result<ChangeBatch, LakeError>> + '_> {
        let other = match wanted {
            Wanted::Rows => None,
            Wanted::Views => self.unit.with_views().map(Cow::Owned),
            Wanted::Keys => self.keys.as_ref().map(Cow::Borrowed),
        };
        let unit = other.as_deref().unwrap_or(self.unit);
        match (&self.batches, &self.only) {
            (Some(batches), _) => Box::new(batches.iter().cloned().map(Ok)),
            (None, Some(only)) => Box::new(unit.read_only(only.clone())),
            (None, None) => Box::new(unit.read()),
        }
    }

    fn bytes_to_read(&self) -> u64 {
        if self.batches.is_some() { 0 } else { self.unit.bytes() }
    }
}

/// What is made of rows on other threads. The less memory it takes, the further threads may be ahead of their turn.
pub(super) trait Made: Send {
    /// Bytes of memory that it takes.
    fn memory(&self) -> usize;
}

/// What a thread hands on.
enum Parcel<T> {
    /// what was made of batches, each with its unit's place
    Made(Vec<(usize, T)>),
    /// all of a job was handed on
    Over,
    Failed(Unclear),
}

/// Hands what `make` makes of each batch of all units to `each`, in order, with its unit's place; after a unit or
/// several, `over` gets their places. `make` is called on other threads. Blocks.
pub(super) fn in_order<T: Made, E: From<Unclear>>(
    units: &[&Kept<'_>],
    wanted: Wanted,
    make: impl Fn(ChangeBatch) -> Result<T, Unclear> + Sync,
    mut each: impl FnMut(usize, T) -> Result<(), E>,
    mut over: impl FnMut(Range<usize>),
) -> Result<(), E> {
    let jobs = jobs(units);
    if jobs.len() < 2 {
        for (place, unit) in units.iter().enumerate() {
            for batch in unit.read(wanted) {
                each(place, batch.map_err(Unclear::from).and_then(&make)?)?;
            }
            over(place..place + 1);
        }
        return Ok(());
    }
    let threads = std::thread::available_parallelism().map_or(1, usize::from).clamp(1, MOST_THREADS);
    std::thread::scope(|scope| {
        // Jobs go round the threads, so that the next parcel's thread is known.
        let receivers: Vec<_> = (0..threads)
            .map(|first| {
                let make = &make;
                let (sender, receiver) = sync_channel(WAITING);
                let own = jobs.iter().skip(first).step_by(threads);
                scope.spawn(move || own.cloned().try_for_each(|job| work(units, job, wanted, make, &sender)));
                receiver
            })
            .collect();
        for (job, receiver) in jobs.iter().zip(receivers.iter().cycle()) {
            loop {
                match receiver.recv() {
                    Ok(Parcel::Made(made)) => {
                        made.into_iter().try_for_each(|(place, made)| each(place, made))?;
                    }
                    Ok(Parcel::Over) => break,
                    Ok(Parcel::Failed(error)) => return Err(error.into()),
                    Err(_) => {
                        let ended = internal("a thread that read changes ended".to_owned());
                        return Err(Unclear::from(ended).into());
                    }
                }
            }
            over(job.clone());
        }
        Ok(())
    })
}

/// Consecutive units that are read in one go.
fn jobs(units: &[&Kept<'_>]) -> Vec<Range<usize>> {
    let mut jobs = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (place, unit) in units.iter().enumerate() {
        let more = unit.bytes_to_read();
        if place > start && bytes + more > JOB_BYTES {
            jobs.push(start..place);
            (start, bytes) = (place, 0);
        }
        bytes += more;
    }
    if start < units.len() {
        jobs.push(start..units.len());
    }
    jobs
}

/// Reads a job's units. None when the other side wants no more.
fn work<T: Made>(
    units: &[&Kept<'_>],
    job: Range<usize>,
    wanted: Wanted,
    make: impl Fn(ChangeBatch) -> Result<T, Unclear>,
    to: &SyncSender<Parcel<T>>,
) -> Option<()> {
    let mut parcel = Vec::new();
    let mut bytes = 0;
    for (place, unit) in units.iter().enumerate().take(job.end).skip(job.start) {
        for batch in unit.read(wanted) {
            match batch.map_err(Unclear::from).and_then(&make) {
                Ok(made) => {
                    bytes += made.memory();
                    parcel.push((place, made));
                }
                Err(error) => {
                    let _ = to.send(Parcel::Failed(error));
                    return None;
                }
            }
            if bytes >= PARCEL_BYTES {
                to.send(Parcel::Made(std::mem::take(&mut parcel))).ok()?;
                bytes = 0;
            }
        }
    }
    if !parcel.is_empty() {
        to.send(Parcel::Made(parcel)).ok()?;
    }
    to.send(Parcel::Over).ok()
}

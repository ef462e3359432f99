//! A file of an object store as Parquet reads it: few requests, bounded memory.
//!
//! A row group whose wanted column chunks are small enough is fetched at once when the first of them is asked for;
//! nearby chunks come in one request. Of a larger row group each chunk is read through a window, the next window
//! already on its way. Chunks of row groups that lie behind are let go.

use super::footer::Footer;
use crate::LakeError;
use crate::kernel_error::{Reading, from_object_store};
use crate::store::Store;
use bytes::{Bytes, BytesMut};
use delta_kernel::object_store::path::Path;
use delta_kernel::object_store::{ObjectStore, ObjectStoreExt};
use std::ops::Range;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes of one row group held at once by one reader.
const GROUP_BYTES: u64 = 16 << 20;
/// Bytes of a window at least, so that a request is worth its round trip.
const LEAST_WINDOW: u64 = 64 << 10;

/// Reads of one unit. Only one thread reads a unit, so a lock is never waited for.
#[derive(Debug)]
pub(crate) struct RemoteFile {
    source: RemoteSource,
    len: u64,
    tail: Option<(u64, Bytes)>,
    chunks: Vec<Chunk>,
    columns: usize,
    held: Mutex<Vec<Held>>,
}

/// A window on its way.
type Ahead = Receiver<Result<Bytes, object_store::Error>>;

/// Where the bytes come from.
#[derive(Debug, Clone)]
pub(crate) struct RemoteSource {
    pub(crate) store: Arc<Store>,
    pub(crate) path: Path,
    pub(crate) reading: Reading,
}

/// A column chunk that will be read.
#[derive(Debug, Clone)]
struct Chunk {
    range: Range<u64>,
    /// bytes of its row group that will be read
    group_bytes: u64,
}

/// What is held of a chunk.
#[derive(Debug, Default)]
struct Held {
    start: u64,
    bytes: Bytes,
    /// the window after it
    ahead: Option<Ahead>,
}

impl RemoteSource {
    /// Waits for ranges of the file; near ones come in one request.
    pub(crate) fn fetch(&self, ranges: Vec<Range<u64>>) -> Result<Vec<Bytes>, LakeError> {
        let Self { store, path, .. } = self.clone();
        let fetched = store.objects().clone();
        let fetched = store.wait_for(async move { fetched.get_ranges(&path, &ranges).await });
        fetched
            .ok_or_else(|| self.reading.internal("the runtime ended"))?
            .map_err(|error| from_object_store(&self.reading, error))
    }

    /// Starts to fetch a range.
    fn start(&self, range: Range<u64>) -> Ahead {
        let (sender, receiver) = sync_channel(1);
        let Self { store, path, .. } = self.clone();
        let objects = store.objects().clone();
        store.spawn(async move {
            let _ = sender.send(objects.get_range(&path, range).await);
        });
        receiver
    }
}

impl RemoteFile {
    /// Prepares to read the wanted columns of some row groups.
    pub(crate) fn new(source: RemoteSource, len: u64, footer: &Footer, row_groups: &Range<usize>) -> Self {
        let groups = footer.metadata.metadata().row_groups();
        let mut chunks = Vec::new();
        for group in groups.iter().take(row_groups.end).skip(row_groups.start) {
            let ranges = group.columns().iter().enumerate().filter(|(leaf, _)| footer.reads(*leaf)).map(
                |(_, column)| {
                    let (start, length) = column.byte_range();
                    start..start + length
                },
            );
            let ranges: Vec<Range<u64>> = ranges.collect();
            let group_bytes = ranges.iter().map(|range| range.end - range.start).sum();
            chunks.extend(ranges.into_iter().map(|range| Chunk { range, group_bytes }));
        }
        let columns = chunks.len() / (row_groups.end - row_groups.start).max(1);
        let held = chunks.iter().map(|_| Held::default()).collect();
        Self { source, len, tail: footer.tail.clone(), chunks, columns, held: Mutex::new(held) }
    }

    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Exactly these bytes.
    pub(crate) fn bytes(&self, start: u64, length: usize) -> Result<Bytes, LakeError> {
        let bytes = self.at_least(start, length as u64)?;
        if bytes.len() < length {
            return Err(self.source.reading.damaged("it ends early"));
        }
        Ok(bytes.slice(..length))
    }

    /// Bytes from `start` on: as many as are held, and at least `length` unless the column chunk ends before.
    pub(crate) fn at_least(&self, start: u64, length: u64) -> Result<Bytes, LakeError> {
        if let Some((tail_start, tail)) = &self.tail
            && let Some(found) = slice_from(tail, *tail_start, start)
            && found.len() as u64 >= length
        {
            return Ok(found);
        }
        let Some(index) = self.chunks.iter().position(|chunk| chunk.range.contains(&start)) else {
            // Not a wanted column's page: nothing that the reader of a sound file asks for.
            return self.fetch_one(start..(start + length.max(LEAST_WINDOW)).min(self.len));
        };
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let chunk = self.chunks.get(index).map(|chunk| (chunk.range.clone(), chunk.group_bytes));
        let Some((range, group_bytes)) = chunk else { return Ok(Bytes::new()) };
        if let Some(before) = index.checked_sub(self.columns).and_then(|before| held.get_mut(before)) {
            // The column's chunk of the row group before is read to its end.
            *before = Held::default();
        }
        if held.get(index).is_some_and(|held| held.bytes.is_empty() && held.ahead.is_none()) {
            self.open_group(index, group_bytes, &mut held)?;
        }
        let Some(held) = held.get_mut(index) else { return Ok(Bytes::new()) };
        self.extend(held, &range, start, length)?;
        Ok(slice_from(&held.bytes, held.start, start).unwrap_or_default())
    }

    /// Fetches all chunks of the row group that a chunk belongs to, or sets off for the first window of each.
    fn open_group(&self, index: usize, group_bytes: u64, held: &mut [Held]) -> Result<(), LakeError> {
        let first = index - index % self.columns.max(1);
        let group = first..(first + self.columns).min(self.chunks.len());
        let ranges: Vec<Range<u64>> =
            self.chunks.iter().take(group.end).skip(group.start).map(|chunk| chunk.range.clone()).collect();
        let slots = held.iter_mut().take(group.end).skip(group.start);
        if group_bytes <= GROUP_BYTES {
            let fetched = self.source.fetch(ranges.clone())?;
            for ((slot, range), bytes) in slots.zip(ranges).zip(fetched) {
                *slot = Held { start: range.start, bytes, ahead: None };
            }
        } else {
            // One request for each: putting near ones together would fetch and hold what lies between.
            for (slot, range) in slots.zip(ranges) {
                let ahead = Some(self.source.start(range.start..self.window_end(range.start, &range)));
                *slot = Held { start: range.start, bytes: Bytes::new(), ahead };
            }
        }
        Ok(())
    }

    /// Moves a chunk's window on so that it holds `start..start + length`, as far as the chunk goes.
    fn extend(&self, held: &mut Held, range: &Range<u64>, start: u64, length: u64) -> Result<(), LakeError> {
        let wanted = start.saturating_add(length).min(range.end);
        while held.start + (held.bytes.len() as u64) < wanted || start < held.start {
            let end = held.start + held.bytes.len() as u64;
            let kept = slice_from(&held.bytes, held.start, start).unwrap_or_default();
            let from = if start < held.start || start > end { start } else { end };
            let next = match held.ahead.take() {
                Some(ahead) if from == end => match ahead.recv() {
                    Ok(bytes) => bytes.map_err(|error| from_object_store(&self.source.reading, error))?,
                    Err(_) => return Err(self.source.reading.internal("the runtime ended")),
                },
                _ => self.fetch_one(from..self.window_end(from, range).max(wanted))?,
            };
            if next.is_empty() {
                return Err(self.source.reading.damaged("it ends early"));
            }
            let reached = from + next.len() as u64;
            held.bytes = if kept.is_empty() { next } else { joined(&kept, &next) };
            held.start = reached - held.bytes.len() as u64;
            if reached < range.end {
                held.ahead = Some(self.source.start(reached..self.window_end(reached, range)));
            }
        }
        Ok(())
    }

    /// Where the window from a position of a chunk ends: all columns share the bound, half of it for the windows on
    /// their way.
    fn window_end(&self, from: u64, chunk: &Range<u64>) -> u64 {
        let window = (GROUP_BYTES / 2 / (self.columns.max(1) as u64)).max(LEAST_WINDOW);
        chunk.end.min(from.saturating_add(window))
    }

    fn fetch_one(&self, range: Range<u64>) -> Result<Bytes, LakeError> {
        Ok(self.source.fetch(vec![range])?.pop().unwrap_or_default())
    }
}

/// What of `bytes`, which start at `origin`, comes from `start` on.
fn slice_from(bytes: &Bytes, origin: u64, start: u64) -> Option<Bytes> {
    let skipped = usize::try_from(start.checked_sub(origin)?).ok()?;
    (skipped < bytes.len()).then(|| bytes.slice(skipped..))
}

fn joined(first: &Bytes, second: &Bytes) -> Bytes {
    let mut all = BytesMut::with_capacity(first.len() + second.len());
    all.extend_from_slice(first);
    all.extend_from_slice(second);
    all.freeze()
}

#[cfg(test)]
mod tests;

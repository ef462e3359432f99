//! Chunks of a COPY stream on their way from the threads that encode to the connections that send.
//!
//! Any connection takes any chunk, so all of them end within one chunk of each other, however the rows are spread over
//! the source's files. A chunk's memory goes back to the thread that made it once the chunk is sent.

use bytes::Bytes;
use lakefront_postgres::encode::CopyBuffer;
use std::sync::Arc;
use std::sync::mpsc as blocking;
use tokio::runtime::Handle;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, mpsc};

/// Bytes of one chunk: small enough to be in the processor's cache still when it is sent, large enough that what is
/// done once per chunk costs nothing.
const CHUNK_BYTES: usize = 512 * 1024;
/// Bytes of chunks under way for each connection: more than it sends while a thread opens the next row group.
const QUEUED_BYTES: usize = 4 * 1024 * 1024;

/// Where chunks are put.
#[derive(Clone)]
pub(crate) struct Sender {
    chunks: mpsc::UnboundedSender<Bytes>,
    /// as many permits as bytes may be under way
    room: Arc<Semaphore>,
    most: usize,
    runtime: Handle,
}

/// Where chunks are taken from, shared by all connections.
#[derive(Clone)]
pub(crate) struct Receiver {
    chunks: Arc<Mutex<mpsc::UnboundedReceiver<Bytes>>>,
    room: Arc<Semaphore>,
}

/// The queue of one load.
pub(crate) fn queue(connections: usize) -> (Sender, Receiver) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let most = QUEUED_BYTES * connections;
    let room = Arc::new(Semaphore::new(most));
    let sender = Sender { chunks: sender, room: room.clone(), most, runtime: Handle::current() };
    (sender, Receiver { chunks: Arc::new(Mutex::new(receiver)), room })
}

/// The other side is gone.
#[derive(Debug)]
pub(crate) struct Closed;

impl Receiver {
    /// The next chunk; None when no thread will send another, or the queue was closed.
    pub(crate) async fn next(&self) -> Option<Bytes> {
        if self.room.is_closed() {
            return None;
        }
        self.chunks.lock().await.recv().await
    }

    /// Takes no more chunks, which ends the threads that send them.
    pub(crate) fn close(&self) {
        self.room.close();
    }
}

/// The buffer that a thread encodes into, and the way out of it.
pub(crate) struct Outlet {
    queue: Sender,
    buffer: CopyBuffer,
    home: (blocking::Sender<CopyBuffer>, blocking::Receiver<CopyBuffer>),
}

/// A chunk whose buffer goes back to its thread when it is dropped.
struct Lent {
    buffer: CopyBuffer,
    home: blocking::Sender<CopyBuffer>,
    _room: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        self.buffer.as_slice()
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        // Its thread may have ended.
        drop(self.home.send(std::mem::take(&mut self.buffer)));
    }
}

impl Outlet {
    pub(crate) fn new(queue: Sender) -> Self {
        Self { queue, buffer: new_buffer(), home: blocking::channel() }
    }

    /// Where to encode the next rows, and how many bytes are to be there before they are sent.
    pub(crate) fn buffer(&mut self) -> (&mut CopyBuffer, usize) {
        (&mut self.buffer, CHUNK_BYTES)
    }

    /// Sends what is in the buffer if it is a chunk's worth.
    pub(crate) fn send_full(&mut self) -> Result<(), Closed> {
        if self.buffer.len() < CHUNK_BYTES { Ok(()) } else { self.send() }
    }

    /// Sends what is in the buffer; waits, on this thread, while enough is under way.
    pub(crate) fn send(&mut self) -> Result<(), Closed> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let Sender { chunks, room, most, runtime } = &self.queue;
        // One chunk may be larger than all that may be under way, since a single row may be.
        let bytes = u32::try_from(self.buffer.len().min(*most)).unwrap_or(u32::MAX);
        let room = runtime.block_on(room.clone().acquire_many_owned(bytes)).map_err(|_| Closed)?;
        let mut next = self.home.1.try_recv().unwrap_or_else(|_| new_buffer());
        next.clear();
        let buffer = std::mem::replace(&mut self.buffer, next);
        let lent = Lent { buffer, home: self.home.0.clone(), _room: room };
        chunks.send(Bytes::from_owner(lent)).map_err(|_| Closed)
    }
}

fn new_buffer() -> CopyBuffer {
    CopyBuffer::with_capacity(CHUNK_BYTES + CHUNK_BYTES / 4)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn chunks_of_any_size_come_out_in_order() {
        let (sender, receiver) = queue(1);
        let lengths = || (0..200usize).map(|n| if n == 77 { 3 * QUEUED_BYTES } else { n * 1000 });
        let thread = std::thread::spawn(move || {
            let mut outlet = Outlet::new(sender);
            for length in lengths() {
                outlet.buffer().0.put_slice(&vec![7; length]);
                outlet.send().unwrap();
            }
        });
        for length in lengths().filter(|length| *length > 0) {
            assert_eq!(receiver.next().await.unwrap().len(), length);
        }
        assert!(receiver.next().await.is_none());
        thread.join().unwrap();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_closed_queue_ends_the_threads() {
        let (sender, receiver) = queue(1);
        let thread = std::thread::spawn(move || {
            let mut outlet = Outlet::new(sender);
            loop {
                outlet.buffer().0.put_slice(b"row");
                if outlet.send().is_err() {
                    break;
                }
            }
        });
        assert!(receiver.next().await.is_some());
        receiver.close();
        thread.join().unwrap();
        assert!(receiver.next().await.is_none());
    }
}

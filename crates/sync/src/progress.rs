//! Progress of one refresh, written by the workers and read by whoever shows it.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

/// What a refresh is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Phase {
    /// reading the source's log
    Planning = 0,
    /// copying rows
    Copying = 1,
    /// building the key, indexes and statistics
    Indexing = 2,
    /// making the new data visible
    Applying = 3,
    /// comparing source and copy
    Comparing = 4,
}

impl Phase {
    /// A word for people.
    pub fn label(self) -> &'static str {
        match self {
            Self::Planning => "planning",
            Self::Copying => "copying",
            Self::Indexing => "indexing",
            Self::Applying => "applying",
            Self::Comparing => "comparing",
        }
    }
}

/// Shared counters; relaxed, since they are only shown.
#[derive(Debug, Default)]
pub struct Progress {
    phase: AtomicU8,
    rows: AtomicU64,
    bytes: AtomicU64,
    total_rows: AtomicU64,
    total_bytes: AtomicU64,
}

/// The counters at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProgressSnapshot {
    /// what is being done
    pub phase: Phase,
    /// rows copied
    pub rows: u64,
    /// bytes of source files read
    pub bytes: u64,
    /// rows to copy, 0 where the source does not say
    pub total_rows: u64,
    /// bytes to read
    pub total_bytes: u64,
}

impl Progress {
    pub(crate) fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Relaxed);
    }

    /// Adds to what is to be read: of several tables, or of one that is read again.
    pub(crate) fn expect(&self, rows: u64, bytes: u64) {
        self.total_rows.fetch_add(rows, Ordering::Relaxed);
        self.total_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn add_rows(&self, rows: u64) {
        self.rows.fetch_add(rows, Ordering::Relaxed);
    }

    pub(crate) fn add_bytes(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// The counters now.
    pub fn snapshot(&self) -> ProgressSnapshot {
        let phase = match self.phase.load(Ordering::Relaxed) {
            1 => Phase::Copying,
            2 => Phase::Indexing,
            3 => Phase::Applying,
            4 => Phase::Comparing,
            _ => Phase::Planning,
        };
        ProgressSnapshot {
            phase,
            rows: self.rows.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            total_rows: self.total_rows.load(Ordering::Relaxed),
            total_bytes: self.total_bytes.load(Ordering::Relaxed),
        }
    }
}

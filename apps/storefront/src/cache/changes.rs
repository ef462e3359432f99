//! What is known about changes of the table: how many there were, and whether none can have been missed.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// How long after a confirmed listening it is still certain that no change was missed. It is also the longest
/// time that a kept answer is used while listening is not certain.
pub const CERTAIN_FOR: Duration = Duration::from_secs(1);

/// Shared between the listener, which writes it, and the caches, which compare with it.
#[derive(Debug)]
pub struct Changes {
    start: Instant,
    epoch: AtomicU64,
    /// Milliseconds from `start` until which listening is certain.
    certain_until: AtomicU64,
}

impl Changes {
    /// Nothing heard yet, nothing certain.
    pub fn new() -> Self {
        Self { start: Instant::now(), epoch: AtomicU64::new(0), certain_until: AtomicU64::new(0) }
    }

    /// Number of the current state of the table. An answer worked out in an earlier epoch is stale.
    pub fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// True when every change committed before about [`CERTAIN_FOR`] ago has been counted.
    pub fn is_certain(&self) -> bool {
        self.since_start(Instant::now()) < self.certain_until.load(Ordering::Acquire)
    }

    /// A change was heard of, or may have been missed.
    pub fn changed(&self) {
        self.epoch.fetch_add(1, Ordering::AcqRel);
    }

    /// The server answered, on the listening connection, a question sent at `asked`: every notification of
    /// before then has arrived, because a connection delivers in order.
    pub fn confirmed(&self, asked: Instant) {
        self.certain_until.store(self.since_start(asked + CERTAIN_FOR), Ordering::Release);
    }

    /// Listening ended.
    pub fn lost(&self) {
        self.certain_until.store(0, Ordering::Release);
        self.changed();
    }

    fn since_start(&self, instant: Instant) -> u64 {
        u64::try_from(instant.saturating_duration_since(self.start).as_millis()).unwrap_or(u64::MAX)
    }
}

impl Default for Changes {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certainty_runs_out_by_itself_and_ends_with_the_connection() {
        let changes = Changes::new();
        assert!(!changes.is_certain());
        changes.confirmed(Instant::now());
        assert!(changes.is_certain());
        if let Some(long_ago) = Instant::now().checked_sub(CERTAIN_FOR * 2) {
            changes.confirmed(long_ago);
            assert!(!changes.is_certain());
        }
        changes.confirmed(Instant::now());
        let before = changes.epoch();
        changes.lost();
        assert!(!changes.is_certain());
        assert!(changes.epoch() > before);
    }
}

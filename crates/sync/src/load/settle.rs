//! New rows are looked at once while their pages are still in memory.
//!
//! The first who reads a row after its transaction ended notes in the page how it ended ("hint bits"). COPY fills pages
//! in a ring of 16 MB (PostgreSQL's `BAS_BULKWRITE`) and writes each out when the ring comes round. If nobody looked by
//! then, the index build is the first reader: it reads a table that is large beside `shared_buffers` through a ring of
//! its own, and so writes all of the table a second time. Therefore COPY goes in transactions that are small against
//! the ring, and their pages are read before it comes round.

use lakefront_postgres::PgResult;
use lakefront_postgres::table::Stage;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};
use tokio_postgres::Client;

/// Bytes of the COPY stream in one transaction. Rows of few small columns take nearly twice as much in pages.
pub(super) const TRANSACTION_BYTES: usize = 8 * 1024 * 1024;

/// Which pages are to be looked at, for all connections of one load.
pub(super) struct Settling {
    state: Mutex<State>,
}

struct State {
    /// the pages that the stage had when each connection's transaction under way began
    begun: Vec<i64>,
    /// the pages before it were looked at
    settled: i64,
}

impl Settling {
    pub(super) fn new(connections: usize) -> Self {
        Self { state: Mutex::new(State { begun: vec![0; connections], settled: 0 }) }
    }

    /// A connection ended a transaction and is about to begin another.
    pub(super) async fn ended(&self, stage: &Stage, client: &Client, connection: usize) -> PgResult<()> {
        let pages = stage.pages(client).await?;
        let ended = self.state.lock().unwrap_or_else(PoisonError::into_inner).ended(connection, pages);
        if ended.is_empty() { Ok(()) } else { stage.look_at(client, ended).await }
    }
}

impl State {
    /// The pages not yet looked at that were there before any transaction under way began: all their rows are of
    /// transactions that have ended, unless a page was taken before and is filled only now.
    fn ended(&mut self, connection: usize, pages: i64) -> Range<i64> {
        if let Some(begun) = self.begun.get_mut(connection) {
            *begun = pages;
        }
        let from = self.settled;
        self.settled = self.begun.iter().copied().min().unwrap_or(from);
        from..self.settled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_page_is_looked_at_once_when_all_who_could_write_it_have_ended() {
        let mut state = State { begun: vec![0, 0], settled: 0 };
        assert!(state.ended(0, 900).is_empty());
        assert_eq!(state.ended(1, 1000), 0..900);
        assert!(state.ended(1, 1900).is_empty());
        assert!(state.ended(1, 2700).is_empty());
        assert_eq!(state.ended(0, 2800), 900..2700);
        assert_eq!(state.ended(1, 3500), 2700..2800);
    }

    #[test]
    fn one_connection_looks_at_each_transaction() {
        let mut state = State { begun: vec![0], settled: 0 };
        assert_eq!(state.ended(0, 1000), 0..1000);
        assert_eq!(state.ended(0, 2000), 1000..2000);
    }
}

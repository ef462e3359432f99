//! Binary COPY on the raw sink: bytes in, a count out.

use crate::error::Doing;
use crate::{PgResult, ident};
use bytes::Bytes;
use futures::SinkExt;
use std::pin::Pin;
use tokio_postgres::{Client, CopyInSink};

/// One `COPY … FROM STDIN (FORMAT binary)` under way.
pub struct CopyIn {
    sink: Pin<Box<CopyInSink<Bytes>>>,
    table: String,
}

impl std::fmt::Debug for CopyIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CopyIn").field("table", &self.table).finish_non_exhaustive()
    }
}

impl CopyIn {
    /// Starts copying into `columns` of `table`, which is SQL text already quoted.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn start(client: &Client, table: &str, columns: &[&str]) -> PgResult<Self> {
        let statement =
            format!("COPY {table} ({}) FROM STDIN (FORMAT binary)", ident::list(columns.iter().copied()));
        let sink = client.copy_in::<_, Bytes>(&statement).await.doing(|| format!("copying into {table}"))?;
        Ok(Self { sink: Box::pin(sink), table: table.to_owned() })
    }

    /// Sends bytes of the stream; waits while the server has enough to do.
    ///
    /// # Errors
    /// When the server refused a row sent earlier, or the connection died.
    pub async fn send(&mut self, bytes: Bytes) -> PgResult<()> {
        self.sink.send(bytes).await.doing(|| format!("copying into {}", self.table))
    }

    /// Ends the stream and returns the number of rows that landed.
    ///
    /// # Errors
    /// When the server refused a row.
    pub async fn finish(mut self) -> PgResult<u64> {
        self.sink.as_mut().finish().await.doing(|| format!("copying into {}", self.table))
    }
}

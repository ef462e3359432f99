//! What is kept from one refresh to the next: the connection, and what was seen of the sources.

use crate::stopped::Stopped;
use crate::{Engine, RefreshRequest, Source, SyncError};
use futures::future::{join, join_all};
use lakefront_lake::Snapshot;
use lakefront_model::Condition;
use lakefront_postgres::PgError;
use lakefront_postgres::ledger::Entry;
use lakefront_postgres::roles::Ownership;
use std::cmp::Ordering;
use tokio_postgres::Client;

/// How often several sources are looked at for a moment at which none of them moved.
const MOST_LOOKS: usize = 100;

/// A session for always the same tables.
#[derive(Default)]
pub(crate) struct Session {
    control: Option<(Client, Ownership)>,
    seen: Vec<Seen>,
}

/// A source at its newest version.
#[derive(Clone)]
pub(crate) struct Seen {
    pub source: Source,
    pub snapshot: Snapshot,
}

impl Seen {
    async fn look(engine: &Engine, source: &str, before: Option<Self>) -> Result<Self, SyncError> {
        match before {
            Some(Self { source, snapshot }) => {
                let snapshot = source.table.newest_after(snapshot).await?;
                Ok(Self { source, snapshot })
            }
            None => {
                let source = engine.open_source(source).await?;
                let snapshot = source.table.newest().await?;
                Ok(Self { source, snapshot })
            }
        }
    }

    /// Whether the commit that was applied last has another size by now. It was not all there then, or it is another one.
    pub(crate) async fn has_revised(&self, entry: &Entry) -> Result<bool, SyncError> {
        let (Some(applied), Some(before)) = (entry.version, entry.commit_bytes) else { return Ok(false) };
        let now = match applied.cmp(&self.snapshot.version()) {
            Ordering::Less => self.source.table.commit_bytes(applied).await?,
            Ordering::Equal => self.snapshot.commit_bytes(),
            Ordering::Greater => None,
        };
        Ok(now.is_some_and(|now| i64::try_from(now).is_ok_and(|now| now != before)))
    }

    /// Whether the source is as it was when it was seen before.
    fn is_as(&self, before: &Self) -> bool {
        let state = |seen: &Self| (seen.snapshot.version(), seen.snapshot.table_id().to_owned());
        state(self) == state(before)
    }
}

impl Session {
    /// The sources as they are now. Several are seen as they were at one moment: they are looked at again until none of
    /// them has moved since the look before, so between these two looks all of them were as they are returned.
    pub(crate) async fn look(
        &mut self,
        engine: &Engine,
        requests: &[RefreshRequest],
    ) -> Result<Vec<Seen>, Stopped> {
        let mut before = self.look_once(engine, requests).await?;
        for _ in 0..MOST_LOOKS {
            if requests.len() < 2 {
                return Ok(before);
            }
            let now = self.look_once(engine, requests).await?;
            if now.iter().zip(&before).all(|(now, before)| now.is_as(before)) {
                return Ok(now);
            }
            before = now;
        }
        let mut error = SyncError::new(
            Condition::SourceReadError,
            "the sources of the pipeline get new commits faster than they can be looked at, so no moment is known at which they belong together",
            "it is tried again; if it lasts, commit to them less often",
        );
        error.is_transient = true;
        Err(Stopped { member: 0, error })
    }

    async fn look_once(
        &mut self,
        engine: &Engine,
        requests: &[RefreshRequest],
    ) -> Result<Vec<Seen>, Stopped> {
        let mut before = std::mem::take(&mut self.seen).into_iter();
        let looks = requests.iter().map(|request| Seen::look(engine, &request.spec.source, before.next()));
        let looks: Vec<_> = looks.collect();
        // A first look and a first connection take a while, and neither needs the other.
        let (looks, control) = join(join_all(looks), connected(engine, self.control.take())).await;
        let mut seen = Vec::new();
        for (member, look) in looks.into_iter().enumerate() {
            seen.push(look.map_err(|error| Stopped { member, error })?);
        }
        self.control = Some(control.map_err(Stopped::first)?);
        self.seen.clone_from(&seen);
        Ok(seen)
    }

    /// The sources as they were seen last.
    pub(crate) fn seen(&self) -> &[Seen] {
        &self.seen
    }

    /// Lets go of the connection for a long time without work. Returns what was seen of the sources.
    pub(crate) fn rest(&mut self) -> Vec<Seen> {
        self.control = None;
        self.seen.clone()
    }

    /// The connection, made where there is none or it broke.
    pub(crate) async fn control(&mut self, engine: &Engine) -> Result<(&mut Client, Ownership), SyncError> {
        let open = connected(engine, self.control.take()).await?;
        let (client, ownership) = self.control.insert(open);
        Ok((client, *ownership))
    }
}

async fn connected(
    engine: &Engine,
    open: Option<(Client, Ownership)>,
) -> Result<(Client, Ownership), SyncError> {
    if let Some(open) = open.filter(|(client, _)| !client.is_closed()) {
        return Ok(open);
    }
    let (client, ownership) = engine.control().await?;
    // What the ledger keeps besides the data needs no wait for the disk: it counts only until the process or the
    // server ends. The transactions with data wait (Engine::begin).
    let relaxed = client.batch_execute("SET synchronous_commit = off").await;
    relaxed.map_err(|e| PgError::new("setting synchronous_commit", e))?;
    Ok((client, ownership))
}

//! Keeping tables fresh: each is refreshed now, and then again when its declaration says.

use crate::back_off::BackOff;
use crate::progress::Progress;
use crate::refresh::{Seen, Session};
use crate::{Engine, Follow, RefreshReport, RefreshRequest, SyncError};
use chrono::{DateTime, Utc};
use lakefront_lake::Watch;
use lakefront_model::{Schedule, SchedulingPolicy, SyncedTableSpec, Trigger};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

/// Waiting for a time of day looks at the clock this often: a clock may be set, and a machine may sleep.
const CLOCK_LOOKED_AT: Duration = Duration::from_secs(30);

/// Keeps one table as fresh as its policy and its trigger say, until it is told to stop.
#[derive(Debug)]
pub struct Upkeep {
    engine: Arc<Engine>,
    spec: SyncedTableSpec,
}

impl Upkeep {
    /// Keeps the table of `spec`.
    pub fn new(engine: Arc<Engine>, spec: SyncedTableSpec) -> Self {
        Self { engine, spec }
    }

    /// Refreshes now, which makes up for all times that were missed, and then as declared; `told` gets how each refresh
    /// ended. A failure that may pass by itself is tried again, later each time, until the next time comes; any other
    /// waits for that time. Ends when nothing will have the table refreshed any more, or by `stop`.
    pub async fn run(
        self,
        stop: CancellationToken,
        told: impl Fn(&SyncedTableSpec, &Result<RefreshReport, SyncError>),
    ) {
        let Self { engine, spec } = self;
        if spec.scheduling_policy == SchedulingPolicy::Continuous {
            return Follow::new(engine, spec).run(stop, told).await;
        }
        tokio::select! {
            () = keep(&engine, spec, told) => {}
            () = stop.cancelled() => {}
        }
    }
}

async fn keep(
    engine: &Engine,
    spec: SyncedTableSpec,
    told: impl Fn(&SyncedTableSpec, &Result<RefreshReport, SyncError>),
) {
    let mut next = Next::of(spec.trigger.clone());
    let request = RefreshRequest { spec, full: false };
    let mut session = Session::default();
    let mut back_off = BackOff::default();
    loop {
        next.refresh_begins(engine, &mut session, &request.spec.source).await;
        let refreshed = engine.refresh_in(&mut session, &request, &Arc::new(Progress::default())).await;
        told(&request.spec, &refreshed);
        next.refresh_ended(session.rest());
        let tried_again = refreshed.is_err_and(|error| error.is_transient) || next.is_blind();
        let pause = if tried_again {
            Some(back_off.next())
        } else {
            back_off.reset();
            None
        };
        tokio::select! {
            () = sleep(pause.unwrap_or_default()), if pause.is_some() => {}
            due = next.wait(), if pause.is_none() || next.may_come() => if !due { return },
        }
    }
}

/// When the next refresh is due.
enum Next {
    /// when somebody asks, which is not seen here
    Asked,
    /// at the schedule's first time after the last one, or after the last refresh began
    Time { schedule: Schedule, last: DateTime<Utc> },
    /// when the source changed
    Change(Box<Change>),
}

/// Waits until the source is not what was seen of it, but no less than some time after the last refresh began.
struct Change {
    least: Duration,
    began: Instant,
    seen: Option<Seen>,
    watch: Option<Watch>,
}

impl Next {
    fn of(trigger: Option<Trigger>) -> Self {
        match trigger {
            None => Self::Asked,
            Some(Trigger::Schedule(schedule)) => Self::Time { schedule, last: DateTime::UNIX_EPOCH },
            Some(Trigger::SourceChange { min_time_between_triggers_seconds }) => {
                let least = Duration::from_secs(min_time_between_triggers_seconds);
                Self::Change(Box::new(Change { least, began: Instant::now(), seen: None, watch: None }))
            }
        }
    }

    /// Times from here on, and commits that come after this look at the source, call for another refresh.
    async fn refresh_begins(&mut self, engine: &Engine, session: &mut Session, source: &str) {
        match self {
            Self::Asked => {}
            // Never before the time that was waited for, also where the clock was just set back a little.
            Self::Time { last, .. } => *last = Utc::now().max(*last),
            Self::Change(change) => {
                change.began = Instant::now();
                // A source that cannot be looked at is told of by the refresh.
                change.seen = session.look(engine, source).await.ok();
            }
        }
    }

    /// Takes what a good refresh saw; a failed one saw nothing.
    fn refresh_ended(&mut self, newer: Option<Seen>) {
        if let Self::Change(change) = self
            && newer.is_some()
        {
            change.seen = newer;
        }
    }

    /// Whether the source has to be watched and could not be looked at.
    fn is_blind(&self) -> bool {
        matches!(self, Self::Change(change) if change.seen.is_none())
    }

    /// Whether waiting can end with a refresh being due.
    fn may_come(&self) -> bool {
        !(self.is_blind() || matches!(self, Self::Asked))
    }

    /// Returns when the next refresh is due; false: none will be.
    async fn wait(&mut self) -> bool {
        match self {
            Self::Asked => false,
            Self::Time { schedule, last } => {
                let Some(time) = schedule.next_after(*last) else { return false };
                until(time).await;
                *last = time;
                true
            }
            Self::Change(change) => {
                change.wait().await;
                true
            }
        }
    }
}

impl Change {
    async fn wait(&mut self) {
        sleep_until(self.began + self.least).await;
        if let Some(seen) = &self.seen {
            let watch = self.watch.get_or_insert_with(|| Watch::new(seen.source.table.clone()));
            if watch.changed(&seen.snapshot).await.is_ok() {
                return;
            }
        }
        // What cannot be watched is told of by the next refresh.
        self.watch = None;
        sleep(BackOff::default().next()).await;
    }
}

/// Returns when the clock shows `time` or later.
async fn until(time: DateTime<Utc>) {
    while let Ok(left) = (time - Utc::now()).to_std()
        && !left.is_zero()
    {
        sleep(left.min(CLOCK_LOOKED_AT)).await;
    }
}

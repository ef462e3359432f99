//! Keeping tables fresh: each is refreshed now, and then again when its declaration says.

use crate::back_off::BackOff;
use crate::follow::follow;
use crate::progress::Progress;
use crate::session::{Seen, Session};
use crate::watches::Watches;
use crate::{Engine, RefreshReport, RefreshRequest, SyncError};
use chrono::{DateTime, Utc};
use lakefront_model::{Schedule, SchedulingPolicy, SyncedTableSpec, Trigger};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

/// Waiting for a time of day looks at the clock this often: a clock may be set, and a machine may sleep.
const CLOCK_LOOKED_AT: Duration = Duration::from_secs(30);

/// Keeps a table as fresh as its policy and its trigger say, or the tables of an atomic pipeline, which have the same
/// ones and are refreshed together. Refreshes now, which makes up for all times that were missed, and then as declared;
/// `told` gets how each refresh ended. A failure that may pass by itself is tried again, later each time, until the next
/// time comes; any other waits for that time. Ends when nothing will have the tables refreshed any more, or by `stop`.
pub async fn keep_fresh(
    engine: &Engine,
    specs: Vec<SyncedTableSpec>,
    stop: CancellationToken,
    told: impl Fn(&SyncedTableSpec, &Result<RefreshReport, SyncError>),
) {
    if specs.iter().any(|spec| spec.scheduling_policy == SchedulingPolicy::Continuous) {
        return follow(engine, specs, stop, told).await;
    }
    tokio::select! {
        () = keep(engine, specs, told) => {}
        () = stop.cancelled() => {}
    }
}

async fn keep(
    engine: &Engine,
    specs: Vec<SyncedTableSpec>,
    told: impl Fn(&SyncedTableSpec, &Result<RefreshReport, SyncError>),
) {
    let mut next = Next::of(specs.iter().find_map(|spec| spec.trigger.clone()));
    let requests: Vec<RefreshRequest> = specs.into_iter().map(RefreshRequest::of).collect();
    let mut session = Session::default();
    let mut back_off = BackOff::default();
    loop {
        next.refresh_begins(engine, &mut session, &requests).await;
        let refreshed = engine.refresh_in(&mut session, &requests, &Arc::new(Progress::default())).await;
        for (request, refreshed) in requests.iter().zip(&refreshed) {
            told(&request.spec, refreshed);
        }
        next.refresh_ended(session.rest());
        let mut errors = refreshed.iter().filter_map(|refreshed| refreshed.as_ref().err());
        let tried_again = errors.any(|error| error.is_transient) || next.is_blind();
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
    /// when a source is not what was seen of it, but no sooner than some time after the last refresh began
    Change { least: Duration, began: Instant, seen: Vec<Seen>, watches: Watches },
}

impl Next {
    fn of(trigger: Option<Trigger>) -> Self {
        match trigger {
            None => Self::Asked,
            Some(Trigger::Schedule(schedule)) => Self::Time { schedule, last: DateTime::UNIX_EPOCH },
            Some(Trigger::SourceChange { min_time_between_triggers_seconds }) => Self::Change {
                least: Duration::from_secs(min_time_between_triggers_seconds),
                began: Instant::now(),
                seen: Vec::new(),
                watches: Watches::default(),
            },
        }
    }

    /// Times from here on, and commits that come after this look at the sources, call for another refresh.
    async fn refresh_begins(&mut self, engine: &Engine, session: &mut Session, requests: &[RefreshRequest]) {
        match self {
            Self::Asked => {}
            // Never before the time that was waited for, also where the clock was just set back a little.
            Self::Time { last, .. } => *last = Utc::now().max(*last),
            Self::Change { began, seen, .. } => {
                *began = Instant::now();
                // A source that cannot be looked at is told of by the refresh.
                *seen = session.look(engine, requests).await.unwrap_or_default();
            }
        }
    }

    /// Takes what a good refresh saw; a failed one saw nothing.
    fn refresh_ended(&mut self, newer: Vec<Seen>) {
        if let Self::Change { seen, .. } = self
            && !newer.is_empty()
        {
            *seen = newer;
        }
    }

    /// Whether sources have to be watched and could not be looked at.
    fn is_blind(&self) -> bool {
        matches!(self, Self::Change { seen, .. } if seen.is_empty())
    }

    /// Whether waiting can end with a refresh being due.
    fn may_come(&self) -> bool {
        !matches!(self, Self::Asked) && !self.is_blind()
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
            Self::Change { least, began, seen, watches } => {
                sleep_until(*began + *least).await;
                // What cannot be watched is told of by the next refresh.
                if seen.is_empty() || watches.changed(seen).await.is_err() {
                    sleep(BackOff::default().next()).await;
                }
                true
            }
        }
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

//! A bounded store of answers in which each is worked out once, however many ask at the same time.

use std::{
    future::Future,
    hash::Hash,
    sync::{Mutex, PoisonError},
    time::Instant,
};

use futures::{
    FutureExt,
    future::{BoxFuture, Shared},
};

use super::Recent;
use crate::database::DatabaseError;

/// An answer with what is needed to judge whether it may still be used.
#[derive(Debug, Clone)]
pub struct Landed<V> {
    /// The answer.
    pub value: V,
    /// The epoch of the table before the work began.
    pub epoch: u64,
    /// When the work began: the answer is at least as new as this.
    pub started: Instant,
}

type Outcome<V> = Result<Landed<V>, DatabaseError>;

struct Flight<V: Clone> {
    outcome: Shared<BoxFuture<'static, Outcome<V>>>,
    epoch: u64,
}

/// The store. When it is full the answer that was used longest ago makes room.
pub struct Flights<K, V: Clone> {
    flights: Mutex<Recent<K, Flight<V>>>,
}

impl<K, V> Flights<K, V>
where
    K: Hash + Eq + Clone,
    V: Clone + Send + Sync + 'static,
{
    /// A store for at most `capacity` answers.
    pub fn new(capacity: usize) -> Self {
        Self { flights: Mutex::new(Recent::new(capacity)) }
    }

    /// The answer for `key`: a kept one that `usable` accepts, one that is being worked out in this epoch, or
    /// what `work` gives. Failures are shared by those who waited and not kept.
    ///
    /// The work goes on when the one who asked goes away, so that it neither blocks others nor holds a
    /// connection half-used.
    pub async fn get<F>(
        &self,
        key: &K,
        epoch: u64,
        usable: impl Fn(&Landed<V>) -> bool,
        work: impl FnOnce() -> F,
    ) -> Outcome<V>
    where
        F: Future<Output = Result<V, DatabaseError>> + Send + 'static,
    {
        let outcome = {
            let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
            match flights.get(key) {
                Some(flight) if flight.is_usable(epoch, &usable) => flight.outcome.clone(),
                _ => {
                    let outcome = launch(epoch, work());
                    flights.insert(key.clone(), Flight { outcome: outcome.clone(), epoch });
                    outcome
                }
            }
        };
        outcome.await
    }
}

impl<V: Clone> Flight<V> {
    fn is_usable(&self, epoch: u64, usable: &impl Fn(&Landed<V>) -> bool) -> bool {
        match self.outcome.peek() {
            None => self.epoch == epoch,
            Some(Ok(landed)) => usable(landed),
            Some(Err(_)) => false,
        }
    }
}

fn launch<V, F>(epoch: u64, work: F) -> Shared<BoxFuture<'static, Outcome<V>>>
where
    V: Clone + Send + Sync + 'static,
    F: Future<Output = Result<V, DatabaseError>> + Send + 'static,
{
    let started = Instant::now();
    let task = tokio::spawn(work);
    async move {
        match task.await {
            Ok(Ok(value)) => Ok(Landed { value, epoch, started }),
            Ok(Err(error)) => Err(error),
            Err(stopped) => Err(DatabaseError::Changed(stopped.to_string())),
        }
    }
    .boxed()
    .shared()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use futures::future::join_all;
    use tokio::sync::Semaphore;

    use super::*;

    fn failure() -> DatabaseError {
        DatabaseError::Changed("test".to_owned())
    }

    #[tokio::test]
    async fn many_askers_cause_one_piece_of_work() {
        let flights = Flights::new(10);
        let (worked, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
        let ask = || {
            let (worked, gate) = (worked.clone(), gate.clone());
            flights.get(
                &"key",
                1,
                |_| true,
                move || async move {
                    let _open = gate.acquire().await;
                    Ok(worked.fetch_add(1, Ordering::SeqCst))
                },
            )
        };
        let open = async {
            tokio::task::yield_now().await;
            gate.add_permits(1);
        };
        let (answers, ()) = tokio::join!(join_all((0..32).map(|_| ask())), open);
        assert!(answers.into_iter().all(|answer| answer.unwrap().value == 0));
        assert_eq!(ask().await.unwrap().value, 0);
        assert_eq!(worked.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn work_of_an_earlier_epoch_is_not_joined() {
        let flights = Flights::new(10);
        let never = flights.get(&(), 1, |_| true, || async { std::future::pending().await });
        let later = async {
            tokio::task::yield_now().await;
            flights.get(&(), 2, |_| true, || async { Ok(2) }).await.unwrap()
        };
        tokio::select! {
            biased;
            _ = never => panic!("nothing can come of it"),
            landed = later => assert_eq!((landed.value, landed.epoch), (2, 2)),
        }
    }

    #[tokio::test]
    async fn failures_are_not_kept_and_unusable_answers_replaced() {
        let flights = Flights::new(10);
        assert!(flights.get(&(), 1, |_| true, || async { Err(failure()) }).await.is_err());
        assert_eq!(flights.get(&(), 1, |_| true, || async { Ok(1) }).await.unwrap().value, 1);
        assert_eq!(flights.get(&(), 1, |_| false, || async { Ok(2) }).await.unwrap().value, 2);
        assert_eq!(flights.get(&(), 1, |_| true, || async { Ok(3) }).await.unwrap().value, 2);
    }

    #[tokio::test]
    async fn work_goes_on_without_the_one_who_asked() {
        let flights = Flights::new(2);
        let (gate, done) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        let (its_gate, its_done) = (gate.clone(), done.clone());
        let asked = flights.get(
            &(),
            1,
            |_| true,
            move || async move {
                let _open = its_gate.acquire().await;
                its_done.add_permits(1);
                Ok(())
            },
        );
        // The asker goes away after the work has begun.
        tokio::select! {
            biased;
            _ = asked => panic!("the gate is shut"),
            () = tokio::task::yield_now() => {}
        }
        gate.add_permits(1);
        assert!(done.acquire().await.is_ok());
    }
}

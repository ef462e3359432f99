//! The life of the shop: commits to the lake, one after another, as long as it runs.

mod changes;
mod upkeep;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use lakefront_delta_writer::{DeltaTable, DeltaWriteError};

use crate::SEED;
use crate::catalogue;
use crate::error::DemoError;
use crate::layout::{EMBEDDINGS_TABLE, PRODUCTS_TABLE, open_table};
use crate::look::LookBook;
use crate::random::Stream;

/// Tries of one commit against other writers that take its version: one that makes small changes without a pause is
/// quicker many times in a row.
const TRIES: usize = 100;
/// How long a wait goes on before the request to stop is looked at.
const STOP_CHECK: Duration = Duration::from_millis(20);
/// Steps that are later than this are not made up for.
const PATIENCE: Duration = Duration::from_secs(1);

/// A writer that changes the demo's lake as a shop does.
///
/// Its memory does not grow: what it needs to know it reads from the lake, a file at a time.
/// Files that no commit of the last hour needs are removed from time to time, so the lake's
/// size stays bounded too.
#[derive(Debug)]
pub struct ShopActivity {
    products: DeltaTable,
    embeddings: DeltaTable,
    looks: LookBook,
    stream: Stream,
    next_product_id: i64,
    rate: f64,
}

/// What happened in the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ActivityKind {
    /// One product has a new price.
    PriceChange,
    /// Several products have new prices.
    PriceChanges,
    /// A product came in, with its embedding.
    NewProduct,
    /// A product is sold out and gone, with its embedding.
    SoldOut,
    /// Several products of a sub-category moved to another season.
    SeasonChange,
    /// Several products of a sub-category cost less.
    Discount,
    /// Small files were joined; no row changed.
    Compaction,
}

/// One step of the activity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivityStep {
    /// What happened.
    pub kind: ActivityKind,
    /// The commits that it took: table and version, in their order.
    pub commits: Vec<(&'static str, u64)>,
    /// Rows of `productsdb` that changed.
    pub rows: u64,
    /// The same for people, such as `product 12345 costs 19.99`.
    pub note: String,
}

impl ShopActivity {
    /// Opens the demo's lake under `root` to change it `rate_per_second` times a second.
    ///
    /// # Errors
    /// [`DemoError::Rate`] when the rate is not above 0, and whatever opening the tables meets.
    pub fn new(root: &Path, rate_per_second: f64, seed: u64) -> Result<Self, DemoError> {
        if !rate_per_second.is_finite() || rate_per_second <= 0.0 {
            return Err(DemoError::Rate { rate: rate_per_second });
        }
        let products = open_table(root, PRODUCTS_TABLE)?;
        let embeddings = open_table(root, EMBEDDINGS_TABLE)?;
        let last = changes::greatest_key(&products)?.max(changes::greatest_key(&embeddings)?);
        Ok(Self {
            looks: LookBook::of(&catalogue::generate(SEED)),
            stream: Stream::of(seed, "activity", products.version()),
            next_product_id: first_key_after(last.unwrap_or_default(), seed),
            rate: rate_per_second,
            products,
            embeddings,
        })
    }

    /// Makes one change, whatever the rate. When another writer is quicker, its commits are
    /// taken in and another change is made.
    ///
    /// # Errors
    /// What reading and writing the tables meets; [`DemoError::NoRows`] for an empty table.
    pub fn step(&mut self) -> Result<ActivityStep, DemoError> {
        let mut tries = 1;
        loop {
            match self.change() {
                Err(DemoError::Delta(DeltaWriteError::Conflict { .. })) if tries < TRIES => {
                    tries += 1;
                    self.products.refresh()?;
                    self.embeddings.refresh()?;
                }
                outcome => {
                    let step = outcome?;
                    self.keep_up(&step);
                    return Ok(step);
                }
            }
        }
    }

    /// Makes changes at the rate until `stop` is set, which ends it within milliseconds.
    /// `observe` is told of each step. Gives the number of steps.
    ///
    /// # Errors
    /// As [`ShopActivity::step`]; what was committed before stays.
    pub fn run(
        &mut self,
        stop: &AtomicBool,
        mut observe: impl FnMut(&ActivityStep),
    ) -> Result<u64, DemoError> {
        let mut steps = 0;
        let mut due = Instant::now();
        loop {
            // Half to one and a half of the mean distance: a shop has no pulse.
            let distance = (0.5 + self.stream.unit()) / self.rate;
            due += Duration::try_from_secs_f64(distance).unwrap_or(Duration::MAX / 4);
            let now = Instant::now();
            if now.saturating_duration_since(due) > PATIENCE {
                due = now;
            }
            if !wait(due, stop) {
                return Ok(steps);
            }
            observe(&self.step()?);
            steps += 1;
        }
    }
}

/// New products of one writer are numbered in steps of this many: writers with other seeds use the numbers between,
/// since Delta does not see that two appends have the same key.
const KEY_STEP: i64 = 64;

/// The least number above `last` that belongs to the writer of this seed.
fn first_key_after(last: i64, seed: u64) -> i64 {
    let own = i64::try_from(seed % KEY_STEP.unsigned_abs()).unwrap_or_default();
    last + 1 + (own - last - 1).rem_euclid(KEY_STEP)
}

/// Waits until a moment; false when it was told to stop.
fn wait(due: Instant, stop: &AtomicBool) -> bool {
    loop {
        if stop.load(Ordering::Relaxed) {
            return false;
        }
        let left = due.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return true;
        }
        std::thread::sleep(left.min(STOP_CHECK));
    }
}

//! Rows that went with one file and came back as they were with another, as when a MERGE rewrites all of a file for a
//! few of its rows.
//!
//! The rows that went are known by 64 bits of a hash of their values, and by their number; each row that
//! came takes one of them that is the same. What is left on both sides are the real changes.

use super::fold::Fingerprint;
use super::passes::Passes;
use arrow_buffer::BooleanBufferBuilder;
use std::cmp;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::thread::available_parallelism;

/// Rows held at a time: about 90 MiB with what vectors keep in reserve. More are dealt with in several passes.
const MOST_ROWS: usize = 6_500_000;
/// The rows are divided by so many of their highest bits: few enough parts that the end of each stays in the processor's
/// cache while rows are added, and so many that one fits into it while it is sorted.
const PART_BITS: u32 = 8;
/// A part is divided further, by its next bits, into slots of about so many rows.
const SLOT_ROWS: usize = 16;
/// A place is looked for step by step so far from the likely one.
const STEPS: usize = 24;
/// It is nearly always so near.
const NEAR_STEPS: usize = 2;
/// Rows that are looked up together.
const NEAR_ROWS: usize = 64;
/// Fewer rows than this are not worth a thread of their own.
const ROWS_PER_THREAD: usize = 1 << 16;

/// A row that went. Three numbers of 32 bits, so that it needs no padding.
#[derive(Debug)]
struct GoneRow {
    high: u32,
    low: u32,
    /// its number, and in the highest bit whether a row that came took it: one and the same place in memory tells all
    row: AtomicU32,
}

/// The bit of a number that says that the row was taken.
const TAKEN: u32 = 1 << 31;

impl GoneRow {
    fn new(fingerprint: Fingerprint, row: u32) -> Self {
        Self { high: (fingerprint >> 32) as u32, low: fingerprint as u32, row: AtomicU32::new(row) }
    }

    fn is_taken(&self) -> bool {
        self.row.load(Relaxed) & TAKEN != 0
    }

    /// Takes it; false when another row was quicker.
    fn take(&self) -> bool {
        self.row.fetch_or(TAKEN, Relaxed) & TAKEN == 0
    }

    fn fingerprint(&self) -> Fingerprint {
        Fingerprint::from(self.high) << 32 | Fingerprint::from(self.low)
    }
}

/// What became of a row that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Came {
    /// one that went is the same
    Moved,
    /// none is, or each has been taken by another row that came
    Changed,
}

/// The rows that went, in one pass. Once all are there, many threads may look up rows that came.
pub(super) struct Gone {
    parts: Vec<Part>,
    held: usize,
    passes: Passes,
}

/// Rows whose fingerprints have the same highest bits.
#[derive(Default)]
struct Part {
    rows: Vec<GoneRow>,
    /// where each slot starts, once the rows are sorted; at the end where the last one ends
    slots: Vec<u32>,
    /// so many bits after the part's own tell the slots apart
    slot_bits: u32,
}

impl Gone {
    pub(super) fn new() -> Self {
        let parts = (0..1 << PART_BITS).map(|_| Part::default()).collect();
        Self { parts, held: 0, passes: Passes::new(MOST_ROWS) }
    }

    /// Goes on to the next pass, which has other rows; false when all have had theirs. Sets the bit of each row of this one
    /// that only moved.
    pub(super) fn next_pass(&mut self, moved: &mut BooleanBufferBuilder) -> bool {
        for part in &mut self.parts {
            for gone in part.rows.drain(..).filter(GoneRow::is_taken) {
                moved.set_bit((gone.row.into_inner() ^ TAKEN) as usize, true);
            }
        }
        self.held = 0;
        self.passes.go_on()
    }

    /// Adds a row that went. False when its number is too large.
    #[must_use]
    pub(super) fn went(&mut self, fingerprint: Fingerprint, row: usize) -> bool {
        let Some(row) = u32::try_from(row).ok().filter(|row| row & TAKEN == 0) else { return false };
        if self.passes.takes(fingerprint) {
            self.add(GoneRow::new(fingerprint, row));
        }
        true
    }

    fn add(&mut self, gone: GoneRow) {
        let Some(Part { rows, .. }) = self.parts.get_mut(part_of(gone.fingerprint())) else { return };
        if rows.len() == rows.capacity() {
            // Doubling would keep too much in reserve.
            rows.reserve_exact(rows.len() / 4 + 8);
        }
        rows.push(gone);
        self.held += 1;
        while self.passes.divide(self.held) {
            let passes = &self.passes;
            self.parts.iter_mut().for_each(|part| part.rows.retain(|gone| passes.takes(gone.low.into())));
            self.held = self.parts.iter().map(|part| part.rows.len()).sum();
        }
    }

    /// To be called between the rows that went and those that came.
    pub(super) fn sort(&mut self) {
        if self.held < ROWS_PER_THREAD {
            return self.parts.iter_mut().for_each(Part::sort);
        }
        let threads = available_parallelism().map_or(1, usize::from);
        let each = self.parts.len().div_ceil(threads);
        std::thread::scope(|scope| {
            for parts in self.parts.chunks_mut(each) {
                scope.spawn(move || parts.iter_mut().for_each(Part::sort));
            }
        });
    }

    fn place(&self, fingerprint: Fingerprint) -> Place<'_> {
        self.parts.get(part_of(fingerprint)).map(|part| part.place(fingerprint)).unwrap_or_default()
    }

    /// What became of rows that came: `each` gets a row's place and what became of it, in order. Rows that are not `wanted` and
    /// those of other passes are passed over.
    pub(super) fn came(
        &self,
        fingerprints: &[Fingerprint],
        wanted: impl Fn(usize) -> bool,
        mut each: impl FnMut(usize, Came),
    ) {
        let mut first = 0;
        for near in fingerprints.chunks(NEAR_ROWS) {
            // Their places are brought near all at once: looked up one after the other, each row would wait for memory by
            // itself, which was most of the time that a MERGE of one row in a hundred took.
            let mut places = [Place::default(); NEAR_ROWS];
            places.iter_mut().zip(near).for_each(|(place, &fingerprint)| *place = self.place(fingerprint));
            std::hint::black_box(places.iter().fold(0, |sum, place| sum ^ place.touch()));
            for (row, (place, &fingerprint)) in (first..).zip(places.iter().zip(near)) {
                if self.passes.takes(fingerprint) && wanted(row) {
                    each(row, place.came(fingerprint));
                }
            }
            first += near.len();
        }
    }

    pub(super) fn is_first_pass(&self) -> bool {
        self.passes.is_first()
    }
}

impl Part {
    fn sort(&mut self) {
        self.rows.sort_unstable_by_key(GoneRow::fingerprint);
        self.slot_bits = (self.rows.len() / SLOT_ROWS).max(1).ilog2();
        self.slots.clear();
        self.slots.reserve_exact((1 << self.slot_bits) + 1);
        for (place, row) in self.rows.iter().enumerate() {
            let slot = slot_of(row.fingerprint(), self.slot_bits);
            while self.slots.len() <= slot {
                self.slots.push(place as u32);
            }
        }
        self.slots.resize((1 << self.slot_bits) + 1, self.rows.len() as u32);
    }

    fn place(&self, fingerprint: Fingerprint) -> Place<'_> {
        let slot = slot_of(fingerprint, self.slot_bits);
        let Some(&[start, end]) = self.slots.get(slot..slot + 2) else { return Place::default() };
        let rows = self.rows.get(start as usize..end as usize).unwrap_or_default();
        // As they are spread evenly.
        let share = u128::from(fingerprint << (PART_BITS + self.slot_bits)) * rows.len() as u128;
        Place { rows, likely: (share >> u64::BITS) as usize }
    }
}

/// Where a row of one fingerprint is.
#[derive(Clone, Copy, Default)]
struct Place<'a> {
    /// the rows of its slot
    rows: &'a [GoneRow],
    /// where it probably is among them
    likely: usize,
}

impl Place<'_> {
    /// Looks at both ends of where it nearly always is, which may lie in two lines of the cache.
    fn touch(&self) -> u32 {
        let high = |place: usize| self.rows.get(place).map_or(0, |gone| gone.high);
        let last = self.rows.len().saturating_sub(1);
        high(self.likely.saturating_sub(NEAR_STEPS)) ^ high(last.min(self.likely + NEAR_STEPS))
    }

    fn came(&self, fingerprint: Fingerprint) -> Came {
        // Of rows that are the same, those that were taken come first.
        let is_before = |gone: &GoneRow| match gone.fingerprint().cmp(&fingerprint) {
            cmp::Ordering::Equal => gone.is_taken(),
            ordering => ordering == cmp::Ordering::Less,
        };
        let rest = self.rows.get(self.find(is_before)..).unwrap_or_default();
        let mut same = rest.iter().take_while(|gone| gone.fingerprint() == fingerprint);
        if same.any(GoneRow::take) { Came::Moved } else { Came::Changed }
    }

    /// The first place that is not before. It is nearly always within a few steps of the likely one, where going on step
    /// by step is quicker than halving; how many rows are the same has no bound, so after those it is halving.
    fn find(&self, is_before: impl Fn(&GoneRow) -> bool) -> usize {
        let Self { rows, likely } = *self;
        let is_before_at = |place: usize| rows.get(place).is_some_and(&is_before);
        let mut place = likely;
        while is_before_at(place) {
            place += 1;
            if place > likely + STEPS {
                return place + rows.get(place..).unwrap_or_default().partition_point(is_before);
            }
        }
        while place > 0 && place <= likely && !is_before_at(place - 1) {
            place -= 1;
            if place + STEPS < likely {
                return rows.get(..place).unwrap_or_default().partition_point(is_before);
            }
        }
        place
    }
}

fn part_of(fingerprint: Fingerprint) -> usize {
    (fingerprint >> (u64::BITS - PART_BITS)) as usize
}

fn slot_of(fingerprint: Fingerprint, bits: u32) -> usize {
    let in_part = (fingerprint << PART_BITS) as u128;
    (in_part >> (u64::BITS - bits)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers of the rows that changed, of those that went and then those that came.
    fn changed(most: usize, went: &[u64], came: &[u64]) -> Vec<usize> {
        let mut gone = Gone { passes: Passes::new(most), ..Gone::new() };
        let mut moved = BooleanBufferBuilder::new(0);
        moved.append_n(went.len() + came.len(), false);
        loop {
            for (row, &fingerprint) in went.iter().enumerate() {
                assert!(gone.went(fingerprint, row));
                assert!(gone.held <= most);
            }
            gone.sort();
            gone.came(
                came,
                |_| true,
                |row, came| {
                    if came == Came::Moved {
                        moved.set_bit(went.len() + row, true);
                    }
                },
            );
            if !gone.next_pass(&mut moved) {
                return (!&moved.finish()).set_indices().collect();
            }
        }
    }

    #[test]
    fn each_row_that_came_takes_one_that_went() {
        assert_eq!(changed(100, &[5, 7, 7, 9], &[7, 8, 9, 7, 7]), [0, 5, 8]);
        assert_eq!(changed(100, &[], &[1]), [0]);
        assert!(changed(100, &[1], &[1]).is_empty());
    }

    #[test]
    fn each_place_is_found() {
        let hash = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for rows in [0, 1, 7, 100, 3000, 100_000] {
            let mut gone = Gone::new();
            (0..rows).for_each(|row| assert!(gone.went(hash(row as u64 / 2), row)));
            gone.sort();
            for n in 0..rows as u64 + 10 {
                let place = gone.place(hash(n));
                let is_before = |gone: &GoneRow| gone.fingerprint() < hash(n);
                assert_eq!(place.find(is_before), place.rows.partition_point(is_before));
                let is_there = place.rows.iter().any(|gone| gone.fingerprint() == hash(n));
                assert_eq!(is_there, n < (rows as u64).div_ceil(2));
            }
            // However uneven they are.
            let same: Vec<GoneRow> = (0..rows as u32).map(|_| GoneRow::new(9, 1)).collect();
            for likely in [0, rows / 2] {
                let place = Place { rows: &same, likely };
                assert_eq!((place.find(|_| false), place.find(|_| true)), (0, rows));
            }
        }
    }

    #[test]
    fn more_rows_than_are_held_take_several_passes() {
        let hash = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
        let went: Vec<u64> = (0..1000).map(hash).collect();
        let came: Vec<u64> = (5..1005).rev().map(hash).collect();
        let expected: Vec<usize> = (0..5).chain(1000..1005).collect();
        assert_eq!(changed(2000, &went, &came), expected);
        assert_eq!(changed(100, &went, &came), expected);
    }

    #[test]
    fn threads_take_each_row_once() {
        let mut gone = Gone::new();
        (0..1000).for_each(|row| assert!(gone.went(row as u64 % 7, row)));
        gone.sort();
        let came: Vec<Fingerprint> = (0..1000).map(|row| row % 7).collect();
        let took = |gone: &Gone| {
            let mut moved = 0;
            gone.came(&came, |_| true, |_, came| moved += usize::from(came == Came::Moved));
            moved
        };
        let taken: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| took(&gone))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap_or_default()).sum()
        });
        assert_eq!(taken, 1000);
    }
}

//! Rows that went with one file and came back as they were with another, as when a MERGE rewrites all of a file for a
//! few of its rows.
//!
//! The rows that went are known by 64 bits of a hash of their values, and by their number; each row that
//! came takes one of them that is the same. What is left on both sides are the real changes.

use super::fold::Fingerprint;
use super::passes::Passes;
use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder};
use std::cmp::Ordering;

/// Rows held at a time: about 90 MiB with what vectors keep in reserve. More are dealt with in several passes.
const MOST_ROWS: usize = 6_500_000;
/// The rows are divided by so many of their highest bits, so that a part fits into the processor's cache.
const PART_BITS: u32 = 14;

/// A place is looked for step by step so far from the likely one.
const STEPS: usize = 24;

/// A row that went. Three numbers of 32 bits, so that it needs no padding.
#[derive(Debug, Clone, Copy)]
struct Gone {
    high: u32,
    low: u32,
    /// its number, and in the highest bit whether a row that came took it: one and the same place in memory tells all
    row: u32,
}

/// The bit of a number that says that the row was taken.
const TAKEN: u32 = 1 << 31;

impl Gone {
    fn new(fingerprint: Fingerprint, row: u32) -> Self {
        Self { high: (fingerprint >> 32) as u32, low: fingerprint as u32, row }
    }

    fn is_taken(&self) -> bool {
        self.row & TAKEN != 0
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

/// The rows that went, in one pass, and which rows of all only moved.
pub(super) struct Moved {
    parts: Vec<Vec<Gone>>,
    held: usize,
    passes: Passes,
    /// a bit for each row, set when it only moved
    moved: BooleanBufferBuilder,
}

impl Moved {
    pub(super) fn new() -> Self {
        Self {
            parts: (0..1 << PART_BITS).map(|_| Vec::new()).collect(),
            held: 0,
            passes: Passes::new(MOST_ROWS),
            moved: BooleanBufferBuilder::new(0),
        }
    }

    /// Goes on to the next pass, which has other rows; false when all have had theirs.
    pub(super) fn next_pass(&mut self) -> bool {
        for part in &mut self.parts {
            for gone in part.drain(..).filter(Gone::is_taken) {
                self.moved.set_bit((gone.row ^ TAKEN) as usize, true);
            }
        }
        self.held = 0;
        self.passes.go_on()
    }

    /// Makes room for rows up to number `rows`, not included.
    pub(super) fn number(&mut self, rows: usize) {
        if self.moved.len() < rows {
            self.moved.append_n(rows - self.moved.len(), false);
        }
    }

    /// Adds a row that went. False when its number is too large.
    #[must_use]
    pub(super) fn went(&mut self, fingerprint: Fingerprint, row: usize) -> bool {
        let Some(row) = u32::try_from(row).ok().filter(|row| row & TAKEN == 0) else { return false };
        if self.passes.takes(fingerprint) {
            self.add(Gone::new(fingerprint, row));
        }
        true
    }

    fn add(&mut self, gone: Gone) {
        let Some(part) = self.parts.get_mut(part_of(gone.fingerprint())) else { return };
        if part.len() == part.capacity() {
            // Doubling would keep too much in reserve.
            part.reserve_exact(part.len() / 4 + 8);
        }
        part.push(gone);
        self.held += 1;
        while self.passes.divide(self.held) {
            let passes = &self.passes;
            self.parts.iter_mut().for_each(|part| part.retain(|gone| passes.takes(gone.low.into())));
            self.held = self.parts.iter().map(Vec::len).sum();
        }
    }

    /// To be called between the rows that went and those that came.
    pub(super) fn sort(&mut self) {
        self.parts.iter_mut().for_each(|part| part.sort_unstable_by_key(Gone::fingerprint));
    }

    /// Brings the places of some rows that are about to come near, all at once: looked up one after the other, each
    /// would wait for memory by itself, which was most of the time that a MERGE of one row in a hundred took.
    pub(super) fn approach(&self, fingerprints: &[Fingerprint]) {
        let touch = |sum: u32, &fingerprint: &Fingerprint| {
            let part = self.part(fingerprint);
            sum ^ part.get(likely_place(part, fingerprint)).map_or(0, |gone| gone.row)
        };
        std::hint::black_box(fingerprints.iter().fold(0, touch));
    }

    /// The same for rows that went.
    pub(super) fn approach_ends(&self, fingerprints: &[Fingerprint]) {
        let touch = |sum: u32, &fingerprint: &Fingerprint| {
            sum ^ self.part(fingerprint).last().map_or(0, |gone| gone.row)
        };
        std::hint::black_box(fingerprints.iter().fold(0, touch));
    }

    fn part(&self, fingerprint: Fingerprint) -> &[Gone] {
        self.parts.get(part_of(fingerprint)).map(Vec::as_slice).unwrap_or_default()
    }

    /// What became of a row that came; None when it is another pass's.
    pub(super) fn came(&mut self, fingerprint: Fingerprint, row: usize) -> Option<Came> {
        if !self.passes.takes(fingerprint) {
            return None;
        }
        let part = self.parts.get_mut(part_of(fingerprint))?;
        // Of rows that are the same, those that were taken come first.
        let is_before = |gone: &Gone| match gone.fingerprint().cmp(&fingerprint) {
            Ordering::Equal => gone.is_taken(),
            ordering => ordering == Ordering::Less,
        };
        let place = place_in(part, fingerprint, is_before);
        match part.get_mut(place) {
            Some(gone) if gone.fingerprint() == fingerprint => {
                gone.row |= TAKEN;
                self.moved.set_bit(row, true);
                Some(Came::Moved)
            }
            _ => Some(Came::Changed),
        }
    }

    pub(super) fn is_first_pass(&self) -> bool {
        self.passes.is_first()
    }

    /// A bit for each row, set when it did not just move.
    pub(super) fn changed(mut self) -> BooleanBuffer {
        !&self.moved.finish()
    }
}

/// Where a fingerprint should be, as they are spread evenly.
fn likely_place(part: &[Gone], fingerprint: Fingerprint) -> usize {
    let share = u128::from(fingerprint << PART_BITS) * part.len() as u128;
    (share >> u64::BITS) as usize
}

/// The first place that is not before. It is nearly always within a few steps of the likely one, where going on step by
/// step is quicker than halving; how many rows are the same has no bound, so after those it is halving.
fn place_in(part: &[Gone], fingerprint: Fingerprint, is_before: impl Fn(&Gone) -> bool) -> usize {
    let is_before_at = |place: usize| part.get(place).is_some_and(&is_before);
    let guess = likely_place(part, fingerprint);
    let mut place = guess;
    while is_before_at(place) {
        place += 1;
        if place > guess + STEPS {
            return place + part.get(place..).unwrap_or_default().partition_point(is_before);
        }
    }
    while place > 0 && place <= guess && !is_before_at(place - 1) {
        place -= 1;
        if place + STEPS < guess {
            return part.get(..place).unwrap_or_default().partition_point(is_before);
        }
    }
    place
}

fn part_of(fingerprint: Fingerprint) -> usize {
    (fingerprint >> (u64::BITS - PART_BITS)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers of the rows that changed, of those that went and then those that came.
    fn changed(most: usize, went: &[u64], came: &[u64]) -> Vec<usize> {
        let mut moved = Moved { passes: Passes::new(most), ..Moved::new() };
        moved.number(went.len() + came.len());
        loop {
            for (row, &fingerprint) in went.iter().enumerate() {
                assert!(moved.went(fingerprint, row));
                assert!(moved.held <= most);
            }
            moved.sort();
            for (row, &fingerprint) in came.iter().enumerate() {
                let _ = moved.came(fingerprint, went.len() + row);
            }
            if !moved.next_pass() {
                return moved.changed().set_indices().collect();
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
        let hash = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> PART_BITS;
        for rows in [0, 1, 7, 100, 3000] {
            let mut part: Vec<Gone> = (0..rows).map(|n| Gone::new(hash(n / 2), n as u32)).collect();
            part.sort_unstable_by_key(Gone::fingerprint);
            for n in 0..rows + 10 {
                let is_before = |gone: &Gone| gone.fingerprint() < hash(n);
                assert_eq!(place_in(&part, hash(n), is_before), part.partition_point(is_before));
            }
            // However uneven they are.
            let same = vec![Gone::new(9, 1); rows as usize];
            assert_eq!(place_in(&same, 9, |_| false), 0);
            assert_eq!(place_in(&same, 9, |_| true), rows as usize);
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
}

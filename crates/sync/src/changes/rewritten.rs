//! Leaves out the rows of rewritten files that did not change.

use super::Unclear;
use super::ahead::{Kept, Wanted, in_order};
use super::fold::Fingerprint;
use super::moved::{Came, Moved};
use super::print::Printer;
use super::read::count_bytes;
use crate::failure::internal;
use crate::progress::Progress;
use arrow_buffer::BooleanBuffer;
use lakefront_lake::{ChangeBatch, ChangeKind, RowChange};
use std::ops::Range;

/// Rows that are looked up together.
const NEAR_ROWS: usize = 64;
/// After so many rows that came it is clear whether looking at the others is worth it.
const ENOUGH_ROWS: usize = 1 << 19;

/// Of units that belong together, takes out the rows that went and came back as they were. Of the others, those that
/// came are kept as long as there is `room`, in bytes of decoded rows.
pub(super) fn leave_out_moved(
    units: &mut Vec<Kept<'_>>,
    printer: &Printer,
    room: &mut usize,
    effort: Effort,
    progress: &Progress,
) -> Result<(), Unclear> {
    let mut finding = Finding {
        units,
        printer,
        progress,
        moved: Moved::new(),
        rows: vec![None; units.len()],
        numbered: 0,
        reading: None,
        kept: vec![Some(Vec::new()); units.len()],
        room: *room,
        effort,
        came: 0,
        same: 0,
    };
    match finding.find() {
        Ok(()) => {}
        Err(Stop::NotWorthIt) if effort == Effort::WhilePromising => return Ok(()),
        Err(Stop::NotWorthIt) => {
            return Err(Unclear::Changes("more rows changed than can be told apart".to_owned()));
        }
        Err(Stop::Failed(error)) => return Err(error),
    }
    let Finding { moved, rows, kept, room: left, .. } = finding;
    *room = left;
    let changed = moved.changed();
    for ((unit, rows), batches) in units.iter_mut().zip(rows).zip(kept) {
        let rows = rows.unwrap_or_default();
        unit.only = Some(changed.slice(rows.start, rows.len()));
        unit.is_read = true;
        if unit.unit.kind == ChangeKind::Inserted {
            unit.batches = batches;
        }
    }
    units.retain(|unit| unit.only.as_ref().is_none_or(|only| only.count_set_bits() > 0));
    Ok(())
}

/// How much is done to find rows that only moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effort {
    /// everything is left as it is when most rows that came did change
    WhilePromising,
    /// all of them are found
    All,
}

/// Why nothing was found.
enum Stop {
    /// too few rows only moved, or there are more than can be numbered
    NotWorthIt,
    Failed(Unclear),
}

impl From<Unclear> for Stop {
    fn from(error: Unclear) -> Self {
        Self::Failed(error)
    }
}

struct Finding<'a, 'u> {
    units: &'a [Kept<'u>],
    printer: &'a Printer,
    progress: &'a Progress,
    moved: Moved,
    /// the numbers of each unit's rows
    rows: Vec<Option<Range<usize>>>,
    numbered: usize,
    reading: Option<Place>,
    /// of each unit the rows that came and did not just move, as long as there was room
    kept: Vec<Option<Vec<ChangeBatch>>>,
    room: usize,
    effort: Effort,
    /// rows that came, and those of them that only moved, so far
    came: usize,
    same: usize,
}

/// How far the reading of a unit has come.
#[derive(Clone, Copy)]
struct Place {
    unit: usize,
    next_row: usize,
    is_new: bool,
}

impl Finding<'_, '_> {
    fn find(&mut self) -> Result<(), Stop> {
        loop {
            self.read(ChangeKind::Inserted, |this, unit, batch, prints| this.went(unit, &batch, &prints))?;
            self.moved.sort();
            self.read(ChangeKind::Deleted, |this, unit, batch, prints| this.came(unit, &batch, &prints))?;
            if !self.moved.next_pass() {
                return Ok(());
            }
        }
    }

    /// Reads all units but those of one kind; `each` gets a unit's place, a batch, and its rows' fingerprints.
    fn read(
        &mut self,
        but: ChangeKind,
        mut each: impl FnMut(&mut Self, usize, ChangeBatch, Vec<Fingerprint>) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let (printer, progress) = (self.printer, self.progress);
        let units: Vec<(usize, &Kept<'_>)> =
            self.units.iter().enumerate().filter(|(_, kept)| kept.unit.kind != but).collect();
        let kept: Vec<&Kept<'_>> = units.iter().map(|(_, kept)| *kept).collect();
        let is_first = self.moved.is_first_pass();
        self.reading = None;
        in_order(
            &kept,
            Wanted::Views,
            |batch| Ok((printer.prints(&batch.rows).map_err(|e| internal(e.to_string()))?, batch)),
            |nth, (prints, batch)| match units.get(nth) {
                Some((unit, _)) => each(self, *unit, batch, prints),
                None => Ok(()),
            },
            |over| {
                if is_first {
                    count_bytes(progress, &kept, over);
                }
            },
        )
    }

    /// The number of a batch's first row.
    fn number(&mut self, unit: usize, rows: usize) -> usize {
        let Some(numbers) = self.rows.get_mut(unit) else { return 0 };
        let mut place = self.reading.filter(|place| place.unit == unit).unwrap_or_else(|| Place {
            unit,
            next_row: numbers.as_ref().map_or(self.numbered, |numbers| numbers.start),
            is_new: numbers.is_none(),
        });
        let first = place.next_row;
        place.next_row += rows;
        self.reading = Some(place);
        if place.is_new {
            numbers.get_or_insert(first..first).end = place.next_row;
            self.numbered = place.next_row;
            self.moved.number(self.numbered);
        }
        first
    }

    fn went(&mut self, unit: usize, batch: &ChangeBatch, prints: &[Fingerprint]) -> Result<(), Stop> {
        let first = self.number(unit, prints.len());
        for (row, (&print, change)) in (first..).zip(prints.iter().zip(&batch.changes)) {
            if (row - first).is_multiple_of(NEAR_ROWS) {
                self.moved.approach_ends(near(prints, row - first));
            }
            if *change == RowChange::Deleted && !self.moved.went(print, row) {
                return Err(Stop::NotWorthIt);
            }
        }
        Ok(())
    }

    fn came(&mut self, unit: usize, batch: &ChangeBatch, prints: &[Fingerprint]) -> Result<(), Stop> {
        let first = self.number(unit, prints.len());
        let (mut all, mut same) = (0, 0);
        let mut changes = batch.changes.iter();
        let changed = BooleanBuffer::collect_bool(prints.len(), |row| {
            if row.is_multiple_of(NEAR_ROWS) {
                self.moved.approach(near(prints, row));
            }
            let (Some(RowChange::Inserted), Some(&print)) = (changes.next(), prints.get(row)) else {
                return false;
            };
            let came = self.moved.came(print, first + row);
            all += usize::from(came.is_some());
            same += usize::from(came == Some(Came::Moved));
            came == Some(Came::Changed)
        });
        self.came += all;
        self.same += same;
        let may_stop = self.effort == Effort::WhilePromising && self.came >= ENOUGH_ROWS;
        if may_stop && self.same < self.came / 8 {
            return Err(Stop::NotWorthIt);
        }
        self.keep(unit, batch, changed)
    }

    fn keep(&mut self, unit: usize, batch: &ChangeBatch, changed: BooleanBuffer) -> Result<(), Stop> {
        let Some(kept) = self.kept.get_mut(unit) else { return Ok(()) };
        if let Some(batches) = kept
            && changed.count_set_bits() > 0
        {
            let batch = batch.only(changed).map_err(|e| Unclear::from(internal(e.to_string())))?;
            let bytes = batch.rows.get_array_memory_size();
            if bytes <= self.room {
                self.room -= bytes;
                batches.push(batch);
            } else {
                *kept = None;
            }
        }
        Ok(())
    }
}

/// Some rows from one on.
fn near(prints: &[Fingerprint], row: usize) -> &[Fingerprint] {
    prints.get(row..(row + NEAR_ROWS).min(prints.len())).unwrap_or_default()
}

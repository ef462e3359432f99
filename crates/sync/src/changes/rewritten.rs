//! Leaves out the rows of rewritten files that did not change.

use super::Unclear;
use super::ahead::{Kept, Made, Wanted, in_order};
use super::fold::Fingerprint;
use super::moved::{Came, Gone};
use super::print::Printer;
use super::read::count_bytes;
use crate::failure::internal;
use crate::progress::Progress;
use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder};
use lakefront_lake::{ChangeBatch, ChangeKind, RowChange};
use std::ops::Range;

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
        moved: BooleanBufferBuilder::new(0),
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
    let Finding { mut moved, rows, kept, room: left, .. } = finding;
    *room = left;
    let changed = !&moved.finish();
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
    /// a bit for each row, set when it only moved
    moved: BooleanBufferBuilder,
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
        let (printer, mut gone) = (self.printer, Gone::new());
        let prints = |batch: &ChangeBatch| {
            printer.prints(&batch.rows).map_err(|e| Unclear::from(internal(e.to_string())))
        };
        loop {
            let is_first = gone.is_first_pass();
            self.read(
                ChangeKind::Inserted,
                is_first,
                |batch| Ok(Departures { prints: prints(&batch)?, changes: batch.changes }),
                |this, unit, departures| this.went(&mut gone, unit, &departures),
            )?;
            gone.sort();
            self.read(
                ChangeKind::Deleted,
                is_first,
                |batch| Arrivals::look_up(&gone, &prints(&batch)?, &batch),
                |this, unit, arrivals| this.came(unit, arrivals),
            )?;
            if !gone.next_pass(&mut self.moved) {
                return Ok(());
            }
        }
    }

    /// Reads all units but those of one kind; `each` gets a unit's place and what `make` made of a batch on another thread.
    fn read<T: Made>(
        &mut self,
        but: ChangeKind,
        is_first: bool,
        make: impl Fn(ChangeBatch) -> Result<T, Unclear> + Sync,
        mut each: impl FnMut(&mut Self, usize, T) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let progress = self.progress;
        let units: Vec<(usize, &Kept<'_>)> =
            self.units.iter().enumerate().filter(|(_, kept)| kept.unit.kind != but).collect();
        let kept: Vec<&Kept<'_>> = units.iter().map(|(_, kept)| *kept).collect();
        self.reading = None;
        in_order(
            &kept,
            Wanted::Views,
            make,
            |nth, made| match units.get(nth) {
                Some((unit, _)) => each(self, *unit, made),
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
            self.moved.append_n(rows, false);
        }
        first
    }

    fn went(&mut self, gone: &mut Gone, unit: usize, departures: &Departures) -> Result<(), Stop> {
        let Departures { prints, changes } = departures;
        let first = self.number(unit, prints.len());
        for (row, (&print, change)) in (first..).zip(prints.iter().zip(changes)) {
            if *change == RowChange::Deleted && !gone.went(print, row) {
                return Err(Stop::NotWorthIt);
            }
        }
        Ok(())
    }

    fn came(&mut self, unit: usize, arrivals: Arrivals) -> Result<(), Stop> {
        let first = self.number(unit, arrivals.moved.len());
        arrivals.moved.set_indices().for_each(|row| self.moved.set_bit(first + row, true));
        self.came += arrivals.came;
        self.same += arrivals.moved.count_set_bits();
        let may_stop = self.effort == Effort::WhilePromising && self.came >= ENOUGH_ROWS;
        if may_stop && self.same < self.came / 8 {
            return Err(Stop::NotWorthIt);
        }
        if let Some(batch) = arrivals.changed {
            self.keep(unit, batch);
        }
        Ok(())
    }

    fn keep(&mut self, unit: usize, batch: ChangeBatch) {
        let Some(kept) = self.kept.get_mut(unit) else { return };
        let Some(batches) = kept else { return };
        let bytes = batch.rows.get_array_memory_size();
        if bytes <= self.room {
            self.room -= bytes;
            batches.push(batch);
        } else {
            *kept = None;
        }
    }
}

/// Rows of which some went, each with its fingerprint.
struct Departures {
    prints: Vec<Fingerprint>,
    changes: Vec<RowChange>,
}

impl Made for Departures {
    fn memory(&self) -> usize {
        size_of_val(self.prints.as_slice()) + size_of_val(self.changes.as_slice())
    }
}

/// Rows of which some came, looked up among those that went.
struct Arrivals {
    /// a bit for each row, set when it came and only moved
    moved: BooleanBuffer,
    /// how many came
    came: usize,
    /// those that came and are new
    changed: Option<ChangeBatch>,
}

impl Made for Arrivals {
    fn memory(&self) -> usize {
        let changed = self.changed.as_ref().map_or(0, |batch| batch.rows.get_array_memory_size());
        self.moved.inner().len() + changed
    }
}

impl Arrivals {
    fn look_up(gone: &Gone, prints: &[Fingerprint], batch: &ChangeBatch) -> Result<Self, Unclear> {
        let [mut moved, mut changed] = [(); 2].map(|()| {
            let mut bits = BooleanBufferBuilder::new(prints.len());
            bits.append_n(prints.len(), false);
            bits
        });
        let inserted = |row: usize| batch.changes.get(row) == Some(&RowChange::Inserted);
        gone.came(prints, inserted, |row, came| match came {
            Came::Moved => moved.set_bit(row, true),
            Came::Changed => changed.set_bit(row, true),
        });
        let (moved, changed) = (moved.finish(), changed.finish());
        let new = changed.count_set_bits();
        let changed = if new > 0 { Some(batch.only(changed)) } else { None };
        Ok(Self {
            came: new + moved.count_set_bits(),
            changed: changed.transpose().map_err(|e| internal(e.to_string()))?,
            moved,
        })
    }
}

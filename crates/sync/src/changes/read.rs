//! Reading changes: what becomes of each key, and the rows that say so on their way to PostgreSQL.

use super::Unclear;
use super::ahead::{Kept, Made, Wanted, in_order};
use super::encoded::{EncodedRows, Encoding};
use super::fold::{Fold, Verdict};
use super::print::Printer;
use super::rewritten::{Effort, leave_out_moved};
use crate::SyncError;
use crate::load::{Outlet, Sender};
use crate::progress::Progress;
use arrow_buffer::BooleanBuffer;
use lakefront_lake::{ChangeKind, ChangePlan, RowChange};
use lakefront_model::{SyncedTableSpec, TableMapping, Version};
use lakefront_postgres::changes::Fate;
use lakefront_postgres::difference::Counts;
use lakefront_postgres::encode::CopyRow;
use std::ops::Range;
use std::sync::Arc;

/// Bytes of rows, decoded or encoded, that are kept from the first reading for the second; beyond, files are read again.
pub(super) const KEPT_BYTES: usize = 32 << 20;

/// Reads a range of changes. Rows go to `chunks` with their marks; returns how many of each fate. Blocks.
pub(super) fn read(
    plan: &ChangePlan,
    spec: &SyncedTableSpec,
    mapping: &Arc<TableMapping>,
    chunks: Sender,
    progress: &Progress,
) -> Result<Counts, Unclear> {
    let encoding = Encoding::new(&plan.schema, mapping, spec.nul_byte)?;
    let mut reader = Reader {
        plan,
        encoding: &encoding,
        printer: Printer::new(mapping),
        fold: Fold::new(plan.replaced_rows),
        room: KEPT_BYTES,
        outlet: Outlet::new(chunks),
        counts: Counts::default(),
        progress,
    };
    reader.run()?;
    reader.outlet.send().map_err(SyncError::from)?;
    Ok(reader.counts)
}

struct Reader<'a> {
    plan: &'a ChangePlan,
    encoding: &'a Encoding,
    printer: Printer,
    fold: Fold,
    /// bytes of rows that may still be kept
    room: usize,
    outlet: Outlet,
    counts: Counts,
    progress: &'a Progress,
}

/// What rows are read for.
#[derive(Clone, Copy)]
enum Reading {
    /// what happened to each key
    Gather,
    /// rows that the last commit inserts, read once
    Tail,
    /// each key's last word, of rows that were gathered
    Settle,
}

impl<'a> Reader<'a> {
    fn run(&mut self) -> Result<(), Unclear> {
        let mut head = self.units()?;
        let last = self.plan.units.last().map(|unit| unit.version);
        let is_tail =
            |kept: &&Kept<'_>| Some(kept.unit.version) == last && kept.unit.kind == ChangeKind::Inserted;
        let tail = head.iter().rev().take_while(is_tail).count();
        let mut tail = head.split_off(head.len() - tail);
        loop {
            self.gather(&mut head)?;
            if self.fold.is_broken() {
                return Err(contradiction());
            }
            self.read_all(&tail.iter().collect::<Vec<_>>(), Reading::Tail, |_, _| {})?;
            tail.iter_mut().for_each(|kept| kept.is_read = true);
            if self.fold.is_broken() {
                return Err(contradiction());
            }
            let unsettled = self.unsettled(&head);
            self.read_all(&unsettled, Reading::Settle, |_, _| {})?;
            if !self.fold.next_pass() {
                return Ok(());
            }
        }
    }

    /// The units with rows that really changed. Where files were rewritten, most rows may only have moved.
    fn units(&mut self) -> Result<Vec<Kept<'a>>, Unclear> {
        let mut units = Vec::new();
        for of_commit in self.plan.units.chunk_by(|a, b| a.version == b.version) {
            let mut these: Vec<Kept<'a>> = of_commit.iter().map(Kept::new).collect();
            let has = |kind: ChangeKind| of_commit.iter().any(|unit| unit.kind == kind);
            if has(ChangeKind::Deleted) && has(ChangeKind::Inserted) {
                let effort = Effort::WhilePromising;
                leave_out_moved(&mut these, &self.printer, &mut self.room, effort, self.progress)?;
                if of_commit.len() == self.plan.units.len() {
                    self.need_keys_only(&mut these);
                }
            }
            units.append(&mut these);
        }
        Ok(units)
    }

    /// In a range of one commit no row can become again what it was. So of the rows that went, the keys say all there is
    /// to know, as long as those keys came back with other values; where rows are really gone they are read after all.
    fn need_keys_only(&self, units: &mut [Kept<'_>]) {
        let rows = |units: &[Kept<'_>], kind: ChangeKind| -> usize {
            let of_kind = units.iter().filter(|kept| kept.unit.kind == kind);
            of_kind.filter_map(|kept| kept.only.as_ref()).map(BooleanBuffer::count_set_bits).sum()
        };
        if rows(units, ChangeKind::Deleted) > rows(units, ChangeKind::Inserted) {
            return;
        }
        for kept in units.iter_mut().filter(|kept| kept.unit.kind == ChangeKind::Deleted) {
            kept.keys = kept.unit.narrowed(self.encoding.key_columns());
        }
    }

    /// The first reading, which keeps what there is room for.
    fn gather(&mut self, head: &mut [Kept<'_>]) -> Result<(), Unclear> {
        let units: Vec<&Kept<'_>> = head.iter().collect();
        let mut found: Vec<Option<Vec<EncodedRows>>> = units.iter().map(|_| Some(Vec::new())).collect();
        let mut room = self.room;
        self.read_all(&units, Reading::Gather, |place, rows| {
            if units.get(place).is_some_and(|kept| kept.keys.is_some()) {
                return;
            }
            room = room.saturating_sub(rows.memory());
            match found.get_mut(place) {
                Some(Some(found)) if room > 0 => found.push(rows),
                Some(found) => *found = None,
                None => {}
            }
        })?;
        for (kept, found) in head.iter_mut().zip(found) {
            kept.is_read = true;
            if kept.rows.is_none() && kept.keys.is_none() && found.is_some() {
                kept.rows = found;
                let batches = kept.batches.take().unwrap_or_default();
                room += batches.iter().map(|batch| batch.rows.get_array_memory_size()).sum::<usize>();
            }
        }
        self.room = room;
        Ok(())
    }

    /// Units that may hold a key's last word which was not given yet.
    fn unsettled<'k, 'u>(&self, head: &'k [Kept<'u>]) -> Vec<&'k Kept<'u>> {
        let (inserted, deleted) =
            (self.fold.is_open(RowChange::Inserted), self.fold.is_open(RowChange::Deleted));
        let may_have = |kept: &&Kept<'_>| match kept.unit.kind {
            ChangeKind::Deleted => deleted,
            ChangeKind::Inserted => inserted,
            ChangeKind::Recorded => inserted || deleted,
        };
        head.iter().filter(may_have).collect()
    }

    /// Goes through the rows of units in order. Those that were not kept are given to `keep` with their unit's place.
    fn read_all(
        &mut self,
        units: &[&Kept<'_>],
        reading: Reading,
        mut keep: impl FnMut(usize, EncodedRows),
    ) -> Result<(), Unclear> {
        let (encoding, progress) = (self.encoding, self.progress);
        let mut first = 0;
        let is_alike = |a: &&Kept<'_>, b: &&Kept<'_>| {
            a.rows.is_none() && b.rows.is_none() && a.keys.is_some() == b.keys.is_some()
        };
        for run in units.chunk_by(is_alike) {
            if let [Kept { unit, rows: Some(rows), .. }] = run {
                rows.iter().try_for_each(|rows| self.rows(unit.version, rows, reading))?;
            } else {
                let each = |place: usize, rows: EncodedRows| {
                    let version = run.get(place).map(|kept| kept.unit.version).unwrap_or_default();
                    self.rows(version, &rows, reading)?;
                    keep(first + place, rows);
                    Ok::<(), Unclear>(())
                };
                let has_keys = run.first().is_some_and(|kept| kept.keys.is_some());
                let keys_only = has_keys && matches!(reading, Reading::Gather);
                let wanted = if keys_only { Wanted::Keys } else { Wanted::Rows };
                let encode = |batch| {
                    if keys_only { encoding.encode_keys(&batch) } else { encoding.encode(&batch) }
                };
                in_order(run, wanted, encode, each, |over| count_bytes(progress, run, over))?;
            }
            first += run.len();
        }
        Ok(())
    }

    fn rows(&mut self, version: Version, rows: &EncodedRows, reading: Reading) -> Result<(), Unclear> {
        let commit = self.commit(version);
        for (row, encoded) in rows.iter() {
            let verdict = match reading {
                Reading::Gather => {
                    self.fold.add(row.key, row.row, commit, row.change);
                    Verdict::Pass
                }
                Reading::Tail => self.fold.settle_inserted(row.key, row.row, commit),
                Reading::Settle => self.fold.settle(row.key, commit, row.change),
            };
            send(encoded, verdict, &mut self.outlet, &mut self.counts, self.progress)?;
        }
        Ok(())
    }

    fn commit(&self, version: Version) -> u32 {
        let first = self.plan.units.first().map_or(version, |unit| unit.version);
        u32::try_from(version.saturating_sub(first)).unwrap_or(u32::MAX)
    }
}

/// Counts units that were read for the first time.
pub(super) fn count_bytes(progress: &Progress, units: &[&Kept<'_>], over: Range<usize>) {
    let read = units.iter().take(over.end).skip(over.start).filter(|kept| !kept.is_read);
    progress.add_bytes(read.map(|kept| kept.unit.bytes()).sum());
}

/// Sends a row with what becomes of it.
pub(super) fn send(
    row: CopyRow<'_>,
    verdict: Verdict,
    outlet: &mut Outlet,
    counts: &mut Counts,
    progress: &Progress,
) -> Result<(), SyncError> {
    let (fate, count) = match verdict {
        Verdict::Pass => return Ok(()),
        Verdict::Insert => (Fate::Insert, &mut counts.inserted),
        Verdict::Update => (Fate::Update, &mut counts.updated),
        Verdict::Delete => (Fate::Delete, &mut counts.deleted),
    };
    *count += 1;
    progress.add_rows(1);
    row.put_marked(fate.mark(), outlet.buffer().0);
    Ok(outlet.send_full()?)
}

fn contradiction() -> Unclear {
    Unclear::Changes(
        "the changes of a key contradict each other, as when the source holds it more than once".to_owned(),
    )
}

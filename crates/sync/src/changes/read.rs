//! Reading changes: what becomes of each key, and the rows that say so on their way to PostgreSQL.

use super::Unclear;
use super::ahead::{Kept, in_order};
use super::fold::{Fingerprint, Fold, Verdict};
use super::print::Printer;
use super::rewritten::{Effort, leave_out_moved};
use crate::SyncError;
use crate::load::{Outlet, Sender};
use crate::progress::Progress;
use lakefront_lake::{ChangeBatch, ChangeKind, ChangePlan, RowChange};
use lakefront_model::{SyncedTableSpec, TableMapping, Version};
use lakefront_postgres::changes::Fate;
use lakefront_postgres::difference::Counts;
use lakefront_postgres::encode::{CopyBuffer, CopyRow, RowEncoder};
use std::ops::Range;
use std::sync::Arc;
use twox_hash::XxHash3_64;

/// Bytes of decoded rows that are kept from the first reading for the second; beyond, files are read again.
pub(super) const KEPT_BYTES: usize = 32 << 20;

/// Reads a range of changes. Rows go to `chunks` with their marks; returns how many of each fate. Blocks.
pub(super) fn read(
    plan: &ChangePlan,
    spec: &SyncedTableSpec,
    mapping: &Arc<TableMapping>,
    chunks: Sender,
    progress: &Progress,
) -> Result<Counts, Unclear> {
    let encoder = RowEncoder::new(&plan.schema, &mapping.columns, spec.nul_byte)?;
    let mut reader = Reader {
        plan,
        encoder,
        printer: Printer::new(mapping),
        key: mapping.key.clone(),
        fold: Fold::new(plan.replaced_rows),
        room: KEPT_BYTES,
        row: CopyBuffer::default(),
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
    encoder: RowEncoder,
    printer: Printer,
    key: Vec<usize>,
    fold: Fold,
    /// bytes of decoded rows that may still be kept
    room: usize,
    row: CopyBuffer,
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
        let tail = head.split_off(head.len() - tail);
        loop {
            self.gather(&mut head)?;
            if self.fold.is_broken() {
                return Err(contradiction());
            }
            self.read_all(&tail.iter().collect::<Vec<_>>(), Reading::Tail)?;
            if self.fold.is_broken() {
                return Err(contradiction());
            }
            let unsettled = self.unsettled(&head);
            self.read_all(&unsettled, Reading::Settle)?;
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
            }
            units.append(&mut these);
        }
        Ok(units)
    }

    /// The first reading, which keeps what there is room for.
    fn gather(&mut self, head: &mut [Kept<'_>]) -> Result<(), Unclear> {
        let units: Vec<&Kept<'_>> = head.iter().collect();
        let mut found: Vec<Option<Vec<ChangeBatch>>> =
            units.iter().map(|kept| kept.batches.is_none().then(Vec::new)).collect();
        let progress = self.progress;
        let each = |place: usize, batch: ChangeBatch| {
            let Some(kept) = units.get(place) else { return Ok(()) };
            self.rows(kept.unit.version, &batch, Reading::Gather)?;
            if kept.batches.is_some() {
                return Ok(());
            }
            self.room = self.room.saturating_sub(batch.rows.get_array_memory_size());
            if let Some(found) = found.get_mut(place) {
                match found {
                    Some(found) if self.room > 0 => found.push(batch),
                    _ => *found = None,
                }
            }
            Ok::<(), Unclear>(())
        };
        in_order(&units, Ok, each, |over| count_bytes(progress, &units, over))?;
        for (kept, found) in head.iter_mut().zip(found) {
            kept.is_read = true;
            if kept.batches.is_none() {
                kept.batches = found;
            }
        }
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

    fn read_all(&mut self, units: &[&Kept<'_>], reading: Reading) -> Result<(), Unclear> {
        let progress = self.progress;
        let counts = matches!(reading, Reading::Tail);
        let each = |place: usize, batch: ChangeBatch| match units.get(place) {
            Some(kept) => self.rows(kept.unit.version, &batch, reading),
            None => Ok::<(), Unclear>(()),
        };
        in_order(units, Ok, each, |over| {
            if counts {
                count_bytes(progress, units, over)
            }
        })
    }

    fn rows(&mut self, version: Version, batch: &ChangeBatch, reading: Reading) -> Result<(), Unclear> {
        let commit = self.commit(version);
        let mut bound = self.encoder.bind(&batch.rows)?;
        for (place, &change) in batch.changes.iter().enumerate() {
            let encoded = bound.encode_one(place, &mut self.row).map_err(|row| cannot_be_held(&row))?;
            let (key, row) = fingerprints(encoded, &self.key);
            let verdict = match reading {
                Reading::Gather => {
                    self.fold.add(key, row, commit, change);
                    Verdict::Pass
                }
                Reading::Tail => self.fold.settle_inserted(key, row, commit),
                Reading::Settle => self.fold.settle(key, commit, change),
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

/// The key's and the row's fingerprints: of the bytes that PostgreSQL gets, so that what is the same there is the same.
pub(super) fn fingerprints(row: CopyRow<'_>, key: &[usize]) -> (Fingerprint, Fingerprint) {
    let mut fingerprint = 0;
    let last = key.iter().max().map_or(0, |last| last + 1);
    for (place, field) in row.fields().take(last).enumerate() {
        if key.contains(&place) {
            fingerprint = XxHash3_64::oneshot_with_seed(fingerprint, field.unwrap_or_default());
        }
    }
    (fingerprint, XxHash3_64::oneshot(row.bytes()))
}

pub(super) fn cannot_be_held(row: &lakefront_postgres::encode::RejectedRow) -> Unclear {
    Unclear::Changes(format!(
        "a changed row cannot be copied as it is (column \"{}\": {})",
        row.column, row.cause
    ))
}

fn contradiction() -> Unclear {
    Unclear::Changes(
        "the changes of a key contradict each other, as when the source holds it more than once".to_owned(),
    )
}

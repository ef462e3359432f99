//! Reading changes: what becomes of each key, and the rows that say so on their way to PostgreSQL.

use super::Unclear;
use super::fold::{Fingerprint, Fold, Verdict};
use crate::SyncError;
use crate::load::{Outlet, Sender};
use crate::progress::Progress;
use lakefront_lake::{ChangeBatch, ChangeKind, ChangePlan, ChangeUnit, LakeError, RowChange};
use lakefront_model::{SyncedTableSpec, TableMapping, Version};
use lakefront_postgres::changes::Fate;
use lakefront_postgres::difference::Counts;
use lakefront_postgres::encode::{CopyBuffer, CopyRow, RowEncoder};
use std::sync::Arc;
use twox_hash::XxHash3_64;

/// Bytes of decoded rows that are kept from the first reading for the second; beyond, files are read again.
const KEPT_BYTES: usize = 48 << 20;

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
        key: mapping.key.clone(),
        fold: Fold::new(),
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
    key: Vec<usize>,
    fold: Fold,
    row: CopyBuffer,
    outlet: Outlet,
    counts: Counts,
    progress: &'a Progress,
}

/// A unit, with its rows where they were kept.
struct Kept<'a> {
    unit: &'a ChangeUnit,
    batches: Option<Vec<ChangeBatch>>,
}

impl Kept<'_> {
    fn read(&self) -> Box<dyn Iterator<Item = Result<ChangeBatch, LakeError>> + '_> {
        match &self.batches {
            Some(batches) => Box::new(batches.iter().cloned().map(Ok)),
            None => Box::new(self.unit.read()),
        }
    }
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

impl Reader<'_> {
    fn run(&mut self) -> Result<(), Unclear> {
        let units = &self.plan.units;
        let last = units.last().map(|unit| unit.version);
        let is_tail = |unit: &&ChangeUnit| Some(unit.version) == last && unit.kind == ChangeKind::Inserted;
        let tail = units.iter().rev().take_while(is_tail).count();
        let (head, tail) = units.split_at(units.len() - tail);
        let mut kept: Vec<Kept<'_>> = head.iter().map(|unit| Kept { unit, batches: None }).collect();
        loop {
            self.gather(&mut kept)?;
            if self.fold.is_broken() {
                return Err(contradiction());
            }
            for unit in tail {
                for batch in unit.read() {
                    self.rows(unit.version, &batch?, Reading::Tail)?;
                }
                self.progress.add_bytes(unit.bytes());
            }
            if self.fold.is_broken() {
                return Err(contradiction());
            }
            self.settle(&kept)?;
            if !self.fold.next_pass() {
                return Ok(());
            }
        }
    }

    /// The first reading, which keeps what there is room for.
    fn gather(&mut self, kept: &mut [Kept<'_>]) -> Result<(), Unclear> {
        let mut room = KEPT_BYTES;
        for kept in kept {
            let is_new = kept.batches.is_none();
            let mut found = is_new.then(Vec::new);
            for batch in kept.read() {
                let batch = batch?;
                self.rows(kept.unit.version, &batch, Reading::Gather)?;
                if is_new {
                    room = room.saturating_sub(batch.rows.get_array_memory_size());
                }
                match &mut found {
                    Some(found) if room > 0 => found.push(batch),
                    _ => found = None,
                }
            }
            if is_new {
                kept.batches = found;
                self.progress.add_bytes(kept.unit.bytes());
            }
        }
        Ok(())
    }

    /// The second reading.
    fn settle(&mut self, kept: &[Kept<'_>]) -> Result<(), Unclear> {
        let (inserted, deleted) =
            (self.fold.is_open(RowChange::Inserted), self.fold.is_open(RowChange::Deleted));
        for kept in kept {
            let has_something = match kept.unit.kind {
                ChangeKind::Deleted => deleted,
                ChangeKind::Inserted => inserted,
                ChangeKind::Recorded => inserted || deleted,
            };
            if !has_something {
                continue;
            }
            for batch in kept.read() {
                self.rows(kept.unit.version, &batch?, Reading::Settle)?;
            }
        }
        Ok(())
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
                Reading::Settle => self.fold.settle(key, row, commit, change),
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

/// Sends a row that says a key's last word.
fn send(
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
fn fingerprints(row: CopyRow<'_>, key: &[usize]) -> (Fingerprint, Fingerprint) {
    let mut fingerprint = 0;
    let last = key.iter().max().map_or(0, |last| last + 1);
    for (place, field) in row.fields().take(last).enumerate() {
        if key.contains(&place) {
            fingerprint = XxHash3_64::oneshot_with_seed(fingerprint, field.unwrap_or_default());
        }
    }
    (fingerprint, XxHash3_64::oneshot(row.bytes()))
}

fn cannot_be_held(row: &lakefront_postgres::encode::RejectedRow) -> Unclear {
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

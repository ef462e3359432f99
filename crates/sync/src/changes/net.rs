//! Reading changes of a table whose source may hold a key many times: the rows that it got and lost from the first
//! commit to the last, each of them once. Which row of a key the copy holds is for PostgreSQL to say, which orders them.

use super::Unclear;
use super::ahead::{Kept, Wanted, in_order};
use super::copy::Copied;
use super::encoded::{EncodedRows, Encoding};
use super::fold::{AsIs, Fingerprint, Verdict};
use super::print::Printer;
use super::read::{KEPT_BYTES, count_bytes, send};
use super::rewritten::{Effort, leave_out_moved};
use crate::SyncError;
use crate::load::{Outlet, Sender};
use crate::progress::Progress;
use lakefront_lake::{ChangeKind, ChangePlan, RowChange};
use lakefront_model::{SyncedTableSpec, TableMapping};
use std::collections::HashSet;
use std::hash::BuildHasherDefault;

/// Keys are remembered up to this number, about 70 MiB; beyond, a full copy is the shorter way anyhow.
const MOST_KEYS: usize = 3_600_000;

/// Keys, as fingerprints.
pub(super) type Keys = HashSet<Fingerprint, BuildHasherDefault<AsIs>>;

/// Reads a range of changes. Rows go to `chunks` with their marks. Blocks.
pub(super) fn read(
    plan: &ChangePlan,
    spec: &SyncedTableSpec,
    mapping: &TableMapping,
    chunks: Sender,
    progress: &Progress,
) -> Result<Copied, Unclear> {
    let encoding = Encoding::new(&plan.schema, mapping, spec.nul_byte)?;
    let mut units: Vec<Kept<'_>> = plan.units.iter().map(Kept::new).collect();
    // A row that came in one commit and went in a later one cancels out just as in a file that was rewritten.
    if plan.units.iter().any(|unit| unit.kind != ChangeKind::Inserted) {
        let mut room = KEPT_BYTES;
        leave_out_moved(&mut units, &Printer::new(mapping), &mut room, Effort::All, progress)?;
    }
    let (mut outlet, mut copied) = (Outlet::new(chunks), Copied::default());
    let units: Vec<&Kept<'_>> = units.iter().collect();
    let each = |_, rows: EncodedRows| {
        for (row, encoded) in rows.iter() {
            let verdict = match row.change {
                RowChange::Inserted => Verdict::Insert,
                RowChange::Deleted => {
                    copied.lost.insert(row.key);
                    Verdict::Delete
                }
            };
            send(encoded, verdict, &mut outlet, &mut copied.rows, progress)?;
        }
        if copied.lost.len() > MOST_KEYS {
            return Err(Unclear::Changes("rows of too many keys went".to_owned()));
        }
        Ok::<(), Unclear>(())
    };
    in_order(
        &units,
        Wanted::Rows,
        |batch| encoding.encode(&batch),
        each,
        |over| count_bytes(progress, &units, over),
    )?;
    outlet.send().map_err(SyncError::from)?;
    Ok(copied)
}

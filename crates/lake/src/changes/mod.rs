//! What changed in a table's rows between two versions.
//!
//! Commits are read one by one rather than by the kernel's `TableChanges`, which refuses ranges in which the schema
//! changes, lists the log and builds two snapshots for each range, and has no way where no change data feed is on.
//! All files are read as the newest version reads them, as files that are older than a change of the schema always are.

mod again;
mod commit;
mod density;
mod difference;
mod feed;
mod files;
mod history;
mod unit;

pub use unit::{ChangeBatch, ChangeKind, ChangeUnit, RowChange};

use crate::snapshot::Snapshot;
use crate::{LakeError, ScanOptions};
use arrow_schema::SchemaRef;
use lakefront_model::Version;

/// Where a range of changes begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangeBase {
    /// the version whose rows are known
    pub version: Version,
    /// whether commits after it recorded their changed rows, as far as it knows
    pub has_change_data_feed: bool,
}

/// The changes of a range of commits.
#[derive(Debug)]
pub enum Changes {
    /// what is to be read
    Known(ChangePlan),
    /// the log no longer says: why
    Unknown(String),
}

/// The changed rows of a range of commits: what deleted rows were and what inserted rows are, an update being both.
#[derive(Debug)]
pub struct ChangePlan {
    /// in the order of their versions; within one, deleted rows come first and inserted ones last
    pub units: Vec<ChangeUnit>,
    /// where the changed rows come from
    pub way: ChangeWay,
    /// bytes of all units in their files
    pub bytes: u64,
    /// about how many rows the changes take out or replace, by the statistics in the log; rows that were written again as
    /// they were count where files tell the changes, and a row counts as often as it changed. None where the log does not
    /// tell
    pub replaced_rows: Option<u64>,
    /// columns of the batches: logical names and Arrow types of the newest version, in its order
    pub schema: SchemaRef,
}

/// Where changed rows come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeWay {
    /// the writers recorded them
    Feed,
    /// they are found in the files that commits removed and added, which also hold rows that did not change
    Files,
}

impl Snapshot {
    /// The changes after `base` up to this version.
    ///
    /// # Errors
    /// [`LakeError::CorruptLog`], [`LakeError::Access`] or [`LakeError::Io`].
    pub async fn changes_since(&self, base: ChangeBase, options: ScanOptions) -> Result<Changes, LakeError> {
        let snapshot = self.clone();
        self.table().blocking(move || plan(&snapshot, base, &options)).await
    }
}

/// Why changes cannot be listed.
enum Unlisted {
    /// the log could not be read
    Failed(LakeError),
    /// it was read and does not say enough: why
    Unknown(&'static str),
}

impl From<LakeError> for Unlisted {
    fn from(error: LakeError) -> Self {
        Self::Failed(error)
    }
}

fn plan(snapshot: &Snapshot, base: ChangeBase, options: &ScanOptions) -> Result<Changes, LakeError> {
    match list(snapshot, base, options) {
        Ok(plan) => Ok(Changes::Known(plan)),
        Err(Unlisted::Unknown(why)) => Ok(Changes::Unknown(why.to_owned())),
        Err(Unlisted::Failed(error)) => Err(error),
    }
}

fn list(snapshot: &Snapshot, base: ChangeBase, options: &ScanOptions) -> Result<ChangePlan, Unlisted> {
    let commits = history::read(snapshot, base.version)?;
    again::refuse(snapshot, base.version, &commits)?;
    let density = density::Density::of(&commits);
    let files = files::Files::new(snapshot, options, density)?;
    let mut feed =
        std::iter::once(base.has_change_data_feed).chain(commits.iter().filter_map(|c| c.sets_feed));
    let (way, units) = if feed.all(|on| on) && commits.iter().all(commit::Commit::record_is_sound) {
        (ChangeWay::Feed, feed::units(&files, &commits)?)
    } else {
        (ChangeWay::Files, difference::units(&files, commits)?)
    };
    let bytes = units.iter().map(ChangeUnit::bytes).sum();
    let replaced_rows = units.iter().map(|unit| unit.replaced).sum();
    Ok(ChangePlan { units, way, bytes, replaced_rows, schema: files.schema()? })
}

//! Lists the files of a snapshot and makes units of them.

use super::columns::FileColumns;
use super::file::{DataFile, RowChoice, ScanSource};
use super::partition::logical_columns;
use super::split::{Part, RowGroupSize, split};
use super::{ScanOptions, ScanPlan, ScanUnit};
use crate::kernel_error::{Reading, from_kernel};
use crate::snapshot::{FileStatistics, Snapshot};
use crate::store::Store;
use crate::{Lake, LakeError};
use arrow_schema::{Schema, SchemaRef};
use delta_kernel::Expression;
use delta_kernel::engine::arrow_conversion::TryIntoArrow;
use delta_kernel::scan::state::ScanFile;
use delta_kernel::scan::{Scan, StatsOptions};
use delta_kernel::schema::SchemaRef as KernelSchema;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use url::Url;

/// Footers of large files read at the same time while a scan is planned.
const FOOTERS_AT_ONCE: usize = 8;

/// Adds up a snapshot's files; blocks.
pub(crate) fn statistics(snapshot: &Snapshot) -> Result<FileStatistics, LakeError> {
    let mut sum = FileStatistics { rows: Some(0), ..FileStatistics::default() };
    visit(snapshot, &kernel_scan(snapshot, None)?, &mut |file| {
        sum.files += 1;
        sum.bytes += u64::try_from(file.size).unwrap_or_default();
        sum.rows = sum.rows.zip(rows_of(&file)).map(|(sum, rows)| sum + rows);
        Ok(())
    })?;
    Ok(sum)
}

/// Hands the path of each of a snapshot's files to `each`, as the log has it; blocks.
pub(crate) fn each_path(snapshot: &Snapshot, mut each: impl FnMut(&str)) -> Result<(), LakeError> {
    visit(snapshot, &kernel_scan(snapshot, None)?, &mut |file| {
        each(&file.path);
        Ok(())
    })
}

/// Lists a snapshot's files and divides them; blocks.
pub(crate) fn plan(snapshot: &Snapshot, options: ScanOptions) -> Result<ScanPlan, LakeError> {
    let (wanted, keep) = match &options.projection {
        Some(columns) => {
            let (wanted, keep) = projected(snapshot, columns)?;
            (Some(wanted), keep)
        }
        None => (None, None),
    };
    let reading = Reading::log(snapshot.location());
    let scan = kernel_scan(snapshot, wanted)?;
    let source = Arc::new(ScanSource { keep, ..source_of_scan(snapshot, &scan, &options) });
    let mut rows = Some(0);
    let mut files = Vec::new();
    visit(snapshot, &scan, &mut |file| {
        rows = rows.zip(rows_of(&file)).map(|(sum, rows)| sum + rows);
        let url = source.location.url().join(&file.path).map_err(|e| reading.damaged(e))?;
        let store = store_of(snapshot.table().lake(), &source, &url)?;
        let size = u64::try_from(file.size).unwrap_or_default();
        // The kernel takes an empty text for a value where the column's type is `string`.
        let transform = if file.partition_values.values().any(String::is_empty) {
            let value = |name: &str| file.partition_values.get(name).map(String::as_str);
            let columns = logical_columns(snapshot, &source.logical, value)?;
            columns.map(|columns| Arc::new(Expression::struct_from(columns)))
        } else {
            file.transform
        };
        let choice = RowChoice::Without(file.dv_info);
        let file = DataFile::new(Arc::clone(&source), store, url, size, choice, transform);
        files.push(Arc::new(file));
        Ok(())
    })?;
    let bytes = files.iter().map(|file| file.size()).sum();
    let units = units(files, options.unit_bytes)?;
    Ok(ScanPlan { units, rows, bytes, schema: arrow_schema(&reading, &source)? })
}

/// What all files of a snapshot have in common.
pub(crate) fn source_of(snapshot: &Snapshot, options: &ScanOptions) -> Result<ScanSource, LakeError> {
    Ok(source_of_scan(snapshot, &kernel_scan(snapshot, None)?, options))
}

fn source_of_scan(snapshot: &Snapshot, scan: &Scan, options: &ScanOptions) -> ScanSource {
    ScanSource {
        location: snapshot.location().clone(),
        store: Arc::clone(snapshot.table().store()),
        columns: Arc::new(FileColumns::new(Arc::clone(scan.physical_schema()))),
        logical: Arc::clone(scan.logical_schema()),
        keep: None,
        batch_rows: options.batch_rows.max(1),
        batch_bytes: options.batch_bytes.max(1),
    }
}

/// The store of a data file, which is another one where the table is a clone of a table elsewhere.
pub(crate) fn store_of(lake: &Lake, source: &ScanSource, url: &Url) -> Result<Arc<Store>, LakeError> {
    let table = source.location.url();
    if url.scheme() == table.scheme()
        && url.host_str() == table.host_str()
        && url.username() == table.username()
    {
        return Ok(Arc::clone(&source.store));
    }
    let reading = Reading::log(&source.location);
    if url.scheme() == "file" {
        // A table that somebody else writes must not make this machine read its own files.
        return Err(
            reading.damaged(format!("it names a file of this machine, {}", crate::location::shown(url)))
        );
    }
    lake.store(url, &reading)
}

fn kernel_scan(snapshot: &Snapshot, wanted: Option<KernelSchema>) -> Result<Scan, LakeError> {
    let builder = Arc::clone(snapshot.kernel()).scan_builder();
    // Statistics as JSON give each file's number of rows.
    let scan = builder.with_schema_opt(wanted).with_stats(StatsOptions::json_only()).build();
    scan.map_err(|error| from_kernel(&Reading::log(snapshot.location()), error))
}

fn visit(
    snapshot: &Snapshot,
    scan: &Scan,
    each: &mut dyn FnMut(ScanFile) -> Result<(), LakeError>,
) -> Result<(), LakeError> {
    let fault = |error| from_kernel(&Reading::log(snapshot.location()), error);
    let listing = scan.scan_metadata(snapshot.table().store().engine()).map_err(fault)?;
    for part in listing {
        let gather = |files: &mut Vec<ScanFile>, file| files.push(file);
        let files = part.and_then(|part| part.visit_scan_files(Vec::new(), gather)).map_err(fault)?;
        files.into_iter().try_for_each(&mut *each)?;
    }
    Ok(())
}

/// A file's rows less its deleted ones, when its statistics say how many it has.
fn rows_of(file: &ScanFile) -> Option<u64> {
    let deleted = file.dv_info.cardinality().ok()?.unwrap_or_default();
    file.stats.as_ref()?.num_records.checked_sub(deleted)
}

/// The columns asked for. Where all of them are partition columns, one that files hold is read along, as its number of
/// values is the number of rows; then the second value says how many columns to hand on.
fn projected(snapshot: &Snapshot, columns: &[String]) -> Result<(KernelSchema, Option<usize>), LakeError> {
    let schema = snapshot.schema();
    let mut names = Vec::with_capacity(columns.len() + 1);
    for column in columns {
        let found = schema.find(column).ok_or_else(|| LakeError::NoSuchColumn {
            location: snapshot.location().to_string(),
            column: column.clone(),
            columns: schema.names(),
        })?;
        names.push(found.name.as_str());
    }
    let partitions = snapshot.partition_columns();
    let in_files = |name: &str| !partitions.iter().any(|partition| partition == name);
    let mut keep = None;
    if !names.iter().any(|name| in_files(name)) {
        keep = Some(names.len());
        names.extend(schema.columns.iter().map(|column| column.name.as_str()).find(|name| in_files(name)));
    }
    let projected = snapshot.kernel().schema().project(&names);
    let projected = projected.map_err(|error| from_kernel(&Reading::log(snapshot.location()), error))?;
    Ok((projected, keep))
}

pub(crate) fn arrow_schema(reading: &Reading, source: &ScanSource) -> Result<SchemaRef, LakeError> {
    let schema: Schema = source.logical.as_ref().try_into_arrow().map_err(|e| reading.internal(e))?;
    let kept = schema.fields().iter().take(source.keep.unwrap_or(usize::MAX)).cloned();
    Ok(Arc::new(Schema::new(kept.collect::<Vec<_>>())))
}

/// Makes units of the files: small files are one each, the footers of large ones tell how to divide them.
pub(crate) fn units(files: Vec<Arc<DataFile>>, unit_bytes: u64) -> Result<Vec<ScanUnit>, LakeError> {
    let large: Vec<Arc<DataFile>> = files.iter().filter(|file| file.size() > unit_bytes).cloned().collect();
    let mut sizes: VecDeque<Vec<RowGroupSize>> = row_group_sizes(&large)?.into();
    let mut units = Vec::with_capacity(files.len());
    for file in files {
        let size = file.size();
        if size <= unit_bytes {
            units.push(ScanUnit { file, part: Part::Whole, bytes: size });
            continue;
        }
        let groups = sizes.pop_front().unwrap_or_default();
        // Rows inside a row group are reached by passing over pages, which costs little on a local disk only.
        let parts = split(&groups, unit_bytes, file.is_local());
        // Footers and padding belong to no row group; progress counts whole files.
        let rest = size.saturating_sub(parts.iter().map(|(_, bytes)| bytes).sum());
        let count = parts.len();
        for (index, (part, bytes)) in parts.into_iter().enumerate() {
            let bytes = if index + 1 == count { bytes + rest } else { bytes };
            units.push(ScanUnit { file: Arc::clone(&file), part, bytes });
        }
    }
    Ok(units)
}

/// The row groups of each file, read on several threads as each footer waits for the disk or the store.
fn row_group_sizes(files: &[Arc<DataFile>]) -> Result<Vec<Vec<RowGroupSize>>, LakeError> {
    let queue = Mutex::new(files.iter().enumerate());
    let work = || {
        let mut done = Vec::new();
        loop {
            let Some((index, file)) = queue.lock().unwrap_or_else(PoisonError::into_inner).next() else {
                return Ok(done);
            };
            done.push((index, file.footer()?.row_groups().collect()));
        }
    };
    let mut sizes = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..FOOTERS_AT_ONCE.min(files.len())).map(|_| scope.spawn(work)).collect();
        let mut all: Vec<(usize, Vec<RowGroupSize>)> = Vec::with_capacity(files.len());
        for thread in threads {
            all.extend(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
        }
        Ok::<_, LakeError>(all)
    })?;
    sizes.sort_unstable_by_key(|(index, _)| *index);
    Ok(sizes.into_iter().map(|(_, groups)| groups).collect())
}

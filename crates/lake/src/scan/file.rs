//! A data file of a snapshot and what is needed to read it.

use super::columns::FileColumns;
use super::deletions::ListedRows;
use super::file_bytes::FileBytes;
use super::footer::{Footer, footer_reader};
use super::local::LocalFile;
use super::logical;
use super::remote::{RemoteFile, RemoteSource};
use crate::kernel_error::{Reading, from_io, from_kernel, from_object_store, from_parquet};
use crate::store::{Store, path_of};
use crate::{LakeError, Location};
use bytes::Bytes;
use delta_kernel::object_store::ObjectStoreExt;
use delta_kernel::scan::state::DvInfo;
use delta_kernel::schema::{SchemaRef, StructField};
use delta_kernel::{Expression, ExpressionEvaluator, ExpressionRef};
use parquet::errors::ParquetError;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use url::Url;

/// Bytes fetched from the end of a file in a store in the hope that its footer is within.
const TAIL_BYTES: u64 = 64 << 10;
/// A file that is not larger is read whole with its footer: each read costs more than the bytes.
const SMALL_FILE: u64 = 1 << 20;

/// What all files of one scan have in common.
#[derive(Debug, Clone)]
pub(crate) struct ScanSource {
    pub(crate) location: Location,
    pub(crate) store: Arc<Store>,
    /// columns as the files hold them, without partition columns
    pub(crate) columns: Arc<FileColumns>,
    /// columns as the table has them
    pub(crate) logical: SchemaRef,
    /// only so many of the first logical columns are handed on, where others had to be read too
    pub(crate) keep: Option<usize>,
    pub(crate) batch_rows: usize,
    pub(crate) batch_bytes: usize,
}

/// Which rows of a file are read.
#[derive(Debug, Clone)]
pub(crate) enum RowChoice {
    /// all but those that a deletion vector, if there is one, takes out
    Without(DvInfo),
    /// just those that one deletion vector takes out and another does not
    Only {
        /// the one that takes them out
        deleted_by: DvInfo,
        /// the one that leaves them
        not_by: DvInfo,
    },
}

/// A data file.
#[derive(Debug)]
pub(crate) struct DataFile {
    pub(crate) source: Arc<ScanSource>,
    store: Arc<Store>,
    url: Url,
    name: String,
    size: u64,
    choice: RowChoice,
    transform: Option<ExpressionRef>,
    /// Units of one file that are read at the same time share these; nobody keeps them afterwards.
    footer: Mutex<Weak<Footer>>,
    listed_rows: Mutex<Weak<Vec<u64>>>,
}

impl DataFile {
    pub(crate) fn new(
        source: Arc<ScanSource>,
        store: Arc<Store>,
        url: Url,
        size: u64,
        choice: RowChoice,
        transform: Option<ExpressionRef>,
    ) -> Self {
        let name = name_in(&source.location, &url);
        let (footer, listed_rows) = Default::default();
        Self { source, store, url, name, size, choice, transform, footer, listed_rows }
    }

    /// The same file with only some of the table's columns. None unless each of them is a column of the file.
    pub(crate) fn narrowed(&self, columns: &[usize]) -> Option<Self> {
        let source = &self.source;
        let names = columns.iter().map(|&column| source.logical.fields().nth(column).map(StructField::name));
        let logical = source.logical.project(&names.collect::<Option<Vec<_>>>()?).ok()?;
        let (physical, transform) = match self.transform.as_deref() {
            None => (Arc::clone(&logical), None),
            Some(Expression::Struct(made, None)) => {
                let made = columns.iter().map(|&column| made.get(column)).collect::<Option<Vec<_>>>()?;
                let names = made.iter().map(|made| match made.as_ref() {
                    Expression::Column(name) => name.path().first(),
                    _ => None,
                });
                let physical = source.columns.kernel.project(&names.collect::<Option<Vec<_>>>()?).ok()?;
                (physical, Some(Arc::new(Expression::struct_from(made.into_iter().cloned()))))
            }
            Some(_) => return None,
        };
        let columns = Arc::new(FileColumns::new(physical));
        let source = ScanSource { columns, logical, ..ScanSource::clone(source) };
        Some(self.of_source(source, transform))
    }

    /// The same file with texts as views. None where something is made of its columns.
    pub(crate) fn with_views(&self) -> Option<Self> {
        let source = &self.source;
        if self.transform.is_some() || source.keep.is_some() {
            return None;
        }
        let source = ScanSource { columns: source.columns.with_views(), ..ScanSource::clone(source) };
        Some(self.of_source(source, None))
    }

    fn of_source(&self, source: ScanSource, transform: Option<ExpressionRef>) -> Self {
        let (store, url, choice) = (Arc::clone(&self.store), self.url.clone(), self.choice.clone());
        Self::new(Arc::new(source), store, url, self.size, choice, transform)
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    pub(crate) fn is_local(&self) -> bool {
        self.url.scheme() == "file"
    }

    pub(crate) fn reading(&self) -> Reading {
        Reading::file(&self.source.location, &self.name)
    }

    /// The file's footer, read if no unit in work holds it.
    pub(crate) fn footer(&self) -> Result<Arc<Footer>, LakeError> {
        let mut shared = self.footer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(footer) = shared.upgrade() {
            return Ok(footer);
        }
        let footer = Arc::new(if self.is_local() { self.local_footer()? } else { self.remote_footer()? });
        *shared = Arc::downgrade(&footer);
        Ok(footer)
    }

    fn open_local(&self) -> Result<LocalFile, LakeError> {
        let reading = self.reading();
        let path = self.url.to_file_path().map_err(|()| reading.damaged("its name is not a path"))?;
        LocalFile::open(&path).map_err(|error| from_io(&reading, error))
    }

    fn local_footer(&self) -> Result<Footer, LakeError> {
        let reading = self.reading();
        let file = self.open_local()?;
        let whole = if file.len() <= SMALL_FILE { Some(file.whole(&reading)?) } else { None };
        let bytes = match &whole {
            Some(whole) => FileBytes::held(whole.clone(), reading.clone()),
            None => FileBytes::local(file, reading.clone()),
        };
        let metadata = footer_reader()
            .parse_and_finish(&bytes)
            .map_err(|error| bytes.take_failure().unwrap_or_else(|| from_parquet(&reading, error)))?;
        Footer::new(&reading, metadata, &self.source.columns, whole.map(|whole| (0, whole)))
    }

    fn remote_footer(&self) -> Result<Footer, LakeError> {
        let reading = self.reading();
        let source = self.remote_source()?;
        let size = self.remote_size(&source)?;
        let mut wanted = if size <= SMALL_FILE { size } else { TAIL_BYTES };
        loop {
            let start = size.saturating_sub(wanted);
            let tail: Bytes = source.fetch(std::iter::once(start..size).collect())?.pop().unwrap_or_default();
            let mut reader = footer_reader();
            match reader.try_parse_sized(&tail, size) {
                Ok(()) => {
                    let metadata = reader.finish().map_err(|error| from_parquet(&reading, error))?;
                    return Footer::new(&reading, metadata, &self.source.columns, Some((start, tail)));
                }
                Err(ParquetError::NeedMoreData(needed)) if needed as u64 > wanted => wanted = needed as u64,
                Err(error) => return Err(from_parquet(&reading, error)),
            }
        }
    }

    fn remote_source(&self) -> Result<RemoteSource, LakeError> {
        let reading = self.reading();
        let path = path_of(&self.url).map_err(|error| from_object_store(&reading, error))?;
        Ok(RemoteSource { store: Arc::clone(&self.store), path, reading })
    }

    /// The log's size where it has one.
    fn remote_size(&self, source: &RemoteSource) -> Result<u64, LakeError> {
        if self.size > 0 {
            return Ok(self.size);
        }
        let (objects, path) = (self.store.objects().clone(), source.path.clone());
        let found = self.store.wait_for(async move { objects.head(&path).await });
        let found = found.ok_or_else(|| source.reading.internal("the runtime ended"))?;
        Ok(found.map_err(|error| from_object_store(&source.reading, error))?.size)
    }

    /// Opens the file for reading some of its row groups.
    pub(crate) fn open(&self, footer: &Footer, row_groups: &Range<usize>) -> Result<FileBytes, LakeError> {
        if let Some((0, whole)) = &footer.tail {
            return Ok(FileBytes::held(whole.clone(), self.reading()));
        }
        if self.is_local() {
            return Ok(FileBytes::local(self.open_local()?, self.reading()));
        }
        let source = self.remote_source()?;
        let size = self.remote_size(&source)?;
        Ok(FileBytes::remote(RemoteFile::new(source, size, footer, row_groups), self.reading()))
    }

    /// The rows that are passed over, or the only ones that are read; None when all are.
    pub(crate) fn listed_rows(&self) -> Result<Option<ListedRows>, LakeError> {
        let keep_listed = match &self.choice {
            RowChoice::Without(vector) if !vector.has_vector() => return Ok(None),
            RowChoice::Without(_) => false,
            RowChoice::Only { .. } => true,
        };
        let mut shared = self.listed_rows.lock().unwrap_or_else(PoisonError::into_inner);
        let rows = match shared.upgrade() {
            Some(rows) => rows,
            None => {
                let rows = Arc::new(match &self.choice {
                    RowChoice::Without(vector) => self.rows_of(vector)?,
                    RowChoice::Only { deleted_by, not_by } => {
                        let others = self.rows_of(not_by)?;
                        let mut rows = self.rows_of(deleted_by)?;
                        rows.retain(|row| others.binary_search(row).is_err());
                        rows
                    }
                });
                *shared = Arc::downgrade(&rows);
                rows
            }
        };
        Ok(Some(ListedRows { rows, keep_listed }))
    }

    /// The numbers of the rows that a deletion vector takes out, ascending.
    fn rows_of(&self, vector: &DvInfo) -> Result<Vec<u64>, LakeError> {
        let what = format!("with the deletion vector of {}", self.name);
        let reading = Reading::file(&self.source.location, &what);
        let rows = vector
            .get_row_indexes(self.source.store.engine(), self.source.location.url())
            .map_err(|error| from_kernel(&reading, error))?;
        Ok(rows.unwrap_or_default())
    }

    /// What makes the table's columns of the file's: partition values, logical names. None when they are the same.
    pub(crate) fn evaluator(&self) -> Result<Option<Arc<dyn ExpressionEvaluator>>, LakeError> {
        let Some(transform) = &self.transform else { return Ok(None) };
        let handler = self.source.store.engine().evaluation_handler();
        let (physical, logical) = (&self.source.columns.kernel, &self.source.logical);
        let evaluator = logical::evaluator(handler.as_ref(), physical, transform, logical);
        evaluator.map(Some).map_err(|error| from_kernel(&self.reading(), error))
    }
}

/// A file's name relative to the table where it is inside, else in full.
fn name_in(location: &Location, url: &Url) -> String {
    if let (Some(folder), Ok(file)) = (location.path(), url.to_file_path()) {
        return file.strip_prefix(&folder).unwrap_or(&file).display().to_string();
    }
    let (folder, file) = (path_of(location.url()), path_of(url));
    if let (Ok(folder), Ok(file)) = (folder, file)
        && location.url().host_str() == url.host_str()
        && let Some(parts) = file.prefix_match(&folder)
    {
        return parts.map(|part| part.as_ref().to_owned()).collect::<Vec<_>>().join("/");
    }
    crate::location::shown(url)
}

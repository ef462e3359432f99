//! The commits of a range, read from the log's own files.

use super::Unlisted;
use super::commit::Commit;
use crate::kernel_error::{Reading, from_io, from_object_store};
use crate::snapshot::Snapshot;
use crate::store::path_of;
use crate::table::{LOG, commit_file};
use bytes::Bytes;
use delta_kernel::object_store::ObjectStoreExt;
use futures::{StreamExt, TryStreamExt};
use lakefront_model::Version;
use std::io::ErrorKind;
use std::ops::RangeInclusive;
use std::path::Path;

/// Commits fetched from a store at the same time, as each waits for its answer.
const FETCHED_AT_ONCE: usize = 16;

/// Commits that are worth a thread of their own.
const LEAST_PER_THREAD: usize = 64;

/// What is said when a commit's file is gone.
const CUT: &str = "the source's log no longer has all commits since the last update";

/// The commits after `base` up to the snapshot's version. Blocks.
pub(super) fn read(snapshot: &Snapshot, base: Version) -> Result<Vec<Commit>, Unlisted> {
    let reading = Reading::log(snapshot.location());
    let versions = base + 1..=snapshot.version();
    let log = snapshot.table().log_url()?;
    if let Some(folder) = snapshot.location().path() {
        return read_local(&reading, &folder.join(LOG), versions);
    }
    let mut commits = Vec::new();
    let objects = snapshot.table().store().objects().clone();
    let fetch = async move {
        let fetched = futures::stream::iter(versions).map(|version| {
            let (log, objects) = (log.clone(), objects.clone());
            async move {
                let url = log.join(&commit_file(version));
                let url =
                    url.map_err(|e| object_store::Error::Generic { store: "url", source: Box::new(e) })?;
                match objects.get(&path_of(&url)?).await {
                    Ok(found) => Ok(Some((version, found.bytes().await?))),
                    Err(object_store::Error::NotFound { .. }) => Ok(None),
                    Err(error) => Err(error),
                }
            }
        });
        let all: Option<Vec<(Version, Bytes)>> =
            fetched.buffered(FETCHED_AT_ONCE).try_collect::<Vec<_>>().await?.into_iter().collect();
        Ok::<_, object_store::Error>(all)
    };
    let fetched = snapshot.table().store().wait_for(fetch);
    let fetched = fetched.ok_or_else(|| reading.internal("the runtime ended"))?;
    let fetched = fetched.map_err(|error| from_object_store(&reading, error))?;
    for (version, bytes) in fetched.ok_or(Unlisted::Unknown(CUT))? {
        commits.push(Commit::parse(&reading, version, &bytes)?);
    }
    Ok(commits)
}

fn read_local(
    reading: &Reading,
    log: &Path,
    versions: RangeInclusive<Version>,
) -> Result<Vec<Commit>, Unlisted> {
    let versions: Vec<Version> = versions.collect();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let each = versions.len().div_ceil(threads).max(LEAST_PER_THREAD);
    let read = |versions: &[Version]| -> Result<Vec<Commit>, Unlisted> {
        versions.iter().map(|&version| read_commit(reading, log, version)).collect()
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            versions.chunks(each).skip(1).map(|chunk| scope.spawn(move || read(chunk))).collect();
        let mut commits = read(versions.chunks(each).next().unwrap_or_default())?;
        for thread in threads {
            let read = thread.join();
            commits.append(&mut read.map_err(|_| reading.internal("a thread that read the log ended"))??);
        }
        Ok(commits)
    })
}

fn read_commit(reading: &Reading, log: &Path, version: Version) -> Result<Commit, Unlisted> {
    match std::fs::read(log.join(commit_file(version))) {
        Ok(bytes) => Ok(Commit::parse(reading, version, &bytes)?),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(Unlisted::Unknown(CUT)),
        Err(error) => Err(from_io(reading, error).into()),
    }
}

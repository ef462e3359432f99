//! The commits of a range, read from the log's own files.

use super::commit::Commit;
use crate::LakeError;
use crate::kernel_error::{Reading, from_io, from_object_store};
use crate::snapshot::Snapshot;
use crate::store::path_of;
use bytes::Bytes;
use delta_kernel::object_store::ObjectStoreExt;
use futures::{StreamExt, TryStreamExt};
use lakefront_model::Version;
use std::io::ErrorKind;

/// Commits fetched from a store at the same time, as each waits for its answer.
const FETCHED_AT_ONCE: usize = 16;

/// The commits after `base` up to the snapshot's version; None when the log has no longer all of them. Blocks.
pub(super) fn read(snapshot: &Snapshot, base: Version) -> Result<Option<Vec<Commit>>, LakeError> {
    let reading = Reading::log(snapshot.location());
    let versions = base + 1..=snapshot.version();
    let log = snapshot.table().log_url()?;
    let mut commits = Vec::new();
    if let Some(folder) = snapshot.location().path() {
        for version in versions {
            match std::fs::read(folder.join("_delta_log").join(file_name(version))) {
                Ok(bytes) => commits.push(Commit::parse(&reading, version, &bytes)?),
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(from_io(&reading, error)),
            }
        }
        return Ok(Some(commits));
    }
    let objects = snapshot.table().store().objects().clone();
    let fetch = async move {
        let fetched = futures::stream::iter(versions).map(|version| {
            let (log, objects) = (log.clone(), objects.clone());
            async move {
                let url = log.join(&file_name(version));
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
    let Some(fetched) = fetched.map_err(|error| from_object_store(&reading, error))? else { return Ok(None) };
    for (version, bytes) in fetched {
        commits.push(Commit::parse(&reading, version, &bytes)?);
    }
    Ok(Some(commits))
}

/// A commit's file (Delta protocol, section "Delta Log Entries").
fn file_name(version: Version) -> String {
    format!("{version:020}.json")
}

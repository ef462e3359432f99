//! Watching the sources of tables that are refreshed together.

use crate::session::Seen;
use futures::future::select_all;
use lakefront_lake::{LakeError, Watch};

/// A watch for each source, made when they are first waited for.
#[derive(Default)]
pub(crate) struct Watches(Vec<Watch>);

impl Watches {
    /// Returns when one of the sources, of which there must be one at least, is no longer as it was seen. After an error
    /// the watches are made anew.
    pub(crate) async fn changed(&mut self, seen: &[Seen]) -> Result<(), LakeError> {
        if self.0.is_empty() {
            self.0.extend(seen.iter().map(|seen| Watch::new(seen.source.table.clone())));
        }
        let changes = self.0.iter_mut().zip(seen);
        let changes = changes.map(|(watch, seen)| Box::pin(watch.changed(&seen.snapshot)));
        let (changed, ..) = select_all(changes).await;
        if changed.is_err() {
            self.0.clear();
        }
        changed
    }
}

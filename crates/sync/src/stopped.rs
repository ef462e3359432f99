//! A failure of one of the tables that are refreshed together.

use crate::{RefreshRequest, SyncError};

/// A member that could not be refreshed, which stops the others.
#[derive(Debug)]
pub(crate) struct Stopped {
    /// its place
    pub member: usize,
    pub error: SyncError,
}

impl Stopped {
    /// What no member is to blame for is the first one's, and the others are told of it.
    pub(crate) fn first(error: SyncError) -> Self {
        Self { member: 0, error }
    }

    /// The error as a member's own.
    pub(crate) fn error_of(&self, member: usize, requests: &[RefreshRequest]) -> SyncError {
        let error = self.error.clone();
        let failed = requests.get(self.member).filter(|_| member != self.member);
        let Some(RefreshRequest { spec, .. }) = failed else { return error };
        SyncError {
            message: format!("held back, since {} of the same pipeline failed: {error}", spec.name),
            causes: Vec::new(),
            hint: format!("the tables of an atomic pipeline go on together once {} does", spec.name),
            ..error
        }
    }
}

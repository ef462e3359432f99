//! The difference between a stage and the live table: counted to verify, applied to refresh.
//!
//! Values are compared by their stored bytes (`record_image_ops`, PostgreSQL manual 9.25.6), not by their types' `=`,
//! which takes `-0` for `0` and a jsonb `1.0` for `1`. The rows are cast to `record`, since two plain row constructors are
//! compared column by column with an operator of the columns' types.

mod apply;
mod compare;

pub(crate) use apply::differs;
pub use apply::{Counts, apply, replace_all};
pub use compare::{Comparison, Disagreement, compare};

//! Tables: the stage that new data is copied into, the live table, and how one becomes the other.

mod alter;
mod change;
mod comments;
mod live;
mod publish;
mod shape;
mod stage;
mod views;

pub use alter::{DroppedColumn, add_generated_columns, alter, drop_column};
pub use change::ShapeChange;
pub use comments::follow_source_comments;
pub use live::{drop_live, hand_over};
pub use publish::{grant_readers, publish};
pub use shape::{ColumnShape, TableShape, shape_of};
pub use stage::{Pgvector, Rejected, Stage, StageKind, ensure_pgvector};

//! Tables: the stage that new data is copied into, the live table, and how one becomes the other.

mod comments;
mod live;
mod publish;
mod shape;
mod stage;

pub use comments::follow_source_comments;
pub use live::{drop_live, hand_over};
pub use publish::{grant_readers, publish};
pub use shape::{
    ColumnShape, DroppedColumn, ShapeChange, TableShape, add_generated_columns, add_missing_columns,
    drop_column, shape_of,
};
pub use stage::{Pgvector, Rejected, Stage, StageKind, ensure_pgvector};

//! The nouns of Lakefront: names, versions, schemas, the mapping of Delta types to PostgreSQL types,
//! the wanted state of a synced table and the conditions under which one stops. No I/O, no async.

mod condition;
mod delta_type;
mod mapping;
mod name;
mod pg_type;
mod pipeline;
mod policy;
mod schedule;
mod schema;
mod spec;
mod threshold;
mod trigger;
mod type_override;

pub use condition::Condition;
pub use delta_type::{DeltaType, StructField};
pub use mapping::{MappingError, TableMapping, TargetColumn, map_schema};
pub use name::{NameError, QualifiedName, TableName, parse_identifiers};
pub use pg_type::PgType;
pub use pipeline::Pipeline;
pub use policy::{NulBytePolicy, RowPolicy, SchedulingPolicy};
pub use schedule::{Schedule, ScheduleError};
pub use schema::{SourceColumn, SourceSchema};
pub use spec::{GeneratedColumn, NotNull, SyncedTableSpec};
pub use threshold::FullRefreshThreshold;
pub use trigger::Trigger;
pub use type_override::{OverrideError, OverrideType, TypeOverride};

/// A Delta commit version: 0 for the commit that made the table, one more for each commit after it.
pub type Version = u64;

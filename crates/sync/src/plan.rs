//! Planning: a pure function of what is wanted, what the ledger says, what PostgreSQL holds and what the source is.

use crate::SyncError;
use lakefront_model::{Condition, SourceSchema, TableMapping, Version};
use lakefront_postgres::table::{ShapeChange, TableShape};

/// All that a plan depends on.
#[derive(Debug)]
pub struct Facts<'a> {
    /// the last version applied, with the table id it belongs to
    pub checkpoint: Option<(Version, Option<&'a str>)>,
    /// the live table, None where there is none
    pub live: Option<&'a TableShape>,
    /// the source's newest version and table id
    pub source: (Version, &'a str),
    /// the source's columns
    pub schema: &'a SourceSchema,
    /// the wanted shape
    pub mapping: &'a TableMapping,
    /// the source's schema at the checkpoint
    pub before: Option<&'a SourceSchema>,
    /// columns that the source lost and that could not be dropped so far
    pub kept_columns: &'a [String],
    /// whether rows are set aside
    pub quarantined: bool,
    /// whether the source is at another place than at the checkpoint: a copy of a table has the same table id
    pub moved: bool,
    /// whether the checkpoint's commit has been written again, or on, since it was applied
    pub revised: bool,
    /// whether somebody asked for a full refresh
    pub full: bool,
    /// why the table's declaration or state allows full copies only, where it does
    pub only_full: Option<&'static str>,
    /// whether the declaration changed since the last refresh in what the rows depend on
    pub respecified: bool,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// the copy is at the source's newest version
    Nothing,
    /// no copy yet: copy everything, and the stage becomes the table
    Create {
        /// why everything is copied
        reason: &'static str,
    },
    /// a copy is there, and the source has new commits: apply what they changed
    Apply {
        /// the version that the copy is at
        base: Version,
        /// how the live table is to change
        change: ShapeChange,
    },
    /// a copy is there: copy everything, and the difference is applied to it
    Replace {
        /// why everything is copied
        reason: &'static str,
        /// how the live table is to change
        change: ShapeChange,
    },
}

impl Plan {
    /// Whether there is nothing to do.
    pub fn is_nothing(&self) -> bool {
        *self == Self::Nothing
    }
}

/// `r` in pg_class.relkind: an ordinary table.
const ORDINARY_TABLE: i8 = b'r' as i8;

/// Decides.
///
/// # Errors
/// When the live table is not Lakefront's, or its key or a column's type would have to change.
pub fn plan(facts: &Facts<'_>) -> Result<Plan, SyncError> {
    let Some(live) = facts.live else {
        let reason = if facts.checkpoint.is_some() { "the copy was dropped" } else { "first copy" };
        return Ok(Plan::Create { reason });
    };
    let Some((version, table_id)) = facts.checkpoint else {
        return Err(SyncError::new(
            Condition::ResourceConflict,
            "a table of this name is there already, and it is not a synced table",
            "choose another name, or drop or rename the table that is there",
        ));
    };
    if live.relkind != ORDINARY_TABLE {
        return Err(SyncError::new(
            Condition::ResourceConflict,
            "something else than an ordinary table took the copy's name",
            "drop or rename it; the next refresh copies the table again",
        ));
    }
    let change = live.change_to(facts.mapping, facts.schema, facts.before, facts.kept_columns);
    if change.key_changed {
        return Err(SyncError::new(
            Condition::ChangedPrimaryKey,
            format!(
                "the copy's primary key is ({}), and ({}) is wanted",
                live.primary_key.join(", "),
                facts.mapping.key_names().join(", ")
            ),
            "delete the synced table with --purge and make it again with the new key; the last good data stays until then",
        ));
    }
    if let Some((column, found, wanted)) = change.retyped.first() {
        let condition = if live.primary_key.contains(column) {
            Condition::ChangedPrimaryKeyColumnType
        } else {
            Condition::ColumnTypeChangeNotSupported
        };
        return Err(SyncError::new(
            condition,
            format!("column \"{column}\" is {found} in the copy, and {wanted} is wanted"),
            "delete the synced table with --purge and make it again; the last good data stays until then",
        ));
    }
    let (source_version, source_id) = facts.source;
    let replaced = table_id.is_some_and(|id| id != source_id);
    let reason = match facts.only_full {
        _ if facts.full => "a full refresh was asked for",
        _ if replaced => "the source was replaced by a new table",
        _ if facts.moved => "the source is at another place",
        _ if facts.revised => "the commit that was applied last has been written again",
        _ if source_version < version => "the source went back to an earlier version",
        _ if facts.respecified => "the declaration changed",
        _ if change.replaced => "a column gave its name to another one at the source",
        _ if change.taken => "the source has a new column whose name a column of the copy had already",
        _ if change.came_back => "a column came back at the source",
        _ if lost_columns(facts, &change.missing) => "the copy lacks columns that it had",
        Some(reason) if source_version > version => reason,
        None if source_version > version && was_reinterpreted(facts) => "a nested type changed at the source",
        None if source_version > version && facts.mapping.timeseries_key.is_some() && reorders(&change) => {
            "a column changed, and all of them say which row of a key is the greatest"
        }
        None if source_version > version && !change.is_none() && facts.quarantined => {
            "a column changed, and rows are set aside"
        }
        None if source_version > version => {
            return Ok(Plan::Apply { base: version, change });
        }
        _ if !change.is_none() => "the copy's columns differ from the source's",
        _ => return Ok(Plan::Nothing),
    };
    Ok(Plan::Replace { reason, change })
}

/// Whether columns are missing that are not new at the source: their values are not in its new commits.
fn lost_columns(facts: &Facts<'_>, missing: &[usize]) -> bool {
    let had = |name: &str| facts.before.is_none_or(|before| before.columns.iter().any(|c| c.name == name));
    missing.iter().filter_map(|&place| facts.mapping.columns.get(place)).any(|column| had(&column.name))
}

/// Whether rows that were the same in the timeseries key may be ordered otherwise now. A new column is NULL in all of
/// them.
fn reorders(change: &ShapeChange) -> bool {
    !(change.renamed.is_empty() && change.widened.is_empty() && change.surplus.is_empty())
}

/// Whether rows that no commit touched look otherwise now: a struct's JSON has a member for each of its fields.
fn was_reinterpreted(facts: &Facts<'_>) -> bool {
    let before = |name: &str| facts.before.and_then(|before| before.columns.iter().find(|c| c.name == name));
    facts.mapping.columns.iter().any(|column| {
        before(&column.name).is_some_and(|was| {
            was.data_type != column.data_type && (was.data_type.is_nested() || column.data_type.is_nested())
        })
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use lakefront_model::{DeltaType, SourceColumn, StructField, SyncedTableSpec, TableName, map_schema};
    use lakefront_postgres::table::ColumnShape;

    fn schema(names: &[&str]) -> SourceSchema {
        let column = |name: &&str| SourceColumn {
            name: (*name).into(),
            physical_name: None,
            column_id: None,
            data_type: DeltaType::Long,
            nullable: true,
            comment: None,
        };
        SourceSchema { columns: names.iter().map(column).collect(), max_column_id: None }
    }

    fn mapping(now: &SourceSchema) -> TableMapping {
        let spec = SyncedTableSpec::new(TableName::parse("s.t").unwrap(), "x", vec!["id".into()]);
        map_schema(now, &spec).unwrap()
    }

    /// A source that changed its columns, and no copy.
    fn facts<'a>(before: &'a SourceSchema, now: &'a SourceSchema, mapping: &'a TableMapping) -> Facts<'a> {
        Facts {
            checkpoint: None,
            live: None,
            source: (1, "a"),
            schema: now,
            mapping,
            before: Some(before),
            kept_columns: &[],
            quarantined: false,
            moved: false,
            revised: false,
            full: false,
            only_full: None,
            respecified: false,
        }
    }

    fn shape(columns: &[(&str, &str)]) -> TableShape {
        TableShape {
            relkind: ORDINARY_TABLE,
            columns: columns
                .iter()
                .map(|(name, sql_type)| ColumnShape {
                    name: (*name).into(),
                    sql_type: (*sql_type).into(),
                    not_null: false,
                    generated: false,
                })
                .collect(),
            primary_key: vec!["id".into()],
            key_name: None,
        }
    }

    fn decide(
        checkpoint: Option<(Version, Option<&str>)>,
        live: Option<&TableShape>,
        source: (Version, &str),
    ) -> Result<Plan, SyncError> {
        // The source had the columns that the copy has.
        let columns = live.map(|live| live.columns.iter().map(|c| c.name.as_str()).collect::<Vec<_>>());
        let (before, now) = (schema(&columns.unwrap_or_default()), schema(&["id", "v"]));
        plan(&Facts { checkpoint, live, source, ..facts(&before, &now, &mapping(&now)) })
    }

    #[test]
    fn nothing_at_the_same_version_of_the_same_table() {
        let live = shape(&[("id", "bigint"), ("v", "bigint")]);
        assert_eq!(decide(Some((3, Some("a"))), Some(&live), (3, "a")).unwrap(), Plan::Nothing);
        let plan = decide(Some((3, Some("a"))), Some(&live), (4, "a"));
        assert!(matches!(plan, Ok(Plan::Apply { base: 3, .. })));
        for source in [(2, "a"), (3, "b"), (4, "b")] {
            assert!(matches!(decide(Some((3, Some("a"))), Some(&live), source), Ok(Plan::Replace { .. })));
        }
    }

    #[test]
    fn a_member_that_is_another_one_has_everything_copied() {
        let member = |physical: &str| StructField {
            physical_name: Some(physical.into()),
            ..StructField::new("a", DeltaType::Long)
        };
        let nested = |physical: &str| {
            let mut nested = schema(&["id", "v"]);
            nested.columns[1].data_type = DeltaType::Struct(vec![member(physical)]);
            nested
        };
        let (before, now) = (nested("p1"), nested("p2"));
        let reinterpreted = |before: &SourceSchema| was_reinterpreted(&facts(before, &now, &mapping(&now)));
        assert!(reinterpreted(&before) && !reinterpreted(&now));
    }

    #[test]
    fn a_foreign_table_is_left_alone() {
        let live = shape(&[("id", "bigint")]);
        assert_eq!(decide(None, Some(&live), (0, "a")).unwrap_err().condition, Condition::ResourceConflict);
    }

    #[test]
    fn columns_come_and_go_and_types_do_not() {
        let live = shape(&[("id", "bigint"), ("old", "text")]);
        let Plan::Apply { change, .. } = decide(Some((3, None)), Some(&live), (4, "a")).unwrap() else {
            unreachable!()
        };
        assert_eq!((change.missing, change.surplus), (vec![1], vec!["old".to_owned()]));
        let live = shape(&[("id", "bigint"), ("v", "integer")]);
        let error = decide(Some((3, None)), Some(&live), (4, "a")).unwrap_err();
        assert_eq!(error.condition, Condition::ColumnTypeChangeNotSupported);
        let live = shape(&[("id", "integer"), ("v", "bigint")]);
        let error = decide(Some((3, None)), Some(&live), (4, "a")).unwrap_err();
        assert_eq!(error.condition, Condition::ChangedPrimaryKeyColumnType);
    }
}

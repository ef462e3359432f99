//! How a table's shape differs from the wanted one: a pure comparison.

use super::TableShape;
use lakefront_model::{SourceColumn, SourceSchema, TableMapping};

/// What columns are called that gave their names up, with a number behind it. A process that ended early may have left one.
const NAMELESS: &str = "lakefront keeps ";

/// How the found table differs from the wanted one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShapeChange {
    /// columns that the source renamed: what they are called, and what they should be
    pub renamed: Vec<(String, String)>,
    /// columns, as places in the mapping, whose type the source widened
    pub widened: Vec<usize>,
    /// columns, as places in the mapping, that the source allows NULL in by now and the table does not
    pub relaxed: Vec<usize>,
    /// wanted columns that are not there, as places in the mapping
    pub missing: Vec<usize>,
    /// columns there that the source no longer has
    pub surplus: Vec<String>,
    /// columns that the source lost earlier and that something depended on; they do not count as a difference
    pub kept: Vec<String>,
    /// columns whose type differs otherwise: name, type found, type wanted
    pub retyped: Vec<(String, String, String)>,
    /// whether a column gave its name to another one, so that its values mean something else now
    pub replaced: bool,
    /// whether a column is new at the source whose name and type a user's own column of the table has
    pub taken: bool,
    /// whether a column is there again that the source had given up, with the values that files still hold
    pub came_back: bool,
    /// whether the primary key differs
    pub key_changed: bool,
}

impl ShapeChange {
    /// Whether the table is as wanted.
    pub fn is_none(&self) -> bool {
        *self == Self { kept: self.kept.clone(), ..Self::default() }
    }
}

impl TableShape {
    /// Compares with what is wanted of a source that has the schema `now` and had `before` at the last checkpoint.
    /// Only columns that came from the source can be surplus: others are their makers' own. `kept` names those that
    /// could not be dropped so far.
    pub fn change_to(
        &self,
        mapping: &TableMapping,
        now: &SourceSchema,
        before: Option<&SourceSchema>,
        kept: &[String],
    ) -> ShapeChange {
        let old = before.map(|before| before.columns.as_slice()).unwrap_or_default();
        let mut change = ShapeChange::default();
        for wanted in &mapping.columns {
            let Some(is) = now.columns.get(wanted.source_index) else { continue };
            let was = old.iter().find(|was| same_column(was, is));
            let namesake = old.iter().find(|was| was.name == wanted.name);
            change.replaced |= was.is_none() && namesake.is_some();
            // A column that was kept for those who need it is the source's, and holds nothing.
            let is_there = self.has(&wanted.name) && !kept.contains(&wanted.name);
            change.taken |= before.is_some() && was.is_none() && namesake.is_none() && is_there;
            change.came_back |= was.is_none() && before.is_some_and(|before| before.may_have_had(is));
            if let Some(was) = was.filter(|was| was.name != wanted.name && self.has(&was.name)) {
                change.renamed.push((was.name.clone(), wanted.name.clone()));
            }
        }
        let mut outlived = Vec::new();
        for (place, wanted) in mapping.columns.iter().enumerate() {
            let renamed = change.renamed.iter().find(|(_, to)| *to == wanted.name).map(|(from, _)| from);
            let called = renamed.unwrap_or(&wanted.name);
            let was = old.iter().find(|was| was.name == *called);
            // A column that takes its name along leaves none for a new one.
            let is_left = |name: &str| {
                renamed.is_some_and(|from| from == name)
                    || !change.renamed.iter().any(|(from, _)| from == name)
            };
            let found = self.columns.iter().find(|c| c.name == *called && is_left(&c.name));
            let is = now.columns.get(wanted.source_index);
            let allows_null = is.is_some_and(|is| is.nullable);
            // What has its name is a column that the source has no longer. A key's column is its own all the same: the key
            // would be another one.
            let is_another = is.is_some_and(|is| !old.iter().any(|was| same_column(was, is)))
                && (was.is_some() || kept.contains(called))
                && !self.primary_key.contains(called);
            let is_relaxed = allows_null && was.is_some_and(|was| !was.nullable) && !wanted.not_null;
            if is_relaxed && found.is_some_and(|found| found.not_null) {
                change.relaxed.push(place);
            }
            match found {
                None => change.missing.push(place),
                Some(found) if found.sql_type == wanted.pg_type.sql() => {}
                Some(_) if was.is_some_and(|was| was.data_type.widens_to(&wanted.data_type)) => {
                    change.widened.push(place);
                }
                Some(found) if is_another => {
                    change.missing.push(place);
                    outlived.push(found.name.clone());
                }
                Some(found) => {
                    change.retyped.push((wanted.name.clone(), found.sql_type.clone(), wanted.pg_type.sql()));
                }
            }
        }
        let stays = |name: &str| {
            change.renamed.iter().any(|(from, _)| from == name)
                || mapping.columns.iter().any(|wanted| wanted.name == name)
        };
        change.surplus = self
            .columns
            .iter()
            .filter(|c| old.iter().any(|was| was.name == c.name) || c.name.starts_with(NAMELESS))
            .filter(|c| !stays(&c.name) && !kept.contains(&c.name))
            .map(|c| c.name.clone())
            .collect();
        change.kept = kept.iter().filter(|name| self.has(name) && !stays(name)).cloned().collect();
        self.make_way(&mut change, outlived, old, kept);
        let renamed = |name: &String| {
            change
                .renamed
                .iter()
                .find(|(from, _)| from == name)
                .map_or_else(|| name.clone(), |(_, to)| to.clone())
        };
        change.key_changed = self.primary_key.iter().map(renamed).collect::<Vec<_>>() != mapping.key_names();
        change
    }

    /// Columns that the source no longer has give their names up to those that are renamed to them, and to new ones of
    /// another type, which outlive them.
    fn make_way(
        &self,
        change: &mut ShapeChange,
        outlived: Vec<String>,
        old: &[SourceColumn],
        kept: &[String],
    ) {
        let is_taken = |to: &str| self.has(to) && !change.renamed.iter().any(|(from, _)| from == to);
        let taken: Vec<String> = change
            .renamed
            .iter()
            .map(|(_, to)| to)
            .filter(|to| is_taken(to))
            .cloned()
            .chain(outlived)
            .collect();
        let mut numbers = 0..;
        for name in taken {
            let free = numbers.by_ref().map(|n| format!("{NAMELESS}{n}")).find(|free| !self.has(free));
            let Some(free) = free else { return };
            if kept.contains(&name) {
                change.kept.push(free.clone());
            } else if old.iter().any(|was| was.name == name) {
                change.surplus.push(free.clone());
            } else {
                // A column of the user's own keeps its name, and the server says that it is taken.
                continue;
            }
            change.renamed.push((name, free));
        }
    }

    fn has(&self, name: &str) -> bool {
        self.columns.iter().any(|c| c.name == name)
    }
}

/// Whether two columns are the same one: with column mapping by the name that never changes (Delta protocol, section
/// "Column Mapping"), else by the only one they have, which is what never changes once mapping is switched on.
fn same_column(was: &SourceColumn, is: &SourceColumn) -> bool {
    match (&was.physical_name, &is.physical_name) {
        (Some(was), Some(is)) => was == is,
        (None, Some(is)) => was.name == *is,
        _ => was.name == is.name,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::table::ColumnShape;
    use lakefront_model::{DeltaType, SyncedTableSpec, TableName, map_schema};

    fn schema(columns: &[(&str, &str, DeltaType)]) -> SourceSchema {
        let column = |(name, physical, data_type): &(&str, &str, DeltaType)| SourceColumn {
            name: (*name).into(),
            physical_name: Some((*physical).into()),
            column_id: None,
            data_type: data_type.clone(),
            nullable: true,
            comment: None,
        };
        SourceSchema { columns: columns.iter().map(column).collect(), max_column_id: None }
    }

    fn compare(live: &[(&str, &str)], was: &SourceSchema, is: &SourceSchema) -> ShapeChange {
        let spec =
            SyncedTableSpec::new(TableName::parse("s.t").unwrap(), "x", vec![is.columns[0].name.clone()]);
        let column = |(name, sql_type): &(&str, &str)| ColumnShape {
            name: (*name).into(),
            sql_type: (*sql_type).into(),
            not_null: false,
            generated: false,
        };
        let shape = TableShape {
            relkind: 0,
            columns: live.iter().map(column).collect(),
            primary_key: vec![live[0].0.into()],
            key_name: None,
        };
        shape.change_to(&map_schema(is, &spec).unwrap(), is, Some(was), &[])
    }

    #[test]
    fn a_renamed_column_is_not_another_one() {
        let was = schema(&[("id", "p1", DeltaType::Long), ("v", "p2", DeltaType::Long)]);
        let is = schema(&[("key", "p1", DeltaType::Long), ("w", "p2", DeltaType::Long)]);
        let change = compare(&[("id", "bigint"), ("v", "bigint"), ("own", "text")], &was, &is);
        let renamed = vec![("id".to_owned(), "key".to_owned()), ("v".to_owned(), "w".to_owned())];
        assert_eq!(change, ShapeChange { renamed, ..ShapeChange::default() });
    }

    #[test]
    fn what_was_renamed_already_is_left_alone() {
        let was = schema(&[("id", "p1", DeltaType::Long), ("v", "p2", DeltaType::Long)]);
        let is = schema(&[("id", "p1", DeltaType::Long), ("w", "p2", DeltaType::Long)]);
        assert!(compare(&[("id", "bigint"), ("w", "bigint")], &was, &is).is_none());
    }

    #[test]
    fn names_can_be_exchanged() {
        let was = schema(&[
            ("id", "p1", DeltaType::Long),
            ("a", "p2", DeltaType::Long),
            ("b", "p3", DeltaType::Long),
        ]);
        let is = schema(&[
            ("id", "p1", DeltaType::Long),
            ("b", "p2", DeltaType::Long),
            ("a", "p3", DeltaType::Long),
        ]);
        let change = compare(&[("id", "bigint"), ("a", "bigint"), ("b", "bigint")], &was, &is);
        assert_eq!(change.renamed.len(), 2);
        assert!(!change.replaced && change.missing.is_empty() && change.surplus.is_empty());
    }

    #[test]
    fn a_lost_column_gives_its_name_up() {
        let was = schema(&[
            ("id", "p1", DeltaType::Long),
            ("a", "p2", DeltaType::Long),
            ("b", "p3", DeltaType::Long),
        ]);
        let is = schema(&[("id", "p1", DeltaType::Long), ("a", "p3", DeltaType::Long)]);
        let change = compare(&[("id", "bigint"), ("a", "bigint"), ("b", "bigint")], &was, &is);
        let pair = |from: &str, to: &str| (from.to_owned(), to.to_owned());
        assert_eq!(change.renamed, [pair("b", "a"), pair("a", "lakefront keeps 0")]);
        assert_eq!(change.surplus, ["lakefront keeps 0"]);
        assert!(!change.replaced && change.missing.is_empty());
    }

    #[test]
    fn a_new_column_may_have_the_name_that_another_one_had() {
        let was = schema(&[("id", "p1", DeltaType::Long), ("a", "p2", DeltaType::Long)]);
        let is = schema(&[
            ("id", "p1", DeltaType::Long),
            ("b", "p2", DeltaType::Long),
            ("a", "p9", DeltaType::String),
        ]);
        let change = compare(&[("id", "bigint"), ("a", "bigint")], &was, &is);
        assert_eq!((change.renamed, change.missing), (vec![("a".to_owned(), "b".to_owned())], vec![2]));
        assert!(change.retyped.is_empty());
    }

    #[test]
    fn columns_are_the_same_when_mapping_is_switched_on() {
        let mut was = schema(&[("id", "", DeltaType::Long), ("a", "", DeltaType::Long)]);
        was.columns.iter_mut().for_each(|column| column.physical_name = None);
        let is = schema(&[("id", "id", DeltaType::Long), ("b", "a", DeltaType::Long)]);
        let change = compare(&[("id", "bigint"), ("a", "bigint")], &was, &is);
        assert_eq!(
            change,
            ShapeChange { renamed: vec![("a".to_owned(), "b".to_owned())], ..ShapeChange::default() }
        );
    }

    #[test]
    fn a_column_that_comes_back_is_told_from_a_new_one() {
        let mut was = schema(&[("id", "p1", DeltaType::Long)]);
        was.max_column_id = Some(2);
        for (number, came_back) in [(2, true), (3, false)] {
            let mut is = schema(&[("id", "p1", DeltaType::Long), ("v", "p2", DeltaType::Long)]);
            is.columns[1].column_id = Some(number);
            let change = compare(&[("id", "bigint")], &was, &is);
            assert_eq!((change.came_back, change.missing), (came_back, vec![1]));
        }
    }

    #[test]
    fn a_new_column_of_an_old_name_is_told() {
        let was = schema(&[("id", "p1", DeltaType::Long), ("v", "p2", DeltaType::Long)]);
        let is = schema(&[("id", "p1", DeltaType::Long), ("v", "p9", DeltaType::Long)]);
        assert!(compare(&[("id", "bigint"), ("v", "bigint")], &was, &is).replaced);
    }

    #[test]
    fn a_new_column_of_another_type_outlives_the_one_of_its_name() {
        let was = schema(&[("id", "p1", DeltaType::Long), ("v", "p2", DeltaType::Long)]);
        let is = schema(&[("id", "p1", DeltaType::Long), ("v", "p9", DeltaType::String)]);
        let change = compare(&[("id", "bigint"), ("v", "bigint")], &was, &is);
        assert_eq!(change.renamed, [("v".to_owned(), "lakefront keeps 0".to_owned())]);
        assert_eq!((change.missing, change.surplus), (vec![1], vec!["lakefront keeps 0".to_owned()]));
        assert!(change.replaced && change.retyped.is_empty());
        let is = schema(&[("id", "p9", DeltaType::String), ("v", "p2", DeltaType::Long)]);
        let change = compare(&[("id", "bigint"), ("v", "bigint")], &was, &is);
        assert_eq!(change.retyped.len(), 1, "a key's column stays what it is");
    }

    #[test]
    fn types_are_widened_and_not_otherwise_changed() {
        let was = schema(&[("id", "p1", DeltaType::Integer), ("v", "p2", DeltaType::Long)]);
        let is = schema(&[("id", "p1", DeltaType::Long), ("v", "p2", DeltaType::String)]);
        let change = compare(&[("id", "integer"), ("v", "bigint")], &was, &is);
        assert_eq!(change.widened, [0]);
        assert_eq!(change.retyped, [("v".to_owned(), "bigint".to_owned(), "text".to_owned())]);
    }
}

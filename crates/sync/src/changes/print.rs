//! Fingerprints of whole rows, column by column, of the values as Arrow has them.
//!
//! Two rows with the same fingerprint are the same. Two with different ones may still be the same for PostgreSQL; then
//! they meet there, and the row is left alone.

use super::fold::Fingerprint;
use arrow_array::cast::AsArray;
use arrow_array::types::ByteArrayType;
use arrow_array::{Array, ArrayRef, GenericByteArray, RecordBatch};
use arrow_buffer::ArrowNativeType;
use arrow_schema::{ArrowError, DataType};
use lakefront_model::TableMapping;
use std::hash::{BuildHasher, Hasher, RandomState};
use twox_hash::XxHash3_64;

/// Makes fingerprints. Each of these makes other ones, so that nobody can choose values that collide.
pub(super) struct Printer {
    columns: Vec<usize>,
    secret: [u64; 2],
}

impl Printer {
    /// Of the columns that the copy has.
    pub(super) fn new(mapping: &TableMapping) -> Self {
        let random = || RandomState::new().build_hasher().finish();
        Self {
            columns: mapping.columns.iter().map(|column| column.source_index).collect(),
            secret: [random(), random()],
        }
    }

    /// One for each row.
    pub(super) fn prints(&self, rows: &RecordBatch) -> Result<Vec<Fingerprint>, ArrowError> {
        let mut prints = vec![0; rows.num_rows()];
        for &column in &self.columns {
            let column = rows.columns().get(column);
            let column = column.ok_or_else(|| ArrowError::SchemaError("a column is missing".to_owned()))?;
            self.add(column, &mut prints)?;
        }
        Ok(prints)
    }

    /// Adds a column's values to what the rows have so far.
    fn add(&self, column: &ArrayRef, prints: &mut [Fingerprint]) -> Result<(), ArrowError> {
        match column.data_type() {
            DataType::Boolean => {
                let values = column.as_boolean().values();
                self.add_each(column, prints, |row| u64::from(values.value(row)));
            }
            DataType::Utf8 => self.add_bytes(column.as_string::<i32>(), prints),
            DataType::Utf8View => {
                let texts = column.as_string_view();
                self.add_each(column, prints, |row| hash(texts.value(row).as_bytes()));
            }
            DataType::Binary => self.add_bytes(column.as_binary::<i32>(), prints),
            DataType::LargeUtf8 => self.add_bytes(column.as_string::<i64>(), prints),
            DataType::LargeBinary => self.add_bytes(column.as_binary::<i64>(), prints),
            DataType::Struct(_) => {
                let mut of_fields = vec![0; column.len()];
                for field in column.as_struct().columns() {
                    self.add(field, &mut of_fields)?;
                }
                self.add_each(column, prints, |row| of_fields.get(row).copied().unwrap_or_default());
            }
            DataType::List(_) => {
                let list = column.as_list::<i32>();
                self.add_lists(column, list.values(), list.value_offsets(), prints)?;
            }
            DataType::Map(..) => {
                let map = column.as_map();
                let entries: ArrayRef = std::sync::Arc::new(map.entries().clone());
                self.add_lists(column, &entries, map.value_offsets(), prints)?;
            }
            other => match other.primitive_width() {
                Some(1) => self.add_numbers::<u8>(column, prints, u64::from),
                Some(2) => self.add_numbers::<u16>(column, prints, u64::from),
                Some(4) => self.add_numbers::<u32>(column, prints, u64::from),
                Some(8) => self.add_numbers::<u64>(column, prints, |value| value),
                Some(16) => self.add_numbers::<i128>(column, prints, |value| {
                    self.mix((value >> 64) as u64, value as u64)
                }),
                _ => return Err(ArrowError::NotYetImplemented(format!("fingerprints of {other}"))),
            },
        }
        Ok(())
    }

    fn add_numbers<T: ArrowNativeType>(
        &self,
        column: &ArrayRef,
        prints: &mut [Fingerprint],
        number: impl Fn(T) -> u64,
    ) {
        let data = column.to_data();
        let values = data.buffer::<T>(0);
        self.add_each(column, prints, |row| values.get(row).map_or(0, |&value| number(value)));
    }

    fn add_bytes<T: ByteArrayType>(&self, column: &GenericByteArray<T>, prints: &mut [Fingerprint]) {
        let bytes = |row| {
            let value: &[u8] = column.value(row).as_ref();
            hash(value)
        };
        self.add_each(column, prints, bytes);
    }

    fn add_lists(
        &self,
        column: &ArrayRef,
        elements: &ArrayRef,
        offsets: &[i32],
        prints: &mut [Fingerprint],
    ) -> Result<(), ArrowError> {
        let mut of_elements = vec![0; elements.len()];
        self.add(elements, &mut of_elements)?;
        let list = |row: usize| {
            let place = |row: usize| offsets.get(row).map_or(0, |offset| offset.as_usize());
            let own = of_elements.get(place(row)..place(row + 1)).unwrap_or_default();
            own.iter().fold(own.len() as u64, |list, &element| self.mix(list, element))
        };
        self.add_each(column, prints, list);
        Ok(())
    }

    fn add_each(&self, column: &dyn Array, prints: &mut [Fingerprint], value: impl Fn(usize) -> u64) {
        match column.logical_nulls() {
            Some(nulls) if nulls.null_count() > 0 => {
                for ((row, print), valid) in prints.iter_mut().enumerate().zip(&nulls) {
                    // What is NULL has a mix of its own, so that no value is taken for it.
                    let mixed = if valid { self.mix(*print, value(row)) } else { !self.mix(!*print, 0) };
                    *print = mixed;
                }
            }
            _ => {
                for (row, print) in prints.iter_mut().enumerate() {
                    *print = self.mix(*print, value(row));
                }
            }
        }
    }

    /// A multiplication to 128 bits whose halves are folded together, as the hashes of the wyhash family do.
    fn mix(&self, a: u64, b: u64) -> u64 {
        let [first, second] = self.secret;
        let product = u128::from(a ^ first) * u128::from(b ^ second);
        (product >> 64) as u64 ^ product as u64
    }
}

/// Of a text's bytes, however it is kept.
fn hash(bytes: &[u8]) -> u64 {
    XxHash3_64::oneshot(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use arrow_array::builder::{Int64Builder, ListBuilder, MapBuilder, StringBuilder};
    use arrow_array::{BooleanArray, Decimal128Array, Int64Array, StringArray, StringViewArray, StructArray};
    use arrow_schema::Field;
    use std::collections::HashSet;
    use std::sync::Arc;

    fn prints(column: ArrayRef) -> Vec<Fingerprint> {
        let printer = Printer { columns: vec![0], secret: [0x1234_5678_9abc_def1, 0x0fed_cba9_8765_4321] };
        printer.prints(&RecordBatch::try_from_iter([("c", column)]).unwrap()).unwrap()
    }

    /// All rows have prints of their own, and a part of the column has the same as within the whole.
    fn all_differ(column: ArrayRef) {
        let all = prints(Arc::clone(&column));
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), column.len(), "{column:?}");
        assert_eq!(prints(column.slice(1, column.len() - 1)), all[1..]);
    }

    #[test]
    fn values_are_told_apart() {
        all_differ(Arc::new(Int64Array::from(vec![Some(0), None, Some(1), Some(-1), Some(i64::MAX)])));
        all_differ(Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)])));
        all_differ(Arc::new(StringArray::from(vec![Some(""), None, Some("a"), Some("\0"), Some("ab")])));
        all_differ(Arc::new(Decimal128Array::from(vec![Some(0), None, Some(1), Some(1 << 64), Some(-1)])));
    }

    #[test]
    fn a_text_is_the_same_however_it_is_kept() {
        let texts = [Some(""), None, Some("a"), Some("a text that is too long for its view")];
        let views: ArrayRef = Arc::new(StringViewArray::from_iter(texts));
        all_differ(Arc::clone(&views));
        assert_eq!(prints(views), prints(Arc::new(StringArray::from_iter(texts))));
    }

    #[test]
    fn nested_values_are_told_apart() {
        let mut lists = ListBuilder::new(Int64Builder::new());
        for list in [Some(vec![]), None, Some(vec![None]), Some(vec![Some(0)]), Some(vec![Some(0), Some(0)])]
        {
            lists.append_option(list);
        }
        let lists = lists.finish();
        all_differ(Arc::new(lists.clone()));

        let mut maps = MapBuilder::new(None, StringBuilder::new(), Int64Builder::new());
        for map in [vec![], vec![("a", 1)], vec![("a", 2)], vec![("b", 1)], vec![("a", 1), ("b", 1)]] {
            for (key, value) in map {
                maps.keys().append_value(key);
                maps.values().append_value(value);
            }
            maps.append(true).unwrap();
        }
        all_differ(Arc::new(maps.finish()));

        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), Some(1), None, Some(2), None]));
        let fields = vec![
            (Arc::new(Field::new("a", DataType::Int64, true)), Arc::clone(&numbers)),
            (Arc::new(Field::new("b", lists.data_type().clone(), true)), Arc::new(lists) as ArrayRef),
        ];
        all_differ(Arc::new(StructArray::from(fields)));
    }

    #[test]
    fn what_lies_under_a_null_does_not_count() {
        let field = Arc::new(Field::new("a", DataType::Int64, true));
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
        let nulls = Some(vec![false, false].into());
        let both = prints(Arc::new(StructArray::new(vec![field].into(), vec![numbers], nulls)));
        assert_eq!(both[0], both[1]);
    }

    #[test]
    fn columns_are_told_apart() {
        let (a, b): (ArrayRef, ArrayRef) =
            (Arc::new(Int64Array::from(vec![1, 2])), Arc::new(Int64Array::from(vec![2, 1])));
        let printer = Printer { columns: vec![0, 1], secret: [11, 12] };
        let prints = printer.prints(&RecordBatch::try_from_iter([("a", a), ("b", b)]).unwrap()).unwrap();
        assert_ne!(prints[0], prints[1]);
    }
}

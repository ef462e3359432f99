//! Where the elements of a list are among its child's values.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use std::ops::Range;

/// The offsets of a list, large list or list of fixed size.
pub(super) enum ListOffsets<'a> {
    Small(&'a [i32]),
    Large(&'a [i64]),
    Fixed(usize),
}

impl<'a> ListOffsets<'a> {
    /// A list's offsets and its child; None for what is no list.
    pub(super) fn of(array: &'a dyn Array) -> Option<(Self, &'a ArrayRef)> {
        Some(match array.data_type() {
            DataType::List(_) => {
                let list = array.as_list::<i32>();
                (Self::Small(list.value_offsets()), list.values())
            }
            DataType::LargeList(_) => {
                let list = array.as_list::<i64>();
                (Self::Large(list.value_offsets()), list.values())
            }
            DataType::FixedSizeList(_, size) => {
                (Self::Fixed(usize::try_from(*size).ok()?), array.as_fixed_size_list().values())
            }
            _ => return None,
        })
    }

    /// The places of one list's elements.
    #[inline]
    pub(super) fn range(&self, row: usize) -> Range<usize> {
        match self {
            Self::Small(offsets) => offsets[row] as usize..offsets[row + 1] as usize,
            Self::Large(offsets) => offsets[row] as usize..offsets[row + 1] as usize,
            Self::Fixed(size) => row * size..(row + 1) * size,
        }
    }
}

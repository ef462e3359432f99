//! Where the fields of an object and the elements of an array are.

use super::super::super::reject::RejectCause;
use super::{malformed, number};

/// An object or an array: a header, the number of parts, the numbers of their names (objects), one offset more
/// than there are parts, the parts.
pub(super) struct Container<'a> {
    len: usize,
    names: &'a [u8],
    name_width: usize,
    offsets: &'a [u8],
    offset_width: usize,
    parts: &'a [u8],
    head_bytes: usize,
}

impl<'a> Container<'a> {
    pub(super) fn object(value: &'a [u8]) -> Result<Self, Box<RejectCause>> {
        let header = value.first().map_or(0, |first| first >> 2);
        Self::parse(value, header & 3, Some(header >> 2 & 3), header & 0x10 != 0)
    }

    pub(super) fn array(value: &'a [u8]) -> Result<Self, Box<RejectCause>> {
        let header = value.first().map_or(0, |first| first >> 2);
        Self::parse(value, header & 3, None, header & 4 != 0)
    }

    fn parse(
        value: &'a [u8],
        offset_width: u8,
        name_width: Option<u8>,
        large: bool,
    ) -> Result<Self, Box<RejectCause>> {
        let cut = || malformed("an object or array ends too early");
        let len_width = if large { 4 } else { 1 };
        let offset_width = usize::from(offset_width) + 1;
        let name_width = name_width.map_or(0, |width| usize::from(width) + 1);
        let len = number(value, 1, len_width).ok_or_else(cut)?;
        // A width is at most 4 and a length at most 2³², so none of these overflows 64 bits.
        let names_at = 1 + len_width;
        let offsets_at = names_at + len * name_width;
        let parts_at = offsets_at + (len + 1) * offset_width;
        let names = value.get(names_at..offsets_at).ok_or_else(cut)?;
        let offsets = value.get(offsets_at..parts_at).ok_or_else(cut)?;
        let parts = value.get(parts_at..).unwrap_or_default();
        Ok(Self { len, names, name_width, offsets, offset_width, parts, head_bytes: parts_at })
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// How many bytes come before the parts.
    pub(super) fn head_bytes(&self) -> usize {
        self.head_bytes
    }

    /// The number of a field's name.
    pub(super) fn name(&self, place: usize) -> Result<usize, Box<RejectCause>> {
        number(self.names, place * self.name_width, self.name_width)
            .ok_or_else(|| malformed("an object has no name for a field"))
    }

    /// The bytes from a part's first on: a value knows its own length.
    pub(super) fn value(&self, place: usize) -> Result<&'a [u8], Box<RejectCause>> {
        number(self.offsets, place * self.offset_width, self.offset_width)
            .and_then(|offset| self.parts.get(offset..))
            .ok_or_else(|| malformed("a value lies outside its object or array"))
    }
}

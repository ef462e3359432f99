//! The names of a variant's fields, which are its metadata.

use super::super::super::reject::RejectCause;
use super::{malformed, number};

/// Names by their number.
pub(super) struct Dictionary<'a> {
    width: usize,
    len: usize,
    offsets: &'a [u8],
    names: &'a [u8],
}

impl<'a> Dictionary<'a> {
    /// Reads the header; the names are looked at when they are used.
    pub(super) fn parse(metadata: &'a [u8]) -> Result<Self, Box<RejectCause>> {
        let cut = || malformed("the metadata ends too early");
        let (&header, rest) = metadata.split_first().ok_or_else(cut)?;
        if header & 0x0F != 1 {
            return Err(malformed("the metadata's version is not 1"));
        }
        let width = usize::from(header >> 6) + 1;
        let len = number(rest, 0, width).ok_or_else(cut)?;
        let names_at = len.checked_add(2).and_then(|words| words.checked_mul(width)).ok_or_else(cut)?;
        let offsets = rest.get(width..names_at).ok_or_else(cut)?;
        Ok(Self { width, len, offsets, names: rest.get(names_at..).unwrap_or_default() })
    }

    pub(super) fn get(&self, name: usize) -> Result<&'a str, Box<RejectCause>> {
        if name >= self.len {
            return Err(malformed("a field's name is not in the metadata"));
        }
        let offset = |place: usize| number(self.offsets, place * self.width, self.width);
        let bytes = offset(name).zip(offset(name + 1)).and_then(|(start, end)| self.names.get(start..end));
        let bytes = bytes.ok_or_else(|| malformed("a name lies outside the metadata"))?;
        std::str::from_utf8(bytes).map_err(|_| malformed("a name is not UTF-8"))
    }
}

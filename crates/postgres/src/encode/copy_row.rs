//! One encoded row, looked at again.

use super::buffer::CopyBuffer;

/// A row as a binary COPY stream holds it: the number of its fields, then each field's length (-1 for NULL) and bytes
/// (PostgreSQL manual, COPY, "Binary Format").
#[derive(Debug, Clone, Copy)]
pub struct CopyRow<'a> {
    bytes: &'a [u8],
}

impl<'a> CopyRow<'a> {
    /// A row that [`BoundBatch::encode_one`](super::BoundBatch::encode_one) wrote.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// All of its bytes. Rows with the same bytes are the same for PostgreSQL.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Its fields in order, None for NULL.
    pub fn fields(&self) -> impl Iterator<Item = Option<&'a [u8]>> + use<'a> {
        let mut rest = self.bytes.get(2..).unwrap_or_default();
        std::iter::from_fn(move || {
            let (length, behind) = rest.split_first_chunk()?;
            let Ok(length) = usize::try_from(i32::from_be_bytes(*length)) else {
                rest = behind;
                return Some(None);
            };
            let (field, behind) = behind.split_at_checked(length)?;
            rest = behind;
            Some(Some(field))
        })
    }

    /// Appends it with a `smallint` before its own fields.
    pub fn put_marked(&self, mark: i16, out: &mut CopyBuffer) {
        let Some((count, fields)) = self.bytes.split_first_chunk() else { return };
        out.put((u16::from_be_bytes(*count) + 1).to_be_bytes());
        out.put(2i32.to_be_bytes());
        out.put(mark.to_be_bytes());
        out.put_slice(fields);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: &[u8] = b"\0\x03\0\0\0\x01a\xff\xff\xff\xff\0\0\0\x02bc";

    #[test]
    fn fields_are_found() {
        let fields: Vec<_> = CopyRow::new(ROW).fields().collect();
        assert_eq!(fields, [Some(&b"a"[..]), None, Some(&b"bc"[..])]);
    }

    #[test]
    fn a_mark_is_one_field_more() {
        let mut out = CopyBuffer::default();
        CopyRow::new(ROW).put_marked(-2, &mut out);
        let fields: Vec<_> = CopyRow::new(out.as_slice()).fields().collect();
        assert_eq!(fields, [Some(&b"\xff\xfe"[..]), Some(&b"a"[..]), None, Some(&b"bc"[..])]);
        assert_eq!(out.as_slice().first_chunk(), Some(&[0, 4]));
    }
}

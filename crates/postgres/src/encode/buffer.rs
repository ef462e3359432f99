//! The bytes on their way to COPY.

/// A growing run of bytes that keeps what lies behind its end initialised.
///
/// The encoders write a value as one block of constant size (its length word and the value together, or a short
/// string with whatever follows it in the source) and then move the end past the part that counts. A `Vec` cannot
/// do that without `unsafe`, and its `extend_from_slice` calls `memcpy` for each short string: encoding ten mixed
/// columns through a `Vec` took 1.6 times as long.
#[derive(Debug, Default)]
pub struct CopyBuffer {
    /// initialised throughout; only the first `filled` bytes count
    bytes: Vec<u8>,
    filled: usize,
    usual: usize,
}

/// Short strings are copied as one block of this many bytes, whatever their length.
const SHORT: usize = 64;
/// A buffer that grew past this many times its usual size gives the memory back when it is cleared.
const KEPT_GROWTH: usize = 4;

impl CopyBuffer {
    /// An empty buffer with room for `usual` bytes, the size to which [`CopyBuffer::clear`] returns after an
    /// unusually large row.
    pub fn with_capacity(usual: usize) -> Self {
        Self { bytes: vec![0; usual], filled: 0, usual }
    }

    /// Number of bytes written.
    #[inline]
    pub fn len(&self) -> usize {
        self.filled
    }

    /// Whether nothing has been written.
    pub fn is_empty(&self) -> bool {
        self.filled == 0
    }

    /// What has been written.
    pub fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.filled).unwrap_or_default()
    }

    /// Forgets what has been written and keeps the memory, unless it grew far past its usual size.
    pub fn clear(&mut self) {
        self.filled = 0;
        if self.bytes.len() > self.usual.saturating_mul(KEPT_GROWTH) {
            self.bytes.truncate(self.usual);
            self.bytes.shrink_to_fit();
        }
    }

    /// Takes what has been written and leaves the buffer empty, without memory.
    pub fn take(&mut self) -> Vec<u8> {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.truncate(self.filled);
        self.filled = 0;
        bytes
    }

    /// Cuts back to the first `len` bytes.
    #[inline]
    pub(super) fn truncate(&mut self, len: usize) {
        self.filled = self.filled.min(len);
    }

    /// Appends a block of constant size.
    #[inline(always)]
    pub(super) fn put<const N: usize>(&mut self, block: [u8; N]) {
        if let Some(place) = self.bytes.get_mut(self.filled..).and_then(|free| free.first_chunk_mut::<N>()) {
            *place = block;
            self.filled += N;
        } else {
            self.put_slow(&block);
        }
    }

    /// Appends the first `len` bytes of a block of constant size.
    #[inline(always)]
    pub(super) fn put_start<const N: usize>(&mut self, block: [u8; N], len: usize) {
        let start = self.filled;
        self.put(block);
        self.filled = start + len.min(N);
    }

    /// Appends bytes of any number.
    #[inline]
    pub fn put_slice(&mut self, bytes: &[u8]) {
        if let Some(place) = self.bytes.get_mut(self.filled..self.filled + bytes.len()) {
            place.copy_from_slice(bytes);
            self.filled += bytes.len();
        } else {
            self.put_slow(bytes);
        }
    }

    /// Appends a field of binary COPY, length word and value: `source[start..end]`.
    #[inline(always)]
    pub(super) fn put_field(&mut self, source: &[u8], start: usize, end: usize) {
        let len = end - start;
        let short: Option<&[u8; SHORT]> =
            if len <= SHORT { source.get(start..).and_then(|rest| rest.first_chunk()) } else { None };
        let free = self.bytes.get_mut(self.filled..).and_then(|free| free.first_chunk_mut::<{ 4 + SHORT }>());
        if let (Some(block), Some(place)) = (short, free) {
            let (length, value) = place.split_at_mut(4);
            length.copy_from_slice(&length_word(len));
            value.copy_from_slice(block);
            self.filled += 4 + len;
        } else {
            self.put(length_word(len));
            self.put_slice(source.get(start..end).unwrap_or_default());
        }
    }

    /// Makes room for `len` bytes at the end and gives them to be written over.
    #[inline]
    pub(super) fn extend_by(&mut self, len: usize) -> &mut [u8] {
        let start = self.filled;
        if self.bytes.len() - start < len {
            self.grow(len);
        }
        self.filled += len;
        self.bytes.get_mut(start..start + len).unwrap_or_default()
    }

    /// Appends a place for a length word, to be filled by [`CopyBuffer::close_field`].
    #[inline]
    pub(super) fn open_field(&mut self) -> usize {
        self.put([0; 4]);
        self.filled
    }

    /// Writes the length of what was appended since `start` into the word before it.
    #[inline]
    pub(super) fn close_field(&mut self, start: usize) {
        let len = self.filled - start;
        if let Some(place) = self.bytes.get_mut(start - 4..start) {
            place.copy_from_slice(&length_word(len));
        }
    }

    /// The bytes written from `start` on.
    #[inline]
    pub(super) fn since(&self, start: usize) -> &[u8] {
        self.bytes.get(start..self.filled).unwrap_or_default()
    }

    #[cold]
    #[inline(never)]
    fn put_slow(&mut self, bytes: &[u8]) {
        self.grow(bytes.len());
        let start = self.filled;
        self.filled += bytes.len();
        if let Some(place) = self.bytes.get_mut(start..self.filled) {
            place.copy_from_slice(bytes);
        }
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, wanted: usize) {
        const LEAST: usize = 4096;
        let needed = self.filled + wanted + 4 + SHORT;
        self.bytes.resize(needed.max(self.bytes.len() * 2).max(LEAST), 0);
    }
}

impl AsRef<[u8]> for CopyBuffer {
    fn as_ref(&self) -> &[u8] {
        self.as_slice()
    }
}

/// A field's length as COPY writes it. Rows over 1 GB are refused, so that what is cut off here is never sent.
#[inline(always)]
fn length_word(len: usize) -> [u8; 4] {
    (len as u32).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_fields_come_out_alike() {
        let source: Vec<u8> = (0..=255).collect();
        for capacity in [0, 3, 40, 10_000] {
            let mut buffer = CopyBuffer::with_capacity(capacity);
            let mut expected = Vec::new();
            for (start, end) in
                [(0, 0), (0, 1), (3, 35), (3, 36), (224, 256), (250, 256), (0, 256), (256, 256)]
            {
                buffer.put_field(&source, start, end);
                expected.extend_from_slice(&((end - start) as u32).to_be_bytes());
                expected.extend_from_slice(&source[start..end]);
            }
            assert_eq!(buffer.as_slice(), expected);
        }
    }

    #[test]
    fn an_open_field_gets_its_length() {
        let mut buffer = CopyBuffer::default();
        let start = buffer.open_field();
        buffer.put_slice(b"abc");
        buffer.close_field(start);
        buffer.put_start(*b"wxyz", 2);
        assert_eq!(buffer.as_slice(), b"\0\0\0\x03abcwx");
        buffer.truncate(4);
        assert_eq!(buffer.len(), 4);
    }

    #[test]
    fn a_large_row_does_not_keep_its_memory() {
        let mut buffer = CopyBuffer::with_capacity(1000);
        buffer.extend_by(100_000).fill(1);
        buffer.clear();
        assert_eq!(buffer.bytes.capacity(), 1000);
        assert!(buffer.is_empty());
    }
}

//! Strings and binaries of any Arrow layout.

use super::buffer::CopyBuffer;
use super::reject::{RejectCause, Written};
use arrow_array::cast::AsArray;
use arrow_array::{Array, BinaryViewArray, FixedSizeBinaryArray, StringViewArray};
use arrow_schema::DataType;
use lakefront_model::NulBytePolicy;

/// The values of a string or binary column.
pub(super) enum ByteValues<'a> {
    Small { offsets: &'a [i32], data: &'a [u8] },
    Large { offsets: &'a [i64], data: &'a [u8] },
    StringView(&'a StringViewArray),
    BinaryView(&'a BinaryViewArray),
    Fixed(&'a FixedSizeBinaryArray),
}

impl<'a> ByteValues<'a> {
    /// The values of a string array; None for another type.
    pub(super) fn strings(array: &'a dyn Array) -> Option<Self> {
        Some(match array.data_type() {
            DataType::Utf8 => {
                let array = array.as_string::<i32>();
                Self::Small { offsets: array.value_offsets(), data: array.value_data() }
            }
            DataType::LargeUtf8 => {
                let array = array.as_string::<i64>();
                Self::Large { offsets: array.value_offsets(), data: array.value_data() }
            }
            DataType::Utf8View => Self::StringView(array.as_string_view()),
            _ => return None,
        })
    }

    /// The values of a binary array; None for another type.
    pub(super) fn binaries(array: &'a dyn Array) -> Option<Self> {
        Some(match array.data_type() {
            DataType::Binary => {
                let array = array.as_binary::<i32>();
                Self::Small { offsets: array.value_offsets(), data: array.value_data() }
            }
            DataType::LargeBinary => {
                let array = array.as_binary::<i64>();
                Self::Large { offsets: array.value_offsets(), data: array.value_data() }
            }
            DataType::BinaryView => Self::BinaryView(array.as_binary_view()),
            DataType::FixedSizeBinary(_) => Self::Fixed(array.as_fixed_size_binary()),
            _ => return None,
        })
    }

    /// The bytes of one value. What lies under a NULL is unspecified.
    #[inline]
    pub(super) fn get(&self, row: usize) -> &'a [u8] {
        match self {
            Self::Small { offsets, data } => {
                data.get(offsets[row] as usize..offsets[row + 1] as usize).unwrap_or_default()
            }
            Self::Large { offsets, data } => {
                data.get(offsets[row] as usize..offsets[row + 1] as usize).unwrap_or_default()
            }
            Self::StringView(array) => array.value(row).as_bytes(),
            Self::BinaryView(array) => array.value(row),
            Self::Fixed(array) => array.value(row),
        }
    }

    /// Writes one value as a field of binary COPY.
    #[inline(always)]
    pub(super) fn write(&self, row: usize, out: &mut CopyBuffer) {
        match self {
            Self::Small { offsets, data } => {
                out.put_field(data, offsets[row] as usize, offsets[row + 1] as usize);
            }
            _ => self.write_any(row, out),
        }
    }

    #[inline(never)]
    fn write_any(&self, row: usize, out: &mut CopyBuffer) {
        let bytes = self.get(row);
        out.put_field(bytes, 0, bytes.len());
    }

    /// Whether a 0x00 byte may be among the values: looked for once per batch, so that rows need no look.
    pub(super) fn may_hold_nul(&self) -> bool {
        match self {
            Self::Small { offsets: [first, .., last], data } => {
                holds_nul(data.get(*first as usize..*last as usize).unwrap_or_default())
            }
            Self::Large { offsets: [first, .., last], data } => {
                holds_nul(data.get(*first as usize..*last as usize).unwrap_or_default())
            }
            Self::Small { .. } | Self::Large { .. } => false,
            Self::StringView(_) | Self::BinaryView(_) | Self::Fixed(_) => true,
        }
    }
}

/// Looks at blocks without leaving early inside one, which compiles to vector instructions.
fn holds_nul(bytes: &[u8]) -> bool {
    bytes.chunks(512).any(|block| block.iter().fold(false, |found, &byte| found | (byte == 0)))
}

/// What a string column needs beyond a copy of its bytes.
pub(super) struct StringRules {
    /// what to do with 0x00 bytes; None when there are none
    pub(super) nul: Option<NulBytePolicy>,
    /// the most characters
    pub(super) max_chars: Option<u32>,
}

impl StringRules {
    pub(super) fn are_idle(&self) -> bool {
        self.nul.is_none() && self.max_chars.is_none()
    }

    /// Writes a string as a field of binary COPY.
    pub(super) fn write(&self, string: &[u8], out: &mut CopyBuffer) -> Written {
        let strip = match self.nul {
            Some(policy) if holds_nul(string) => {
                if policy != NulBytePolicy::Strip {
                    return Err(Box::new(RejectCause::NulByte));
                }
                true
            }
            _ => false,
        };
        let start = out.open_field();
        if strip {
            string.split(|&byte| byte == 0).for_each(|part| out.put_slice(part));
        } else {
            out.put_slice(string);
        }
        if let Some(max) = self.max_chars {
            check_chars(out.since(start), max)?;
        }
        out.close_field(start);
        Ok(())
    }
}

/// `varchar(n)` counts characters (PostgreSQL manual, 8.3). A cast would cut what is too long, COPY would cut
/// trailing spaces: here both are errors, so that nothing is lost.
fn check_chars(string: &[u8], max: u32) -> Written {
    if string.len() <= max as usize {
        return Ok(());
    }
    let found = string.iter().filter(|&&byte| byte & 0xC0 != 0x80).count();
    if found > max as usize {
        return Err(Box::new(RejectCause::VarcharLength { max, found }));
    }
    Ok(())
}

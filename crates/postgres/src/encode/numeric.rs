//! `numeric` as PostgreSQL receives it: digits to the base 10,000.

use super::buffer::CopyBuffer;
use super::reject::{RejectCause, Written};

/// 38 digits, not aligned to groups of four: 11 groups at most.
const MAX_GROUPS: usize = 11;
const HEADER: usize = 12;
const NEGATIVE: u16 = 0x4000;

/// Decimals of one precision and scale.
pub(super) struct Decimals<'a> {
    values: &'a [i128],
    precision: u8,
    scale: u8,
    /// 10 to the power of the precision
    limit: u128,
}

impl<'a> Decimals<'a> {
    /// Decimals that fit `numeric(precision, scale)`; None for a precision that no decimal has.
    pub(super) fn new(values: &'a [i128], precision: u8, scale: u8) -> Option<Self> {
        if precision > 38 || scale > precision {
            return None;
        }
        let limit = 10u128.checked_pow(u32::from(precision))?;
        Some(Self { values, precision, scale, limit })
    }

    /// Writes one value: the number of groups, the power of 10,000 of the first, the sign, the digits after the
    /// point, then the groups (`numeric_recv` in `utils/adt/numeric.c`), zero groups at both ends left out.
    #[inline]
    pub(super) fn write(&self, row: usize, out: &mut CopyBuffer) -> Written {
        let value = self.values[row];
        let magnitude = value.unsigned_abs();
        if magnitude >= self.limit {
            return Err(self.out_of_range(value));
        }
        let mut groups = [0u16; MAX_GROUPS];
        // Groups count from the point, so the last one may have fewer than four of the scale's digits.
        let partial = self.scale % 4;
        let count = match u64::try_from(magnitude) {
            Ok(magnitude) => split_narrow(magnitude, partial, &mut groups),
            Err(_) => split_wide(magnitude, partial, &mut groups),
        };
        let skipped = groups.iter().take(count).take_while(|&&group| group == 0).count();
        let first_place = -i16::from(self.scale.div_ceil(4));
        put_groups(&groups[skipped..count], first_place + skipped as i16, value < 0, self.scale, out);
        Ok(())
    }

    #[cold]
    fn out_of_range(&self, value: i128) -> Box<RejectCause> {
        let mut text = CopyBuffer::default();
        put_decimal(&mut text, value, self.scale);
        Box::new(RejectCause::OutOfRange {
            value: String::from_utf8_lossy(text.as_slice()).into_owned(),
            pg_type: format!("numeric({},{})", self.precision, self.scale),
            range: "its digits",
        })
    }
}

/// Writes the value's groups, least first, the least of which stands for `place` powers of 10,000.
#[inline]
fn put_groups(groups: &[u16], place: i16, negative: bool, scale: u8, out: &mut CopyBuffer) {
    let count = groups.len();
    let mut field = [0u8; HEADER + 2 * MAX_GROUPS];
    let weight = if count == 0 { 0 } else { place + count as i16 - 1 };
    let words = [count as u16, weight as u16, if negative { NEGATIVE } else { 0 }, u16::from(scale)];
    let length = (8 + 2 * count) as u32;
    field[..4].copy_from_slice(&length.to_be_bytes());
    for (place, word) in field[4..].chunks_exact_mut(2).zip(words.into_iter().chain(groups.iter().rev().copied())) {
        place.copy_from_slice(&word.to_be_bytes());
    }
    out.put_start(field, HEADER + 2 * count);
}

/// Splits off the groups of four digits, least first, the least one filled up from `partial` digits. Returns how
/// many there are; the greatest is not zero.
#[inline]
fn split_narrow(mut rest: u64, partial: u8, groups: &mut [u16; MAX_GROUPS]) -> usize {
    let mut count = 0;
    if partial != 0 {
        // Divisors that the compiler knows become multiplications.
        let (high, low) = match partial {
            1 => (rest / 10, rest % 10 * 1_000),
            2 => (rest / 100, rest % 100 * 100),
            _ => (rest / 1_000, rest % 1_000 * 10),
        };
        groups[0] = low as u16;
        rest = high;
        count = 1;
        if rest == 0 {
            return usize::from(low != 0);
        }
    }
    while rest != 0 && count < MAX_GROUPS {
        groups[count] = (rest % 10_000) as u16;
        rest /= 10_000;
        count += 1;
    }
    count
}

#[cold]
fn split_wide(rest: u128, partial: u8, groups: &mut [u16; MAX_GROUPS]) -> usize {
    // The lowest 16 digits beside the partial group are four whole groups, the next 16 four more.
    const FOUR_GROUPS: u128 = 10_000_000_000_000_000;
    let lowest = 10u128.pow(u32::from(partial));
    let mut count = 0;
    let mut rest = if partial == 0 {
        rest
    } else {
        groups[0] = (rest % lowest) as u16 * 10u16.pow(4 - u32::from(partial));
        count = 1;
        rest / lowest
    };
    while rest != 0 {
        let mut part = (rest % FOUR_GROUPS) as u64;
        rest /= FOUR_GROUPS;
        let mut taken = 0;
        while (part != 0 || (rest != 0 && taken < 4)) && count < MAX_GROUPS {
            groups[count] = (part % 10_000) as u16;
            part /= 10_000;
            count += 1;
            taken += 1;
        }
    }
    count
}

/// Writes a decimal as text with all digits of its scale, `-0.0120`.
pub(super) fn put_decimal(out: &mut CopyBuffer, value: i128, scale: u8) {
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(value.unsigned_abs());
    let scale = usize::from(scale);
    if value < 0 {
        out.put(*b"-");
    }
    let whole = digits.len().saturating_sub(scale);
    let (before, after) = digits.split_at(whole);
    out.put_slice(if before.is_empty() { b"0" } else { before.as_bytes() });
    if scale > 0 {
        out.put(*b".");
        out.extend_by(scale - after.len()).fill(b'0');
        out.put_slice(after.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn words(value: i128, precision: u8, scale: u8) -> Vec<i16> {
        let mut out = CopyBuffer::default();
        Decimals::new(&[value], precision, scale).unwrap().write(0, &mut out).unwrap();
        let (length, words) = out.as_slice().split_at(4);
        assert_eq!(u32::from_be_bytes(length.try_into().unwrap()) as usize, words.len());
        words.chunks(2).map(|word| i16::from_be_bytes([word[0], word[1]])).collect()
    }

    #[test]
    fn groups_are_aligned_at_the_point() {
        assert_eq!(words(0, 10, 2), [0, 0, 0, 2]);
        assert_eq!(words(12_345_678, 10, 2), [3, 1, 0, 2, 12, 3456, 7800]);
        assert_eq!(words(-1, 5, 5), [1, -2, 0x4000, 5, 1000]);
        assert_eq!(words(100_000_000, 20, 0), [1, 2, 0, 0, 1]);
        assert_eq!(words(100_000_000, 20, 4), [1, 1, 0, 4, 1]);
    }

    #[test]
    fn wide_values_split_like_narrow_ones() {
        for partial in 0..4 {
            for value in [1u64, 9_999, 10_000, 123_456_789, 10u64.pow(16), 10u64.pow(19) + 7, u64::MAX] {
                let (mut narrow, mut wide) = ([0; MAX_GROUPS], [0; MAX_GROUPS]);
                let count = split_narrow(value, partial, &mut narrow);
                assert_eq!(count, split_wide(u128::from(value), partial, &mut wide), "{value} {partial}");
                assert_eq!(narrow, wide);
            }
        }
    }

    #[test]
    fn text_has_all_digits() {
        let text = |value, scale| {
            let mut out = CopyBuffer::default();
            put_decimal(&mut out, value, scale);
            String::from_utf8(out.as_slice().to_vec()).unwrap()
        };
        assert_eq!(text(-12, 4), "-0.0012");
        assert_eq!(text(120, 2), "1.20");
        assert_eq!(text(0, 3), "0.000");
        assert_eq!(text(7, 0), "7");
        assert_eq!(text(10i128.pow(38) - 1, 38), format!("0.{}", "9".repeat(38)));
    }
}

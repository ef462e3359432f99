//! `numeric` as PostgreSQL receives it: digits to the base 10,000.

use super::buffer::CopyBuffer;
use super::reject::{RejectCause, Written};

/// 38 digits, not aligned to groups of four: 11 groups at most.
const MAX_GROUPS: usize = 11;
/// Length word, number of groups, weight, sign, scale.
const HEADER: usize = 12;
const FIELD: usize = HEADER + 2 * MAX_GROUPS;
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
        match u64::try_from(magnitude) {
            Ok(magnitude) if magnitude < SMALL => put_small(magnitude, value < 0, self.scale, out),
            _ => {
                let mut groups = Groups::new(self.scale);
                groups.split(magnitude);
                groups.finish(value < 0, out);
            }
        }
        Ok(())
    }

    #[cold]
    fn out_of_range(&self, value: i128) -> Box<RejectCause> {
        let mut text = CopyBuffer::default();
        put_decimal(&mut text, value, self.scale);
        Box::new(RejectCause::OutOfRange {
            value: String::from_utf8_lossy(text.as_slice()).into_owned(),
            pg_type: format!("numeric({},{})", self.precision, self.scale),
            range: format!("{} digits, {} of them after the point", self.precision, self.scale),
        })
    }
}

/// Below this, four groups hold any value, wherever its point is.
const SMALL: u64 = 1_000_000_000_000;

/// Splits off the digits that the least group has: groups count from the point, so it may have fewer than four of
/// the scale's. Returns the rest and the least group, filled up.
#[inline(always)]
fn split_least(magnitude: u64, scale: u8) -> (u64, u64) {
    // Divisors that the compiler knows become multiplications.
    match scale % 4 {
        0 => (magnitude / 10_000, magnitude % 10_000),
        1 => (magnitude / 10, magnitude % 10 * 1_000),
        2 => (magnitude / 100, magnitude % 100 * 100),
        _ => (magnitude / 1_000, magnitude % 1_000 * 10),
    }
}

/// The power of 10,000 of the least group.
fn least_place(scale: u8) -> i16 {
    -i16::from(scale.div_ceil(4))
}

/// Writes a value below [`SMALL`]. The groups are put together in a register: bytes written one by one and then
/// read as a block would stall the processor.
#[inline(always)]
fn put_small(magnitude: u64, negative: bool, scale: u8, out: &mut CopyBuffer) {
    let (rest, least) = split_least(magnitude, scale);
    let groups = (rest / 100_000_000) << 48 | (rest / 10_000 % 10_000) << 32 | (rest % 10_000) << 16 | least;
    let (count, weight, groups) = if groups == 0 {
        (0, 0, 0)
    } else {
        let (before, behind) = (groups.leading_zeros() / 16, groups.trailing_zeros() / 16);
        (4 - before - behind, least_place(scale) as u16 as u32 + 3 - before, groups << (16 * before))
    };
    let length = 8 + 2 * count;
    let sign = if negative { NEGATIVE } else { 0 };
    let head = u64::from(length) << 32 | u64::from(count) << 16 | u64::from(weight as u16);
    let middle = u32::from(sign) << 16 | u32::from(scale);
    let mut block = [0; 20];
    block[..8].copy_from_slice(&head.to_be_bytes());
    block[8..12].copy_from_slice(&middle.to_be_bytes());
    block[12..].copy_from_slice(&groups.to_be_bytes());
    out.put_start(block, 4 + length as usize);
}

/// A field of any value, filled from its end: the least group first, the header last.
struct Groups {
    /// twice as long as a field, so that a block of a whole field can be taken from wherever the field begins
    field: [u8; 2 * FIELD],
    /// where the field begins
    at: usize,
    /// the power of 10,000 of the least group that is kept
    place: i16,
    scale: u8,
}

impl Groups {
    fn new(scale: u8) -> Self {
        Self { field: [0; 2 * FIELD], at: FIELD, place: least_place(scale), scale }
    }

    /// Adds the next greater group. Zeros at the end are left out.
    #[inline]
    fn push(&mut self, group: u16) {
        if group == 0 && self.at == FIELD {
            self.place += 1;
        } else {
            self.at -= 2;
            self.field[self.at..self.at + 2].copy_from_slice(&group.to_be_bytes());
        }
    }

    /// Splits four groups at a time: the processor divides 64 bits, and software 128.
    fn split(&mut self, magnitude: u128) {
        const FOUR_GROUPS: u128 = 10_000_000_000_000_000;
        let lowest = 10u128.pow(match self.scale % 4 {
            0 => 4,
            partial => partial.into(),
        });
        self.push(split_least((magnitude % lowest) as u64, self.scale).1 as u16);
        let mut rest = magnitude / lowest;
        while rest >= FOUR_GROUPS {
            let mut four = (rest % FOUR_GROUPS) as u64;
            for _ in 0..4 {
                self.push((four % 10_000) as u16);
                four /= 10_000;
            }
            rest /= FOUR_GROUPS;
        }
        let mut rest = rest as u64;
        while rest != 0 {
            self.push((rest % 10_000) as u16);
            rest /= 10_000;
        }
    }

    fn finish(mut self, negative: bool, out: &mut CopyBuffer) {
        let bytes = FIELD - self.at;
        let count = (bytes / 2) as i16;
        let weight = if count == 0 { 0 } else { self.place + count - 1 };
        let sign = if negative { NEGATIVE } else { 0 };
        let ([a, b], [c, d], [e, f]) = (count.to_be_bytes(), weight.to_be_bytes(), sign.to_be_bytes());
        let length = (bytes + HEADER - 4) as u8;
        let begin = self.at - HEADER;
        self.field[begin..self.at].copy_from_slice(&[0, 0, 0, length, a, b, c, d, e, f, 0, self.scale]);
        if let Some(&block) = self.field[begin..].first_chunk::<FIELD>() {
            out.put_start(block, bytes + HEADER);
        }
    }
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
    fn small_values_come_out_as_large_ones_would() {
        for scale in 0..12 {
            for value in [0, 1, 9_999, 10_000, 20_000, 123_456_789, 1_000_000, 30_000_000_000, SMALL - 1] {
                let (mut small, mut large) = (CopyBuffer::default(), CopyBuffer::default());
                put_small(value, true, scale, &mut small);
                let mut groups = Groups::new(scale);
                groups.split(value.into());
                groups.finish(true, &mut large);
                assert_eq!(small.as_slice(), large.as_slice(), "{value} {scale}");
            }
        }
        assert_eq!(words(10i128.pow(38) - 1, 38, 1)[..5], [11, 9, 0, 1, 9]);
        assert_eq!(words(10i128.pow(37), 38, 1), [1, 9, 0, 1, 1]);
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

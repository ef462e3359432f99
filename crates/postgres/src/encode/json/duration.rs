//! Intervals as ISO 8601 durations, signs where PostgreSQL's `intervalstyle = iso_8601` puts them.

use super::super::buffer::CopyBuffer;

/// Writes `P1Y2M` for months.
pub(super) fn put_months(out: &mut CopyBuffer, months: i32) {
    let (years, rest) = (months / 12, months % 12);
    out.put(*b"P");
    put_part(out, years.into(), b'Y');
    put_part(out, rest.into(), b'M');
    if months == 0 {
        out.put(*b"0M");
    }
}

/// Writes `P1DT2H3M4.5S` for microseconds; a day is 24 hours, as in Spark's day-time interval.
pub(super) fn put_micros(out: &mut CopyBuffer, micros: i64) {
    const SECOND: i64 = 1_000_000;
    let (seconds, part) = (micros / SECOND, micros % SECOND);
    out.put(*b"P");
    put_part(out, seconds / 86_400, b'D');
    let of_day = seconds % 86_400;
    if of_day == 0 && part == 0 {
        if micros == 0 {
            out.put(*b"T0S");
        }
        return;
    }
    out.put(*b"T");
    put_part(out, of_day / 3_600, b'H');
    put_part(out, of_day / 60 % 60, b'M');
    if part == 0 {
        put_part(out, of_day % 60, b'S');
        return;
    }
    if micros < 0 {
        out.put(*b"-");
    }
    out.put_slice(itoa::Buffer::new().format((of_day % 60).unsigned_abs()).as_bytes());
    let mut digits = [b'0'; 7];
    digits[0] = b'.';
    let mut rest = part.unsigned_abs();
    for digit in digits[1..].iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    let zeros = digits.iter().rev().take_while(|&&digit| digit == b'0').count();
    out.put_start(digits, digits.len() - zeros);
    out.put(*b"S");
}

fn put_part(out: &mut CopyBuffer, number: i64, unit: u8) {
    if number != 0 {
        out.put_slice(itoa::Buffer::new().format(number).as_bytes());
        out.put([unit]);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn durations_have_a_sign_at_each_number() {
        let text = |write: &dyn Fn(&mut CopyBuffer)| {
            let mut out = CopyBuffer::default();
            write(&mut out);
            String::from_utf8(out.as_slice().to_vec()).unwrap()
        };
        let months = |months| text(&|out| put_months(out, months));
        assert_eq!([months(0), months(14), months(-14), months(24)], ["P0M", "P1Y2M", "P-1Y-2M", "P2Y"]);
        let micros = |micros| text(&|out| put_micros(out, micros));
        assert_eq!(micros(0), "PT0S");
        assert_eq!(micros(86_400_000_000), "P1D");
        assert_eq!(micros(93_784_500_000), "P1DT2H3M4.5S");
        assert_eq!(micros(-93_784_500_000), "P-1DT-2H-3M-4.5S");
        assert_eq!(micros(-1), "PT-0.000001S");
        assert_eq!(micros(60_000_000), "PT1M");
    }
}

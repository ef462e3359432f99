//! Dates and times: PostgreSQL's epoch and ranges, and ISO 8601 text.

use super::buffer::CopyBuffer;
use super::reject::RejectCause;
use arrow_schema::TimeUnit;

/// Days from 1970-01-01 to PostgreSQL's epoch 2000-01-01.
const EPOCH_DAYS: i32 = 10_957;
const MICROS_PER_DAY: i64 = 86_400_000_000;
const EPOCH_MICROS: i64 = EPOCH_DAYS as i64 * MICROS_PER_DAY;

/// Days since 2000-01-01 of the first day PostgreSQL takes (Julian day 0), and of the first it takes no more
/// (`IS_VALID_DATE` in `datatype/timestamp.h`).
const DATES: std::ops::Range<i32> = -2_451_545..2_145_031_949;
/// The same for timestamps, microseconds since 2000-01-01 (`IS_VALID_TIMESTAMP`).
const TIMESTAMPS: std::ops::Range<i64> = -211_813_488_000_000_000..9_223_371_331_200_000_000;

const DATE_RANGE: &str = "4714-11-24 BC to 5874897-12-31";
const TIMESTAMP_RANGE: &str = "4714-11-24 BC to 294276-12-31";

/// PostgreSQL's days since 2000-01-01 from days since 1970-01-01.
#[inline]
pub(super) fn pg_date(days: i32) -> Result<i32, Box<RejectCause>> {
    match days.checked_sub(EPOCH_DAYS) {
        Some(shifted) if DATES.contains(&shifted) => Ok(shifted),
        _ => Err(date_out_of_range(days)),
    }
}

#[cold]
fn date_out_of_range(days: i32) -> Box<RejectCause> {
    let value = rendered(|out| put_date(out, i64::from(days)));
    Box::new(RejectCause::OutOfRange { value, pg_type: "date".into(), range: DATE_RANGE.into() })
}

/// PostgreSQL's microseconds since 2000-01-01 from microseconds since 1970-01-01.
#[inline]
pub(super) fn pg_timestamp(micros: i64) -> Result<i64, Box<RejectCause>> {
    match micros.checked_sub(EPOCH_MICROS) {
        Some(shifted) if TIMESTAMPS.contains(&shifted) => Ok(shifted),
        _ => Err(timestamp_out_of_range(micros, TimeUnit::Microsecond)),
    }
}

/// The same from another unit.
pub(super) fn pg_timestamp_of(value: i64, unit: TimeUnit) -> Result<i64, Box<RejectCause>> {
    let micros = match unit {
        TimeUnit::Second => value.checked_mul(1_000_000),
        TimeUnit::Millisecond => value.checked_mul(1_000),
        TimeUnit::Microsecond => Some(value),
        TimeUnit::Nanosecond if value % 1_000 == 0 => Some(value / 1_000),
        TimeUnit::Nanosecond => {
            let value = rendered(|out| put_timestamp(out, value, unit));
            return Err(Box::new(RejectCause::FinerThanMicroseconds { value }));
        }
    };
    pg_timestamp(micros.ok_or_else(|| timestamp_out_of_range(value, unit))?)
}

#[cold]
fn timestamp_out_of_range(value: i64, unit: TimeUnit) -> Box<RejectCause> {
    let value = rendered(|out| put_timestamp(out, value, unit));
    Box::new(RejectCause::OutOfRange { value, pg_type: "timestamp".into(), range: TIMESTAMP_RANGE.into() })
}

fn rendered(write: impl FnOnce(&mut CopyBuffer)) -> String {
    let mut out = CopyBuffer::default();
    write(&mut out);
    String::from_utf8_lossy(out.as_slice()).into_owned()
}

/// Splits microseconds into whole days and the rest, both with the value's sign: an interval's fields as Spark
/// prints a day-time interval, and as PostgreSQL keeps them apart.
#[inline]
pub(super) fn days_and_micros(micros: i64) -> (i32, i64) {
    ((micros / MICROS_PER_DAY) as i32, micros % MICROS_PER_DAY)
}

/// Writes `2024-01-31` for days since 1970-01-01, proleptic Gregorian. Years after 9999 have a plus sign and as
/// many digits as they need, years before 0000 a minus sign; 0000 is 1 BC (ISO 8601, expanded representation; as
/// `java.time` and Spark write them).
pub(super) fn put_date(out: &mut CopyBuffer, days: i64) {
    let (year, month, day) = civil(days);
    match u16::try_from(year) {
        Ok(year @ 0..=9999) => {
            let [a, b] = two(u32::from(year / 100));
            let [c, d] = two(u32::from(year % 100));
            out.put([a, b, c, d]);
        }
        _ => {
            out.put([if year < 0 { b'-' } else { b'+' }]);
            let digits = year.unsigned_abs();
            for least in [1000, 100, 10] {
                if digits < least {
                    out.put(*b"0");
                }
            }
            out.put_slice(itoa::Buffer::new().format(digits).as_bytes());
        }
    }
    let ([a, b], [c, d]) = (two(month), two(day));
    out.put([b'-', a, b, b'-', c, d]);
}

/// Writes `23:59:59.123456` for microseconds since midnight.
pub(super) fn put_time(out: &mut CopyBuffer, micros: u64) {
    let (seconds, part) = ((micros / 1_000_000) as u32, (micros % 1_000_000) as u32);
    let ([a, b], [c, d], [e, f]) = (two(seconds / 3600), two(seconds / 60 % 60), two(seconds % 60));
    let ([g, h], [i, j], [k, l]) = (two(part / 10_000), two(part / 100 % 100), two(part % 100));
    out.put([a, b, b':', c, d, b':', e, f, b'.', g, h, i, j, k, l]);
}

/// Writes `2024-01-31T23:59:59.123456` for a count of units since 1970-01-01; nanoseconds that are no whole
/// microseconds get nine digits.
pub(super) fn put_timestamp(out: &mut CopyBuffer, value: i64, unit: TimeUnit) {
    let (per_day, micros_per_unit) = match unit {
        TimeUnit::Second => (86_400, 1_000_000),
        TimeUnit::Millisecond => (86_400_000, 1_000),
        TimeUnit::Microsecond => (MICROS_PER_DAY, 1),
        TimeUnit::Nanosecond => (MICROS_PER_DAY * 1_000, 1),
    };
    put_date(out, value.div_euclid(per_day));
    out.put(*b"T");
    let rest = value.rem_euclid(per_day).unsigned_abs();
    if unit == TimeUnit::Nanosecond {
        put_time(out, rest / 1_000);
        let nanos = (rest % 1_000) as u32;
        if nanos != 0 {
            let [a, b] = two(nanos % 100);
            out.put([b'0' + (nanos / 100) as u8, a, b]);
        }
    } else {
        put_time(out, rest * micros_per_unit);
    }
}

#[inline]
fn two(n: u32) -> [u8; 2] {
    [b'0' + (n / 10) as u8, b'0' + (n % 10) as u8]
}

/// Year, month and day of a day since 1970-01-01: Howard Hinnant's `civil_from_days`, which counts eras of 400
/// years that begin on 1 March.
fn civil(days: i64) -> (i64, u32, u32) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097) as u32;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = i64::from(year_of_era) + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use chrono::{DateTime, Datelike, NaiveDate};

    #[test]
    fn dates_agree_with_chrono() {
        let first = NaiveDate::from_ymd_opt(-262_000, 1, 1).unwrap();
        let epoch = NaiveDate::from_ymd_opt(1970, 1, 1).unwrap();
        let mut days = (first - epoch).num_days();
        while days < 95_000_000 {
            let date = DateTime::from_timestamp(days * 86_400, 0).unwrap();
            assert_eq!(civil(days), (i64::from(date.year()), date.month(), date.day()), "{days}");
            days += 997;
        }
    }

    #[test]
    fn years_that_are_not_four_digits_are_marked() {
        let date = |days| rendered(|out| put_date(out, days));
        assert_eq!(date(0), "1970-01-01");
        assert_eq!(date(-719_528), "0000-01-01");
        assert_eq!(date(-719_529), "-0001-12-31");
        assert_eq!(date(2_932_896), "9999-12-31");
        assert_eq!(date(2_932_897), "+10000-01-01");
        assert_eq!(date(i64::from(i32::MIN)), "-5877641-06-23");
        assert_eq!(date(i64::from(i32::MAX)), "+5881580-07-11");
    }

    #[test]
    fn timestamps_have_six_digits_or_nine() {
        let timestamp = |value, unit| rendered(|out| put_timestamp(out, value, unit));
        assert_eq!(timestamp(-1, TimeUnit::Microsecond), "1969-12-31T23:59:59.999999");
        assert_eq!(timestamp(-1, TimeUnit::Second), "1969-12-31T23:59:59.000000");
        assert_eq!(timestamp(1_001, TimeUnit::Millisecond), "1970-01-01T00:00:01.001000");
        assert_eq!(timestamp(1_000, TimeUnit::Nanosecond), "1970-01-01T00:00:00.000001");
        assert_eq!(timestamp(-1, TimeUnit::Nanosecond), "1969-12-31T23:59:59.999999999");
        assert_eq!(timestamp(i64::MIN, TimeUnit::Microsecond), "-290308-12-21T19:59:05.224192");
        assert_eq!(timestamp(i64::MAX, TimeUnit::Microsecond), "+294247-01-10T04:00:54.775807");
        timestamp(i64::MIN, TimeUnit::Second);
    }
}

//! date, timestamptz, timestamp, interval.

use crate::oracle::{Kind, Oracle, column, or_null};
use arrow_array::*;
use arrow_schema::TimeUnit;
use chrono::{DateTime, Datelike};
use lakefront_model::{DeltaType, NulBytePolicy, PgType};
use lakefront_postgres::encode::RejectCause;
use proptest::prelude::*;
use std::sync::Arc;

const FIRST_DAY: i32 = -2_440_588;
const LAST_DAY: i32 = 2_145_042_905;
const FIRST_MICROS: i64 = -210_866_803_200_000_000;
/// PostgreSQL's last instant is beyond what 64 bits of microseconds since 1970 can say.
const LAST_MICROS: i64 = i64::MAX;

/// The text of a date in PostgreSQL's ISO style; None for years that `chrono` does not know.
fn pg_date(days: i64) -> Option<String> {
    let date = DateTime::from_timestamp(days * 86_400, 0)?;
    let (year, era) = if date.year() > 0 { (date.year(), "") } else { (1 - date.year(), " BC") };
    Some(format!("{year:04}-{:02}-{:02}{era}", date.month(), date.day()))
}

#[test]
fn dates() {
    let oracle = Oracle::new();
    let kind = Kind::new(DeltaType::Date, PgType::Date);
    let edges =
        [FIRST_DAY, LAST_DAY, -719_528, -719_529, -719_162, -719_163, 0, -1, 10_957, 11_016, 2_932_897];
    let days = prop_oneof![
        1 => prop::sample::select(edges.to_vec()),
        2 => FIRST_DAY..=LAST_DAY,
        2 => -100_000..100_000i32,
    ];
    oracle.holds(40, &column(days), |values| {
        let array: ArrayRef = Arc::new(Date32Array::from(values.clone()));
        let expected = values.iter().map(|value| value.map(|value| value.to_string())).collect();
        // Counted by the server …
        let counted = or_null("v - date '1970-01-01' = x::int");
        prop_assert_eq!(oracle.disagreements(&kind, &array, expected, &counted), Vec::<String>::new());
        // … and named by the calendar.
        for (value, text) in values.iter().zip(oracle.texts("v")) {
            if let Some(named) = value.and_then(|value| pg_date(value.into())) {
                prop_assert_eq!(text, Some(named));
            }
        }
        Ok(())
    });
}

#[test]
fn timestamps_of_every_unit() {
    let oracle = Oracle::new();
    let edges = [FIRST_MICROS, LAST_MICROS, -62_135_596_800_000_001, -1, 0, 1, 946_684_800_000_000];
    let micros = prop_oneof![
        1 => prop::sample::select(edges.to_vec()),
        2 => FIRST_MICROS..=LAST_MICROS,
        2 => -4_000_000_000_000_000..4_000_000_000_000_000i64,
    ];
    for (source, pg_type) in
        [(DeltaType::Timestamp, PgType::Timestamptz), (DeltaType::TimestampNtz, PgType::Timestamp)]
    {
        let kind = Kind::new(source, pg_type);
        oracle.holds(40, &(column(micros.clone()), 0..4usize), |(values, unit)| {
            // The same instants, as far as the unit can tell them.
            let per_unit = [1, 1_000, 1_000_000, 1][unit];
            let values: Vec<_> =
                values.iter().map(|value| value.map(|value| value / per_unit * per_unit)).collect();
            let counts = values.iter().map(|value| value.map(|value| value / per_unit));
            let (array, values): (ArrayRef, Vec<_>) = match unit {
                0 => (Arc::new(TimestampMicrosecondArray::from_iter(counts).with_timezone("UTC")), values),
                1 => (Arc::new(TimestampMillisecondArray::from_iter(counts)), values),
                2 => (Arc::new(TimestampSecondArray::from_iter(counts)), values),
                _ => {
                    let values: Vec<_> =
                        values.iter().map(|value| value.map(|value| value / 1_024)).collect();
                    let nanos = values.iter().map(|value| value.map(|value| value * 1_000));
                    (Arc::new(TimestampNanosecondArray::from_iter(nanos).with_timezone("UTC")), values)
                }
            };
            let expected = values.iter().map(|value| value.map(|value| value.to_string())).collect();
            let counted = or_null(&format!(
                "v = '1970-01-01'::{} + (x || ' microseconds')::interval",
                kind.pg_type.sql()
            ));
            prop_assert_eq!(oracle.disagreements(&kind, &array, expected, &counted), Vec::<String>::new());
            for (value, text) in values.iter().zip(oracle.texts("to_char(v, 'YYYY-MM-DD HH24:MI:SS.US')")) {
                if let Some(time) =
                    value.and_then(DateTime::from_timestamp_micros).filter(|time| time.year() > 0)
                {
                    prop_assert_eq!(
                        text,
                        Some(time.format("%Y-%m-%d %H:%M:%S%.6f").to_string().replace('+', ""))
                    );
                }
            }
            Ok(())
        });
    }
}

#[test]
fn what_is_outside_postgresqls_calendar_is_refused() {
    let oracle = Oracle::new();
    let kind = Kind::new(DeltaType::Date, PgType::Date);
    let days = [i32::MIN, FIRST_DAY - 1, FIRST_DAY, LAST_DAY, LAST_DAY + 1, i32::MAX];
    let rejected =
        oracle.copy(&kind, &(Arc::new(Date32Array::from(days.to_vec())) as ArrayRef), NulBytePolicy::Fail);
    assert_eq!(rejected.iter().map(|row| row.row).collect::<Vec<_>>(), [0, 1, 4, 5]);
    assert_eq!(oracle.texts("v"), [Some("4714-11-24 BC".to_owned()), Some("5874897-12-31".to_owned())]);
    assert_eq!(
        rejected[2].to_string(),
        "column \"v\": +5874898-01-01 is outside the range of date (4714-11-24 BC to 5874897-12-31)"
    );
    let kind = Kind::new(DeltaType::Timestamp, PgType::Timestamptz);
    let micros = [i64::MIN, FIRST_MICROS - 1, FIRST_MICROS, LAST_MICROS];
    let array: ArrayRef = Arc::new(TimestampMicrosecondArray::from(micros.to_vec()));
    let rejected = oracle.copy(&kind, &array, NulBytePolicy::Fail);
    assert_eq!(rejected.iter().map(|row| row.row).collect::<Vec<_>>(), [0, 1]);
    for (unit, value) in [(TimeUnit::Second, i64::MAX), (TimeUnit::Millisecond, i64::MIN)] {
        let array: ArrayRef = match unit {
            TimeUnit::Second => Arc::new(TimestampSecondArray::from(vec![value])),
            _ => Arc::new(TimestampMillisecondArray::from(vec![value])),
        };
        let rejected = oracle.copy(&kind, &array, NulBytePolicy::Fail);
        assert!(matches!(rejected[0].cause, RejectCause::OutOfRange { .. }), "{rejected:?}");
    }
    let array: ArrayRef = Arc::new(TimestampNanosecondArray::from(vec![1_001]));
    let rejected = oracle.copy(&kind, &array, NulBytePolicy::Fail);
    assert_eq!(
        rejected[0].to_string(),
        "column \"v\": 1970-01-01T00:00:00.000001001 is finer than a microsecond, \
         which a PostgreSQL timestamp cannot hold"
    );
}

#[test]
fn intervals() {
    let oracle = Oracle::new();
    let months =
        prop_oneof![1 => prop::sample::select(vec![i32::MIN, -13, 0, 12, i32::MAX]), 2 => any::<i32>()];
    let kind = Kind::new(DeltaType::IntervalYearMonth, PgType::Interval);
    oracle.holds(20, &(column(months), any::<bool>()), |(values, plain)| {
        let array: ArrayRef = if plain {
            Arc::new(Int32Array::from(values.clone()))
        } else {
            Arc::new(IntervalYearMonthArray::from(values.clone()))
        };
        let expected = values.iter().map(|value| value.map(|months| format!("{months} months"))).collect();
        let found = oracle.disagreements(&kind, &array, expected, &or_null("v::text = (x::interval)::text"));
        prop_assert_eq!(found, Vec::<String>::new());
        Ok(())
    });
    const DAY: i64 = 86_400_000_000;
    let edges = vec![i64::MIN, -DAY - 1, -DAY, -1, 0, DAY - 1, DAY, i64::MAX];
    let micros = prop_oneof![1 => prop::sample::select(edges), 2 => any::<i64>(), 2 => -3 * DAY..3 * DAY];
    let kind = Kind::new(DeltaType::IntervalDayTime, PgType::Interval);
    oracle.holds(20, &(column(micros), any::<bool>()), |(values, plain)| {
        let array: ArrayRef = if plain {
            Arc::new(Int64Array::from(values.clone()))
        } else {
            Arc::new(DurationMicrosecondArray::from(values.clone()))
        };
        let text = |micros: i64| format!("{} days {} microseconds", micros / DAY, micros % DAY);
        let expected = values.iter().map(|value| value.map(text)).collect();
        let found = oracle.disagreements(&kind, &array, expected, &or_null("v::text = (x::interval)::text"));
        prop_assert_eq!(found, Vec::<String>::new());
        Ok(())
    });
}

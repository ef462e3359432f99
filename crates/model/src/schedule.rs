//! Times at which a synced table is refreshed, as a cron expression names them.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use croner::Cron;
use croner::errors::CronError;
use croner::parser::{CronParser, Seconds, Year};
use serde::{Deserialize, Serialize};

/// A cron expression, and the time zone whose clock it means.
///
/// Five fields: minute, hour, day of month, month, day of week (0 and 7 are Sunday); a sixth one in front gives seconds.
/// Where both a day of month and a day of week are named, a day that is either counts, as in Vixie cron. When clocks are
/// put forward, a time of day in the hour that is left out becomes the moment after it; when they are put back, a time of
/// day comes once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Schedule {
    text: String,
    cron: Box<Cron>,
    time_zone: Tz,
}

/// What is wrong with a schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// the text is no cron expression
    #[error("\"{text}\" is no cron expression: {reason}")]
    Expression {
        /// as given
        text: String,
        /// what the parser says
        reason: String,
    },
    /// such as 30 February
    #[error("\"{0}\" names a time that never comes")]
    Never(String),
    /// the time zone is not in the IANA database
    #[error("there is no time zone \"{0}\"")]
    TimeZone(String),
}

impl ScheduleError {
    /// What to do.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Expression { .. } => {
                "five fields are wanted: minute, hour, day of month, month, day of week; \"*/15 * * * *\" is every quarter of an hour, \"0 6 * * MON-FRI\" is 6:00 on working days"
            }
            Self::Never(_) => "choose a day that its month has",
            Self::TimeZone(_) => "names are those of the IANA database, such as \"Europe/Berlin\" or \"UTC\"",
        }
    }
}

impl Schedule {
    /// Reads a cron expression. Without a time zone it means UTC.
    ///
    /// # Errors
    /// [`ScheduleError`], also for an expression that names no time that ever comes.
    pub fn parse(expression: &str, time_zone: Option<&str>) -> Result<Self, ScheduleError> {
        let text = expression.trim().to_owned();
        let parser = CronParser::builder().seconds(Seconds::Optional).year(Year::Disallowed).build();
        let cron = parser
            .parse(&text)
            .map_err(|error| ScheduleError::Expression { text: text.clone(), reason: reason(error) })?;
        let cron = Box::new(cron);
        let time_zone = match time_zone {
            None => Tz::UTC,
            Some(name) => name.trim().parse().map_err(|_| ScheduleError::TimeZone(name.to_owned()))?,
        };
        let schedule = Self { text, cron, time_zone };
        match schedule.next_after(DateTime::UNIX_EPOCH) {
            Some(_) => Ok(schedule),
            None => Err(ScheduleError::Never(schedule.text)),
        }
    }

    /// The first time after a moment, which itself does not count.
    pub fn next_after(&self, moment: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let next = self.cron.find_next_occurrence(&moment.with_timezone(&self.time_zone), false);
        next.ok().map(|next| next.with_timezone(&Utc))
    }

    /// The expression as it was given.
    pub fn expression(&self) -> &str {
        &self.text
    }

    /// The name of the time zone.
    pub fn time_zone(&self) -> &'static str {
        self.time_zone.name()
    }
}

/// The parser's message without what its own error names add.
fn reason(error: CronError) -> String {
    match error {
        CronError::EmptyPattern => "it is empty".to_owned(),
        CronError::InvalidPattern(text)
        | CronError::IllegalCharacters(text)
        | CronError::ComponentError(text) => text.trim_end_matches('.').to_owned(),
        other => other.to_string(),
    }
}

/// A schedule as it is kept.
#[derive(Serialize, Deserialize)]
struct Written {
    cron: String,
    time_zone: String,
}

impl TryFrom<Written> for Schedule {
    type Error = ScheduleError;

    fn try_from(written: Written) -> Result<Self, ScheduleError> {
        Self::parse(&written.cron, Some(&written.time_zone))
    }
}

impl From<Schedule> for Written {
    fn from(schedule: Schedule) -> Self {
        Self { time_zone: schedule.time_zone().to_owned(), cron: schedule.text }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// The first times after a moment.
    fn times<const N: usize>(expression: &str, time_zone: Option<&str>, after: &str) -> [String; N] {
        let schedule = Schedule::parse(expression, time_zone).unwrap();
        let mut moment: DateTime<Utc> = after.parse().unwrap();
        std::array::from_fn(|_| {
            moment = schedule.next_after(moment).unwrap();
            moment.format("%Y-%m-%dT%H:%M:%SZ").to_string()
        })
    }

    #[test]
    fn five_fields_start_with_the_minute() {
        assert_eq!(
            times(" */5 * * * * ", None, "2030-03-01T10:04:59.5Z"),
            ["2030-03-01T10:05:00Z", "2030-03-01T10:10:00Z"]
        );
        assert_eq!(
            times("0 */5 * * *", None, "2030-03-01T15:00:00Z"),
            ["2030-03-01T20:00:00Z", "2030-03-02T00:00:00Z"],
            "the moment itself does not count"
        );
        assert_eq!(times("@daily", None, "2030-12-31T00:00:00Z"), ["2031-01-01T00:00:00Z"]);
    }

    #[test]
    fn a_sixth_field_in_front_gives_seconds() {
        assert_eq!(
            times("*/20 * * * * *", None, "2030-03-01T10:00:30Z"),
            ["2030-03-01T10:00:40Z", "2030-03-01T10:01:00Z"]
        );
    }

    #[test]
    fn leap_days_come_every_four_years_but_not_in_2100() {
        assert_eq!(
            times("0 0 29 2 *", None, "2092-03-01T00:00:00Z"),
            ["2096-02-29T00:00:00Z", "2104-02-29T00:00:00Z"]
        );
    }

    #[test]
    fn a_month_without_the_day_is_passed_over() {
        assert_eq!(
            times("0 0 31 * *", None, "2030-03-31T00:00:00Z"),
            ["2030-05-31T00:00:00Z", "2030-07-31T00:00:00Z"]
        );
    }

    #[test]
    fn a_day_of_month_or_a_day_of_week_is_enough() {
        // 1 March 2030 is a Friday.
        assert_eq!(
            times("0 12 13 * FRI", None, "2030-03-01T12:00:00Z"),
            ["2030-03-08T12:00:00Z", "2030-03-13T12:00:00Z", "2030-03-15T12:00:00Z"]
        );
        assert_eq!(
            times("0 12 * * 5", None, "2030-03-01T12:00:00Z"),
            ["2030-03-08T12:00:00Z", "2030-03-15T12:00:00Z"],
            "without a day of month the day of week decides alone"
        );
        let sunday = times::<3>("0 0 * * 0", None, "2030-03-01T00:00:00Z");
        assert_eq!(sunday, times("0 0 * * 7", None, "2030-03-01T00:00:00Z"));
        assert_eq!(sunday, times("0 0 * * SUN", None, "2030-03-01T00:00:00Z"));
    }

    #[test]
    fn times_of_day_are_those_of_the_time_zone() {
        let berlin = Some("Europe/Berlin");
        assert_eq!(
            times("0 6 * * *", berlin, "2030-03-29T12:00:00Z"),
            ["2030-03-30T05:00:00Z", "2030-03-31T04:00:00Z"],
            "clocks are put forward in the night to 31 March"
        );
        assert_eq!(
            times("30 2 * * *", berlin, "2030-03-30T12:00:00Z"),
            ["2030-03-31T01:00:00Z", "2030-04-01T00:30:00Z"],
            "2:30 is not on the clock on 31 March"
        );
        assert_eq!(
            times("30 2 * * *", berlin, "2030-10-26T12:00:00Z"),
            ["2030-10-27T00:30:00Z", "2030-10-28T01:30:00Z"],
            "2:30 is on the clock twice on 27 October"
        );
    }

    #[test]
    fn what_is_wrong_is_told() {
        let message = |expression: &str| Schedule::parse(expression, None).unwrap_err().to_string();
        assert!(message("61 * * * *").contains("61"), "{}", message("61 * * * *"));
        for wrong in ["", "* * * *", "0 0 6 * * MON 2030", "0 6 * * someday", "0/5 * * * *"] {
            assert!(message(wrong).contains("no cron expression"), "{}", message(wrong));
        }
        assert_eq!(message("0 0 30 2 *"), "\"0 0 30 2 *\" names a time that never comes");
        assert_eq!(
            Schedule::parse("0 0 * * *", Some("Berlin")),
            Err(ScheduleError::TimeZone("Berlin".to_owned()))
        );
    }

    #[test]
    fn a_schedule_is_kept_as_it_was_given() {
        let schedule = Schedule::parse("0 6 * * mon", Some("Asia/Tokyo")).unwrap();
        let json = serde_json::to_string(&schedule).unwrap();
        assert_eq!(json, r#"{"cron":"0 6 * * mon","time_zone":"Asia/Tokyo"}"#);
        assert_eq!(serde_json::from_str::<Schedule>(&json).unwrap(), schedule);
    }
}

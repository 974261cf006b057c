//! When a schedule comes: five fields of cron, read by the clocks of a time zone.

use cronexpr::{Crontab, MakeTimestamp};
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::text::texts;

/// The longest text of the fields.
const MAX_BYTES: usize = 256;
/// The longest name of a time zone.
const MAX_ZONE_BYTES: usize = 64;

/// Why a schedule cannot come at such times.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CronError {
    /// Not five fields.
    #[error(
        "must have five fields, minute hour day month weekday, or be @hourly, @daily, @weekly, @monthly or @yearly"
    )]
    Fields,
    /// The last day of a month, or the last such weekday of one.
    #[error("must not have L: name the days by their numbers")]
    Last,
    /// A field that is none.
    #[error("{0}")]
    Syntax(String),
    /// No such time within four years.
    #[error("must come at least once in four years")]
    Never,
    /// Not a time zone.
    #[error("must be the name of a time zone in the IANA database, such as Europe/Helsinki")]
    Zone,
}

/// Times in cron's five fields: minute, hour, day of the month, month, day of the week.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, min_length = 1, max_length = 256, example = "0 9 * * MON-FRI")]
pub struct Cron(String);

/// The name of a time zone in the IANA database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, min_length = 1, max_length = 64, example = "Europe/Helsinki")]
pub struct ZoneName(String);

texts!(Cron, ZoneName);

impl TryFrom<String> for Cron {
    type Error = CronError;

    fn try_from(text: String) -> Result<Self, CronError> {
        if text.len() > MAX_BYTES || !text.is_ascii() {
            return Err(CronError::Fields);
        }
        let cron = Self(text.split_ascii_whitespace().collect::<Vec<_>>().join(" "));
        // Any four years have a 29th of February, but for those around 1900 and 2100.
        let first = cron.crontab("UTC")?.find_next(MakeTimestamp(Timestamp::UNIX_EPOCH));
        first.map_err(|_| CronError::Never)?;
        Ok(cron)
    }
}

impl Cron {
    /// The five fields.
    fn fields(&self) -> &str {
        match self.0.as_str() {
            "@yearly" | "@annually" => "0 0 1 1 *",
            "@monthly" => "0 0 1 * *",
            "@weekly" => "0 0 * * 0",
            "@daily" | "@midnight" => "0 0 * * *",
            "@hourly" => "0 * * * *",
            fields => fields,
        }
    }

    /// Tells whether it names no hour.
    fn is_of_every_hour(&self) -> bool {
        self.fields().split(' ').nth(1) == Some("*")
    }

    fn crontab(&self, zone: &str) -> Result<Crontab, CronError> {
        let fields: Vec<&str> = self.fields().split(' ').collect();
        let [_, _, day, _, weekday] = fields[..] else { return Err(CronError::Fields) };
        // The library finds no last day of a December.
        if [day, weekday].iter().any(|field| field.contains(['L', 'l'])) {
            return Err(CronError::Last);
        }
        let parsed = cronexpr::parse_crontab(&format!("{} {zone}", self.fields()));
        parsed.map_err(|error| CronError::Syntax(reason(&error.to_string())))
    }
}

/// The last part of the library's text: what is before it points into the fields with a second line.
fn reason(text: &str) -> String {
    text.rsplit("^ ").next().unwrap_or(text).replace('\n', " ")
}

impl TryFrom<String> for ZoneName {
    type Error = CronError;

    fn try_from(text: String) -> Result<Self, CronError> {
        if text.is_empty() || text.len() > MAX_ZONE_BYTES || !text.is_ascii() {
            return Err(CronError::Zone);
        }
        let zone = TimeZone::get(&text).map_err(|_| CronError::Zone)?;
        // As the database spells it.
        zone.iana_name().map(|name| Self(name.to_owned())).ok_or(CronError::Zone)
    }
}

impl Default for ZoneName {
    fn default() -> Self {
        Self("UTC".to_owned())
    }
}

/// The times at which a schedule comes.
///
/// Where clocks are put forward, what stands in the hour that is left out comes once, as that hour would begin. Where
/// they are put back, what stands in the hour that is there twice comes in the first one. What names no hour comes in
/// every hour that there is.
#[derive(Clone, Debug)]
pub struct Timetable {
    crontab: Crontab,
    zone: TimeZone,
    is_of_every_hour: bool,
}

impl Timetable {
    /// The times that the fields name by the clocks of a zone.
    ///
    /// # Errors
    /// When the zone is no longer known, or an older version took what this one does not.
    pub fn new(cron: &Cron, zone: &ZoneName) -> Result<Self, CronError> {
        let is_of_every_hour = cron.is_of_every_hour();
        // With hours, the fields are looked up on the face of the clock, which is then turned into a time: the library
        // itself would leave out what the clocks skip, and come twice where they repeat.
        let crontab = cron.crontab(if is_of_every_hour { zone.as_str() } else { "UTC" })?;
        let zone = TimeZone::get(zone.as_str()).map_err(|_| CronError::Zone)?;
        Ok(Self { crontab, zone, is_of_every_hour })
    }

    /// The first time after `at`.
    #[must_use]
    pub fn after(&self, at: Timestamp) -> Option<Timestamp> {
        if self.is_of_every_hour {
            return self.crontab.find_next(MakeTimestamp(at)).ok().map(|found| found.timestamp());
        }
        let mut face = self.zone.to_datetime(at);
        loop {
            let as_utc = TimeZone::UTC.to_timestamp(face).ok()?;
            face = self.crontab.find_next(MakeTimestamp(as_utc)).ok()?.datetime();
            let time = self.time_of(face)?;
            // In an hour that is there for the second time, what it shows has been.
            if time > at {
                return Some(time);
            }
        }
    }

    /// When the clocks of the zone show this, for the first time; when they skip it, as they do.
    fn time_of(&self, face: DateTime) -> Option<Timestamp> {
        match self.zone.to_ambiguous_timestamp(face).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(face).ok(),
            AmbiguousOffset::Fold { before, .. } => before.to_timestamp(face).ok(),
            AmbiguousOffset::Gap { after, .. } => {
                let before_the_change = after.to_timestamp(face).ok()?;
                self.zone.following(before_the_change).next().map(|change| change.timestamp())
            }
        }
    }

    /// The first times after `at`.
    #[must_use]
    pub fn times_after(&self, at: Timestamp, most: usize) -> Vec<Timestamp> {
        std::iter::successors(self.after(at), |time| self.after(*time)).take(most).collect()
    }

    /// The newest times after `after` up to `to`, oldest first.
    #[must_use]
    pub fn newest(&self, after: Timestamp, to: Timestamp, most: usize) -> Vec<Timestamp> {
        // What comes often is found in the last hour; only what comes rarely is looked for from the beginning.
        for hours in [1, 24, 31 * 24] {
            let start = to.saturating_sub(SignedDuration::from_hours(hours)).unwrap_or(Timestamp::MIN).max(after);
            let next = |time: &Timestamp| self.after(*time).filter(|next| *next <= to);
            let found: Vec<Timestamp> = std::iter::successors(next(&start), next).collect();
            if found.len() >= most || start == after || hours == 31 * 24 {
                return found[found.len().saturating_sub(most)..].to_vec();
            }
        }
        Vec::new()
    }
}

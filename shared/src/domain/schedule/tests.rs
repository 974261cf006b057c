use serde_json::json;

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn cron(text: &str) -> Result<Cron, CronError> {
    Cron::try_from(text.to_owned())
}

fn times(fields: &str, zone: &str) -> Timetable {
    let zone = ZoneName::try_from(zone.to_owned()).expect("a zone");
    Timetable::new(&cron(fields).expect("fields"), &zone).expect("a timetable")
}

fn next(fields: &str, zone: &str, after: &str, most: usize) -> Vec<String> {
    times(fields, zone).times_after(at(after), most).iter().map(ToString::to_string).collect()
}

fn schedule(fields: &str, catch_up: &str, made_at: &str) -> Schedule {
    let settings = json!({
        "name": "report", "cron": fields, "timezone": "UTC", "event_type": "report.due", "data": {}, "facts": {},
        "catch_up": catch_up, "is_active": true,
    });
    let settings = serde_json::from_value(settings).expect("settings");
    let made_at = at(made_at);
    Schedule::new(
        ScheduleId::new(made_at, 1),
        TenantSlug::try_from("acme".to_owned()).expect("a slug"),
        settings,
        made_at,
    )
}

fn due(schedule: &Schedule, done_to: Option<&str>, now: &str) -> Vec<String> {
    let times = schedule.timetable().expect("a timetable");
    schedule.due(&times, done_to.map(at), at(now)).iter().map(ToString::to_string).collect()
}

#[test]
fn fields_name_times_in_a_zone() {
    assert_eq!(
        next("0 9 * * MON-FRI", "Europe/Helsinki", "2026-11-20T06:00:00Z", 3),
        ["2026-11-20T07:00:00Z", "2026-11-23T07:00:00Z", "2026-11-24T07:00:00Z"]
    );
    assert_eq!(
        next("*/20 8 1 */6 *", "UTC", "2026-01-01T08:20:00Z", 2),
        ["2026-01-01T08:40:00Z", "2026-07-01T08:00:00Z"]
    );
    assert_eq!(next("@hourly", "UTC", "2026-01-01T08:00:00Z", 1), ["2026-01-01T09:00:00Z"]);
    assert_eq!(next("@monthly", "America/New_York", "2026-01-31T00:00:00Z", 1), ["2026-02-01T05:00:00Z"]);
    assert_eq!(next("  0   0 29 2  * ", "UTC", "2026-01-01T00:00:00Z", 1), ["2028-02-29T00:00:00Z"]);
}

/// Helsinki's clocks go from 03:00 to 04:00 on the 29th of March 2026, at 01:00 UTC.
#[test]
fn what_stands_in_an_hour_that_is_left_out_comes_once_as_it_would_begin() {
    assert_eq!(
        next("30 3 * * *", "Europe/Helsinki", "2026-03-28T12:00:00Z", 2),
        ["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]
    );
    assert_eq!(
        next("0,30 3,4 * * *", "Europe/Helsinki", "2026-03-28T22:00:00Z", 3),
        ["2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z", "2026-03-30T00:00:00Z"]
    );
}

/// Helsinki's clocks go from 04:00 to 03:00 on the 25th of October 2026, at 01:00 UTC.
#[test]
fn what_stands_in_an_hour_that_is_there_twice_comes_in_the_first() {
    assert_eq!(
        next("30 3 * * *", "Europe/Helsinki", "2026-10-24T12:00:00Z", 2),
        ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]
    );
    assert_eq!(next("30 3 * * *", "Europe/Helsinki", "2026-10-25T01:10:00Z", 1), ["2026-10-26T01:30:00Z"]);
    assert_eq!(
        next("0 */3 * * *", "Europe/Helsinki", "2026-10-24T22:00:00Z", 2),
        ["2026-10-25T00:00:00Z", "2026-10-25T04:00:00Z"]
    );
}

#[test]
fn what_names_no_hour_comes_in_every_hour_that_there_is() {
    assert_eq!(
        next("30 * * * *", "Europe/Helsinki", "2026-10-24T23:45:00Z", 3),
        ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:30:00Z"]
    );
    assert_eq!(
        next("30 * * * *", "Europe/Helsinki", "2026-03-28T23:45:00Z", 2),
        ["2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"]
    );
}

#[test]
fn what_names_no_times_is_refused() {
    let bad = [
        "",
        "* * * *",
        "* * * * * *",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * * 13 *",
        "* * * * 8",
        "*/0 * * * *",
        "5-1 * * * *",
        "H * * * *",
        "1,,2 * * * *",
        "@reboot",
        "é * * * *",
        "0 0 * * * UTC",
    ];
    for text in bad {
        assert!(cron(text).is_err(), "{text}");
    }
    assert_eq!(cron("0 0 L * *"), Err(CronError::Last));
    assert_eq!(cron("0 0 * * 5L"), Err(CronError::Last));
    assert_eq!(cron("0 0 30 2 *"), Err(CronError::Never));
    assert_eq!(cron(&"1,".repeat(200)), Err(CronError::Fields));
    assert!(cron("0 0 1 JUL FRI").is_ok());
    for zone in ["", "Helsinki", "Europe/helsinki2", "+02:00", "../../etc/passwd", "Etc/Unknown"] {
        assert_eq!(ZoneName::try_from(zone.to_owned()), Err(CronError::Zone), "{zone}");
    }
}

#[test]
fn the_newest_times_are_found_near_and_far() {
    let found = |fields: &str, after: &str, most: usize| {
        let newest = times(fields, "UTC").newest(at(after), at("2026-03-10T12:00:30Z"), most);
        newest.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(found("* * * * *", "2026-02-26T00:00:00Z", 2), ["2026-03-10T11:59:00Z", "2026-03-10T12:00:00Z"]);
    assert_eq!(found("0 0 * * *", "2026-02-26T00:00:00Z", 1), ["2026-03-10T00:00:00Z"]);
    assert_eq!(found("0 0 1 * *", "2026-02-26T00:00:00Z", 5), ["2026-03-01T00:00:00Z"]);
    assert_eq!(found("* * * * *", "2026-03-10T12:00:00Z", 5), [""; 0]);
}

#[test]
fn what_is_merely_late_is_published_however_misses_are_made_up_for() {
    for catch_up in ["one", "none", "all"] {
        let schedule = schedule("* * * * *", catch_up, "2026-03-10T10:00:30Z");
        assert_eq!(
            due(&schedule, None, "2026-03-10T10:03:30Z"),
            ["2026-03-10T10:01:00Z", "2026-03-10T10:02:00Z", "2026-03-10T10:03:00Z"],
            "{catch_up}"
        );
        assert_eq!(due(&schedule, Some("2026-03-10T10:03:00Z"), "2026-03-10T10:03:59Z"), [""; 0], "{catch_up}");
        assert_eq!(due(&schedule, Some("2026-03-10T11:00:00Z"), "2026-03-10T10:30:00Z"), [""; 0], "{catch_up}");
    }
}

#[test]
fn what_was_missed_is_made_up_for_as_the_schedule_says() {
    let after_hours =
        |catch_up: &str, now: &str| due(&schedule("0 * * * *", catch_up, "2026-03-10T09:30:00Z"), None, now);
    assert_eq!(after_hours("one", "2026-03-10T12:30:00Z"), ["2026-03-10T12:00:00Z"]);
    assert_eq!(after_hours("one", "2026-03-10T12:02:00Z"), ["2026-03-10T12:00:00Z"]);
    assert_eq!(after_hours("none", "2026-03-10T12:30:00Z"), [""; 0]);
    assert_eq!(after_hours("none", "2026-03-10T12:03:00Z"), ["2026-03-10T12:00:00Z"]);
    assert_eq!(
        after_hours("all", "2026-03-10T12:30:00Z"),
        ["2026-03-10T10:00:00Z", "2026-03-10T11:00:00Z", "2026-03-10T12:00:00Z"]
    );
    let often = due(&schedule("* * * * *", "all", "2026-02-01T00:00:00Z"), None, "2026-03-10T12:00:00Z");
    assert_eq!((often.len(), often[99].as_str()), (MAX_CATCH_UP, "2026-03-10T12:00:00Z"));
    let long_ago = schedule("0 0 1 * *", "one", "2026-02-01T12:00:00Z");
    assert_eq!(due(&long_ago, None, "2026-03-14T00:00:00Z"), ["2026-03-01T00:00:00Z"]);
    assert_eq!(due(&long_ago, None, "2026-03-16T00:00:00Z"), [""; 0], "by more than 14 days");
}

#[test]
fn other_times_count_from_their_change_and_other_payloads_change_no_times() {
    let before = schedule("0 * * * *", "all", "2026-03-10T09:30:00Z");
    let now = at("2026-03-10T12:30:00Z");
    let with = |change: &dyn Fn(&mut Settings)| {
        let mut settings = before.settings.clone();
        change(&mut settings);
        before.changed(settings, now)
    };
    let same = with(&|settings| settings.data = json!(7));
    assert_eq!((same.version, same.counts_from, same.updated_at), (2, before.counts_from, now));
    assert_eq!(with(&|settings| settings.cron = cron("1 * * * *").expect("fields")).counts_from, now);
    let off = with(&|settings| settings.is_active = false);
    assert_eq!(off.counts_from, before.counts_from);
    assert_eq!(off.changed(before.settings.clone(), now).counts_from, now, "switched on again");
}

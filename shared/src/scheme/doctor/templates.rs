//! Templates: the time in another unit, left out of what is signed, or put together with the rest in another way.

use std::collections::BTreeSet;

use super::bench::{Bench, Found};
use super::cause::Cause;
use crate::scheme::signature::{Signature, TimeFormat};
use crate::scheme::template::{Piece, Template};

/// The piece that is varied.
const TIMESTAMP: &str = "{timestamp}";
/// What may stand between the parts.
const SEPARATORS: [&str; 10] = [".", "", ":", "|", "\n", "-", "_", ",", ";", " "];

/// Varies the time and the template.
pub(super) fn find(bench: &Bench<'_>) -> Option<Found> {
    let row = bench.signature()?;
    let cause = unit(bench, row).or_else(|| without_time(bench, row)).or_else(|| separator(bench, row))?;
    Some(cause.into())
}

fn unit(bench: &Bench<'_>, row: &Signature) -> Option<Cause> {
    let rule = row.timestamp.as_ref()?;
    let formats = [TimeFormat::Seconds, TimeFormat::Milliseconds, TimeFormat::Rfc3339];
    for format in formats.into_iter().filter(|format| *format != rule.format) {
        let mut varied = row.clone();
        if let Some(time) = &mut varied.timestamp {
            time.format = format;
        }
        if bench.with_row(varied) {
            return Some(Cause::TimestampUnit { expected: rule.format.into(), found: format.into() });
        }
    }
    None
}

fn without_time(bench: &Bench<'_>, row: &Signature) -> Option<Cause> {
    let (before, after) = row.signed.as_str().split_once(TIMESTAMP)?;
    // Literal text on either side belongs to the time, or to what is next to it: both are tried.
    let shorter_after = after.find('{').map_or("", |at| &after[at..]);
    let shorter_before = before.rfind('}').map_or("", |at| &before[..=at]);
    let mut tried = BTreeSet::from([row.signed.as_str().to_owned(), String::new()]);
    let bodies = row.signed.has(&Piece::Body).then(|| "{body}".to_owned());
    let varied = [
        format!("{before}{shorter_after}"),
        format!("{shorter_before}{after}"),
        format!("{shorter_before}{shorter_after}"),
        format!("{before}{after}"),
    ];
    for signed in varied.into_iter().chain(bodies) {
        if !tried.insert(signed.clone()) {
            continue;
        }
        let Ok(template) = Template::try_from(signed.clone()) else { continue };
        if bench.with_row(Signature { signed: template, timestamp: None, ..row.clone() }) {
            return Some(Cause::TimestampNotSigned { signed });
        }
    }
    None
}

fn separator(bench: &Bench<'_>, row: &Signature) -> Option<Cause> {
    let is_plain = |piece: &Piece| matches!(piece, Piece::Text(_) | Piece::Timestamp | Piece::Id | Piece::Body);
    if row.timestamp.is_none() || !row.signed.has(&Piece::Body) || !row.signed.pieces().iter().all(is_plain) {
        return None;
    }
    let with_id = row.id.is_some().then_some(["{id}", TIMESTAMP, "{body}"]);
    let mut templates: Vec<String> = Vec::new();
    for between in SEPARATORS {
        templates.extend(with_id.map(|parts| parts.join(between)));
        templates.push([TIMESTAMP, "{body}"].join(between));
        templates.push(["{body}", TIMESTAMP].join(between));
    }
    templates.extend(["v0:{timestamp}:{body}", "v1:{timestamp}:{body}"].map(str::to_owned));
    for signed in templates.into_iter().filter(|signed| signed != row.signed.as_str()) {
        let Ok(template) = Template::try_from(signed.clone()) else { continue };
        if bench.with_row(Signature { signed: template, ..row.clone() }) {
            return Some(Cause::Separator { signed });
        }
    }
    None
}

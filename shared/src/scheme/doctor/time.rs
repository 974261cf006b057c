//! Times: how far the signed one lies outside of what is allowed, and whether it is counted in another unit.

use serde_json::Value;
use sfv::{Dictionary, ListEntry, Parser};

use super::Case;
use super::bench::{at_first, each_of};
use super::cause::Cause;
use crate::scheme::algorithm::Encoding;
use crate::scheme::signature::{Signature, SignedTime, TimeFormat};
use crate::scheme::view::View;
use crate::scheme::{Jws, MessageSignature, Scheme};

/// How far a time in the right unit lies away at most: a year, in milliseconds.
const NEAR_MS: i64 = 366 * 24 * 3_600 * 1_000;
/// How far a time in the wrong unit lies away at least: ten years.
const FAR_MS: i64 = 10 * NEAR_MS;
/// How far `exp` and `nbf` of a token may be overstepped, in milliseconds.
const LEEWAY_MS: i64 = 60_000;

/// How far the signed time lies outside of what the row allows; `None` when it does not, or there is none.
pub(super) fn beyond(case: &Case<'_>) -> Option<Cause> {
    let view = View::new(case.request);
    match case.scheme {
        Scheme::Signature(row) => of_signature(case, row, &view),
        Scheme::HttpMessageSignature(row) => of_message(case, row, &view),
        Scheme::Jws(row) => of_token(case, row, &view),
        Scheme::Token(_) => None,
    }
}

/// The unit in which a time is counted that is decades away in the row's.
pub(super) fn unit(case: &Case<'_>) -> Option<Cause> {
    let Scheme::Signature(row) = case.scheme else { return None };
    let rule = row.timestamp.as_ref()?;
    let view = View::new(case.request);
    at_first(case.scheme, &view, |view| {
        let text = rule.place.text(view).ok()?;
        let off_ms = |format: TimeFormat| {
            let signed = format.read(&text)?;
            Some(case.now.as_millisecond().abs_diff(signed.as_millisecond()))
        };
        if off_ms(rule.format)? < FAR_MS.unsigned_abs() {
            return None;
        }
        let formats = [TimeFormat::Seconds, TimeFormat::Milliseconds, TimeFormat::Rfc3339];
        let found =
            formats.into_iter().find(|format| off_ms(*format).is_some_and(|off| off <= NEAR_MS.unsigned_abs()))?;
        Some(Cause::TimestampUnit { expected: rule.format.into(), found: found.into() })
    })
}

fn of_signature(case: &Case<'_>, row: &Signature, view: &View<'_>) -> Option<Cause> {
    let rule = row.timestamp.as_ref()?;
    let Some(each) = each_of(case.scheme) else { return of_time(case, rule, view) };
    each.elements(view).ok()?.iter().find_map(|element| of_time(case, rule, &view.at(element)))
}

fn of_time(case: &Case<'_>, rule: &SignedTime, view: &View<'_>) -> Option<Cause> {
    let signed = rule.format.read(&rule.place.text(view).ok()?)?;
    outside(case, signed.as_millisecond(), i64::from(rule.tolerance_s) * 1_000)
}

fn of_message(case: &Case<'_>, row: &MessageSignature, view: &View<'_>) -> Option<Cause> {
    let inputs = Parser::new(view.header("signature-input").ok()?).parse::<Dictionary>().ok()?;
    let wanted = |label: &str| row.label.as_deref().is_none_or(|wanted| wanted == label);
    let input = inputs.iter().find(|(label, _)| wanted(label.as_str())).map(|(_, input)| input)?;
    let ListEntry::InnerList(input) = input else { return None };
    let time_ms = |name: &str| {
        let at_s = input.params.get(name)?.as_integer()?;
        i64::from(at_s).checked_mul(1_000)
    };
    let expired = time_ms("expires").filter(|expires| *expires < case.now.as_millisecond());
    let old = time_ms("created").and_then(|created| outside(case, created, i64::from(row.tolerance_seconds) * 1_000));
    expired.and_then(|expires| outside(case, expires, 0)).or(old)
}

fn of_token(case: &Case<'_>, row: &Jws, view: &View<'_>) -> Option<Cause> {
    let claims = claims(&row.place.text(view).ok()?)?;
    let time_ms = |name: &str| claims.get(name)?.as_i64()?.checked_mul(1_000);
    let expired = time_ms("exp").filter(|exp| *exp <= case.now.as_millisecond());
    let early = time_ms("nbf").filter(|nbf| *nbf > case.now.as_millisecond());
    expired.or(early).and_then(|at| outside(case, at, LEEWAY_MS)).or_else(|| {
        let tolerance_ms = i64::from(row.tolerance_seconds?) * 1_000;
        outside(case, time_ms("iat")?, tolerance_ms)
    })
}

/// The claims of a compact token, whoever signed it.
pub(super) fn claims(token: &str) -> Option<Value> {
    let claims = token.split('.').nth(1)?;
    serde_json::from_slice(&Encoding::Base64Url.decode_long(claims)?).ok()
}

fn outside(case: &Case<'_>, signed_ms: i64, tolerance_ms: i64) -> Option<Cause> {
    let off_ms = case.now.as_millisecond().saturating_sub(signed_ms);
    let by_ms = off_ms.unsigned_abs().checked_sub(tolerance_ms.unsigned_abs()).filter(|by_ms| *by_ms > 0)?;
    let (by_s, off_s) = (by_ms.div_ceil(1_000), off_ms.unsigned_abs() / 1_000);
    Some(if off_ms > 0 { Cause::Stale { by_s, off_s } } else { Cause::Future { by_s, off_s } })
}

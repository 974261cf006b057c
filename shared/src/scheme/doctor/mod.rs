//! The signature doctor: for a request that was not taken, which scheme would have matched, and why this one did not.
//!
//! The sender proved one thing, and something else was judged. Here one thing at a time is varied, then a few that go
//! together, and the engine that judges requests judges every variation: the first that is right is the cause. Where
//! none is, the cause is unknown; nothing is guessed. What is said holds no secret, no signature and no text of a body.

mod bench;
mod bodies;
mod cause;
mod detail;
mod headers;
mod json_text;
mod message;
mod message_signatures;
mod others;
mod places;
mod secrets;
mod signatures;
mod templates;
mod time;
mod tokens;
mod urls;

use jiff::Timestamp;
use secrecy::SecretString;
use serde::Serialize;
use utoipa::ToSchema;

use super::Scheme;
use super::preset::Preset;
use super::settings::Settings;
use super::view::Request;
use crate::domain::refusal::Refusal;
use bench::{Bench, Found};
pub use cause::{Cause, SecretOf};
pub use detail::{BlanksAt, NewlineChange, Recoding, Rewrite, SecretForm, TimeUnit, Written};

/// What is examined.
pub struct Case<'a> {
    /// The row of the webhook.
    pub scheme: &'a Scheme,
    /// The request, as it arrived.
    pub request: Request<'a>,
    /// The webhook's own secrets, and those that it may have been signed with instead.
    pub secrets: &'a [Candidate<'a>],
    /// The webhook's settings.
    pub settings: &'a Settings,
    /// The key of the certificate that the request names, if its row asks for one and it could be had.
    pub certificate: Option<&'a [u8]>,
    /// The time that the signed one is held against: when the request arrived.
    pub now: Timestamp,
}

/// A secret, and whose it is.
pub struct Candidate<'a> {
    /// The secret.
    pub secret: &'a SecretString,
    /// Whose it is.
    pub of: SecretOf,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Diagnosis {
    /// Why the request was not taken.
    pub cause: Cause,
    /// What is different besides; without it the first cause would not be the whole of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub also: Option<Cause>,
    /// The same for people.
    pub message: String,
    /// The preset by which the request proves itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matches: Option<String>,
    /// The presets whose headers the request has, where nothing is proved: a hint, and no more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub looks_like: Vec<String>,
    /// How many judgements it took.
    pub tried: u32,
}

/// Examines a request.
#[must_use]
pub fn diagnose(case: &Case<'_>, presets: &[Preset]) -> Diagnosis {
    let bench = Bench::new(case);
    let Found { cause, also } = examine(&bench, presets);
    let matches = match &cause {
        Cause::WrongPreset { preset, .. } => Some(preset.clone()),
        cause if is_of_the_row(cause) => match others::verifying(&bench, presets) {
            Some(Cause::WrongPreset { preset, .. }) => Some(preset),
            _ => None,
        },
        _ => None,
    };
    let looks_like = match &cause {
        Cause::SignatureMissing { .. } => others::alike(&bench, presets),
        _ => Vec::new(),
    };
    let mut message = message::sentence(&cause);
    if let Some(also) = &also {
        message = format!("{message} Besides: {}", message::sentence(also));
    }
    if let (Some(preset), false) = (&matches, matches!(cause, Cause::WrongPreset { .. })) {
        message = format!("{message} As it came, the request proves itself as {preset}.");
    }
    if let Some(preset) = looks_like.first() {
        message = format!("{message} Its headers look like {preset}.");
    }
    Diagnosis { cause, also, message, matches, looks_like, tried: bench.tried() }
}

fn examine(bench: &Bench<'_>, presets: &[Preset]) -> Found {
    let Err(refusal) = bench.verdict() else { return Cause::Valid.into() };
    if bench.holds(&bench.trial()) {
        return time::unit(bench.case).or_else(|| time::beyond(bench.case)).unwrap_or(Cause::Unknown).into();
    }
    if let Some(cause) = places::certain(bench, refusal) {
        return cause.into();
    }
    match varied(bench, presets, refusal) {
        Some(found) => found.with_time(bench.case),
        None => places::absent(bench, refusal).unwrap_or(Cause::Unknown).into(),
    }
}

/// Goes through the variations, the likeliest first.
fn varied(bench: &Bench<'_>, presets: &[Preset], refusal: Refusal) -> Option<Found> {
    if !bench.is_in_reach() {
        return None;
    }
    let another_preset = || others::verifying(bench, presets).map(Found::from);
    let is_absent = matches!(refusal, Refusal::SignatureMissing | Refusal::CredentialMissing);
    // Where the row's own place is empty, a scheme that fits the whole request says more than a place that fits.
    if is_absent && let Some(found) = another_preset() {
        return Some(found);
    }
    // Everything that a proof needs is there, and it is wrong.
    let is_wrong = matches!(
        refusal,
        Refusal::SignatureMismatch | Refusal::CredentialMismatch | Refusal::TokenMismatch | Refusal::SecretUnusable
    );
    let if_wrong = |find: fn(&Bench<'_>) -> Option<Found>| if is_wrong { find(bench) } else { None };
    if_wrong(secrets::find)
        .or_else(|| signatures::find(bench))
        .or_else(|| headers::find(bench))
        .or_else(|| tokens::find(bench))
        .or_else(|| if_wrong(secrets::pairs))
        .or_else(|| if is_absent { None } else { another_preset() })
        .or_else(|| if is_wrong || bench.reads_body() { bodies::find(bench) } else { None })
        .or_else(|| if_wrong(urls::find))
        .or_else(|| templates::find(bench))
        .or_else(|| if_wrong(places::trimmed_setting))
}

/// Tells whether a cause says that the sender signs by another scheme.
fn is_of_the_row(cause: &Cause) -> bool {
    matches!(
        cause,
        Cause::WrongHeader { .. }
            | Cause::WrongEncoding { .. }
            | Cause::WrongPrefix { .. }
            | Cause::WrongAlgorithm { .. }
            | Cause::SecretAsText { .. }
            | Cause::SecretDecoding { .. }
            | Cause::TimestampUnit { .. }
            | Cause::TimestampNotSigned { .. }
            | Cause::Separator { .. }
    )
}

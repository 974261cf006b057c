//! Refused requests, as their logs remember them: what explains a refusal, and nothing that a thief could use.
//!
//! There is no body here, no query string and no header that can carry a credential. What strangers wrote is cut, and
//! keys are named by their hash.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::id::{InboundWebhookId, RejectionId};
use super::inbound_webhook::Auth;
use super::refusal::{AuthStatus, Refusal};
use super::text::TenantSlug;
use super::time::later;

/// For how long a refused request is remembered.
pub const LIFE: SignedDuration = SignedDuration::from_hours(72);
/// How many refused requests a log remembers of one hour.
pub const SLOTS_AN_HOUR: usize = 256;
/// The longest name that is kept of what a stranger typed, in bytes.
pub const MAX_NAME_BYTES: usize = 64;
/// The longest `User-Agent` that is kept, in bytes.
pub const MAX_USER_AGENT_BYTES: usize = 256;
/// The longest `Content-Type` that is kept, in bytes.
pub const MAX_CONTENT_TYPE_BYTES: usize = 128;

/// What the credentials that this gateway gives out begin with.
const CREDENTIALS: [&str; 3] = ["wh_", "hp_", "whsec_"];
/// How many characters of a credential are shown.
const HINT_CHARS: usize = 6;

/// Where a refused request is written down, and so who may read it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RejectionLog {
    /// The log of one webhook.
    Webhook(TenantSlug, InboundWebhookId),
    /// A tenant's log of requests to slugs that it does not have.
    Tenant(TenantSlug),
    /// The operators' log of requests that lead to no tenant.
    Operators,
}

/// The two forms of public URLs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UrlForm {
    /// `/api/inbound/{tenant}/{slug}`.
    Slug,
    /// `/api/v1/webhooks/{key}`.
    Key,
}

/// A request that was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// Its id; carries the time of arrival and its place in the log.
    pub id: RejectionId,
    /// Why it was refused.
    pub refusal: Refusal,
    /// The form of the URL that it came to.
    pub form: UrlForm,
    /// What the URL named, where that leads nowhere: the slug, tenant and slug, or the SHA-256 of the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub named: Option<String>,
    /// The HTTP method.
    pub method: String,
    /// The address that it came from, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_ip: Option<IpAddr>,
    /// What the sender calls itself, cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// What the body was said to be, cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// The size of the body.
    pub body_bytes: u64,
    /// The status that the sender was answered with.
    pub response_status: u16,
    /// From its arrival until it was refused, in milliseconds.
    pub duration_ms: u32,
    /// What was found out about the sender before that.
    #[serde(default)]
    pub checks: Checks,
    /// What the signature doctor says of it, as JSON; only of requests that came while the webhook waited for a sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diagnosis: Option<Value>,
}

/// What was checked before a request was refused. `None`: not checked, or there is nothing to check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checks {
    /// Whether the sender's proof held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof_held: Option<bool>,
    /// Whether the source address was in the allow-list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip_allowed: Option<bool>,
}

impl Rejection {
    /// When the request arrived.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.id.created_at()
    }

    /// What came of judging the sender's proof.
    #[must_use]
    pub fn auth_status(&self) -> AuthStatus {
        self.refusal.auth_status()
    }

    /// From when on it is forgotten.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        later(self.at(), LIFE)
    }

    /// Tells whether it is forgotten at `now`, though it may still be stored.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at() <= now
    }
}

impl Checks {
    /// What a refusal tells of the checks before it, `auth` being what the webhook asks for, if there is one.
    ///
    /// A key's URL checks the address, the rates, the size and then the proof; a slug's URL address and proof first.
    #[must_use]
    pub fn of(refusal: Refusal, form: UrlForm, auth: Option<&Auth>) -> Self {
        let Some(auth) = auth else { return Self::default() };
        let proof = (!auth.proofs.is_empty()).then_some(true);
        let ip = auth.allowed_ips.is_some().then_some(true);
        let (proof_held, ip_allowed) = match refusal {
            Refusal::Unknown
            | Refusal::Disabled
            | Refusal::OverCap
            | Refusal::SecretUnusable
            | Refusal::HandshakeMalformed => (None, None),
            Refusal::IpNotAllowed | Refusal::IpUnknown => (None, Some(false)),
            Refusal::SignatureMissing
            | Refusal::SignatureAlgorithm
            | Refusal::SignatureMalformed
            | Refusal::SignatureMismatch
            | Refusal::SignatureStale
            | Refusal::SignatureFuture
            | Refusal::SignaturePartMissing
            | Refusal::SignatureForeign
            | Refusal::TokenMalformed
            | Refusal::TokenMismatch
            | Refusal::TokenExpired
            | Refusal::TokenClaims
            | Refusal::CredentialMissing
            | Refusal::CredentialMalformed
            | Refusal::CredentialMismatch => (Some(false), ip),
            Refusal::TokenKeysUnavailable => (None, ip),
            Refusal::TooLarge
            | Refusal::RateWebhook
            | Refusal::RateSource
            | Refusal::RateTenant
            | Refusal::RateGlobal => match form {
                UrlForm::Slug => (proof, ip),
                UrlForm::Key => (None, ip),
            },
            Refusal::IdempotencyKeyTooLong => (proof, ip),
        };
        Self { proof_held, ip_allowed }
    }
}

/// Tells whether a slug's URL gives this refusal only to senders who have proved themselves.
///
/// All its other refusals must look and take as long as those of a URL that leads nowhere.
#[must_use]
pub fn follows_proof(refusal: Refusal) -> bool {
    refusal.is_rate() || matches!(refusal, Refusal::TooLarge | Refusal::IdempotencyKeyTooLong)
}

/// The hour that a time is in, counted from the Unix epoch.
#[must_use]
pub fn hour_of(at: Timestamp) -> i64 {
    at.as_second().div_euclid(3_600)
}

/// What is kept of a text that a stranger chose: its first `most` bytes, control characters replaced.
#[must_use]
pub fn kept_text(text: &str, most: usize) -> String {
    let mut kept = String::new();
    for c in text.chars() {
        let c = if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
        if kept.len() + c.len_utf8() > most {
            break;
        }
        kept.push(c);
    }
    kept
}

/// What is kept of a name that a stranger typed. A credential of ours that stands in it ends after its first characters.
#[must_use]
pub fn kept_name(text: &str) -> String {
    let end = CREDENTIALS.iter().filter_map(|prefix| text.find(prefix)).min().and_then(|start| {
        let (at, _) = text[start..].char_indices().nth(HINT_CHARS)?;
        Some(start + at)
    });
    match end {
        Some(end) => kept_text(&text[..end], MAX_NAME_BYTES - '…'.len_utf8()) + "…",
        None => kept_text(text, MAX_NAME_BYTES),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::Handle;
    use crate::domain::inbound_webhook::{JwtProof, Proof};

    fn auth(has_list: bool, has_proof: bool) -> Auth {
        let jwt =
            JwtProof { jwks_url: "https://i.example/keys".to_owned(), issuer: None, audience: None, leeway_s: 60 };
        Auth {
            allowed_ips: has_list.then(Vec::new),
            proofs: if has_proof { vec![Proof::Jwt(jwt)] } else { Vec::new() },
        }
    }

    fn checks(refusal: Refusal, form: UrlForm, auth: &Auth) -> (Option<bool>, Option<bool>) {
        let Checks { proof_held, ip_allowed } = Checks::of(refusal, form, Some(auth));
        (proof_held, ip_allowed)
    }

    #[test]
    fn what_was_checked_before_follows_from_the_order_of_the_url() {
        let both = auth(true, true);
        let cases = [
            (Refusal::Disabled, UrlForm::Slug, (None, None)),
            (Refusal::IpNotAllowed, UrlForm::Slug, (None, Some(false))),
            (Refusal::SignatureMismatch, UrlForm::Slug, (Some(false), Some(true))),
            (Refusal::SignatureMismatch, UrlForm::Key, (Some(false), Some(true))),
            (Refusal::TokenKeysUnavailable, UrlForm::Slug, (None, Some(true))),
            (Refusal::RateWebhook, UrlForm::Slug, (Some(true), Some(true))),
            (Refusal::RateWebhook, UrlForm::Key, (None, Some(true))),
            (Refusal::TooLarge, UrlForm::Slug, (Some(true), Some(true))),
            (Refusal::TooLarge, UrlForm::Key, (None, Some(true))),
            (Refusal::IdempotencyKeyTooLong, UrlForm::Key, (Some(true), Some(true))),
        ];
        for (refusal, form, expected) in cases {
            assert_eq!(checks(refusal, form, &both), expected, "{refusal:?} {form:?}");
        }
    }

    #[test]
    fn what_a_webhook_does_not_ask_for_was_not_checked() {
        for refusal in [Refusal::TooLarge, Refusal::RateWebhook, Refusal::IdempotencyKeyTooLong] {
            assert_eq!(checks(refusal, UrlForm::Slug, &auth(false, true)), (Some(true), None), "{refusal:?}");
            assert_eq!(checks(refusal, UrlForm::Slug, &auth(true, false)), (None, Some(true)), "{refusal:?}");
        }
        for refusal in Refusal::EVERY {
            assert_eq!(Checks::of(*refusal, UrlForm::Slug, None), Checks::default(), "{refusal:?}");
        }
    }

    #[test]
    fn what_a_stranger_wrote_is_cut_between_characters_and_has_no_control_characters() {
        assert_eq!(kept_text("a\u{7}b\r\nc", 64), "a\u{fffd}b\u{fffd}\u{fffd}c");
        assert_eq!(kept_text(&"é".repeat(40), 63), "é".repeat(31));
        assert_eq!(kept_name(&"a".repeat(65)), "a".repeat(64));
        assert_eq!(kept_name("github"), "github");
    }

    #[test]
    fn a_credential_that_was_typed_as_a_name_is_kept_as_a_hint_only() {
        let key = format!("wh_{}", "Ab3".repeat(11));
        assert_eq!(kept_name(&key), "wh_Ab3…");
        assert_eq!(kept_name(&format!("x-{key}")), "x-wh_Ab3…");
        assert_eq!(kept_name("hp_0123456789"), "hp_012…");
        assert_eq!(kept_name("whsec_MfKQ9r8GKYqrTwjU"), "whsec_…");
        for start in 0..80 {
            let typed = format!("{}{key}", "a".repeat(start));
            let kept = kept_name(&typed);
            assert!(kept.len() <= MAX_NAME_BYTES && !kept.contains("wh_Ab3A"), "{kept}");
        }
    }

    #[test]
    fn a_refused_request_is_forgotten_after_three_days() {
        let at = Timestamp::from_second(1_790_000_000).expect("a time");
        let rejection = Rejection {
            id: RejectionId::new(at, Handle::NONE, 1, 7),
            refusal: Refusal::Unknown,
            form: UrlForm::Slug,
            named: None,
            method: "POST".to_owned(),
            source_ip: None,
            user_agent: None,
            content_type: None,
            body_bytes: 0,
            response_status: 401,
            duration_ms: 0,
            checks: Checks::default(),
            diagnosis: None,
        };
        let later = |seconds: i64| at + SignedDuration::from_secs(seconds);
        assert!(!rejection.is_expired(later(3 * 86_400 - 1)));
        assert!(rejection.is_expired(later(3 * 86_400)));
    }
}

//! Causes: why a request was not taken, each with what is known of it. None holds a secret or a signature.

use serde::Serialize;
use utoipa::ToSchema;

use super::detail::{BlanksAt, NewlineChange, Recoding, Rewrite, SecretForm, TimeUnit, Written};

/// Why a request was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(tag = "code", rename_all = "snake_case")]
#[schema(as = DiagnosisCause)]
pub enum Cause {
    /// It proves itself now: what was wrong has been repaired since.
    Valid,
    /// The signature is right, and too old.
    Stale {
        /// Seconds beyond what is allowed.
        by_s: u64,
        /// Seconds since it was made.
        off_s: u64,
    },
    /// The signature is right, and its time is too far ahead.
    Future {
        /// Seconds beyond what is allowed.
        by_s: u64,
        /// Seconds until the time that it says it was made at.
        off_s: u64,
    },
    /// There is no proof where it should be.
    SignatureMissing {
        /// Where it should be.
        place: String,
        /// What else is not there.
        also_missing: Vec<String>,
    },
    /// Something that is signed beside the body is not there, such as the time or an id.
    PartMissing {
        /// Where it should be.
        place: String,
    },
    /// A text is not written as it should be.
    Malformed {
        /// Where it stands.
        place: String,
    },
    /// A header came more than once, and nobody knows which one counts.
    DuplicatedHeader {
        /// Its name.
        header: String,
    },
    /// What is right stands in another header.
    WrongHeader {
        /// Where it stands.
        found: String,
        /// Where it should stand.
        expected: String,
    },
    /// The signature is right, and written in another encoding.
    WrongEncoding {
        /// What the row asks for.
        expected: Written,
        /// What was sent.
        found: Written,
    },
    /// The signature is right, and what stands before it is not.
    WrongPrefix {
        /// What should stand there; nothing when absent.
        #[serde(skip_serializing_if = "Option::is_none")]
        expected: Option<String>,
    },
    /// The signature is right by another algorithm, or names one that does not count.
    WrongAlgorithm {
        /// Its name; `unlisted` when it is none that is known.
        found: String,
    },
    /// The sender used the text of the secret as its key, without decoding it.
    SecretAsText {
        /// Whether the prefix was taken off.
        without_prefix: bool,
    },
    /// The sender made its key of the secret in another way.
    SecretDecoding {
        /// How.
        how: SecretForm,
    },
    /// There are blanks or a line feed around the secret on one side.
    SecretWhitespace {
        /// On which side.
        side: BlanksAt,
    },
    /// No secret of the webhook holds a key as its row writes one.
    SecretUnusable,
    /// The signature is right with another secret.
    WrongSecret {
        /// Whose it is.
        of: SecretOf,
    },
    /// Only line feeds or blanks at the end of the body are different.
    BodyNewline {
        /// What befell the body.
        change: NewlineChange,
    },
    /// The body was read as JSON and written anew on its way. An order of members that was lost cannot be restored.
    BodyReserialised {
        /// How it was written when it was signed.
        how: Vec<Rewrite>,
    },
    /// The body was encoded anew on its way.
    BodyEncoding {
        /// What befell it.
        how: Recoding,
    },
    /// The body was lost: an empty one was signed, or nothing of the signed one arrived.
    BodyEmpty,
    /// The signature is right, and the digest that it covers is that of another body.
    BodyDiffers {
        /// Where the digest stands.
        place: String,
    },
    /// The time is counted in another unit.
    TimestampUnit {
        /// What the row asks for.
        expected: TimeUnit,
        /// What was sent.
        found: TimeUnit,
    },
    /// The signature is right without the time in what is signed.
    TimestampNotSigned {
        /// The template that was signed.
        signed: String,
    },
    /// The signature is right with the parts in another order or with something else between them.
    Separator {
        /// The template that was signed.
        signed: String,
    },
    /// The signature is right for another URL.
    UrlDiffers {
        /// That URL, without the values of its query string.
        signed: String,
    },
    /// The signature is right for another method.
    MethodDiffers {
        /// That method.
        signed: String,
    },
    /// The signature is right, and a setting of the webhook has another value than it should.
    SettingDiffers {
        /// The setting.
        setting: String,
    },
    /// A setting that the row reads has no value.
    SettingMissing {
        /// The setting.
        setting: String,
    },
    /// The token's signature is right, and a claim of it is not.
    ClaimDiffers {
        /// The claim.
        claim: String,
    },
    /// The certificate that the request names could not be had.
    CertificateUnavailable,
    /// The request proves itself as another preset says.
    WrongPreset {
        /// The preset.
        preset: String,
        /// Others by which it does so as well.
        also: Vec<String>,
        /// Whose secret it is signed with.
        of: SecretOf,
    },
    /// Nothing that was tried makes the proof right.
    Unknown,
}

impl Cause {
    /// Its stable name, the same as in JSON.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Stale { .. } => "stale",
            Self::Future { .. } => "future",
            Self::SignatureMissing { .. } => "signature_missing",
            Self::PartMissing { .. } => "part_missing",
            Self::Malformed { .. } => "malformed",
            Self::DuplicatedHeader { .. } => "duplicated_header",
            Self::WrongHeader { .. } => "wrong_header",
            Self::WrongEncoding { .. } => "wrong_encoding",
            Self::WrongPrefix { .. } => "wrong_prefix",
            Self::WrongAlgorithm { .. } => "wrong_algorithm",
            Self::SecretAsText { .. } => "secret_as_text",
            Self::SecretDecoding { .. } => "secret_decoding",
            Self::SecretWhitespace { .. } => "secret_whitespace",
            Self::SecretUnusable => "secret_unusable",
            Self::WrongSecret { .. } => "wrong_secret",
            Self::BodyNewline { .. } => "body_newline",
            Self::BodyReserialised { .. } => "body_reserialised",
            Self::BodyEncoding { .. } => "body_encoding",
            Self::BodyEmpty => "body_empty",
            Self::BodyDiffers { .. } => "body_differs",
            Self::TimestampUnit { .. } => "timestamp_unit",
            Self::TimestampNotSigned { .. } => "timestamp_not_signed",
            Self::Separator { .. } => "separator",
            Self::UrlDiffers { .. } => "url_differs",
            Self::MethodDiffers { .. } => "method_differs",
            Self::SettingDiffers { .. } => "setting_differs",
            Self::SettingMissing { .. } => "setting_missing",
            Self::ClaimDiffers { .. } => "claim_differs",
            Self::CertificateUnavailable => "certificate_unavailable",
            Self::WrongPreset { .. } => "wrong_preset",
            Self::Unknown => "unknown",
        }
    }
}

/// Whose a secret is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(tag = "whose", content = "which", rename_all = "snake_case")]
pub enum SecretOf {
    /// The webhook's, taken now.
    Own,
    /// The webhook's, before its rotation.
    Previous,
    /// Another webhook's of the tenant: its id.
    Other(String),
    /// The n-th that the caller gave, from 0.
    Given(usize),
}

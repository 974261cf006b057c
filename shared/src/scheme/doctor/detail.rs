//! Details: in which way something that a cause names is different.

use serde::Serialize;
use utoipa::ToSchema;

use crate::scheme::algorithm::Encoding;
use crate::scheme::signature::TimeFormat;

/// How a signature is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Written {
    /// As it is.
    Text,
    /// In hex.
    Hex,
    /// In base64.
    Base64,
    /// In base64 of the alphabet for URLs.
    Base64Url,
    /// In hex, and that in base64.
    Base64OfHex,
}

impl From<Encoding> for Written {
    fn from(encoding: Encoding) -> Self {
        match encoding {
            Encoding::Hex => Self::Hex,
            Encoding::Base64 => Self::Base64,
            Encoding::Base64Url => Self::Base64Url,
        }
    }
}

/// How a sender made its key of the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SecretForm {
    /// By decoding it from hex.
    Hex,
    /// By decoding it from base64.
    Base64,
    /// By decoding what follows its prefix from base64.
    Base64AfterPrefix,
    /// By taking the text after its prefix.
    TextAfterPrefix,
    /// Without the digest that the row takes of it.
    NotHashed,
}

/// Who has blanks around the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BlanksAt {
    /// The gateway: it was pasted with them.
    Gateway,
    /// The sender.
    Sender,
}

/// What befell the end of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NewlineChange {
    /// It was signed with what is no longer there.
    Trimmed,
    /// It was signed without what is there now.
    Added,
}

/// One way in which JSON is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rewrite {
    /// Without white space.
    Compact,
    /// On lines, indented by two blanks.
    PrettyTwo,
    /// On lines, indented by four blanks.
    PrettyFour,
    /// On lines, indented by tabs.
    PrettyTab,
    /// With a blank after each comma and colon, as Python writes it.
    PythonSeparators,
    /// With the names of members sorted.
    SortedKeys,
    /// With what is not ASCII as `\u…`.
    NonAsciiEscaped,
    /// With what is not ASCII as it is.
    NonAsciiPlain,
    /// With slashes as `\/`.
    SlashesEscaped,
    /// With slashes as they are.
    SlashesPlain,
    /// With `<`, `>` and `&` as `\u…`.
    HtmlEscaped,
    /// With `<`, `>` and `&` as they are.
    HtmlPlain,
    /// With a line feed at the end.
    FinalNewline,
}

/// What befell the encoding of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Recoding {
    /// A byte order mark was put before it.
    BomAdded,
    /// Its byte order mark was taken off.
    BomRemoved,
    /// The ends of its lines became single line feeds.
    CrlfToLf,
    /// Carriage returns were put before its line feeds.
    LfToCrlf,
    /// It was Latin-1 and became UTF-8, or it became UTF-8 twice.
    Latin1ToUtf8,
    /// It was UTF-8 and became Latin-1.
    Utf8ToLatin1,
    /// It was put in base64.
    Base64Encoded,
    /// It was decoded from base64.
    Base64Decoded,
    /// It became a text of JSON.
    Quoted,
    /// It was a text of JSON, of which the content arrived.
    Unquoted,
    /// It became a field of a form.
    FormWrapped,
    /// It was the field `payload` of a form, of which the value arrived.
    FormUnwrapped,
    /// A form was signed decoded and arrived encoded.
    FormEncoded,
    /// A form was encoded anew: blanks, or the case of escapes.
    FormReencoded,
}

/// How a time is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TimeUnit {
    /// Whole seconds since the Unix epoch.
    Seconds,
    /// Whole milliseconds since the Unix epoch.
    Milliseconds,
    /// As RFC 3339 says.
    Rfc3339,
}

impl From<TimeFormat> for TimeUnit {
    fn from(format: TimeFormat) -> Self {
        match format {
            TimeFormat::Seconds => Self::Seconds,
            TimeFormat::Milliseconds => Self::Milliseconds,
            TimeFormat::Rfc3339 => Self::Rfc3339,
        }
    }
}

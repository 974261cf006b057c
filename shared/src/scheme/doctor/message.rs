//! Sentences for people: what a cause means, and who can do something about it.

use super::cause::{Cause, SecretOf};
use super::detail::{BlanksAt, NewlineChange, Recoding, Rewrite, SecretForm, TimeUnit, Written};

/// A sentence, or a few, that say what a cause is.
pub(super) fn sentence(cause: &Cause) -> String {
    match cause {
        Cause::Valid => "The request proves itself now; what was wrong has been repaired since.".to_owned(),
        Cause::Stale { by_s, off_s } => {
            format!("The signature is right, but it was made {off_s} s ago: {by_s} s more than is allowed.")
        }
        Cause::Future { by_s, off_s } => {
            format!("The signature is right, but its time lies {off_s} s ahead: {by_s} s more than is allowed.")
        }
        Cause::SignatureMissing { place, also_missing } => match also_missing.as_slice() {
            [] => format!("There is nothing where the proof should be: {place}."),
            more => format!("There is nothing where the proof should be: {place}. Also missing: {}.", more.join("; ")),
        },
        Cause::PartMissing { place } => format!("Something that is signed beside the body is missing: {place}."),
        Cause::Malformed { place } => format!("What stands there is not written as it should be: {place}."),
        Cause::DuplicatedHeader { header } => {
            format!("The header {header} came more than once, and nobody knows which one counts.")
        }
        Cause::WrongHeader { found, expected } => {
            format!("What is right stands at {found}; it is expected at {expected}.")
        }
        Cause::WrongEncoding { expected, found } => {
            format!("The signature is right, but written in {}; {} is expected.", written(*found), written(*expected))
        }
        Cause::WrongPrefix { expected: Some(prefix) } => {
            format!("The signature is right, but \"{prefix}\" is expected before it.")
        }
        Cause::WrongPrefix { expected: None } => {
            "The signature is right, but nothing is expected before or around it.".to_owned()
        }
        Cause::WrongAlgorithm { found } => format!("The sender signs by another algorithm: {found}."),
        Cause::SecretAsText { without_prefix } => {
            let how =
                if *without_prefix { "the text of the secret after its prefix" } else { "the text of the secret" };
            format!("The sender uses {how} as its key; it should decode it first.")
        }
        Cause::SecretDecoding { how } => format!("The sender makes its key of the secret {}.", form(*how)),
        Cause::SecretWhitespace { side: BlanksAt::Gateway } => {
            "The secret was pasted here with blanks or a line feed around it.".to_owned()
        }
        Cause::SecretWhitespace { side: BlanksAt::Sender } => {
            "The sender uses the secret with a blank or a line feed behind it.".to_owned()
        }
        Cause::SecretUnusable => "No secret of the webhook holds a key as its scheme writes one.".to_owned(),
        Cause::WrongSecret { of } => format!("The signature is right with another secret: {}.", whose(of)),
        Cause::BodyNewline { change: NewlineChange::Trimmed } => {
            "The body was signed with a line feed at its end, which was taken off on its way.".to_owned()
        }
        Cause::BodyNewline { change: NewlineChange::Added } => {
            "The body was signed without the blanks or line feeds around it, which were added on its way.".to_owned()
        }
        Cause::BodyReserialised { how } => {
            let how: Vec<_> = how.iter().copied().map(rewrite).collect();
            format!("The body was read as JSON and written anew on its way; it was signed {}.", how.join(", "))
        }
        Cause::BodyEncoding { how } => format!("The body was changed on its way: {}.", recoding(*how)),
        Cause::BodyEmpty => "The body was lost: an empty one was signed, or nothing of it arrived.".to_owned(),
        Cause::BodyDiffers { place } => {
            format!("Another body was signed: the digest at {place} is not that of this one.")
        }
        Cause::TimestampUnit { expected, found } => {
            format!("The time is written as {}; {} is expected.", unit(*found), unit(*expected))
        }
        Cause::TimestampNotSigned { signed } => {
            format!("The sender does not sign the time: the signature is right over {signed:?}.")
        }
        Cause::Separator { signed } => {
            format!("The sender puts together what it signs in another way: the signature is right over {signed:?}.")
        }
        Cause::UrlDiffers { signed } => format!("The sender signed for another URL: {signed}."),
        Cause::MethodDiffers { signed } => format!("The sender signed for another method: {signed}."),
        Cause::SettingDiffers { setting } => {
            format!("The signature is right, but the setting {setting} has another value than it should.")
        }
        Cause::SettingMissing { setting } => format!("The setting {setting} has no value."),
        Cause::ClaimDiffers { claim } => {
            format!("The token's signature is right, but its claim {claim} is not what it should be.")
        }
        Cause::CertificateUnavailable => "The certificate that the request names could not be had.".to_owned(),
        Cause::WrongPreset { preset, also, of } => {
            let also = if also.is_empty() { String::new() } else { format!(" (also {})", also.join(", ")) };
            format!("The request proves itself as {preset}{also} with {}.", whose(of))
        }
        Cause::Unknown => "Nothing that was tried makes the proof right: a secret that is not known here, or a body \
                           that was changed."
            .to_owned(),
    }
}

fn whose(of: &SecretOf) -> String {
    match of {
        SecretOf::Own => "the webhook's own secret".to_owned(),
        SecretOf::Previous => "the webhook's secret before its rotation".to_owned(),
        SecretOf::Other(id) => format!("the secret of the webhook {id}"),
        SecretOf::Given(n) => format!("number {} of the secrets that were given", n.saturating_add(1)),
    }
}

fn written(written: Written) -> &'static str {
    match written {
        Written::Text => "plain text",
        Written::Hex => "hex",
        Written::Base64 => "base64",
        Written::Base64Url => "base64url",
        Written::Base64OfHex => "base64 of hex",
    }
}

fn form(form: SecretForm) -> &'static str {
    match form {
        SecretForm::Hex => "by decoding it from hex",
        SecretForm::Base64 => "by decoding it from base64",
        SecretForm::Base64AfterPrefix => "by decoding what follows its prefix from base64",
        SecretForm::TextAfterPrefix => "without its prefix",
        SecretForm::NotHashed => "without taking its digest",
    }
}

fn unit(unit: TimeUnit) -> &'static str {
    match unit {
        TimeUnit::Seconds => "seconds",
        TimeUnit::Milliseconds => "milliseconds",
        TimeUnit::Rfc3339 => "RFC 3339",
    }
}

fn rewrite(rewrite: Rewrite) -> &'static str {
    match rewrite {
        Rewrite::Compact => "without white space",
        Rewrite::PrettyTwo => "indented by two blanks",
        Rewrite::PrettyFour => "indented by four blanks",
        Rewrite::PrettyTab => "indented by tabs",
        Rewrite::PythonSeparators => "with a blank after each comma and colon",
        Rewrite::SortedKeys => "with sorted names",
        Rewrite::NonAsciiEscaped => "with all but ASCII escaped",
        Rewrite::NonAsciiPlain => "with nothing but ASCII escaped",
        Rewrite::SlashesEscaped => "with escaped slashes",
        Rewrite::SlashesPlain => "with plain slashes",
        Rewrite::HtmlEscaped => "with <, > and & escaped",
        Rewrite::HtmlPlain => "with plain <, > and &",
        Rewrite::FinalNewline => "with a line feed at the end",
    }
}

fn recoding(recoding: Recoding) -> &'static str {
    match recoding {
        Recoding::BomAdded => "a byte order mark was put before it",
        Recoding::BomRemoved => "its byte order mark was taken off",
        Recoding::CrlfToLf => "the ends of its lines became single line feeds",
        Recoding::LfToCrlf => "carriage returns were put before its line feeds",
        Recoding::Latin1ToUtf8 => "Latin-1 became UTF-8, or UTF-8 was encoded twice",
        Recoding::Utf8ToLatin1 => "UTF-8 became Latin-1",
        Recoding::Base64Encoded => "it was put in base64",
        Recoding::Base64Decoded => "it was decoded from base64",
        Recoding::Quoted => "it became a text of JSON",
        Recoding::Unquoted => "it was a text of JSON, of which only the content arrived",
        Recoding::FormWrapped => "it became a field of a form",
        Recoding::FormUnwrapped => "it was the field payload of a form, of which only the value arrived",
        Recoding::FormEncoded => "the form was signed decoded, and arrived encoded",
        Recoding::FormReencoded => "the form was encoded anew",
    }
}

//! Bodies: what may have befallen one between the sender who signed it and here.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::form_urlencoded;

use super::bench::{Bench, Found};
use super::cause::Cause;
use super::detail::{NewlineChange, Recoding};
use super::places::describe;
use super::{json_text, message_signatures};
use crate::proof::BASE64;
use crate::scheme::signature::Signature;
use crate::scheme::view::View;
use crate::scheme::{Jws, Scheme};

/// The byte order mark of UTF-8.
const BOM: &str = "\u{feff}";
/// The field in which a form most often carries JSON.
const PAYLOAD: &str = "payload";

/// Varies the body alone.
pub(super) fn find(bench: &Bench<'_>) -> Option<Found> {
    if matches!(bench.scheme, Scheme::Token(_)) && !bench.reads_body() {
        return None;
    }
    let body = bench.case.request.body;
    let is_it = |varied: &[u8]| varied != body && bench.with_body(varied);
    if let Some((change, _)) = newlines(body).into_iter().find(|(_, varied)| is_it(varied)) {
        return Some(Cause::BodyNewline { change }.into());
    }
    if bench.is_small() {
        if let Some((how, _)) = json_text::rewrites(body).into_iter().find(|(_, varied)| is_it(varied)) {
            return Some(Cause::BodyReserialised { how }.into());
        }
        let is_form = View::new(bench.case.request).is_form();
        if let Some((how, _)) = recodings(body, is_form).into_iter().find(|(_, varied)| is_it(varied)) {
            return Some(Cause::BodyEncoding { how }.into());
        }
    }
    if is_it(b"") {
        return Some(Cause::BodyEmpty.into());
    }
    another_body(bench).map(Found::from)
}

fn newlines(body: &[u8]) -> Vec<(NewlineChange, Vec<u8>)> {
    use NewlineChange::{Added, Trimmed};
    let ends = |c: &u8| matches!(c, b'\n' | b'\r');
    let without_all = body.len() - body.iter().rev().take_while(|c| ends(c)).count();
    let one = body.strip_suffix(b"\r\n").or_else(|| body.strip_suffix(b"\n")).unwrap_or(body);
    vec![
        (Added, one.to_vec()),
        (Added, body[..without_all].to_vec()),
        (Added, body.trim_ascii().to_vec()),
        (Trimmed, [body, b"\n"].concat()),
        (Trimmed, [body, b"\r\n"].concat()),
    ]
}

/// The body as it was before something encoded it anew.
fn recodings(body: &[u8], is_form: bool) -> Vec<(Recoding, Vec<u8>)> {
    let mut all = Vec::new();
    match body.strip_prefix(BOM.as_bytes()) {
        Some(rest) => all.push((Recoding::BomAdded, rest.to_vec())),
        None => all.push((Recoding::BomRemoved, [BOM.as_bytes(), body].concat())),
    }
    if !body.is_ascii() {
        let widened: String = body.iter().copied().map(char::from).collect();
        all.push((Recoding::Utf8ToLatin1, widened.into_bytes()));
    }
    if let Ok(decoded) = BASE64.decode(body.trim_ascii())
        && !decoded.is_empty()
    {
        all.push((Recoding::Base64Encoded, decoded));
    }
    all.push((Recoding::Base64Decoded, STANDARD.encode(body).into_bytes()));
    let Ok(text) = std::str::from_utf8(body) else { return all };
    let narrowed: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
    all.extend(narrowed.map(|narrowed| (Recoding::Latin1ToUtf8, narrowed)));
    let lines = text.replace("\r\n", "\n");
    all.push((Recoding::CrlfToLf, lines.replace('\n', "\r\n").into_bytes()));
    all.push((Recoding::LfToCrlf, lines.into_bytes()));
    if let Ok(inner) = serde_json::from_str::<String>(text) {
        all.push((Recoding::Quoted, inner.into_bytes()));
    }
    if let Ok(quoted) = serde_json::to_string(text) {
        all.push((Recoding::Unquoted, quoted.into_bytes()));
    }
    forms(text, is_form, &mut all);
    all
}

fn forms(text: &str, is_form: bool, all: &mut Vec<(Recoding, Vec<u8>)>) {
    let encoded: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
    let blanks = encoded.replace('+', "%20");
    for value in [encoded, blanks] {
        all.push((Recoding::FormUnwrapped, format!("{PAYLOAD}={value}").into_bytes()));
    }
    let fields: Vec<_> = form_urlencoded::parse(text.as_bytes()).collect();
    let is_wrapped = |name: &str, value: &str| !value.is_empty() && (name == PAYLOAD || fields.len() == 1);
    let wrapped = fields.iter().find(|(name, value)| is_wrapped(name, value));
    all.extend(wrapped.map(|(_, value)| (Recoding::FormWrapped, value.as_bytes().to_vec())));
    if !is_form {
        return;
    }
    let decoded: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    all.push((Recoding::FormEncoded, decoded.join("&").into_bytes()));
    for varied in [text.replace('+', "%20"), text.replace("%20", "+"), cased(text, true), cased(text, false)] {
        all.push((Recoding::FormReencoded, varied.into_bytes()));
    }
}

/// The same text with the digits of its escapes in one case.
fn cased(text: &str, is_upper: bool) -> String {
    let mut digits = 0;
    let mut cased = String::with_capacity(text.len());
    for c in text.chars() {
        cased.push(match (digits, is_upper) {
            (0, _) => c,
            (_, true) => c.to_ascii_uppercase(),
            (_, false) => c.to_ascii_lowercase(),
        });
        digits = if c == '%' { 2_u8 } else { digits.saturating_sub(1) };
    }
    cased
}

/// A signature that is right, over the digest of another body.
fn another_body(bench: &Bench<'_>) -> Option<Cause> {
    let place = match &bench.scheme {
        Scheme::Signature(row) => {
            let digest = row.digest.as_ref()?;
            bench.with_row(Signature { digest: None, ..Signature::clone(row) }).then(|| describe(&digest.place))?
        }
        Scheme::Jws(row) => {
            let claim = row.digest_claim.as_ref()?;
            let scheme = Scheme::Jws(Jws { digest_claim: None, ..row.clone() });
            bench.with_scheme(&scheme).then(|| format!("claim {claim}"))?
        }
        Scheme::HttpMessageSignature(row) => return message_signatures::another_body(bench, row),
        Scheme::Token(_) => return None,
    };
    Some(if bench.case.request.body.is_empty() { Cause::BodyEmpty } else { Cause::BodyDiffers { place } })
}

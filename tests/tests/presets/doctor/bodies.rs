//! Bodies that something changed on their way.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::sent::{BODY, Sender, Sent, recorded};
use super::{Row, row};

/// The body as Python writes it.
const SPACED: &str =
    r#"{"id": "evt_1001", "type": "order.paid", "note": "Grüße", "url": "https://example.com/a", "total": 42.5}"#;
/// The body as Python writes it with sorted names.
const SORTED: &str =
    r#"{"id": "evt_1001", "note": "Grüße", "total": 42.5, "type": "order.paid", "url": "https://example.com/a"}"#;
/// The body as PHP writes it.
const ESCAPED: &str =
    r#"{"id":"evt_1001","type":"order.paid","note":"Gr\u00fc\u00dfe","url":"https:\/\/example.com\/a","total":42.5}"#;

/// The body on lines.
fn pretty(indent: &str, end: &str) -> String {
    let inner = SPACED.trim_matches(['{', '}']).replace(", ", &format!(",{end}{indent}"));
    format!("{{{end}{indent}{inner}{end}}}")
}

/// Signed over one body, and another arrives.
fn sent(name: &str, signed: &str, arrives: impl AsRef<[u8]>) -> Sent {
    Sender::of(name).body(signed).send().arrives(arrives)
}

pub fn rows() -> Vec<Row> {
    let mut rows = ends();
    rows.extend(rewritten());
    rows.extend(recoded());
    rows.extend(lost());
    rows
}

fn ends() -> Vec<Row> {
    let newline = |change: &str| json!({ "code": "body_newline", "change": change });
    let longer = format!("{BODY}\n");
    vec![
        row("a line feed taken off", sent("github", &longer, BODY), newline("trimmed")),
        row("a line feed added", sent("shopify", BODY, &longer), newline("added")),
        row("two line feeds added", sent("slack", BODY, format!("{BODY}\r\n\n")), newline("added")),
        row("a line feed added under a public key", sent("discord", BODY, &longer), newline("added")),
        row("a line feed added under a token", sent("netlify", BODY, &longer), newline("added")),
        row("a line feed added to a message", sent("http-message-signatures-hmac", BODY, &longer), newline("added")),
        row("a line feed taken off, and late", sent("stripe", &longer, BODY).late(400), newline("trimmed"))
            .and(json!({ "also": { "code": "stale", "by_s": 100, "off_s": 400 } })),
    ]
}

fn rewritten() -> Vec<Row> {
    let how = |how: &[&str]| json!({ "code": "body_reserialised", "how": how });
    let html = r#"{"topic":"<b> & more","n":1}"#;
    let html_escaped = r#"{"topic":"\u003cb\u003e \u0026 more","n":1}"#;
    let plain = ESCAPED.replace("\\/", "/");
    let (two, four) = (pretty("  ", "\n"), pretty("    ", "\n"));
    vec![
        row("from two blanks", sent("github", &two, BODY), how(&["pretty_two"])),
        row(
            "from four blanks, with a line feed",
            sent("box", &format!("{four}\n"), BODY),
            how(&["pretty_four", "final_newline"]),
        ),
        row("from none to four blanks", sent("stripe", BODY, &four), how(&["compact"])),
        row("from Python", sent("shopify", SPACED, BODY), how(&["python_separators"])),
        row("from sorted names", sent("slack", SORTED, BODY), how(&["sorted_keys", "python_separators"])),
        row("from PHP", sent("twitch", ESCAPED, BODY), how(&["non_ascii_escaped", "slashes_escaped"])),
        row("from plain characters", sent("github", BODY, &plain), how(&["non_ascii_plain"])),
        row("from plain slashes", sent("zoom", &plain, ESCAPED), how(&["slashes_plain"])),
        row("from Go", sent("square", html_escaped, html), how(&["html_escaped"])),
        row("from two blanks under a public key", sent("discord", &two, BODY), how(&["pretty_two"])),
        row("from Python under ECDSA", sent("sendgrid", SPACED, BODY), how(&["python_separators"])),
        row("from Python in a token", sent("netlify", SPACED, BODY), how(&["python_separators"])),
    ]
}

fn recoded() -> Vec<Row> {
    let how = |how: &str| json!({ "code": "body_encoding", "how": how });
    let latin: Vec<u8> = BODY.chars().map(|c| u8::try_from(u32::from(c)).expect("Latin-1")).collect();
    let twice: String = BODY.bytes().map(char::from).collect();
    let quoted = serde_json::to_string(BODY).expect("a text");
    let crlf = pretty("  ", "\r\n");
    let form = "payload=%7B%22a%22%3A1%7D";
    vec![
        row("a mark before it", sent("github", BODY, format!("\u{feff}{BODY}")), how("bom_added")),
        row("Latin-1", sent("stripe", BODY, latin), how("utf8_to_latin1")),
        row("UTF-8 twice", sent("shopify", BODY, twice), how("latin1_to_utf8")),
        row("base64", sent("shopify", BODY, STANDARD.encode(BODY)), how("base64_encoded")),
        row("the ends of lines", sent("github", &crlf, pretty("  ", "\n")), how("crlf_to_lf")),
        row("a text of JSON", sent("zoom", BODY, quoted), how("quoted")),
        row("a field of a form", sent("github", form, r#"{"a":1}"#), how("form_unwrapped")),
        row("base64 with the signature in it", encoded("mailgun"), how("base64_encoded")),
    ]
}

fn encoded(name: &str) -> Sent {
    recorded(name, 0).spoil(|sent| sent.shown.body = STANDARD.encode(&sent.shown.body).into_bytes())
}

fn lost() -> Vec<Row> {
    let differs = |place: &str| json!({ "code": "body_differs", "place": place });
    let another = r#"{"property": "another", "boolean": true}"#;
    let message = "http-message-signatures-hmac";
    vec![
        row("nothing was signed", sent("github", "", BODY), json!({ "code": "body_empty" })),
        row("nothing arrived", sent("netlify", BODY, ""), json!({ "code": "body_empty" })),
        row("another body beside a URL", recorded("twilio", 2).arrives(another), differs("query parameter bodySHA256")),
        row("another body beside a token", recorded("netlify", 0).arrives(another), differs("claim sha256")),
        row("another body in a message", recorded(message, 0).arrives(another), differs("header content-digest")),
    ]
}

//! Escapes: how characters of a JSON text are written.

use crate::scheme::doctor::detail::Rewrite;

/// How some characters are written.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Form {
    AsItIs,
    Escaped,
    Plain,
}

/// How the characters are written on which writers differ.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Escapes {
    non_ascii: Form,
    slashes: Form,
    html: Form,
}

/// Nothing is changed.
pub(super) const AS_IT_IS: Escapes = Escapes { non_ascii: Form::AsItIs, slashes: Form::AsItIs, html: Form::AsItIs };

/// The ways that are common: Python escapes all but ASCII, PHP slashes as well, Go what HTML minds.
pub(super) const ESCAPES: &[(&[Rewrite], Escapes)] = &[
    (&[], AS_IT_IS),
    (&[Rewrite::NonAsciiEscaped], Escapes { non_ascii: Form::Escaped, ..AS_IT_IS }),
    (&[Rewrite::NonAsciiPlain], Escapes { non_ascii: Form::Plain, ..AS_IT_IS }),
    (&[Rewrite::SlashesEscaped], Escapes { slashes: Form::Escaped, ..AS_IT_IS }),
    (&[Rewrite::SlashesPlain], Escapes { slashes: Form::Plain, ..AS_IT_IS }),
    (&[Rewrite::HtmlEscaped], Escapes { html: Form::Escaped, ..AS_IT_IS }),
    (&[Rewrite::HtmlPlain], Escapes { html: Form::Plain, ..AS_IT_IS }),
    (
        &[Rewrite::NonAsciiEscaped, Rewrite::SlashesEscaped],
        Escapes { non_ascii: Form::Escaped, slashes: Form::Escaped, ..AS_IT_IS },
    ),
    (
        &[Rewrite::NonAsciiPlain, Rewrite::SlashesPlain],
        Escapes { non_ascii: Form::Plain, slashes: Form::Plain, ..AS_IT_IS },
    ),
];

/// Writes the inside of a JSON text anew.
pub(super) fn escaped(raw: &str, how: Escapes, out: &mut String) {
    let mut rest = raw;
    while let Some(c) = rest.chars().next() {
        let (value, length) = if c == '\\' { unescaped(rest) } else { (Some(c), c.len_utf8()) };
        let (original, after) = rest.split_at(length.min(rest.len()));
        match value {
            Some(value) => put(value, original, how, out),
            None => out.push_str(original),
        }
        rest = after;
    }
}

/// The character that an escape stands for, if it is one that writers differ on, and how long the escape is.
fn unescaped(rest: &str) -> (Option<char>, usize) {
    let unit = |at: usize| {
        let digits = rest.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok()
    };
    if rest.starts_with("\\/") {
        return (Some('/'), 2);
    }
    match (unit(0), unit(6)) {
        (Some(high @ 0xd800..=0xdbff), Some(low)) => match char::decode_utf16([high, low]).next() {
            Some(Ok(c)) => (Some(c), 12),
            _ => (None, 6),
        },
        (Some(single), _) => (char::from_u32(u32::from(single)), 6),
        // A backslash, and the character that it escapes.
        (None, _) => (None, 1 + rest.chars().nth(1).map_or(0, char::len_utf8)),
    }
}

fn put(c: char, original: &str, how: Escapes, out: &mut String) {
    let form = match c {
        '/' => how.slashes,
        '<' | '>' | '&' => how.html,
        c if !c.is_ascii() => how.non_ascii,
        _ => Form::AsItIs,
    };
    match (form, c) {
        (Form::AsItIs, _) => out.push_str(original),
        (Form::Plain, c) => out.push(c),
        (Form::Escaped, '/') => out.push_str("\\/"),
        (Form::Escaped, c) => {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
}

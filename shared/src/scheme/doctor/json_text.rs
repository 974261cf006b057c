//! JSON as text: the same values laid out and escaped in other ways.
//!
//! The text is what is worked on, so that numbers and the order of members stay as they are. Sorted names are one of
//! the ways; an order that was lost by sorting cannot be restored.

use std::collections::HashSet;

use serde_json::Value;

use super::detail::Rewrite;
use escape::{AS_IT_IS, ESCAPES, Escapes, escaped};

mod escape;
#[cfg(test)]
mod tests;

/// The most ways that are handed back.
const MAX_WAYS: usize = 80;

/// How values are laid out.
#[derive(Clone, Copy, PartialEq)]
enum Layout {
    /// As in the text.
    AsItIs,
    /// With what stands after a comma and after a colon.
    Line { comma: &'static str, colon: &'static str },
    /// On lines, with this indent.
    Lines(&'static str),
}

const LAYOUTS: [(Layout, Option<Rewrite>); 6] = [
    (Layout::AsItIs, None),
    (Layout::Line { comma: ",", colon: ":" }, Some(Rewrite::Compact)),
    (Layout::Line { comma: ", ", colon: ": " }, Some(Rewrite::PythonSeparators)),
    (Layout::Lines("  "), Some(Rewrite::PrettyTwo)),
    (Layout::Lines("    "), Some(Rewrite::PrettyFour)),
    (Layout::Lines("\t"), Some(Rewrite::PrettyTab)),
];

/// A value, of which every scalar is still its text.
enum Node<'t> {
    /// A number, a flag or null.
    Plain(&'t str),
    /// A text, without its quotes.
    Text(&'t str),
    List(Vec<Node<'t>>),
    Object(Vec<(&'t str, Node<'t>)>),
}

/// The ways in which a body may have been written, those with the fewest changes first; none when it is no JSON.
pub(super) fn rewrites(body: &[u8]) -> Vec<(Vec<Rewrite>, Vec<u8>)> {
    let Ok(text) = std::str::from_utf8(body) else { return Vec::new() };
    // What is read here once is also no deeper than can be walked.
    if !serde_json::from_str::<Value>(text).is_ok_and(|value| value.is_object() || value.is_array()) {
        return Vec::new();
    }
    let Some(plain) = (Reader { text, at: 0 }).node() else { return Vec::new() };
    let sorted = plain.sorted();
    let mut all = Vec::new();
    for (layout, layout_name) in LAYOUTS {
        for (escape_names, escapes) in ESCAPES {
            for is_sorted in [false, true] {
                let mut how: Vec<Rewrite> = is_sorted.then_some(Rewrite::SortedKeys).into_iter().collect();
                how.extend(layout_name);
                how.extend(escape_names.iter());
                let written = match (layout, is_sorted) {
                    (Layout::AsItIs, true) => continue,
                    (Layout::AsItIs, false) => as_it_is(text, *escapes),
                    (layout, _) => written(if is_sorted { &sorted } else { &plain }, layout, *escapes),
                };
                if layout_name.is_some() && escape_names.is_empty() && !is_sorted {
                    let longer = how.iter().copied().chain([Rewrite::FinalNewline]).collect();
                    all.push((longer, format!("{written}\n")));
                }
                all.push((how, written));
            }
        }
    }
    // The same text with fewer changes is the simpler story.
    all.sort_by_key(|(how, _)| how.len());
    let mut known = HashSet::from([text.to_owned()]);
    all.retain(|(_, written)| known.insert(written.clone()));
    all.truncate(MAX_WAYS);
    all.into_iter().map(|(how, written)| (how, written.into_bytes())).collect()
}

/// A text that is known to be JSON, and how far it was read.
struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn peek(&mut self) -> Option<u8> {
        let rest = self.text.as_bytes().get(self.at..)?;
        self.at += rest.iter().take_while(|c| c.is_ascii_whitespace()).count();
        self.text.as_bytes().get(self.at).copied()
    }

    fn node(&mut self) -> Option<Node<'t>> {
        match self.peek()? {
            b'{' => {
                self.at += 1;
                let mut members = Vec::new();
                loop {
                    match self.peek()? {
                        b'}' => break,
                        b',' => self.at += 1,
                        _ => {
                            let name = self.string()?;
                            self.peek().filter(|c| *c == b':')?;
                            self.at += 1;
                            members.push((name, self.node()?));
                        }
                    }
                }
                self.at += 1;
                Some(Node::Object(members))
            }
            b'[' => {
                self.at += 1;
                let mut values = Vec::new();
                loop {
                    match self.peek()? {
                        b']' => break,
                        b',' => self.at += 1,
                        _ => values.push(self.node()?),
                    }
                }
                self.at += 1;
                Some(Node::List(values))
            }
            b'"' => self.string().map(Node::Text),
            _ => {
                let rest = &self.text[self.at..];
                let end = rest.find([',', ']', '}', ' ', '\t', '\r', '\n']).unwrap_or(rest.len());
                self.at += end;
                Some(Node::Plain(&rest[..end])).filter(|_| end > 0)
            }
        }
    }

    /// The text between two quotes.
    fn string(&mut self) -> Option<&'t str> {
        let start = self.at + 1;
        let end = start + end_of_text(self.text.get(start..)?)?;
        self.at = end + 1;
        self.text.get(start..end)
    }
}

/// Where the quote stands that ends a text.
fn end_of_text(rest: &str) -> Option<usize> {
    let mut is_escaped = false;
    rest.bytes().position(|c| {
        let is_end = c == b'"' && !is_escaped;
        is_escaped = c == b'\\' && !is_escaped;
        is_end
    })
}

impl<'t> Node<'t> {
    /// The same value with the members of objects in the order of their names.
    fn sorted(&self) -> Self {
        match self {
            Self::Plain(plain) => Self::Plain(plain),
            Self::Text(text) => Self::Text(text),
            Self::List(values) => Self::List(values.iter().map(Self::sorted).collect()),
            Self::Object(members) => {
                let mut members: Vec<_> = members.iter().map(|(name, value)| (*name, value.sorted())).collect();
                members.sort_by_cached_key(|(name, _)| {
                    serde_json::from_str::<String>(&format!("\"{name}\"")).unwrap_or_else(|_| (*name).to_owned())
                });
                Self::Object(members)
            }
        }
    }
}

fn written(node: &Node<'_>, layout: Layout, escapes: Escapes) -> String {
    let mut out = String::new();
    write(node, layout, escapes, 0, &mut out);
    out
}

fn write(node: &Node<'_>, layout: Layout, escapes: Escapes, depth: usize, out: &mut String) {
    let text = |text: &str, out: &mut String| {
        out.push('"');
        escaped(text, escapes, out);
        out.push('"');
    };
    match node {
        Node::Plain(plain) => out.push_str(plain),
        Node::Text(raw) => text(raw, out),
        Node::List(values) => {
            out.push('[');
            for (n, value) in values.iter().enumerate() {
                begin(n, layout, depth + 1, out);
                write(value, layout, escapes, depth + 1, out);
            }
            end(values.is_empty(), layout, depth, out);
            out.push(']');
        }
        Node::Object(members) => {
            out.push('{');
            for (n, (name, value)) in members.iter().enumerate() {
                begin(n, layout, depth + 1, out);
                text(name, out);
                out.push_str(match layout {
                    Layout::Line { colon, .. } => colon,
                    Layout::Lines(_) | Layout::AsItIs => ": ",
                });
                write(value, layout, escapes, depth + 1, out);
            }
            end(members.is_empty(), layout, depth, out);
            out.push('}');
        }
    }
}

/// What stands before the n-th element.
fn begin(n: usize, layout: Layout, depth: usize, out: &mut String) {
    match layout {
        Layout::Line { comma, .. } if n > 0 => out.push_str(comma),
        Layout::Lines(indent) => {
            out.push_str(if n > 0 { ",\n" } else { "\n" });
            out.push_str(&indent.repeat(depth));
        }
        Layout::Line { .. } | Layout::AsItIs => {}
    }
}

/// What stands after the last element.
fn end(is_empty: bool, layout: Layout, depth: usize, out: &mut String) {
    if let Layout::Lines(indent) = layout
        && !is_empty
    {
        out.push('\n');
        out.push_str(&indent.repeat(depth));
    }
}

/// The same text with nothing but its texts escaped in another way.
fn as_it_is(text: &str, escapes: Escapes) -> String {
    if escapes == AS_IT_IS {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('"') {
        out.push_str(&rest[..=at]);
        rest = &rest[at + 1..];
        let end = end_of_text(rest).unwrap_or(rest.len());
        escaped(&rest[..end], escapes, &mut out);
        out.push_str(rest.get(end..=end).unwrap_or_default());
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

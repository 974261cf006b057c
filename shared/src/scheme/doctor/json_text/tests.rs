//! The ways in which one text is written, as the writers of other languages have them.

use super::*;

const ARRIVED: &str = r#"{"b":[1,{"c":"a/b"},[],{}],"a":"Grüße \"x\" <b>","n":1.50}"#;

fn written_as(how: &[Rewrite]) -> String {
    let all = rewrites(ARRIVED.as_bytes());
    let found = all.into_iter().find(|(known, _)| known == how).unwrap_or_else(|| panic!("{how:?}"));
    String::from_utf8(found.1).expect("UTF-8")
}

#[test]
fn values_are_laid_out_as_others_do_and_keep_their_order() {
    let python = r#"{"b": [1, {"c": "a/b"}, [], {}], "a": "Grüße \"x\" <b>", "n": 1.50}"#;
    assert_eq!(written_as(&[Rewrite::PythonSeparators]), python);
    let pretty = "{\n  \"b\": [\n    1,\n    {\n      \"c\": \"a/b\"\n    },\n    [],\n    {}\n  ],\n  \
                  \"a\": \"Grüße \\\"x\\\" <b>\",\n  \"n\": 1.50\n}";
    assert_eq!(written_as(&[Rewrite::PrettyTwo]), pretty);
    assert_eq!(written_as(&[Rewrite::PrettyTwo, Rewrite::FinalNewline]), format!("{pretty}\n"));
    let sorted = r#"{"a":"Grüße \"x\" <b>","b":[1,{"c":"a/b"},[],{}],"n":1.50}"#;
    assert_eq!(written_as(&[Rewrite::SortedKeys, Rewrite::Compact]), sorted);
}

#[test]
fn characters_are_escaped_as_others_do() {
    let php = r#"{"b":[1,{"c":"a\/b"},[],{}],"a":"Gr\u00fc\u00dfe \"x\" <b>","n":1.50}"#;
    assert_eq!(written_as(&[Rewrite::NonAsciiEscaped, Rewrite::SlashesEscaped]), php);
    let go = r#"{"b":[1,{"c":"a/b"},[],{}],"a":"Grüße \"x\" \u003cb\u003e","n":1.50}"#;
    assert_eq!(written_as(&[Rewrite::HtmlEscaped]), go);
    let back = rewrites(php.as_bytes());
    assert!(back.iter().any(|(_, written)| written == ARRIVED.as_bytes()), "and back again");
}

#[test]
fn a_character_beyond_the_first_plane_is_two_escapes() {
    let all = rewrites(r#"["😀"]"#.as_bytes());
    assert!(all.iter().any(|(_, written)| written == br#"["\ud83d\ude00"]"#));
    let back = rewrites(br#"["\ud83d\ude00", "\\u00e9"]"#);
    assert!(back.iter().any(|(_, written)| written == r#"["😀", "\\u00e9"]"#.as_bytes()));
}

#[test]
fn what_is_no_json_and_what_is_too_deep_is_left_alone() {
    for body in ["", "{", "null", "\"text\"", "a=b", &"[".repeat(100_000)] {
        assert!(rewrites(body.as_bytes()).is_empty(), "{}", body.len());
    }
    assert!(rewrites(b"\xff").is_empty());
}

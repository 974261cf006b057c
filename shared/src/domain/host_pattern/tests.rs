use super::*;

const VECTORS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/ssrf.json"));

#[derive(Deserialize)]
struct Vectors {
    hosts: Vec<Vector>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    pattern: HostPattern,
    host: String,
    matches: bool,
}

fn pattern(text: &str) -> Result<HostPattern, HostPatternError> {
    HostPattern::try_from(text.to_owned())
}

#[test]
fn every_pattern_takes_in_what_is_listed() {
    let vectors: Vectors = serde_json::from_str(VECTORS).unwrap();
    assert!(vectors.hosts.len() >= 30);
    for vector in vectors.hosts {
        assert_eq!(vector.pattern.matches(&vector.host), vector.matches, "{} {}", vector.pattern, vector.host);
    }
}

#[test]
fn a_pattern_that_could_match_no_host_is_refused() {
    assert_eq!(pattern(""), Err(HostPatternError::Length));
    assert_eq!(pattern(&"a".repeat(254)), Err(HostPatternError::Length));
    assert!(pattern(&"a".repeat(253)).is_ok());
    assert_eq!(pattern("example.com."), Err(HostPatternError::TrailingDot));
    for bad in ["a b", "a/b", "https://example.com", "[::1]", "bücher.example", "a_b", "10.0.0.0/8", "a\n", "user@host"]
    {
        assert_eq!(pattern(bad), Err(HostPatternError::Character), "{bad}");
    }
}

#[test]
fn a_pattern_is_kept_as_lower_case_text() {
    let kept = pattern("*.Example.COM").unwrap();
    assert_eq!(serde_json::to_string(&kept).unwrap(), r#""*.example.com""#);
    assert_eq!(serde_json::from_str::<HostPattern>(r#""*.EXAMPLE.com""#).unwrap(), kept);
    assert!(serde_json::from_str::<HostPattern>(r#""a b""#).is_err());
}

#[test]
fn a_pattern_agrees_with_a_regular_expression() {
    use proptest::prelude::*;
    proptest!(|(text in "[ab.*?]{1,8}", host in "[ab.]{0,12}")| {
        prop_assume!(!text.ends_with('.'));
        let expression = regex::escape(&text).replace(r"\*", ".*").replace(r"\?", ".");
        let expression = regex::Regex::new(&format!("^(?:{expression})$")).unwrap();
        prop_assert_eq!(pattern(&text).unwrap().matches(&host), expression.is_match(&host));
    });
}

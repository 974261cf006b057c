//! Proofs: what targets are asked, and which answers pass.

use http::HeaderMap;

use super::{Sent, set, text};
use crate::dialect::proof::{Asked, ProofStyle, Question};
use crate::dialect::template::{TEMPLATES, may_prove};
use crate::signature::challenge::{ChallengeFailure, challenge_body};

const VALUE: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

fn question(style: ProofStyle) -> Question<'static> {
    Question { style, challenge: VALUE, origin: "hooks.example.com" }
}

fn asked(style: ProofStyle, dialect: &str) -> Asked {
    let sent = Sent { payload: challenge_body(VALUE), ..Sent::in_dialect(dialect) };
    sent.under(|manner, message| question(style).write(manner, message, &sent.keys)).expect("it can be asked")
}

fn judged(style: ProofStyle, status: u16, body: &str) -> Result<(), ChallengeFailure> {
    question(style).judge(status, &HeaderMap::new(), body.as_bytes(), false)
}

#[test]
fn a_challenge_is_a_signed_post_whatever_the_dialect() {
    for dialect in ["standard", "hub", "timestamped", "cloudevents", "rfc9421", "bare"] {
        let asked = asked(ProofStyle::Challenge, dialect);
        assert_eq!((asked.written.method.as_str(), asked.url.is_none()), ("POST", true), "{dialect}");
        assert_eq!(asked.written.body, challenge_body(VALUE), "{dialect}");
    }
    assert!(text(&asked(ProofStyle::Challenge, "hub").written, "x-hub-signature-256").starts_with("sha256="));
}

#[test]
fn cloudevents_asks_for_leave_by_options_and_is_named_or_meant_by_a_star() {
    let asked = asked(ProofStyle::CloudEvents, "cloudevents");
    assert_eq!(asked.written.method, "OPTIONS");
    assert_eq!(text(&asked.written, "webhook-request-origin"), "hooks.example.com");
    assert!(asked.written.body.is_empty() && !asked.written.headers.contains_key("content-type"));
    let judge = |status, origin: Option<&'static str>| {
        let mut headers = HeaderMap::new();
        if let Some(origin) = origin {
            set(&mut headers, "webhook-allowed-origin", origin);
        }
        question(ProofStyle::CloudEvents).judge(status, &headers, b"", false)
    };
    for origin in ["hooks.example.com", "HOOKS.example.com", "*", "other.example, hooks.example.com"] {
        assert_eq!(judge(200, Some(origin)), Ok(()), "{origin}");
    }
    assert_eq!(judge(204, Some("*")), Ok(()));
    for origin in [None, Some(""), Some("example.com"), Some("other.hooks.example.com")] {
        assert_eq!(judge(200, origin), Err(ChallengeFailure::OriginNotAllowed), "{origin:?}");
    }
    assert_eq!(judge(405, Some("*")), Err(ChallengeFailure::NotSuccess(405)));
}

#[test]
fn websub_asks_by_get_and_wants_the_value_alone() {
    let asked = asked(ProofStyle::WebSub, "standard");
    assert_eq!(asked.written.method, "GET");
    let url = asked.url.expect("a URL of its own");
    let fields: Vec<(String, String)> =
        url::Url::parse(url.as_str()).expect("a URL").query_pairs().into_owned().collect();
    let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["x", "hub.mode", "hub.topic", "hub.challenge", "hub.lease_seconds"], "behind its own query");
    assert_eq!((fields[1].1.as_str(), fields[3].1.as_str()), ("subscribe", VALUE));
    assert_eq!(judged(ProofStyle::WebSub, 200, VALUE), Ok(()));
    assert_eq!(judged(ProofStyle::WebSub, 202, &format!("{VALUE}\n")), Ok(()), "a line end is the server's");
    assert_eq!(judged(ProofStyle::WebSub, 200, &format!("{VALUE} x")), Err(ChallengeFailure::NotTheValue));
    assert_eq!(judged(ProofStyle::WebSub, 200, ""), Err(ChallengeFailure::NotTheValue));
    assert_eq!(judged(ProofStyle::WebSub, 404, VALUE), Err(ChallengeFailure::NotSuccess(404)));
}

#[test]
fn a_validation_token_is_echoed_with_200_alone() {
    let asked = asked(ProofStyle::ValidationToken, "standard");
    assert_eq!(asked.written.method, "POST");
    assert_eq!(text(&asked.written, "content-type"), "text/plain");
    assert!(asked.url.expect("a URL of its own").as_str().ends_with(&format!("?x=1&validationToken={VALUE}")));
    assert_eq!(judged(ProofStyle::ValidationToken, 200, VALUE), Ok(()));
    assert_eq!(judged(ProofStyle::ValidationToken, 202, VALUE), Err(ChallengeFailure::Status(202)));
    assert_eq!(judged(ProofStyle::ValidationToken, 200, &VALUE[1..]), Err(ChallengeFailure::NotTheValue));
}

#[test]
fn saying_hello_is_enough_only_at_the_hosts_of_a_template() {
    let asked = asked(ProofStyle::Message, "slack");
    let body = std::str::from_utf8(&asked.written.body).expect("text");
    assert!(body.starts_with(r#"{"text":"*webhook.connected*"#) && body.contains("is connected"), "{body}");
    assert!(!body.contains(VALUE), "the challenge is not shown in a channel");
    assert_eq!(judged(ProofStyle::Message, 200, "ok"), Ok(()));
    assert_eq!(judged(ProofStyle::Message, 404, "no_service"), Err(ChallengeFailure::NotSuccess(404)));
    let slack = crate::dialect::DialectName::try_from("slack".to_owned()).expect("a name");
    let standard = crate::dialect::DialectName::default();
    assert!(may_prove(ProofStyle::Message, &slack, "hooks.slack.com"));
    for host in ["hooks.slack.com.evil.example", "slack.com", "discord.com", "evil.example"] {
        assert!(!may_prove(ProofStyle::Message, &slack, host), "{host}");
    }
    assert!(!may_prove(ProofStyle::Message, &standard, "hooks.slack.com"), "the dialect has to be the template's");
    assert!(may_prove(ProofStyle::Challenge, &standard, "evil.example"));
    for template in TEMPLATES {
        assert!(crate::dialect::catalogue::dialect(template.dialect).is_some(), "{}", template.id);
    }
}

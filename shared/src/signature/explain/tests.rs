//! Requests signed by others, with the vectors that they publish.

use super::super::claim::headers_of;
use super::*;

const BODY: &[u8] = br#"{"a":1}"#;
const TAG: &str = "be310eac0f84daf469d630347a950258de768b365563ab68f29f2f783473d547";
const SIGNED_S: i64 = 1_700_000_000;

/// The example that the libraries of Standard Webhooks share.
const STANDARD_SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const STANDARD_BODY: &[u8] = br#"{"email":"test@example.com","username":"test_user"}"#;
const STANDARD_S: i64 = 1_649_367_553;
const STANDARD_LIST: [(&str, &str); 3] = [
    ("webhook-signature", "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw="),
    ("webhook-id", "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk"),
    ("webhook-timestamp", "1649367553"),
];

fn judge_at(now_s: i64, secret: &str, list: &[(&str, &str)], body: &[u8]) -> Verified {
    explain(&Claimed {
        secret: &secret.into(),
        headers: &headers_of(list),
        body,
        tolerance: SignedDuration::from_mins(5),
        now: Timestamp::from_second(now_s).expect("a time"),
    })
}

/// Judges what is signed under `shh` at the time of the golden vector.
fn judge(list: &[(&str, &str)]) -> Verified {
    judge_at(SIGNED_S, "shh", list, BODY)
}

fn judge_standard(list: &[(&str, &str)]) -> Verified {
    judge_at(STANDARD_S, STANDARD_SECRET, list, STANDARD_BODY)
}

fn valid(scheme: &'static str) -> Verified {
    Verified::Valid { scheme }
}

fn invalid(reason: Reason) -> Verified {
    Verified::Invalid { reason }
}

#[test]
fn the_golden_timestamped_signature_is_valid_however_its_parts_stand() {
    for value in [
        format!("t=1700000000,v1={TAG}"),
        format!("v1={TAG},t=1700000000"),
        format!("  v1={TAG} , t=1700000000 "),
        format!("t=1700000000,v0=00,v1={},v1={TAG}", "0".repeat(64)),
        format!("t=1700000000,v1={}", TAG.to_ascii_uppercase()),
    ] {
        for name in ["X-Alga-Signature", "Stripe-Signature", "X-Webhook-Signature", "x-proof"] {
            assert_eq!(judge(&[(name, &value)]), valid("timestamped"), "{name}: {value}");
        }
    }
}

#[test]
fn a_timestamped_signature_that_fails_says_why() {
    for (value, reason) in [
        (format!("v1={TAG}"), Reason::TimestampMissing),
        ("t=1700000000".into(), Reason::SignatureMalformed),
        ("t=1700000000,v1=".into(), Reason::SignatureMalformed),
        (format!("t=1700000000,v1={}", &TAG[1..]), Reason::SignatureMalformed),
        (format!("t=1700000000,t=1700000000,v1={TAG}"), Reason::SignatureMalformed),
        (format!("t=,v1={TAG}"), Reason::TimestampMalformed),
        (format!("t=-1700000000,v1={TAG}"), Reason::TimestampMalformed),
        (format!("t=2023-11-14,v1={TAG}"), Reason::TimestampMalformed),
        (format!("t={},v1={TAG}", "9".repeat(40)), Reason::TimestampMalformed),
        (format!("t=1700000001,v1={TAG}"), Reason::SignatureMismatch),
        (format!("t=1700000000,v1={}", "0".repeat(64)), Reason::SignatureMismatch),
    ] {
        assert_eq!(judge(&[("X-Alga-Signature", &value)]), invalid(reason), "{value}");
    }
    let value = format!("t=1700000000,v1={TAG}");
    let list = [("X-Alga-Signature", value.as_str())];
    assert_eq!(judge_at(SIGNED_S, "shi", &list, BODY), invalid(Reason::SignatureMismatch));
    assert_eq!(judge_at(SIGNED_S, "shh", &list, b"{\"a\":2}"), invalid(Reason::SignatureMismatch));
}

#[test]
fn the_time_is_judged_to_the_second_and_only_of_a_right_signature() {
    let value = format!("t=1700000000,v1={TAG}");
    let list = [("X-Alga-Signature", value.as_str())];
    for (now_s, expected) in [
        (SIGNED_S + 300, valid("timestamped")),
        (SIGNED_S - 300, valid("timestamped")),
        (SIGNED_S + 301, invalid(Reason::TimestampTooOld { by_s: 1 })),
        (SIGNED_S - 302, invalid(Reason::TimestampInFuture { by_s: 2 })),
    ] {
        assert_eq!(judge_at(now_s, "shh", &list, BODY), expected, "{now_s}");
    }
    assert_eq!(judge_at(SIGNED_S + 9000, "other", &list, BODY), invalid(Reason::SignatureMismatch));
}

#[test]
fn a_fraction_of_a_second_too_old_counts_as_a_second() {
    let headers = headers_of(&[("X-Alga-Signature", &format!("t=1700000000,v1={TAG}"))]);
    let now = Timestamp::from_millisecond(SIGNED_S * 1000 + 300_001).expect("a time");
    let claimed =
        Claimed { secret: &"shh".into(), headers: &headers, body: BODY, tolerance: SignedDuration::from_mins(5), now };
    assert_eq!(explain(&claimed), invalid(Reason::TimestampTooOld { by_s: 1 }));
    let strict = Claimed { tolerance: SignedDuration::ZERO, ..claimed };
    assert_eq!(explain(&strict), invalid(Reason::TimestampTooOld { by_s: 301 }));
}

#[test]
fn a_standard_signature_is_valid_under_either_family_of_names() {
    assert_eq!(judge_standard(&STANDARD_LIST), valid("standard"));
    let svix = STANDARD_LIST.map(|(name, value)| (name.replace("webhook", "svix"), value));
    let svix: Vec<_> = svix.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    assert_eq!(judge_standard(&svix), valid("standard"));
    let several = format!("v1a,AAAA v1,{}= {}", "A".repeat(43), STANDARD_LIST[0].1);
    let list = [("webhook-signature", several.as_str()), STANDARD_LIST[1], STANDARD_LIST[2]];
    assert_eq!(judge_standard(&list), valid("standard"));
}

#[test]
fn a_standard_signature_that_fails_says_why() {
    let [signature, id, time] = STANDARD_LIST;
    assert_eq!(judge_standard(&[signature, time]), invalid(Reason::IdMissing));
    assert_eq!(judge_standard(&[signature, ("webhook-id", " "), time]), invalid(Reason::IdMissing));
    assert_eq!(judge_standard(&[signature, id]), invalid(Reason::TimestampMissing));
    assert_eq!(judge_standard(&[signature, id, ("webhook-timestamp", "now")]), invalid(Reason::TimestampMalformed));
    assert_eq!(judge_standard(&[id, time]), invalid(Reason::SignatureMissing));
    for malformed in ["", "v1", "v1,", "v1,short", "v1a,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw="] {
        let judged = judge_standard(&[("webhook-signature", malformed), id, time]);
        assert_eq!(judged, invalid(Reason::SignatureMalformed), "{malformed}");
    }
    let other = judge_standard(&[signature, ("webhook-id", "msg_other"), time]);
    assert_eq!(other, invalid(Reason::SignatureMismatch));
    let late = judge_at(STANDARD_S + 310, STANDARD_SECRET, &STANDARD_LIST, STANDARD_BODY);
    assert_eq!(late, invalid(Reason::TimestampTooOld { by_s: 10 }));
}

#[test]
fn a_secret_that_cannot_be_one_is_said_to_be_so() {
    for secret in ["", "whsec_", "whsec_not base64!"] {
        let judged = judge_at(STANDARD_S, secret, &STANDARD_LIST, STANDARD_BODY);
        assert_eq!(judged, invalid(Reason::SecretMalformed), "{secret}");
    }
}

/// The vector that the documentation of this scheme's first user gives.
#[test]
fn the_golden_hub_signature_is_valid_with_and_without_its_prefix() {
    let tag = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    let judge = |name, value: &str| judge_at(0, "It's a Secret to Everybody", &[(name, value)], b"Hello, World!");
    for name in ["X-Hub-Signature-256", "X-Webhook-Signature"] {
        assert_eq!(judge(name, &format!("sha256={tag}")), valid("hub"));
        assert_eq!(judge(name, tag), valid("hub"));
        assert_eq!(judge(name, &format!("sha1={tag}")), invalid(Reason::SignatureMalformed));
        assert_eq!(judge(name, ""), invalid(Reason::SignatureMalformed));
        assert_eq!(judge(name, &format!("sha256={TAG}")), invalid(Reason::SignatureMismatch));
    }
}

#[test]
fn one_right_signature_among_several_schemes_is_enough() {
    let timestamped = format!("t=1700000000,v1={TAG}");
    let list = [("X-Hub-Signature-256", TAG), ("X-Alga-Signature", timestamped.as_str())];
    assert_eq!(judge(&list), valid("timestamped"));
    assert_eq!(judge(&list[..1]), invalid(Reason::SignatureMismatch));
}

#[test]
fn headers_that_sign_nothing_are_no_signature() {
    assert_eq!(judge(&[]), invalid(Reason::SignatureMissing));
    let list = [("cookie", "v1=abc"), ("x-hub-signature", "sha1=00"), ("accept", "t=1"), ("authorization", TAG)];
    assert_eq!(judge(&list), invalid(Reason::SignatureMissing));
}

use serde_json::{Value, json};

use super::*;
use crate::domain::text::TenantSlug;

const ACCOUNT: &str = "eu-central-1:123456789012";

fn read(target: Value) -> Result<Target, String> {
    serde_json::from_value(target).map_err(|error| error.to_string())
}

fn target(target: Value) -> Target {
    read(target.clone()).unwrap_or_else(|error| panic!("{target}: {error}"))
}

fn tenant(slug: &str) -> TenantSlug {
    TenantSlug::try_from(slug.to_owned()).expect("a slug")
}

fn allowance(text: &str) -> Allowance {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// One target of each kind, with its place, what patterns are held against, and its address.
fn kinds() -> Vec<(Value, &'static str, String, &'static str)> {
    let arn = |service: &str, resource: &str| format!("arn:aws:{service}:{ACCOUNT}:{resource}");
    vec![
        (
            json!({"type": "queue", "queue_url": "https://sqs.eu-central-1.amazonaws.com/123456789012/orders"}),
            "https://sqs.eu-central-1.amazonaws.com/123456789012/orders",
            arn("sqs", "orders"),
            "https://sqs.eu-central-1.amazonaws.com/",
        ),
        (
            json!({"type": "topic", "topic_arn": arn("sns", "orders.fifo"), "message_group": "entity"}),
            "arn:aws:sns:eu-central-1:123456789012:orders.fifo",
            arn("sns", "orders.fifo"),
            "https://sns.eu-central-1.amazonaws.com/",
        ),
        (
            json!({"type": "event_bus", "event_bus_arn": arn("events", "event-bus/a"), "source": "shop"}),
            "arn:aws:events:eu-central-1:123456789012:event-bus/a",
            arn("events", "event-bus/a"),
            "https://events.eu-central-1.amazonaws.com/",
        ),
        (
            json!({"type": "workflow", "state_machine_arn": arn("states", "stateMachine:a:live")}),
            "arn:aws:states:eu-central-1:123456789012:stateMachine:a:live",
            arn("states", "stateMachine:a:live"),
            "https://states.eu-central-1.amazonaws.com/",
        ),
        (
            json!({"type": "function", "function_arn": arn("lambda", "function:a:$LATEST"), "mode": "wait"}),
            "arn:aws:lambda:eu-central-1:123456789012:function:a:$LATEST",
            arn("lambda", "function:a:$LATEST"),
            "https://lambda.eu-central-1.amazonaws.com/",
        ),
        (
            json!({"type": "stream", "stream_arn": arn("kinesis", "stream/a"), "partition_key": "entity"}),
            "arn:aws:kinesis:eu-central-1:123456789012:stream/a",
            arn("kinesis", "stream/a"),
            "https://kinesis.eu-central-1.amazonaws.com/",
        ),
        (
            json!({"type": "bucket", "bucket": "archive", "region": "eu-central-1", "prefix": "hooks/"}),
            "s3://archive/hooks/",
            "arn:aws:s3:::archive/hooks/0000/00/00/dlv_0".to_owned(),
            "https://s3.eu-central-1.amazonaws.com/",
        ),
    ]
}

#[test]
fn each_kind_of_target_is_written_as_it_was_read_and_says_where_it_is() {
    for (written, place, resource, address) in kinds() {
        let read = target(written.clone());
        assert_eq!(serde_json::to_value(&read).expect("JSON"), written);
        assert_eq!(read.kind(), written["type"], "{written}");
        assert_eq!(read.place().as_deref(), Some(place));
        assert_eq!(read.resource(), Some(resource));
        assert_eq!(read.address().map(|url| url.to_string()).as_deref(), Some(address));
        assert!(!read.is_https());
    }
    let https = target(json!({"type": "https"}));
    assert_eq!((https.place(), https.resource(), https.address()), (None, None, None));
    assert!(https == Target::default() && https.is_https());
}

#[test]
fn a_target_has_no_members_but_its_own() {
    for (mut target, ..) in kinds() {
        target["url"] = json!("https://example.com");
        assert!(read(target.clone()).is_err(), "{target}");
    }
    assert!(read(json!({"type": "https", "queue_url": "https://sqs.eu-central-1.amazonaws.com/1/a"})).is_err());
    assert!(read(json!({"type": "mail"})).is_err());
    assert!(read(json!({})).is_err());
}

#[test]
fn what_is_not_the_url_of_a_queue_is_refused() {
    let good = [
        "https://sqs.eu-central-1.amazonaws.com/123456789012/orders",
        "https://sqs.us-gov-west-1.amazonaws.com/123456789012/a_b-C.fifo",
        "https://sqs.cn-north-1.amazonaws.com.cn/123456789012/orders",
        "http://sqs.local/000000000000/orders",
    ];
    for url in good {
        assert!(QueueUrl::try_from(url.to_owned()).is_ok(), "{url}");
    }
    let long = format!("https://sqs.eu-central-1.amazonaws.com/123456789012/{}", "a".repeat(81));
    let bad = [
        "http://sqs.eu-central-1.amazonaws.com/123456789012/orders",
        "https://sqs.eu-central-1.amazonaws.com.evil.example/123456789012/orders",
        "https://sqs.eu-central-1.amazonaws.com@evil.example/123456789012/orders",
        "https://sqs.evil.example/123456789012/orders",
        "https://sqs.cn-north-1.amazonaws.com/123456789012/orders",
        "https://sqs.eu-central-1.amazonaws.com:8443/123456789012/orders",
        "https://sqs.eu-central-1.amazonaws.com/12345678901/orders",
        "https://sqs.eu-central-1.amazonaws.com/123456789012/orders/x",
        "https://sqs.eu-central-1.amazonaws.com/123456789012/orders?x",
        "https://sqs.eu-central-1.amazonaws.com/123456789012/",
        "https://sqs..amazonaws.com/123456789012/orders",
        "http://sqs.local.evil.example/000000000000/orders",
        long.as_str(),
    ];
    for url in bad {
        assert_eq!(QueueUrl::try_from(url.to_owned()), Err(QueueUrlError), "{url}");
    }
}

#[test]
fn an_arn_of_anything_else_is_refused_and_the_wrong_part_is_named() {
    let topic = |text: &str| TopicArn::try_from(text.to_owned()).map(|arn| arn.is_fifo());
    assert_eq!(topic("arn:aws:sns:eu-central-1:123456789012:orders"), Ok(false));
    assert_eq!(topic("arn:aws-cn:sns:cn-north-1:123456789012:orders.fifo"), Ok(true));
    let bad = [
        ("orders", ArnError::Syntax),
        ("arn:aws:sns:eu-central-1:123456789012", ArnError::Syntax),
        ("arn:aws-iso:sns:us-iso-east-1:123456789012:orders", ArnError::Partition),
        ("arn:aws:sqs:eu-central-1:123456789012:orders", ArnError::Service("sns")),
        ("arn:aws:sns:eu-central-1.evil:123456789012:orders", ArnError::Region),
        ("arn:aws:sns:cn-north-1:123456789012:orders", ArnError::Region),
        ("arn:aws:sns::123456789012:orders", ArnError::Region),
        ("arn:aws:sns:eu-central-1:12345:orders", ArnError::Account),
        ("arn:aws:sns:eu-central-1:123456789012:orders:sub", ArnError::Resource("a topic")),
        ("arn:aws:sns:eu-central-1:123456789012:*", ArnError::Resource("a topic")),
        ("arn:aws:sns:eu-central-1:123456789012:.fifo", ArnError::Resource("a topic")),
    ];
    for (text, error) in bad {
        assert_eq!(topic(text), Err(error), "{text}");
    }
    for text in ["stateMachine:", "stateMachine:a:", "stateMachine:a:b:c", "execution:a:b", "express:a:b"] {
        let arn = format!("arn:aws:states:{ACCOUNT}:{text}");
        assert!(StateMachineArn::try_from(arn.clone()).is_err(), "{arn}");
    }
    for text in ["function:", "function:a:b:c", "layer:a", "function:a/b", "a"] {
        let arn = format!("arn:aws:lambda:{ACCOUNT}:{text}");
        assert!(FunctionArn::try_from(arn.clone()).is_err(), "{arn}");
    }
}

#[test]
fn a_bucket_and_its_prefix_are_names_and_no_paths_out_of_it() {
    for name in ["abc", "a.b-c", &"a".repeat(63)] {
        assert!(BucketName::try_from(name.to_owned()).is_ok(), "{name}");
    }
    for name in ["ab", "Abc", "a..b", "-abc", "abc.", "192.168.0.1", "a/b", "a_b", &"a".repeat(64)] {
        assert_eq!(BucketName::try_from(name.to_owned()), Err(BucketError::Name), "{name}");
    }
    for prefix in ["", "a", "a/", "a/b=c/", "..a/"] {
        assert!(KeyPrefix::try_from(prefix.to_owned()).is_ok(), "{prefix}");
    }
    for prefix in ["/a", "a/../b/", "..", "./a", "a b", "ü", "a?b", &"a".repeat(257)] {
        assert_eq!(KeyPrefix::try_from(prefix.to_owned()), Err(BucketError::Prefix), "{prefix}");
    }
}

#[test]
fn what_a_service_sends_itself_cannot_be_claimed_as_a_source() {
    assert!(EventSource::try_from("com.example/shop".to_owned()).is_ok());
    for source in ["", "aws.s3", "AWS.s3", "a b", &"a".repeat(257)] {
        assert_eq!(EventSource::try_from(source.to_owned()), Err(LabelError::Source), "{source}");
    }
    for detail_type in ["", "a\nb", &"a".repeat(129)] {
        assert_eq!(DetailType::try_from(detail_type.to_owned()), Err(LabelError::DetailType), "{detail_type}");
    }
}

#[test]
fn an_allowance_covers_its_tenant_and_what_its_pattern_takes_in() {
    let orders = target(
        json!({"type": "queue", "queue_url": "https://sqs.eu-central-1.amazonaws.com/123456789012/acme-orders"}),
    );
    let covers = |text: &str, slug: &str| allowance(text).covers(&tenant(slug), &orders);
    assert!(covers("acme=arn:aws:sqs:eu-central-1:123456789012:acme-orders", "acme"));
    assert!(covers("acme=arn:aws:sqs:*:123456789012:acme-*", "acme"));
    assert!(covers("*=arn:aws:sqs:*:*:*", "beta"));
    assert!(!covers("acme=arn:aws:sqs:*:123456789012:acme-*", "beta"));
    assert!(!covers("acme=arn:aws:sqs:*:123456789012:beta-*", "acme"));
    assert!(!covers("acme=arn:aws:sqs:*:123456789012:acme-", "acme"));
    assert!(!covers("*=arn:aws:sns:*:*:*", "acme"));
    assert!(!covers("*=arn:aws:sqs:*:*:*-orders-*", "acme"));
    assert!(!allowance("*=arn:aws:sqs:*:*:*").covers(&tenant("acme"), &Target::default()));
}

#[test]
fn a_bucket_is_covered_when_all_objects_below_the_prefix_are() {
    let hooks = target(json!({"type": "bucket", "bucket": "archive", "region": "eu-central-1", "prefix": "acme/"}));
    let covers = |pattern: &str| allowance(&format!("acme=arn:aws:s3:::{pattern}")).covers(&tenant("acme"), &hooks);
    assert!(covers("archive/*") && covers("archive/acme/*"));
    assert!(!covers("archive") && !covers("archive/acme/") && !covers("archive/beta/*"));
}

#[test]
fn a_text_that_would_allow_more_than_it_says_is_refused() {
    let bad = [
        "",
        "arn:aws:sqs:*:*:*",
        "acme=",
        "acme=*",
        "acme=arn:*",
        "acme=arn:aws:*:*:*:*",
        "acme=arn:aws:iam:*:*:*",
        "acme=arn:aws:sqs:*:*:",
        "Acme=arn:aws:sqs:*:*:*",
        "acme=arn:aws:sqs:*:*:a b",
    ];
    for text in bad {
        assert_eq!(text.parse::<Allowance>(), Err(AllowanceError), "{text}");
    }
}

#[test]
fn a_star_takes_in_any_run_of_characters() {
    let covers = |pattern: &str, name: &str| {
        let url = format!("https://sqs.eu-central-1.amazonaws.com/123456789012/{name}");
        let queue = target(json!({"type": "queue", "queue_url": url}));
        allowance(&format!("*=arn:aws:sqs:{ACCOUNT}:{pattern}")).covers(&tenant("acme"), &queue)
    };
    let cases = [
        ("a*", "a", true),
        ("a*a", "a", false),
        ("a*a", "aa", true),
        ("a*b*c", "a-b-c", true),
        ("a*b*c", "a-c-b", false),
        ("*ab*ab", "ab", false),
        ("*ab*ab", "abab", true),
        ("**", "a", true),
        ("a", "A", false),
    ];
    for (pattern, name, expected) in cases {
        assert_eq!(covers(pattern, name), expected, "{pattern} {name}");
    }
}

#[test]
fn a_queue_is_told_from_others_by_account_and_name_whatever_the_host() {
    let url = QueueUrl::try_from("https://sqs.eu-central-1.amazonaws.com/123456789012/own".to_owned()).expect("a URL");
    assert!(url.is_named_as("https://eu-central-1.queue.amazonaws.com/123456789012/own"));
    assert!(!url.is_named_as("https://sqs.eu-central-1.amazonaws.com/123456789012/other"));
    assert!(!url.is_named_as("https://sqs.eu-central-1.amazonaws.com/000000000000/own"));
    assert!(!url.is_named_as(""));
}

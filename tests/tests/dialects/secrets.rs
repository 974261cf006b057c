//! Secrets of every dialect, several schemes at once, and changing a secret while receivers change over.

use hookport::dialect::{SecretForm, Signing, catalogue};
use hookport_tests::TestGateway;
use hookport_tests::gateway::{merge, text};
use http::StatusCode;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::signature::{Known, holds, is_hub, is_standard, is_timestamped, labelled};
use crate::target::Target;
use crate::{
    SUBSCRIPTIONS, gateway, invoice, newest, path, post, public_key, published, refused, settings, speaking, subscribed,
};

/// 16 characters or more that start as a secret of Standard Webhooks does, and are none.
const ODD: &str = "whsec_this is no base64";

/// A13: made as the dialect writes them; supplied ones are taken unless the dialect cannot sign with them.
#[tokio::test]
async fn a13_secrets_have_the_form_of_their_dialect() {
    let gateway = gateway().await;
    let target = Target::start().await;
    for dialect in catalogue::all() {
        let made = subscribed(&gateway, &target, speaking(dialect)).await;
        let secret = text(&made["secret"]);
        match dialect.secret {
            SecretForm::Standard => assert!(secret.starts_with("whsec_"), "{}", dialect.name),
            SecretForm::Hex => {
                assert!(secret.len() == 64 && secret.bytes().all(|b| b.is_ascii_hexdigit()), "{}", dialect.name);
            }
        }
        let mut more = speaking(dialect);
        merge(&mut more, json!({"secret": ODD}));
        let answer = post(&gateway, SUBSCRIPTIONS, settings(&target, more)).await;
        if dialect.signatures.contains(&Signing::Standard) {
            assert!(refused(&answer, 400, "invalid_request").starts_with("secret"), "{}", dialect.name);
        } else {
            assert_eq!((answer.0, &answer.1["secret"]), (StatusCode::CREATED, &json!(ODD)), "{}", dialect.name);
        }
    }
}

/// Where Standard Webhooks is signed beside another scheme, the secret has to be one for both.
#[tokio::test]
async fn a_secret_fits_all_schemes_that_are_signed() {
    let gateway = gateway().await;
    let target = Target::start().await;
    let both = json!({"dialect": "hub", "also_sign": ["standard"]});
    let made = subscribed(&gateway, &target, both.clone()).await;
    let secret = text(&made["secret"]);
    assert!(secret.starts_with("whsec_"));
    published(&gateway, invoice()).await;
    let request = newest(&target);
    assert!(is_hub(&request, &secret) && is_standard(&request, &secret));
    let mut odd = both;
    odd["secret"] = json!(ODD);
    let answer = post(&gateway, SUBSCRIPTIONS, settings(&target, odd)).await;
    assert!(refused(&answer, 400, "invalid_request").starts_with("secret"));
}

/// B1: for a migration several schemes stand side by side, over one body.
#[tokio::test]
async fn b1_several_schemes_sign_one_delivery() {
    let gateway = gateway().await;
    let (target, plain) = (Target::start().await, Target::start().await);
    let also = ["hub", "timestamped", "standard-v1a"];
    let made = subscribed(&gateway, &target, json!({"also_sign": also})).await;
    assert_eq!(made["data"]["also_sign"], json!(also));
    subscribed(&gateway, &plain, json!({})).await;
    published(&gateway, invoice()).await;
    let (request, secret, public) = (newest(&target), text(&made["secret"]), public_key(&gateway).await);
    let url = target.url(&request.path);
    let known = Known { secret: &secret, public: &public, url: &url };
    for name in also.iter().chain(&["standard"]) {
        assert_eq!(holds(name, &request, known), Some(true), "{name}");
    }
    let signatures: Vec<&str> = request.header("webhook-signature").split(' ').collect();
    assert!(matches!(signatures[..], [v1, v1a] if v1.starts_with("v1,") && v1a.starts_with("v1a,")), "{signatures:?}");
    // Signatures are all that is added: headers and body are those of its own dialect.
    assert_eq!((request.header("x-webhook-event"), &request.body), ("", &newest(&plain).body));
}

/// A subscription in a dialect, and the secrets before and after a change with an overlap of an hour.
async fn rotated(gateway: &TestGateway, target: &Target, dialect: &str) -> (String, String) {
    let made = subscribed(gateway, target, json!({"dialect": dialect})).await;
    let (status, answer) = post(gateway, &format!("{}/rotate-secret", path(&made)), json!({"overlap_hours": 1})).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    gateway.drain(gateway.instance(0)).await;
    assert_eq!(target.asked().len(), 2, "the new secret is proven");
    (text(&made["secret"]), text(&answer["secret"]))
}

/// A11: both secrets sign until the overlap ends.
#[tokio::test]
async fn a11_timestamped_has_two_signatures_while_its_secret_is_changed() {
    let gateway = gateway().await;
    let target = Target::start().await;
    let (old, new) = rotated(&gateway, &target, "timestamped").await;
    assert!(is_timestamped(&target.asked()[1], &new) && !is_timestamped(&target.asked()[1], &old));
    published(&gateway, invoice()).await;
    let request = newest(&target);
    assert_eq!(request.header("x-hookport-signature").matches("v1=").count(), 2);
    assert!(is_timestamped(&request, &new) && is_timestamped(&request, &old));
    gateway.advance(SignedDuration::from_hours(1));
    published(&gateway, invoice()).await;
    let request = newest(&target);
    assert_eq!(request.header("x-hookport-signature").matches("v1=").count(), 1);
    assert!(is_timestamped(&request, &new) && !is_timestamped(&request, &old));
}

/// A11: its header has room for one signature, which is by the new secret.
#[tokio::test]
async fn a11_hub_is_signed_with_the_new_secret_alone() {
    let gateway = gateway().await;
    let target = Target::start().await;
    let (old, new) = rotated(&gateway, &target, "hub").await;
    published(&gateway, invoice()).await;
    let request = newest(&target);
    assert!(is_hub(&request, &new) && !is_hub(&request, &old));
}

/// A11: a second label has the signature by the secret before.
#[tokio::test]
async fn a11_a_message_signature_has_a_second_label_while_its_secret_is_changed() {
    let gateway = gateway().await;
    let target = Target::start().await;
    let (old, new) = rotated(&gateway, &target, "rfc9421").await;
    for (hours, labels, by_old) in [(0, &["hookport", "hookport-previous"][..], true), (1, &["hookport"][..], false)] {
        gateway.advance(SignedDuration::from_hours(hours));
        published(&gateway, invoice()).await;
        let request = newest(&target);
        let found: Vec<&str> = labelled(request.header("signature-input")).iter().map(|(label, _)| *label).collect();
        assert_eq!(found, labels);
        let url = target.url(&request.path);
        let by = |secret: &str| holds("rfc9421", &request, Known { secret, public: "", url: &url });
        assert_eq!((by(&new), by(&old)), (Some(true), Some(by_old)), "after {hours} h");
    }
}

/// A12: what was shown once is in no view, whatever its form.
#[tokio::test]
async fn a12_a_secret_of_any_form_is_shown_once() {
    let gateway = gateway().await;
    let target = Target::start().await;
    for dialect in ["hub", "standard"] {
        let made = subscribed(&gateway, &target, json!({"dialect": dialect})).await;
        published(&gateway, invoice()).await;
        let secret = text(&made["secret"]);
        for path in [path(&made), format!("{}/attempts", path(&made)), SUBSCRIPTIONS.to_owned()] {
            let shown: Value = gateway.get(&path).await;
            assert!(!shown.to_string().contains(&secret), "{path}");
        }
    }
}

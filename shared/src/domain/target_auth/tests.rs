use std::collections::BTreeMap;

use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::*;
use crate::domain::static_headers::StaticHeaders;
use crate::domain::target_url::UrlPolicy;
use crate::domain::text::TenantSlug;
use crate::egress::IdentityError;

const CERTIFICATE: &str = include_str!("../../../../tests/fixtures/mtls/client.pem");
const KEY: &str = include_str!("../../../../tests/fixtures/mtls/client.key");
const URL: &str = "https://example.com/hook?a=b";

fn url(text: &str) -> TargetUrl {
    TargetUrl::try_from(text.to_owned()).unwrap()
}

fn secret(text: &str) -> SecretText {
    SecretText::from(text.to_owned())
}

fn credential(value: Value) -> TargetAuth {
    TargetAuth { credential: Some(serde_json::from_value(value).unwrap()), mtls: None }
}

fn bearer(token: &str) -> TargetAuth {
    credential(json!({"type": "bearer", "token": token}))
}

fn oauth2(more: Value) -> TargetAuth {
    let mut given = json!({
        "type": "oauth2", "token_url": "https://id.example.com/token", "client_id": "hook port",
        "client_secret": "s3cret:/?",
    });
    let Value::Object(more) = more else { panic!("members") };
    given.as_object_mut().unwrap().extend(more);
    credential(given)
}

fn signing() -> TargetAuth {
    let credential = Credential::AwsSigv4 {
        region: "eu-central-1".to_owned(),
        service: "execute-api".to_owned(),
        access_key_id: "AKIDEXAMPLE".to_owned(),
        secret_access_key: secret("wJalrXUtnFEMI/K7MDENG"),
        session_token: Some(secret("kept-to-oneself")),
    };
    TargetAuth { credential: Some(credential), mtls: None }
}

fn certified() -> TargetAuth {
    let mtls = ClientCertificate { certificate: CERTIFICATE.to_owned(), private_key: secret(KEY) };
    TargetAuth { credential: None, mtls: Some(mtls) }
}

/// One of each kind.
fn all() -> Vec<TargetAuth> {
    vec![
        credential(json!({"type": "basic", "username": "hook port", "password": "p4ss:word"})),
        bearer("t0ken-t0ken"),
        credential(json!({"type": "api_key", "in": "header", "name": "X-Api-Key", "value": "k3y-k3y"})),
        credential(json!({"type": "api_key", "in": "query", "name": "api_key", "value": "k3y-k3y"})),
        oauth2(json!({})),
        signing(),
        TargetAuth { mtls: certified().mtls, ..bearer("t0ken-t0ken") },
    ]
}

fn checked(auth: &TargetAuth) -> Result<(), TargetAuthError> {
    let headers = StaticHeaders::default();
    auth.check(&Written { url: &url(URL), headers: &headers }, &UrlPolicy::default())
}

#[track_caller]
fn refused(auth: &TargetAuth, field: &str) {
    assert_eq!(checked(auth).map_err(|error| error.field()), Err(field), "{auth:?}");
}

#[test]
fn a_credential_and_a_certificate_may_stand_together() {
    for auth in all() {
        assert_eq!(checked(&auth), Ok(()), "{auth:?}");
    }
    refused(&TargetAuth::default(), "");
}

#[test]
fn no_secret_is_shown_or_serialised() {
    for auth in all() {
        let (shown, debugged) = (serde_json::to_string(&auth).unwrap(), format!("{auth:?}"));
        for (name, secret) in auth.secrets() {
            assert!(!shown.contains(secret.expose()), "{name:?} is in {shown}");
            assert!(!debugged.contains(secret.expose()), "{name:?} is in {debugged}");
        }
        assert!(shown.contains("(hidden)"));
    }
}

#[test]
fn what_is_stored_opens_to_what_was_sealed() {
    for auth in all() {
        let sealed = auth.to_be_sealed();
        let stored = StoredAuth::new(auth.clone(), serde_json::from_value(json!("k1.sealed")).unwrap());
        let text = serde_json::to_string(&stored).unwrap();
        for (_, secret) in auth.secrets() {
            assert!(!text.contains(secret.expose()), "{text}");
        }
        let read: StoredAuth = serde_json::from_str(&text).unwrap();
        assert_eq!(read, stored);
        assert_eq!(read.opened(&sealed), Ok(auth));
        assert_eq!(read.opened(&"{}".into()), Err(StoredAuthError));
        assert_eq!(read.opened(&"whsec_abc".into()), Err(StoredAuthError), "a signing secret is none of its secrets");

        let again = StoredAuth::new(read.view().clone(), serde_json::from_value(json!("k1.other")).unwrap());
        assert_eq!(read.fingerprint(), stored.fingerprint());
        assert_ne!(again.fingerprint(), stored.fingerprint());
    }
    let tenant = TenantSlug::try_from("acme".to_owned()).unwrap();
    assert_eq!(StoredAuth::owner(&tenant, "sub_1"), crate::vault::Owner::new(&tenant, "sub_1/auth"));
}

#[test]
fn what_was_shown_can_be_sent_back() {
    for auth in all() {
        let shown: Value = serde_json::to_value(&auth).unwrap();
        let sent_back: TargetAuth = serde_json::from_value(shown).unwrap();
        assert!(sent_back.has_hidden());
        assert_eq!(sent_back.clone().restored(Some(&auth), true), Ok(auth.clone()));
        assert!(matches!(sent_back.restored(None, true), Err(TargetAuthError::Hidden(_))));
        assert_eq!(auth.clone().restored(None, false), Ok(auth));
    }
    let hidden = credential(json!({"type": "basic", "username": "u", "password": "(hidden)"}));
    let kept = hidden.restored(Some(&bearer("t")), true);
    assert_eq!(kept, Err(TargetAuthError::Hidden(SecretName::Password)), "a token is no password");
}

/// Whoever may change a subscription cannot have its secrets sent to a server of their own.
#[test]
fn a_hidden_secret_goes_where_it_went_and_nowhere_else() {
    for auth in all() {
        let moved = auth.clone().hidden().restored(Some(&auth), false);
        assert!(matches!(moved, Err(TargetAuthError::Moved(_))), "{auth:?}");
    }
    let before = oauth2(json!({}));
    for (token_url, stays) in [
        ("https://id.example.com/v2/token", true),
        ("https://id.example.com:8443/token", false),
        ("https://evil.example/token", false),
    ] {
        let given = oauth2(json!({"token_url": token_url, "client_secret": "(hidden)"}));
        let restored = given.restored(Some(&before), true);
        assert_eq!(restored.is_ok(), stays, "{token_url}");
        assert!(stays || restored == Err(TargetAuthError::Moved(SecretName::ClientSecret)));
    }
}

/// A key that signs opens whatever it signs for: another service is another use.
#[test]
fn a_hidden_key_signs_for_what_it_signed_for_alone() {
    let before = signing();
    for (member, other) in [("region", "us-east-1"), ("service", "iam"), ("access_key_id", "AKIDOTHER")] {
        let mut shown = serde_json::to_value(before.clone().hidden()).unwrap();
        shown["credential"][member] = json!(other);
        let given: TargetAuth = serde_json::from_value(shown).unwrap();
        assert!(matches!(given.restored(Some(&before), true), Err(TargetAuthError::Moved(_))), "{member}");
    }
    assert_eq!(before.clone().hidden().restored(Some(&before), true), Ok(before));
}

#[test]
fn texts_are_bounded_and_break_no_line() {
    let long = "x".repeat(5_000);
    for bad in ["", "a b", "a\r\nx-evil: 1", "é", &long] {
        refused(&bearer(bad), "credential.token");
    }
    for (name, bad) in [("username", "a:b"), ("username", ""), ("username", "ü"), ("password", "a\n")] {
        let mut given = json!({"type": "basic", "username": "u", "password": ""});
        assert_eq!(checked(&credential(given.clone())), Ok(()), "a password may be empty");
        given[name] = json!(bad);
        refused(&credential(given), &format!("credential.{name}"));
    }
    for (name, bad) in [
        ("client_id", json!("")),
        ("client_secret", json!("a\u{7f}")),
        ("audience", json!("")),
        ("scopes", json!(["a b"])),
        ("scopes", json!(vec!["a"; 21])),
        ("params", json!({"client_assertion": "x"})),
        ("params", json!({"Grant_Type": "password"})),
        ("params", json!({"api_token": "x"})),
        ("params", json!({"resource": ""})),
    ] {
        let mut more = json!({});
        more[name] = bad;
        refused(&oauth2(more), &format!("credential.{name}"));
    }
    for url in ["http://id.example.com/token", "https://10.0.0.1/token", "https://localhost/token"] {
        refused(&oauth2(json!({"token_url": url})), "credential.token_url");
    }
    let Some(Credential::AwsSigv4 { region, service, access_key_id, secret_access_key, .. }) = signing().credential
    else {
        panic!("a signing credential")
    };
    let session_token = Some(secret(""));
    let bad = Credential::AwsSigv4 { region, service, access_key_id, secret_access_key, session_token };
    refused(&TargetAuth { credential: Some(bad), mtls: None }, "credential.session_token");
}

/// B11: what the gateway or the connection writes is nobody else's to say, nor is it said twice.
#[test]
fn b11_an_authentication_stands_in_no_place_of_anything_else() {
    for name in ["Host", "Content-Type", "webhook-signature", "X-Hub-Signature-256", "bad name", ""] {
        let given = json!({"type": "api_key", "in": "header", "name": name, "value": "k3y"});
        refused(&credential(given), "credential.name");
    }
    let taken = credential(json!({"type": "api_key", "in": "query", "name": "a", "value": "k3y"}));
    assert_eq!(checked(&taken), Err(TargetAuthError::ParameterTaken));

    for auth in all() {
        let credential = auth.credential.clone().unwrap();
        for header in credential.headers() {
            let headers = BTreeMap::from([(header.to_string().to_uppercase(), "x".to_owned())]);
            let headers = StaticHeaders::try_from(headers).unwrap();
            let found = auth.check(&Written { url: &url(URL), headers: &headers }, &UrlPolicy::default());
            assert_eq!(found, Err(TargetAuthError::HeaderTaken(header)));
        }
    }
}

#[test]
fn a_certificate_needs_its_key_and_a_handshake() {
    let with = |certificate: &str, key: &str| {
        let mtls = ClientCertificate { certificate: certificate.to_owned(), private_key: secret(key) };
        checked(&TargetAuth { credential: None, mtls: Some(mtls) })
    };
    assert_eq!(with(CERTIFICATE, KEY), Ok(()));
    assert_eq!(with("x", KEY), Err(IdentityError::Certificate.into()));
    assert_eq!(with(CERTIFICATE, "x"), Err(IdentityError::Key.into()));
    let strange = include_str!("../../../../tests/fixtures/mtls/stranger.key");
    assert_eq!(with(CERTIFICATE, strange), Err(IdentityError::Mismatch.into()));
    let headers = StaticHeaders::default();
    let plain = url("http://example.com/");
    let policy = UrlPolicy { allow_http: true, ..UrlPolicy::default() };
    let found = certified().check(&Written { url: &plain, headers: &headers }, &policy);
    assert_eq!(found, Err(TargetAuthError::NeedsHttps));
}

fn asked(auth: &TargetAuth) -> TokenRequest {
    auth.credential.as_ref().unwrap().token_request().unwrap()
}

#[test]
fn a_token_is_asked_for_as_the_standard_says() {
    let asked_for =
        asked(&oauth2(json!({"scopes": ["a", "b:c"], "audience": "https://x", "params": {"resource": "r 1"}})));
    assert_eq!(asked_for.url.as_str(), "https://id.example.com/token");
    let form = "grant_type=client_credentials&scope=a+b%3Ac&audience=https%3A%2F%2Fx&resource=r+1";
    assert_eq!(asked_for.form.expose(), form);
    // Both are written as in a form before they are joined: `hook+port:s3cret%3A%2F%3F`.
    let basic = "Basic aG9vaytwb3J0OnMzY3JldCUzQSUyRiUzRg==";
    assert_eq!(asked_for.authorization.map(|value| value.expose().to_owned()).as_deref(), Some(basic));

    let in_body = asked(&oauth2(json!({"auth_style": "body"})));
    assert_eq!(in_body.authorization, None);
    let form = "grant_type=client_credentials&client_id=hook+port&client_secret=s3cret%3A%2F%3F";
    assert_eq!(in_body.form.expose(), form);
    assert!(bearer("t").credential.unwrap().token_request().is_none());
}

#[test]
fn a_token_is_used_until_shortly_before_its_end() {
    let life = |expires_in: Value| {
        let body = json!({"access_token": "tok", "token_type": "Bearer", "expires_in": expires_in}).to_string();
        granted(200, body.as_bytes()).unwrap().life.as_secs()
    };
    let expected = [
        (json!(120), 90),
        (json!("120"), 90),
        (json!(60.9), 30),
        (json!(10), 0),
        (json!(-5), 0),
        (json!(86_400), 3_600),
        (json!(1e300), 3_600),
        (json!(null), 300),
        (json!("soon"), 300),
    ];
    for (expires_in, seconds) in expected {
        assert_eq!(life(expires_in.clone()), seconds, "{expires_in}");
    }
    let bare = granted(201, br#"{"access_token": "tok"}"#).unwrap();
    assert_eq!((bare.token.expose(), bare.life.as_secs()), ("tok", 300));
}

#[test]
fn an_answer_without_a_bearer_token_grants_nothing() {
    for body in [
        "",
        "[]",
        "{}",
        r#"{"access_token": ""}"#,
        r#"{"access_token": "a b"}"#,
        r#"{"access_token": "a\r\nx: y"}"#,
        r#"{"access_token": 7}"#,
        r#"{"access_token": "tok", "token_type": "DPoP"}"#,
    ] {
        assert_eq!(granted(200, body.as_bytes()), Err(TokenRefusal::NoToken), "{body}");
    }
}

/// What the endpoint says beyond the standard's codes is not repeated: it could hold what was sent.
#[test]
fn a_refusal_repeats_no_text_of_the_endpoint() {
    let said = |status, body: &str| granted(status, body.as_bytes()).unwrap_err();
    let refusal = said(401, r#"{"error": "invalid_client", "error_description": "s3cret is wrong"}"#);
    assert_eq!(refusal.to_string(), "the token endpoint answered 401 (invalid_client)");
    assert_eq!(said(400, r#"{"error": "s3cret"}"#).to_string(), "the token endpoint answered 400");
    for (status, is_trouble) in
        [(400, false), (401, false), (302, false), (408, true), (429, true), (500, true), (503, true)]
    {
        assert_eq!(said(status, "").is_trouble(), is_trouble, "{status}");
    }
}

#[test]
fn a_user_is_shown_by_name_and_password() {
    assert_eq!(basic_authorization("Aladdin", "open sesame").expose(), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    let sealed = bearer("t0ken").to_be_sealed();
    assert_eq!(sealed.expose_secret(), r#"{"token":"t0ken"}"#);
}

#[test]
fn what_is_sent_leaves_traces_and_what_signs_does_not() {
    let traces = |auth: &TargetAuth| auth.traces().iter().map(|text| text.expose().to_owned()).collect::<Vec<_>>();
    let user = credential(json!({"type": "basic", "username": "u", "password": "p4ss word"}));
    assert_eq!(traces(&user), ["p4ss word", "dTpwNHNzIHdvcmQ="]);
    assert_eq!(traces(&bearer("t0ken-t0ken")), ["t0ken-t0ken"]);
    assert_eq!(traces(&bearer("short")), Vec::<String>::new());
    assert_eq!(traces(&signing()), ["kept-to-oneself"]);
    assert_eq!(traces(&certified()), Vec::<String>::new());
}

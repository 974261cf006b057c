use bytes::Bytes;
use hookport::domain::target_url::TargetUrl;
use http::{HeaderMap, Method};
use serde_json::{Value, json};

use super::*;

const CERTIFICATE: &str = include_str!("../../../../tests/fixtures/mtls/client.pem");
const KEY: &str = include_str!("../../../../tests/fixtures/mtls/client.key");

fn url(text: &str) -> TargetUrl {
    TargetUrl::try_from(text.to_owned()).unwrap()
}

fn auth(credential: Value) -> TargetAuth {
    TargetAuth { credential: Some(serde_json::from_value(credential).unwrap()), mtls: None }
}

fn open(auth: &TargetAuth) -> OpenAuth {
    let tenant = "acme".to_owned().try_into().unwrap();
    let id = hookport::domain::id::SubscriptionId::new(Timestamp::UNIX_EPOCH, 7);
    OpenAuth::new(auth, (tenant, id, 1)).unwrap()
}

fn request() -> OutgoingRequest {
    OutgoingRequest {
        method: Method::POST,
        url: url("https://example.com/hook?a=b"),
        headers: HeaderMap::from_iter([(HeaderName::from_static("webhook-id"), HeaderValue::from_static("evt_1"))]),
        body: Bytes::from_static(b"{}"),
        timeouts: None,
        max_response_bytes: None,
        identity: None,
    }
}

fn applied(auth: &TargetAuth) -> OutgoingRequest {
    let mut request = request();
    open(auth).apply(&mut request, Timestamp::UNIX_EPOCH).unwrap();
    request
}

#[test]
fn each_credential_stands_in_its_place() {
    let user = applied(&auth(json!({"type": "basic", "username": "Aladdin", "password": "open sesame"})));
    assert_eq!(user.headers[AUTHORIZATION], "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    let bearer = applied(&auth(json!({"type": "bearer", "token": "t0ken"})));
    assert_eq!(bearer.headers[AUTHORIZATION], "Bearer t0ken");
    let key = applied(&auth(json!({"type": "api_key", "in": "header", "name": "X-Api-Key", "value": "k3y"})));
    assert_eq!(key.headers["x-api-key"], "k3y");
    for request in [&user, &bearer, &key] {
        assert!(request.headers.iter().all(|(name, value)| name == "webhook-id" || value.is_sensitive()));
        assert_eq!(request.url.as_str(), "https://example.com/hook?a=b");
    }
    // It stands in the URL before that is signed.
    let in_query = auth(json!({"type": "api_key", "in": "query", "name": "key", "value": "k3y &=#"}));
    let url = open(&in_query).url(&request().url).expect("a URL of its own");
    assert_eq!(url.as_str(), "https://example.com/hook?a=b&key=k3y+%26%3D%23");
    let query = OutgoingRequest { url, ..request() };
    assert!(!format!("{query:?}").contains("k3y"), "{query:?}");
}

#[test]
fn a_certificate_goes_with_the_connection() {
    let mtls = hookport::domain::target_auth::ClientCertificate {
        certificate: CERTIFICATE.to_owned(),
        private_key: SecretText::from(KEY.to_owned()),
    };
    let request = applied(&TargetAuth { credential: None, mtls: Some(mtls) });
    assert!(request.identity.is_some());
    assert_eq!(request.headers.len(), 1);
}

#[test]
fn a_signature_covers_what_the_gateway_says() {
    let secret = |text: &str| SecretText::from(text.to_owned());
    let credential = Credential::AwsSigv4 {
        region: "eu-central-1".to_owned(),
        service: "execute-api".to_owned(),
        access_key_id: "AKIDEXAMPLE".to_owned(),
        secret_access_key: secret("wJal"),
        session_token: Some(secret("session")),
    };
    let request = applied(&TargetAuth { credential: Some(credential), mtls: None });
    let signed = "SignedHeaders=host;webhook-id;x-amz-date;x-amz-security-token";
    let authorization = request.headers[AUTHORIZATION].to_str().unwrap();
    assert!(authorization.contains(signed), "{authorization}");
    assert_eq!(request.headers["x-amz-date"], "19700101T000000Z");
}

#[test]
fn what_does_not_open_is_not_sent() {
    let mut unusable = open(&auth(json!({"type": "bearer", "token": "t0ken"})));
    unusable.means = Means::Unusable;
    let failure = unusable.apply(&mut request(), Timestamp::UNIX_EPOCH).unwrap_err();
    assert!(!failure.is_permanent());
    assert_eq!(failure.outcome().error(), "the credentials for the target do not open");
}

#[test]
fn an_answer_that_repeats_a_secret_is_cleaned() {
    let open = open(&auth(json!({"type": "bearer", "token": "t0ken-t0ken"})));
    let mut response = OutgoingResponse {
        status: StatusCode::OK,
        headers: HeaderMap::from_iter([
            (HeaderName::from_static("location"), HeaderValue::from_static("/?t=t0ken-t0ken")),
            (HeaderName::from_static("server"), HeaderValue::from_static("x")),
        ]),
        body: Bytes::from_static(b"t0ken-t0ken, and t0ken-t0ken; acc3ss-t0ken"),
        truncated: false,
    };
    let granted = SecretText::from("acc3ss-t0ken".to_owned());
    open.scrub.clean(&mut response, Some(&granted));
    assert_eq!(response.body, "(hidden), and (hidden); (hidden)");
    assert_eq!(response.headers["location"], "(hidden)");
    assert_eq!(response.headers["server"], "x");
}

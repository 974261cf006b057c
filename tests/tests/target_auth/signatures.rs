//! Signatures of version 4, made again by hand from what arrived.

use hmac::{Hmac, KeyInit as _, Mac as _};
use hookport_tests::Sink;
use hookport_tests::sink::SinkRequest;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::{all_shown, gateway, happens, subscribed};

const KEY: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

fn tag(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// The value of `Authorization` that belongs to a request without a query, as the documentation of AWS derives it.
fn expected(request: &SinkRequest, signed: &str) -> String {
    let headers: String = signed.split(';').map(|name| format!("{name}:{}\n", request.header(name).trim())).collect();
    let hash = hex::encode(Sha256::digest(&request.body));
    let canonical = format!("{}\n{}\n\n{headers}\n{signed}\n{hash}", request.method, request.path);
    let time = request.header("x-amz-date");
    let scope = format!("{}/eu-central-1/execute-api/aws4_request", &time[..8]);
    let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", hex::encode(Sha256::digest(canonical)));
    let key = scope.split('/').fold(format!("AWS4{KEY}").into_bytes(), |key, part| tag(&key, part));
    let signature = hex::encode(tag(&key, &to_sign));
    format!("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/{scope}, SignedHeaders={signed}, Signature={signature}")
}

#[tokio::test]
async fn a_signature_covers_the_request_as_it_arrives() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let credential = json!({
        "type": "aws_sigv4", "region": "eu-central-1", "service": "execute-api", "access_key_id": "AKIDEXAMPLE",
        "secret_access_key": KEY, "session_token": "of-a-session",
    });
    let made = subscribed(&gateway, &sink, json!({"credential": credential})).await;
    happens(&gateway).await;
    let requests: Vec<SinkRequest> = sink.challenges().into_iter().chain(sink.received()).collect();
    assert_eq!(requests.len(), 2, "a challenge and an event");
    for request in &requests {
        let authorization = request.header("authorization");
        let signed = authorization.split("SignedHeaders=").nth(1).and_then(|rest| rest.split(',').next());
        let signed = signed.expect("headers are signed");
        for name in ["content-type", "host", "webhook-id", "webhook-signature", "x-amz-date", "x-amz-security-token"] {
            assert!(signed.split(';').any(|known| known == name), "{name}: {signed}");
        }
        assert_eq!(authorization, expected(request, signed));
        assert_eq!(request.header("x-amz-security-token"), "of-a-session");
        assert_eq!(request.header("x-amz-date"), gateway.clock.now().strftime("%Y%m%dT%H%M%SZ").to_string());
    }
    let shown = all_shown(&gateway, &made).await;
    assert!(!shown.contains(KEY) && !shown.contains("of-a-session"));
    assert!(shown.contains("AKIDEXAMPLE"));
}

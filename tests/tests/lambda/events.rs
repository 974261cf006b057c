//! Events as Lambda hands them over, made from the templates in `fixtures/lambda`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hookport::clock::Clock;
use hookport_tests::SenderRequest;
use serde_json::{Map, Value, json};

use crate::queue::Message;

const BY_SLUG: &str = include_str!("../../fixtures/lambda/apigateway-v2-receiver.json");
const BY_KEY: &str = include_str!("../../fixtures/lambda/apigateway-v2-key.json");
const MANAGEMENT: &str = include_str!("../../fixtures/lambda/apigateway-v2-management.json");
const INBOUND: &str = include_str!("../../fixtures/lambda/sqs-inbound.json");
const OUTBOUND: &str = include_str!("../../fixtures/lambda/sqs-outbound.json");
const SCHEDULE: &str = include_str!("../../fixtures/lambda/eventbridge-schedule.json");

/// What takes the place of a placeholder, by the placeholder's name.
type Values<'a> = &'a [(&'a str, Value)];

/// A sender's request to `/api/inbound/{tenant}/{slug}`, its body in base64.
pub fn by_slug(tenant: &str, slug: &str, request: &SenderRequest) -> Value {
    from_sender(BY_SLUG, &[("TENANT", json!(tenant)), ("SLUG", json!(slug))], request)
}

/// A sender's request to `/api/v1/webhooks/{key}`, its body in base64.
pub fn by_key(key: &str, request: &SenderRequest) -> Value {
    from_sender(BY_KEY, &[("KEY", json!(key))], request)
}

/// The same request with its body as text, as the gateway hands over JSON.
pub fn as_text(mut event: Value, request: &SenderRequest) -> Value {
    event["body"] = json!(str::from_utf8(&request.body).expect("a body that is text"));
    event["isBase64Encoded"] = json!(false);
    event
}

/// A request to the management API.
pub fn management(method: &str, path: &str, token: &str, body: Option<&Value>) -> Value {
    let mut headers = from_gateway();
    headers.insert("authorization".to_owned(), json!(format!("Bearer {token}")));
    headers.insert("content-type".to_owned(), json!("application/json"));
    let own = [
        ("METHOD", json!(method)),
        ("PATH", json!(path)),
        ("HEADERS_JSON", Value::Object(headers)),
        ("BODY_JSON", body.map_or(Value::Null, |body| json!(body.to_string()))),
    ];
    filled(&read(MANAGEMENT), &[&own[..], &of_any_request()[..]].concat())
}

/// A batch of the inbound queue.
pub fn inbound(messages: &[Message]) -> Value {
    batch(INBOUND, messages)
}

/// A batch of the outbound queue.
pub fn outbound(messages: &[Message]) -> Value {
    batch(OUTBOUND, messages)
}

/// A tick of the sweeper's schedule.
pub fn schedule() -> Value {
    let now = Clock::system().now();
    let id = json!("00000000-0000-4000-8000-000000000002");
    filled(&read(SCHEDULE), &[("EVENT_ID", id), ("TIME", json!(now.to_string()))])
}

fn from_sender(template: &str, place: Values<'_>, request: &SenderRequest) -> Value {
    let mut headers = from_gateway();
    for (name, value) in &request.headers {
        headers.insert(name.as_str().to_owned(), json!(value.to_str().expect("a header that is text")));
    }
    headers.insert("content-length".to_owned(), json!(request.body.len().to_string()));
    let own = [("HEADERS_JSON", Value::Object(headers)), ("BODY_BASE64", json!(STANDARD.encode(&request.body)))];
    filled(&read(template), &[place, &own[..], &of_any_request()[..]].concat())
}

/// The headers that API Gateway adds.
fn from_gateway() -> Map<String, Value> {
    let added = [
        ("host", "a1b2c3d4e5.execute-api.eu-north-1.amazonaws.com"),
        ("x-amzn-trace-id", "Root=1-6acf8f30-000000000000000000000001"),
        ("x-forwarded-for", "203.0.113.7"),
        ("x-forwarded-port", "443"),
        ("x-forwarded-proto", "https"),
    ];
    added.into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect()
}

fn of_any_request() -> [(&'static str, Value); 4] {
    [
        ("QUERY", json!("")),
        ("SOURCE_IP", json!("203.0.113.7")),
        ("USER_AGENT", json!("sender/1.0")),
        ("REQUEST_ID", json!("ABcdEFghIJklMNop=")),
    ]
}

/// Makes a record of each message after the template's first one, however many there are.
fn batch(template: &str, messages: &[Message]) -> Value {
    let mut event = read(template);
    let record = event["Records"][0].clone();
    let records = messages.iter().map(|message| {
        let values = [
            ("MESSAGE_ID_1", json!(message.message_id)),
            ("RECEIPT_1", json!(message.receipt_handle)),
            ("BODY_1_JSON", json!(message.body)),
            ("RECEIVE_COUNT_1", json!(message.receive_count())),
        ];
        filled(&record, &values)
    });
    event["Records"] = records.collect();
    event
}

fn read(template: &str) -> Value {
    serde_json::from_str(template).expect("a template is JSON before it is filled in")
}

/// Puts the values in their places: a string that is nothing but a placeholder becomes the value, whatever it is.
fn filled(template: &Value, values: Values<'_>) -> Value {
    match template {
        Value::String(text) => in_text(text, values),
        Value::Array(items) => items.iter().map(|item| filled(item, values)).collect(),
        Value::Object(members) => {
            let members = members.iter().map(|(name, member)| (name.clone(), filled(member, values)));
            Value::Object(members.collect())
        }
        other => other.clone(),
    }
}

fn in_text(text: &str, values: Values<'_>) -> Value {
    let mut text = text.to_owned();
    for (name, value) in values {
        let place = format!("{{{{{name}}}}}");
        if text == place {
            return value.clone();
        }
        if let Some(value) = value.as_str() {
            text = text.replace(&place, value);
        }
    }
    Value::String(text)
}

//! What callers see when the gateway itself is in trouble: that it is, when to try again, and nothing more.

use std::collections::HashMap;

use bytes::Bytes;
use hookport::app::App;
use hookport::aws::in_process::{Answer, NoAnswer, transport};
use hookport::clock::Clock;
use hookport::config::Config;
use hookport::random::Random;
use http::header::{AUTHORIZATION, RETRY_AFTER};
use http::{Request, Response, StatusCode};
use jiff::Timestamp;

use crate::client::{read, refused};

/// A gateway whose every call to the cloud ends like this.
fn app(answer: fn() -> Answer) -> App {
    let settings = [
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "id"),
        ("AWS_SECRET_ACCESS_KEY", "key"),
        ("AWS_MAX_ATTEMPTS", "1"),
        ("CONFIGS_TABLE", "configs"),
        ("DELIVERIES_TABLE", "deliveries"),
        ("IDEMPOTENCY_TABLE", "idempotency"),
        ("INBOUND_QUEUE_URL", "http://localhost/inbound"),
        ("OUTBOUND_QUEUE_URL", "http://localhost/outbound"),
        ("KEYRING_SECRET_ID", "keyring"),
    ];
    let settings: HashMap<_, _> = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let config = Config::from_vars(&settings).expect("enough settings");
    let cloud = transport(move |_| Box::pin(async move { answer() }));
    App::new(config, cloud, Clock::manual(Timestamp::UNIX_EPOCH), Random::seeded(1))
}

async fn ask(app: App) -> Response<Bytes> {
    let token = format!("Bearer hp_{}", "a".repeat(40));
    let request = Request::get("/api/v1/events").header(AUTHORIZATION, token).body(Bytes::new());
    management::handle(&management::router(app), request.expect("a request")).await
}

#[tokio::test]
async fn an_unreachable_table_is_a_503_with_a_time_to_try_again() {
    let answers: [fn() -> Answer; 2] = [|| Err(NoAnswer::Broken), || Err(NoAnswer::TimedOut)];
    for answer in answers {
        let response = ask(app(answer)).await;
        let message = refused(&read(&response), StatusCode::SERVICE_UNAVAILABLE, "unavailable");
        assert_eq!(response.headers()[RETRY_AFTER], "1");
        for word in ["dynamo", "table", "timeout", "connection"] {
            assert!(!message.to_lowercase().contains(word), "{message}");
        }
    }
}

#[tokio::test]
async fn an_item_that_cannot_be_read_is_a_500_that_tells_nothing() {
    let broken: fn() -> Answer =
        || Ok(Response::new(Bytes::from_static(br#"{"Item":{"v":{"S":"no owner of a token"}}}"#)));
    let response = ask(app(broken)).await;
    let message = refused(&read(&response), StatusCode::INTERNAL_SERVER_ERROR, "internal");
    assert!(!response.headers().contains_key(RETRY_AFTER), "trying again will not help");
    assert!(!message.contains("owner") && !message.contains("item"), "{message}");
}

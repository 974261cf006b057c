//! A18, defect 4: how much an owner of subscriptions may ask for, and what it is told.

use bytes::Bytes;
use hookport_tests::gateway::{TestGateway, answer, text};
use hookport_tests::{Sink, inbound};
use http::{Method, Response, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{SUBSCRIPTIONS, asked, delete, done, gateway_of, header, path_of, refused, request, settings};

/// Asks one instance for a subscription on behalf of an owner; it is held, so that nothing follows.
async fn ask(gateway: &TestGateway, instance: usize, sink: &Sink, owner: &str) -> Response<Bytes> {
    let body = settings(sink, json!({"owner": owner, "trigger_challenge": false}));
    asked(gateway, instance, request(gateway, Method::POST, SUBSCRIPTIONS, &body)).await
}

/// Checks that a request was refused for now, and waits for as long as the answer says.
async fn refused_for_now(gateway: &TestGateway, response: &Response<Bytes>, code: &str) {
    refused(&(response.status(), answer(response)), 429, code);
    let wait: i64 = header(response, "retry-after").parse().expect("seconds");
    assert!(wait >= 1, "{wait}");
    gateway.advance(SignedDuration::from_secs(wait));
}

/// What is left of a limit, as the headers of an answer tell it: limit, remaining, seconds.
fn left(response: &Response<Bytes>) -> [u32; 3] {
    ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"]
        .map(|name| header(response, name).parse().expect("a number"))
}

fn quotas(subscriptions: u32, events: u32, per_minute: u32, per_day: u32) -> Value {
    json!({
        "max_subscriptions": subscriptions,
        "max_events_per_minute": events,
        "max_subscription_requests_per_minute": per_minute,
        "max_subscription_requests_per_day": per_day,
    })
}

const OF_ANN: &str = "/api/v1/owners/ann/quotas";

/// A18: ten subscriptions asked for in a minute, and ten in all, unless an administrator says otherwise.
#[tokio::test]
async fn a18_the_eleventh_request_of_a_minute_and_the_eleventh_subscription_are_refused() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    let mut made = Vec::new();
    for remaining in (0..10).rev() {
        let response = ask(&gateway, 0, &sink, "ann").await;
        assert_eq!(response.status(), StatusCode::CREATED, "{response:?}");
        let [limit, left, reset] = left(&response);
        assert_eq!((limit, left), (10, remaining));
        assert!((1..=60).contains(&reset), "{reset}");
        made.push(answer(&response));
    }
    let eleventh = ask(&gateway, 0, &sink, "ann").await;
    let [limit, remaining, reset] = left(&eleventh);
    assert_eq!((limit, remaining), (10, 0));
    assert_eq!(header(&eleventh, "retry-after"), reset.to_string());
    refused_for_now(&gateway, &eleventh, "rate_limit_exceeded").await;

    let too_many = ask(&gateway, 0, &sink, "ann").await;
    refused_for_now(&gateway, &too_many, "quota_reached").await;
    assert_eq!(ask(&gateway, 0, &sink, "bob").await.status(), StatusCode::CREATED, "another owner has its own");
    assert_eq!(delete(&gateway, &path_of(&made[0])).await, StatusCode::NO_CONTENT);
    assert_eq!(ask(&gateway, 0, &sink, "ann").await.status(), StatusCode::CREATED, "one left makes room for another");
    let of_ann = inbound::list(&gateway, &format!("{SUBSCRIPTIONS}?owner=ann&limit=100")).await;
    assert_eq!(of_ann.len(), 10);
}

/// A18: an administrator gives an owner quotas of its own, and takes them back.
#[tokio::test]
async fn a18_quotas_are_set_and_reset_by_an_administrator() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    let defaults = gateway.get("/api/v1/owners/ann").await["data"].clone();
    assert_eq!(defaults["quotas"], quotas(10, 12, 10, 20));
    assert_eq!(defaults["has_own_quotas"], false);

    done(&gateway, Method::PUT, OF_ANN, quotas(12, 12, 100, 20)).await;
    for _ in 0..12 {
        assert_eq!(ask(&gateway, 0, &sink, "ann").await.status(), StatusCode::CREATED);
    }
    refused_for_now(&gateway, &ask(&gateway, 0, &sink, "ann").await, "quota_reached").await;
    let own = gateway.get("/api/v1/owners/ann").await["data"].clone();
    assert_eq!((&own["quotas"], &own["subscriptions"]), (&quotas(12, 12, 100, 20), &json!(12)));

    assert_eq!(delete(&gateway, OF_ANN).await, StatusCode::NO_CONTENT);
    let reset = gateway.get("/api/v1/owners/ann").await["data"].clone();
    assert_eq!((&reset["quotas"], &reset["has_own_quotas"]), (&quotas(10, 12, 10, 20), &json!(false)));
    assert_eq!(reset["subscriptions"], 12, "what it has stays");
    refused_for_now(&gateway, &ask(&gateway, 0, &sink, "ann").await, "quota_reached").await;
    done(&gateway, Method::PUT, OF_ANN, quotas(13, 12, 100, 20)).await;
    assert_eq!(ask(&gateway, 0, &sink, "ann").await.status(), StatusCode::CREATED);

    for wrong in [quotas(0, 12, 10, 20), quotas(101, 12, 10, 20), quotas(10, 1_001, 10, 20), quotas(10, 12, 101, 20)] {
        let answer = gateway.api(Method::PUT, OF_ANN, gateway.admin_token(), Some(wrong)).await;
        refused(&answer, 400, "invalid_request");
    }
    let token = json!({"name": "t", "permissions": ["subscription:create", "owner:read"]});
    let token = text(&gateway.create("/api/v1/api-tokens", token).await["token"]);
    let answer = gateway.api(Method::PUT, OF_ANN, &token, Some(quotas(100, 12, 10, 20))).await;
    refused(&answer, 403, "forbidden");
}

/// A18: so many subscriptions may be asked for in a day, however slowly.
#[tokio::test]
async fn a18_the_requests_of_a_day_are_counted_as_well() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    done(&gateway, Method::PUT, OF_ANN, quotas(100, 12, 10, 20)).await;
    // Into the first minute of a day, so that none ends meanwhile.
    let minutes = 24 * 60 - gateway.clock.now().as_second().rem_euclid(86_400) / 60;
    gateway.advance(SignedDuration::from_mins(minutes));
    for _ in 0..20 {
        gateway.advance(SignedDuration::from_mins(2));
        assert_eq!(ask(&gateway, 0, &sink, "ann").await.status(), StatusCode::CREATED);
    }
    gateway.advance(SignedDuration::from_mins(2));
    let refused = ask(&gateway, 0, &sink, "ann").await;
    assert_eq!(left(&refused)[..2], [20, 0]);
    refused_for_now(&gateway, &refused, "rate_limit_exceeded").await;
    assert_eq!(ask(&gateway, 0, &sink, "ann").await.status(), StatusCode::CREATED, "the next day");
}

/// A18: two instances that are asked at once do not give more than there may be.
#[tokio::test]
async fn a18_two_requests_at_once_for_the_last_place_make_one_subscription() {
    let gateway = gateway_of(&["a", "b"]).await;
    let sink = Sink::start().await;
    for owner in ["ann", "bob", "eve", "joe"] {
        done(&gateway, Method::PUT, &format!("/api/v1/owners/{owner}/quotas"), quotas(1, 12, 100, 100)).await;
        let (first, second) = tokio::join!(ask(&gateway, 0, &sink, owner), ask(&gateway, 1, &sink, owner));
        let mut statuses = [first.status().as_u16(), second.status().as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 429], "{owner}");
        assert_eq!(gateway.get(&format!("/api/v1/owners/{owner}")).await["data"]["subscriptions"], 1);
    }
}

/// A18: a token that is bound to an owner asks on its behalf alone; whoever names no owner has no quota.
#[tokio::test]
async fn a18_quotas_are_those_of_the_owner_that_the_token_is_bound_to() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    let token = json!({"name": "t", "owner": "ann", "permissions": ["subscription:create"]});
    let token = text(&gateway.create("/api/v1/api-tokens", token).await["token"]);
    done(&gateway, Method::PUT, OF_ANN, quotas(1, 12, 100, 100)).await;
    let ask_as_ann = async |owner: Value| {
        let body = settings(&sink, json!({"owner": owner, "trigger_challenge": false}));
        gateway.api(Method::POST, SUBSCRIPTIONS, &token, Some(body)).await
    };
    refused(&ask_as_ann(json!("bob")).await, 403, "forbidden");
    let made = ask_as_ann(Value::Null).await;
    assert_eq!((made.0.as_u16(), &made.1["data"]["owner"]), (201, &json!("ann")), "{}", made.1);
    refused(&ask_as_ann(json!("ann")).await, 429, "quota_reached");

    for _ in 0..25 {
        let body = settings(&sink, json!({"trigger_challenge": false}));
        let response = asked(&gateway, 0, request(&gateway, Method::POST, SUBSCRIPTIONS, &body)).await;
        assert_eq!(response.status(), StatusCode::CREATED);
        assert_eq!(header(&response, "x-ratelimit-limit"), "");
    }
}

/// Defect 4: the limit of published events is held against every event of its owner.
#[tokio::test]
async fn defect_4_the_thirteenth_event_of_an_owner_in_a_minute_is_refused() {
    let gateway = gateway_of(&["a"]).await;
    gateway.create("/api/v1/event-types", json!({"ref": "thing.happened"})).await;
    let publish = async |n: u32, owner: &str| {
        let body = json!({"type": "thing.happened", "data": {"n": n}, "owner": owner});
        asked(&gateway, 0, request(&gateway, Method::POST, "/api/v1/events", &body)).await
    };
    for n in 0..12 {
        let response = publish(n, "ann").await;
        assert_eq!(response.status(), StatusCode::ACCEPTED, "{response:?}");
        assert_eq!(left(&response)[..2], [12, 11 - n]);
    }
    let refused = publish(12, "ann").await;
    assert_eq!(publish(13, "bob").await.status(), StatusCode::ACCEPTED, "another owner has its own");
    assert_eq!(inbound::list(&gateway, "/api/v1/events?limit=100").await.len(), 13, "what is refused is not kept");
    refused_for_now(&gateway, &refused, "rate_limit_exceeded").await;
    assert_eq!(publish(14, "ann").await.status(), StatusCode::ACCEPTED);
}

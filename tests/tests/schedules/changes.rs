//! Making, changing, deleting and running schedules.

use hookport_tests::gateway::{merge, text};
use http::header::{AUTHORIZATION, CONTENT_TYPE, IF_MATCH};
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use crate::{EVENT_TYPES, SCHEDULES, call, events, gateway, hourly, made, pass, refused, times, turn};

#[tokio::test]
async fn what_makes_no_schedule_is_refused() {
    let gateway = gateway().await;
    let schema = json!({"type": "object", "required": ["id"]});
    gateway.create(EVENT_TYPES, json!({"ref": "order.paid", "schema": schema})).await;
    gateway.create(EVENT_TYPES, json!({"ref": "order.lost", "enabled": false})).await;
    let cases = [
        (json!({"cron": "* * * *"}), 400, "invalid_request"),
        (json!({"cron": "61 * * * *"}), 400, "invalid_request"),
        (json!({"cron": "0 0 30 2 *"}), 400, "invalid_request"),
        (json!({"cron": "0 0 L * *"}), 400, "invalid_request"),
        (json!({"cron": "@reboot"}), 400, "invalid_request"),
        (json!({"cron": null}), 400, "invalid_request"),
        (json!({"timezone": "Europe/Atlantis"}), 400, "invalid_request"),
        (json!({"name": " "}), 400, "invalid_request"),
        (json!({"event_type": "report"}), 400, "invalid_request"),
        (json!({"event_type": "delivery.exhausted"}), 400, "invalid_request"),
        (json!({"event_type": "report.lost"}), 400, "unknown_event_type"),
        (json!({"event_type": "order.lost"}), 409, "event_type_disabled"),
        (json!({"event_type": "order.paid"}), 422, "schema_mismatch"),
        (json!({"data": "x".repeat(64 * 1024)}), 400, "invalid_request"),
        (json!({"entity_type": "a b"}), 400, "invalid_request"),
        (json!({"scope": "/acme"}), 400, "invalid_request"),
        (json!({"catch_up": "some"}), 400, "invalid_request"),
        (json!({"initiator": "bob"}), 400, "invalid_request"),
    ];
    let id = made(&gateway, json!({})).await;
    for (more, status, code) in cases {
        refused(&call(&gateway, Method::POST, SCHEDULES, Some(hourly(more.clone()))).await, status, code);
        let path = format!("{SCHEDULES}/{id}");
        refused(&call(&gateway, Method::PUT, &path, Some(hourly(more))).await, status, code);
    }
    let kept = gateway.get(SCHEDULES).await["data"].clone();
    assert_eq!(kept.as_array().map(Vec::len), Some(1), "{kept}");
    assert_eq!((&kept[0]["version"], &kept[0]["data"]), (&json!(1), &Value::Null), "no payloads in lists");
    let broken = call(&gateway, Method::POST, SCHEDULES, Some(hourly(json!({"cron": "61 * * * *"})))).await;
    assert!(text(&broken.1["error"]["message"]).starts_with("cron: "), "{}", broken.1);
}

/// It fits when it is switched on, and is never the gateway's own.
#[tokio::test]
async fn what_is_switched_off_need_not_fit_its_event_type_yet() {
    let gateway = gateway().await;
    let off = json!({"is_active": false, "event_type": "report.lost"});
    let id = made(&gateway, off.clone()).await;
    let path = format!("{SCHEDULES}/{id}");
    let own = hourly(json!({"is_active": false, "event_type": "delivery.exhausted"}));
    refused(&call(&gateway, Method::PUT, &path, Some(own.clone())).await, 400, "invalid_request");
    refused(&call(&gateway, Method::POST, SCHEDULES, Some(own)).await, 400, "invalid_request");
    let on = hourly(json!({"event_type": "report.lost"}));
    refused(&call(&gateway, Method::PUT, &path, Some(on.clone())).await, 400, "unknown_event_type");
    gateway.create(EVENT_TYPES, json!({"ref": "report.lost"})).await;
    let (status, answer) = call(&gateway, Method::PUT, &path, Some(on)).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
}

#[tokio::test]
async fn a_schedule_that_is_deleted_or_switched_off_publishes_nothing() {
    let gateway = gateway().await;
    let (deleted, off) = (made(&gateway, json!({})).await, made(&gateway, json!({})).await);
    let path = format!("{SCHEDULES}/{deleted}");
    assert_eq!(call(&gateway, Method::DELETE, &path, None).await.0, StatusCode::NO_CONTENT);
    for method in [Method::DELETE, Method::GET] {
        refused(&call(&gateway, method, &path, None).await, 404, "schedule_not_found");
    }
    let path = format!("{SCHEDULES}/{off}");
    let (status, answer) = call(&gateway, Method::PUT, &path, Some(hourly(json!({"is_active": false})))).await;
    assert_eq!((status, &answer["data"]["next_times"]), (StatusCode::OK, &json!([])), "{answer}");
    pass(&gateway, 120).await;
    assert!(times(&gateway).await.is_empty());
    // What came while it was off is not made up for.
    let (status, answer) = call(&gateway, Method::PUT, &path, Some(hourly(json!({"catch_up": "all"})))).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    turn(&gateway, "2026-09-21T16:59:00Z");
    pass(&gateway, 5).await;
    assert_eq!(times(&gateway).await, ["2026-09-21T17:00:00Z"]);
}

#[tokio::test]
async fn a_schedule_that_is_changed_keeps_its_new_times() {
    let gateway = gateway().await;
    let id = made(&gateway, json!({"catch_up": "all"})).await;
    turn(&gateway, "2026-09-21T15:00:30Z");
    // It is late, and whoever changes its times takes this one back.
    let path = format!("{SCHEDULES}/{id}");
    let later = hourly(json!({"cron": "20 * * * *", "data": {"n": 2}, "catch_up": "all"}));
    let (status, answer) = call(&gateway, Method::PUT, &path, Some(later)).await;
    assert_eq!((status, &answer["data"]["version"]), (StatusCode::OK, &json!(2)), "{answer}");
    assert_eq!(answer["data"]["next_times"][0], "2026-09-21T15:20:00Z");
    pass(&gateway, 70).await;
    assert_eq!(times(&gateway).await, ["2026-09-21T15:20:00Z"]);
    let event = text(&events(&gateway).await[0]["id"]);
    assert_eq!(gateway.get(&format!("/api/v1/events/{event}")).await["data"]["payload"]["data"], json!({"n": 2}));
    // An earlier time is not waited for until the later one.
    turn(&gateway, "2026-09-21T16:21:00Z");
    pass(&gateway, 2).await;
    let (status, _) = call(&gateway, Method::PUT, &path, Some(hourly(json!({"cron": "30 * * * *"})))).await;
    assert_eq!(status, StatusCode::OK);
    pass(&gateway, 10).await;
    assert_eq!(times(&gateway).await.last().map(String::as_str), Some("2026-09-21T16:30:00Z"));
}

#[tokio::test]
async fn a_change_for_another_version_is_refused() {
    let gateway = gateway().await;
    let id = made(&gateway, json!({})).await;
    let put = async |tag: &str| {
        let request = Request::put(format!("{SCHEDULES}/{id}"))
            .header(AUTHORIZATION, format!("Bearer {}", gateway.admin_token()))
            .header(CONTENT_TYPE, "application/json")
            .header(IF_MATCH, tag)
            .body(hourly(json!({})).to_string().into());
        let response = management::handle(&gateway.instance(0).management, request.expect("a request")).await;
        (response.status().as_u16(), response.headers().get("etag").cloned())
    };
    assert_eq!(put("\"1\"").await, (200, Some("\"2\"".parse().expect("a header's value"))));
    assert_eq!(put("\"1\"").await.0, 412);
    assert_eq!(put("\"2\"").await.0, 200);
}

#[tokio::test]
async fn an_event_type_that_is_gone_is_said_and_waited_for() {
    let gateway = gateway().await;
    let id = made(&gateway, json!({})).await;
    let (status, _) = call(&gateway, Method::DELETE, &format!("{EVENT_TYPES}/report.due"), None).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    pass(&gateway, 50).await;
    assert!(times(&gateway).await.is_empty());
    let schedule = gateway.get(&format!("{SCHEDULES}/{id}")).await["data"].clone();
    let told = [&schedule["last_time"], &schedule["last_event_id"], &schedule["last_error"]];
    assert_eq!(told, [&json!("2026-09-21T15:00:00Z"), &Value::Null, &json!("unknown_event_type")]);
    let run = call(&gateway, Method::POST, &format!("{SCHEDULES}/{id}/run"), None).await;
    refused(&run, 400, "unknown_event_type");
    gateway.create(EVENT_TYPES, json!({"ref": "report.due"})).await;
    pass(&gateway, 60).await;
    assert_eq!(times(&gateway).await, ["2026-09-21T16:00:00Z"]);
    assert_eq!(gateway.get(&format!("{SCHEDULES}/{id}")).await["data"]["last_error"], Value::Null);
}

#[tokio::test]
async fn a_schema_that_refuses_what_is_scheduled_is_not_taken() {
    let gateway = gateway().await;
    let id = made(&gateway, json!({})).await;
    let strict = json!({"type": "object", "required": ["m"]});
    let path = format!("{EVENT_TYPES}/report.due");
    let trigger = json!({"ref": "report.due", "payload_schema": strict});
    let pack = json!({"triggers": [trigger]});
    let put = |schema: &Value| call(&gateway, Method::PUT, &path, Some(json!({"schema": schema})));
    let refusal = put(&strict).await;
    refused(&refusal, 409, "schedule_unfit");
    assert!(refusal.1["error"]["message"].as_str().is_some_and(|text| text.contains(&id)), "{refusal:?}");
    refused(&call(&gateway, Method::PUT, "/api/v1/packs/report", Some(pack)).await, 409, "schedule_unfit");
    assert_eq!(gateway.get(&path).await["data"]["schema"], Value::Null);
    assert_eq!(put(&json!({"type": "object", "required": ["n"]})).await.0, StatusCode::OK, "one that takes it");

    // Made anew, it may not be stricter either.
    assert_eq!(call(&gateway, Method::DELETE, &path, None).await.0, StatusCode::NO_CONTENT);
    let anew = json!({"ref": "report.due", "schema": strict});
    refused(&call(&gateway, Method::POST, EVENT_TYPES, Some(anew.clone())).await, 409, "schedule_unfit");

    let schedule = format!("{SCHEDULES}/{id}");
    let off = hourly(json!({"is_active": false}));
    assert_eq!(call(&gateway, Method::PUT, &schedule, Some(off)).await.0, StatusCode::OK);
    assert_eq!(call(&gateway, Method::POST, EVENT_TYPES, Some(anew)).await.0, StatusCode::CREATED);
    refused(&call(&gateway, Method::PUT, &schedule, Some(hourly(json!({})))).await, 422, "schema_mismatch");
    let fitting = hourly(json!({"data": {"m": 1}}));
    assert_eq!(call(&gateway, Method::PUT, &schedule, Some(fitting)).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_run_publishes_one_now_beside_the_times() {
    let gateway = gateway().await;
    let id = made(&gateway, json!({"is_active": false})).await;
    for _ in 0..2 {
        let (status, answer) = call(&gateway, Method::POST, &format!("{SCHEDULES}/{id}/run"), None).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
        let event = gateway.get(&format!("/api/v1/events/{}", text(&answer["data"]["event_id"]))).await;
        assert_eq!(event["data"]["metadata"]["schedule_id"], json!(id));
        assert_eq!(event["data"]["payload"]["timestamp"], gateway.clock.now().to_string());
    }
    assert_eq!(events(&gateway).await.len(), 2);
}

#[tokio::test]
async fn a_tenant_has_100_schedules_at_most() {
    let gateway = gateway().await;
    let mut last = String::new();
    for _ in 0..100 {
        let mut body = hourly(json!({}));
        merge(&mut body, json!({"is_active": false}));
        last = text(&gateway.create(SCHEDULES, body).await["data"]["id"]);
    }
    refused(&call(&gateway, Method::POST, SCHEDULES, Some(hourly(json!({})))).await, 409, "too_many");
    assert_eq!(call(&gateway, Method::DELETE, &format!("{SCHEDULES}/{last}"), None).await.0, StatusCode::NO_CONTENT);
    gateway.create(SCHEDULES, hourly(json!({}))).await;
    refused(&call(&gateway, Method::POST, SCHEDULES, Some(hourly(json!({})))).await, 409, "too_many");
}

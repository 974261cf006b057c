//! The audit log: every step is in it, by whom and from where, and no secret.

use hookport_tests::gateway::{TestGateway, text};
use hookport_tests::{SenderRequest, Sink};
use http::header::AUTHORIZATION;
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{
    AUDIT, CHALLENGE, REGISTRATIONS, SETTINGS, TOKENS, actions, approve, asked, asks, audit, call, done, gateway,
    issued, made, path_of, refused, registers,
};

/// The administrator of another tenant.
async fn rival(gateway: &TestGateway) -> String {
    let made = gateway.create("/api/v1/tenants", json!({"slug": "rival", "name": "Rival"})).await;
    made["token"].as_str().or(made["data"]["token"].as_str()).expect("the first token of a tenant").to_owned()
}

#[tokio::test]
async fn every_step_is_recorded_and_no_secret_is() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let (single, single_id) = issued(&gateway, json!({})).await;
    let (automation, automation_id) = issued(&gateway, json!({"kind": "automation", "name": "deployer"})).await;
    refused(
        &registers(&gateway, &single, asked(&sink, json!({"events": ["*"]}))).await,
        403,
        "registration_not_allowed",
    );
    let first = made(registers(&gateway, &single, asked(&sink, json!({}))).await);
    let second = made(registers(&gateway, &automation, asked(&sink, json!({}))).await);
    approve(&gateway, &path_of(&first)).await;
    done(&gateway, Method::POST, &format!("{}/reject", path_of(&second)), json!({"reason": "twice"})).await;
    done(&gateway, Method::PUT, SETTINGS, json!({"mode": "ask", "events": ["ticket.*"]})).await;
    done(&gateway, Method::PUT, SETTINGS, json!({"mode": "ask", "events": ["ticket.*"]})).await;
    let third = made(asks(&gateway, asked(&sink, json!({}))).await);
    done(&gateway, Method::DELETE, &path_of(&third), json!({})).await;
    done(&gateway, Method::DELETE, &format!("{TOKENS}/{automation_id}"), json!({})).await;

    // All at one instant, so that their order is not theirs.
    let mut steps = actions(&gateway, "").await;
    steps.sort_unstable();
    let expected = [
        "registration.asked",
        "registration.refused",
        "registration.used",
        "registration.used",
        "registration_settings.changed",
        "registration_token.created",
        "registration_token.created",
        "registration_token.revoked",
        "subscription.approved",
        "subscription.rejected",
        "subscription.rejected",
    ];
    assert_eq!(steps, expected);

    let of = async |query: &str| audit(&gateway, query).await.remove(0);
    let used = of(&format!("&action=registration.used&subject={}", text(&first["data"]["id"]))).await;
    let holder = json!({"kind": "registration_token", "id": single_id, "name": "build server"});
    assert_eq!((&used["principal"], &used["details"]["token"]), (&holder, &json!(single_id)));
    let used = of(&format!("&action=registration.used&subject={}", text(&second["data"]["id"]))).await;
    let holder = json!({"kind": "automation", "id": automation_id, "name": "deployer"});
    assert_eq!(used["principal"], holder);
    let asked = of("&action=registration.asked").await;
    assert_eq!(asked["principal"], json!({"kind": "listener", "id": null, "name": null}));
    let approved = of("&action=subscription.approved").await;
    assert_eq!(
        (&approved["principal"]["kind"], &approved["principal"]["name"]),
        (&json!("api_token"), &json!("operator"))
    );
    let refusal = of("&action=registration.refused").await;
    assert_eq!(refusal["details"]["code"], "registration_not_allowed");
    let changed = of("&action=registration_settings.changed").await;
    assert_eq!((&changed["subject"], &changed["details"]["mode"]), (&Value::Null, &json!("ask")));

    let all = json!(audit(&gateway, "").await).to_string();
    let mut hidden = vec![CHALLENGE.to_owned(), single[4..].to_owned(), automation[4..].to_owned()];
    hidden.extend([&first, &second, &third].map(|answer| text(&answer["secret"]).replace("whsec_", "")));
    for hidden in hidden {
        assert!(!all.contains(&hidden), "{hidden} is in {all}");
    }
}

#[tokio::test]
async fn whoever_deletes_an_owner_turns_away_who_waits_for_it() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let (token, _) = issued(&gateway, json!({"owner": "ann"})).await;
    let waiting = made(registers(&gateway, &token, asked(&sink, json!({}))).await);
    done(&gateway, Method::DELETE, "/api/v1/owners/ann", json!({})).await;
    let records = audit(&gateway, "&action=subscription.rejected").await;
    assert_eq!(records.len(), 1, "{records:?}");
    let by = (&records[0]["subject"], &records[0]["principal"]["name"]);
    assert_eq!(by, (&waiting["data"]["id"], &json!("operator")));
}

#[tokio::test]
async fn a_record_says_where_the_request_came_from() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let (token, _) = issued(&gateway, json!({})).await;
    let request = SenderRequest::json(asked(&sink, json!({})).to_string())
        .with(AUTHORIZATION.as_str(), &format!("Bearer {token}"))
        .from("198.51.100.7");
    let response = management::handle(&gateway.instance(0).management, request.to(REGISTRATIONS)).await;
    assert_eq!(response.status(), StatusCode::CREATED);
    assert_eq!(audit(&gateway, "&action=registration.used").await[0]["source_ip"], "198.51.100.7");
    assert_eq!(audit(&gateway, "&action=registration_token.created").await[0]["source_ip"], Value::Null);
}

/// The log is read from its newest end, page by page, across months.
#[tokio::test]
async fn records_are_listed_newest_first_by_time() {
    let gateway = gateway().await;
    let start = gateway.clock.now();
    let mut names = Vec::new();
    for n in 0..7 {
        let name = format!("token {n}");
        issued(&gateway, json!({"name": name})).await;
        names.insert(0, name);
        gateway.advance(SignedDuration::from_hours(24 * 20));
    }
    let named = |records: &[Value]| records.iter().map(|one| text(&one["principal"]["name"])).collect::<Vec<_>>();
    let about = |records: &[Value]| records.iter().map(|one| text(&one["details"]["name"])).collect::<Vec<_>>();
    let all = audit(&gateway, "").await;
    assert_eq!((about(&all), named(&all)), (names.clone(), vec!["operator".to_owned(); 7]));

    for limit in 1..=8 {
        let (mut walked, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = gateway.get(&format!("{AUDIT}?limit={limit}{cursor}")).await;
            let found = page["data"].as_array().expect("a list").clone();
            assert!(found.len() <= limit);
            walked.extend(found);
            match page["meta"]["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(about(&walked), names, "pages of {limit}");
    }
    let at = |days: i64| start + SignedDuration::from_hours(24 * days);
    let between = format!("&from={}&to={}", at(20), at(60));
    assert_eq!(about(&audit(&gateway, &between).await), ["token 2", "token 1"], "from is in, to is not");
    assert_eq!(audit(&gateway, "&subject=rgt_none").await, [] as [Value; 0]);

    gateway.advance(SignedDuration::from_hours(24 * 300));
    assert_eq!(about(&audit(&gateway, "").await), ["token 6", "token 5", "token 4", "token 3", "token 2"]);
}

#[tokio::test]
async fn a_query_that_makes_no_sense_is_refused() {
    let gateway = gateway().await;
    for (query, code) in [
        ("action=subscription.eaten", "invalid_request"),
        ("from=yesterday", "invalid_request"),
        ("who=me", "invalid_request"),
        ("cursor=!", "invalid_cursor"),
        ("cursor=bm90LWFuLWlk", "invalid_cursor"),
    ] {
        let answer = gateway.api(Method::GET, &format!("{AUDIT}?{query}"), gateway.admin_token(), None).await;
        refused(&answer, 400, code);
    }
}

/// What one tenant does is no other's to see or to touch.
#[tokio::test]
async fn tenants_are_apart() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let rival = rival(&gateway).await;
    let (token, id) = issued(&gateway, json!({})).await;
    let answer = made(registers(&gateway, &token, asked(&sink, json!({}))).await);
    done(&gateway, Method::PUT, SETTINGS, json!({"mode": "ask", "events": ["ticket.*"]})).await;
    for path in [AUDIT, TOKENS] {
        let (status, list) = gateway.api(Method::GET, path, &rival, None).await;
        assert_eq!((status, &list["data"]), (StatusCode::OK, &json!([])), "{path}");
    }
    let (_, settings) = gateway.api(Method::GET, SETTINGS, &rival, None).await;
    assert_eq!((&settings["data"]["mode"], &settings["data"]["waiting"]), (&json!("closed"), &json!(0)));
    for (method, path) in [
        (Method::GET, format!("{TOKENS}/{id}")),
        (Method::DELETE, format!("{TOKENS}/{id}")),
        (Method::POST, format!("{}/approve", path_of(&answer))),
        (Method::POST, format!("{}/reject", path_of(&answer))),
    ] {
        assert_eq!(gateway.api(method, &path, &rival, None).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    let ask = "/api/v1/tenants/rival/registrations";
    refused(&gateway.api(Method::POST, ask, "", Some(asked(&sink, json!({})))).await, 404, "not_found");
    let reader = json!({"name": "t", "permissions": ["subscription:approve"]});
    let reader = text(&gateway.create("/api/v1/api-tokens", reader).await["token"]);
    refused(&gateway.api(Method::GET, AUDIT, &reader, None).await, 403, "forbidden");
    refused(&call(&gateway, Method::GET, &format!("{TOKENS}/tok_x"), Value::Null).await, 400, "invalid_id");
}

//! C5 through the front: where requests come from, who may say so, and which lists can be saved.

use hookport_tests::SenderRequest;
use hookport_tests::gateway::{SECRET, TestGateway, text};
use http::{HeaderValue, Method, StatusCode};
use serde_json::{Value, json};

use crate::{URL, WEBHOOKS, kept, keyed, row, sent};

/// Networks of both families, and single addresses.
const LISTED: [&str; 4] = ["192.0.2.0/24", "198.51.100.7", "2001:db8::/32", "2001:db9::1"];
/// The proxies of a deployment that has some.
const PROXIES: (&str, &str) = ("TRUSTED_PROXIES", "10.0.0.0/8, fd00::/8");

/// A gateway with a webhook of each form that takes requests from these networks alone.
struct World {
    gateway: TestGateway,
    webhook: String,
    key_url: String,
}

impl World {
    async fn new(settings: &[(&str, &str)]) -> Self {
        let gateway = TestGateway::with_settings(&["a"], settings).await;
        let config = json!({"type": "ip_allowlist", "ip_cidrs": LISTED});
        let auth = json!({"auth_type": "ip_allowlist", "auth_config": config});
        let webhook = gateway.webhook("github", auth.clone()).await;
        let (_, key_url) = keyed(&gateway, auth).await;
        Self { gateway, webhook, key_url }
    }

    /// Both forms take the request, or both refuse it in their own way.
    async fn admits(&self, request: &SenderRequest, is_admitted: bool, what: &str) {
        let answers = [sent(&self.gateway, URL, request).await, sent(&self.gateway, &self.key_url, request).await];
        assert_eq!(answers, if is_admitted { [200, 200] } else { [401, 403] }, "{what}");
    }
}

fn nowhere() -> SenderRequest {
    SenderRequest::json("{}")
}

/// A request from `peer` with these `X-Forwarded-For`, one header each.
fn forwarded(peer: &str, lists: &[&str]) -> SenderRequest {
    let mut request = nowhere().from(peer);
    for list in lists {
        request.headers.append("x-forwarded-for", HeaderValue::try_from(*list).expect("a header's value"));
    }
    request
}

/// C5: networks and addresses of both families; an address in other clothes is the same; no address is no address.
#[tokio::test]
async fn c5_listed_addresses_of_both_families_are_taken_and_all_others_refused() {
    let world = World::new(&[]).await;
    for inside in ["192.0.2.0", "192.0.2.255", "::ffff:192.0.2.9", "198.51.100.7", "2001:db8:ffff::1", "2001:db9::1"] {
        world.admits(&nowhere().from(inside), true, inside).await;
    }
    for outside in ["192.0.3.0", "::ffff:192.0.3.9", "198.51.100.8", "2001:dba::1", "2001:db9::2", "127.0.0.1", "::1"] {
        world.admits(&nowhere().from(outside), false, outside).await;
    }
    world.admits(&nowhere(), false, "nobody knows where it comes from").await;
}

/// C5: without trusted proxies an address is what the platform sees, whatever a sender writes.
#[tokio::test]
async fn c5_nothing_that_a_sender_writes_is_an_address() {
    let world = World::new(&[]).await;
    let claims = [
        ("x-forwarded-for", "192.0.2.9"),
        ("x-forwarded-for", "192.0.2.9, 10.0.0.1"),
        ("x-real-ip", "192.0.2.9"),
        ("forwarded", "for=192.0.2.9"),
        ("true-client-ip", "192.0.2.9"),
        ("x-client-ip", "192.0.2.9"),
    ];
    for (name, value) in claims {
        world.admits(&nowhere().with(name, value), false, name).await;
        world.admits(&nowhere().from("203.0.113.7").with(name, value), false, name).await;
        let elsewhere = value.replace("192.0.2.9", "203.0.113.7");
        world.admits(&nowhere().from("192.0.2.9").with(name, &elsewhere), true, name).await;
    }
}

/// C5: a trusted proxy vouches for the address that stands right of all others but its own kind.
#[tokio::test]
async fn c5_a_trusted_proxys_list_is_read_from_its_right_end() {
    let world = World::new(&[PROXIES]).await;
    let hops = |count: usize| format!("192.0.2.9{}", ", 10.0.0.1".repeat(count));
    let (many, too_many) = (hops(31), hops(32));
    let cases: [(&str, &[&str], bool); 25] = [
        ("10.1.2.3", &["192.0.2.9"], true),
        ("fd00::7", &["192.0.2.9"], true),
        ("::ffff:10.1.2.3", &["192.0.2.9"], true),
        ("10.1.2.3", &["192.0.2.9:4711"], true),
        ("10.1.2.3", &["2001:db8::7"], true),
        ("10.1.2.3", &["[2001:db8::7]:443"], true),
        ("10.1.2.3", &["203.0.113.7, 192.0.2.9"], true),
        ("10.1.2.3", &["unknown,192.0.2.9"], true),
        ("10.1.2.3", &["192.0.2.9, 10.9.9.9"], true),
        ("10.1.2.3", &["192.0.2.9", "10.9.9.9"], true),
        ("10.1.2.3", &[many.as_str()], true),
        ("192.0.2.9", &["203.0.113.7"], true),
        ("10.1.2.3", &["203.0.113.7"], false),
        ("10.1.2.3", &["192.0.2.9, 203.0.113.7"], false),
        ("10.1.2.3", &["192.0.2.9", "203.0.113.7"], false),
        ("10.1.2.3", &["192.0.2.9, 203.0.113.7, 10.9.9.9"], false),
        ("203.0.113.7", &["192.0.2.9"], false),
        ("10.1.2.3", &[], false),
        ("10.1.2.3", &[""], false),
        ("10.1.2.3", &["unknown"], false),
        ("10.1.2.3", &["192.0.2.9, unknown"], false),
        ("10.1.2.3", &["192.0.2.9,"], false),
        ("10.1.2.3", &["192.0.2.9; 10.9.9.9"], false),
        ("10.1.2.3", &["10.9.9.9"], false),
        ("10.1.2.3", &[too_many.as_str()], false),
    ];
    for (peer, lists, is_admitted) in cases {
        world.admits(&forwarded(peer, lists), is_admitted, &format!("{peer} {lists:?}")).await;
    }
    world.admits(&nowhere().with("x-forwarded-for", "192.0.2.9"), false, "nobody vouches for it").await;

    let answer = kept(&world.gateway, URL, &forwarded("10.1.2.3", &["203.0.113.7, 192.0.2.9:4711"])).await;
    let shown = row(&world.gateway, &world.webhook, &text(&answer["delivery_id"])).await;
    assert_eq!(shown["request"]["source_ip"], json!("192.0.2.9"), "and that is where it came from");
}

/// C5: what is no list of networks is refused when it is saved, and the list before it still holds.
#[tokio::test]
async fn c5_an_empty_or_malformed_list_is_refused_when_it_is_saved() {
    let world = World::new(&[]).await;
    let gateway = &world.gateway;
    let path = format!("{WEBHOOKS}/{}", world.webhook);
    let lists: [Value; 12] = [
        json!(null),
        json!([]),
        json!([""]),
        json!([null]),
        json!("192.0.2.0/24"),
        json!(["192.0.2.0/33"]),
        json!(["2001:db8::/129"]),
        json!(["192.0.2.1-192.0.2.9"]),
        json!(["192.0.2.0/24,198.51.100.0/24"]),
        json!(["192.0.2.256"]),
        json!(["example.com"]),
        json!(["192.0.2.0/24", "nonsense"]),
    ];
    for given in lists {
        let alone = json!({"type": "ip_allowlist", "ip_cidrs": given});
        let beside = json!({"type": "all", "of": [{"type": "hmac_sha256", "secret": SECRET}, alone.clone()]});
        for config in [alone, beside] {
            let body = json!({"name": "x", "slug": "github", "auth_config": config});
            let mut fresh = body.clone();
            fresh["slug"] = json!("fresh");
            for (method, path, body) in [(Method::PUT, path.as_str(), body), (Method::POST, WEBHOOKS, fresh)] {
                let (status, answer) = gateway.api(method, path, gateway.admin_token(), Some(body)).await;
                assert_eq!(status, StatusCode::BAD_REQUEST, "{given}: {answer}");
                assert_eq!(answer["error"]["code"], json!("invalid_request"), "{given}");
            }
        }
    }
    assert_eq!(gateway.get(&path).await["data"]["version"], json!(1), "nothing was changed");
    assert_eq!(gateway.get(WEBHOOKS).await["data"].as_array().map(Vec::len), Some(2), "nothing was made");
    gateway.advance(crate::FORGOTTEN);
    world.admits(&nowhere().from("192.0.2.9"), true, "inside").await;
    world.admits(&nowhere().from("203.0.113.7"), false, "outside").await;
}

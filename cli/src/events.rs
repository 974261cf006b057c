//! `hookport events`: a page of the event types that there are, for people.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use hookport::domain::event_type::EventType;
use hookport::domain::id::IssueId;
use hookport::domain::issue::{Issue, IssueCause, IssueState};
use hookport::domain::own_event::{
    ACTIVATED, AUTO_DISABLED, CHALLENGE_FAILED, DEACTIVATED, EXHAUSTED, EXPIRED, EXPIRING, ISSUE_CLOSED, ISSUE_OPENED,
    OWN_EVENT_TYPES, OwnEvent, OwnEventType, REGISTERED, SILENT,
};
use hookport::domain::subscription::{Cause, Settings, State, Subscription, pinned};
use hookport::domain::target_url::TargetUrl;
use hookport::domain::text::{Name, TenantSlug};
use hookport::signature::challenge::ChallengeFailure;
use serde_json::{Value, json};

use crate::management::{Connection, DEFAULT_URL, Management};

const HEAD: &str = "\
# Events that the gateway tells of itself

They go to the subscriptions of their tenant like any other event: subscribe to a type, to a prefix such as
`subscription.*`, or to `*`. Each is told once. What goes wrong with their own deliveries is not told. This page is what
`hookport events` prints; with a token, the event types of its tenant follow.
";

const HEAD_OF_TENANT: &str = "
# Event types of the tenant
";

/// When the examples happen.
const AT: &str = "2026-09-21T14:13:20Z";
const DELIVERY: &str = "dlv_01m5w3rm008000000400000005";
const EVENT: &str = "evt_01m5w3rm008000000400000004";
const SUBSCRIPTION: &str = "sub_01m5w3rm008000000400000003";
const WEBHOOK: &str = "inw_01m5w3rm008000000400000002";

/// What `hookport events` takes. With one of these, the event types of a tenant are printed as well.
#[derive(clap::Args)]
pub struct Args {
    /// What the URLs of the gateway start with [default: http://127.0.0.1:8080].
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// An API token with `event_type:read`. Other users of the machine can see it: --token-file hides it.
    #[arg(long, value_name = "TOKEN", conflicts_with = "token_file")]
    token: Option<String>,
    /// A file that holds the API token and nothing else.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

impl Args {
    /// The gateway whose tenant is asked for, if one is.
    fn connection(self) -> Option<Connection> {
        let is_asked_for = self.url.is_some() || self.token.is_some() || self.token_file.is_some();
        let url = self.url.unwrap_or_else(|| DEFAULT_URL.to_owned());
        is_asked_for.then_some(Connection { url, token: self.token, token_file: self.token_file })
    }
}

/// Runs the command.
pub fn run(args: Args) -> anyhow::Result<()> {
    let mut page = own_page();
    if let Some(connection) = args.connection() {
        let management = Management::new(&connection)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        page.push_str(&tenant_page(&runtime.block_on(event_types(&management))?));
    }
    anstream::stdout().lock().write_all(page.as_bytes())?;
    Ok(())
}

/// The page of the gateway's own events.
fn own_page() -> String {
    let mut page = HEAD.to_owned();
    for own in OWN_EVENT_TYPES {
        page.push_str(&format!("\n## `{}`\n\n{}\n", own.name, own.description));
        if let Some(example) = example(own) {
            page.push_str(&fenced(&example));
        }
    }
    page
}

/// The body of an event of this type, as a target gets it.
fn example(own: OwnEventType) -> Option<Value> {
    let at = |state, cause| subscription().put_into(state, cause, AT.parse().expect("a time"));
    let unproven = || {
        let pending = at(State::PendingVerification, Cause::ChallengeStarted);
        pending.unproven(ChallengeFailure::Missing.to_string(), AT.parse().expect("a time"))
    };
    match own {
        REGISTERED => OwnEvent::of_status(&at(State::AwaitingApproval, Cause::Registered)).map(|event| event.body()),
        ACTIVATED => OwnEvent::of_status(&at(State::Active, Cause::ChallengePassed)).map(|event| event.body()),
        DEACTIVATED => OwnEvent::of_status(&at(State::Disabled, Cause::FailingTooLong)).map(|event| event.body()),
        CHALLENGE_FAILED => OwnEvent::of_status(&unproven()).map(|event| event.body()),
        EXPIRING => OwnEvent::expiring(&unproven()).map(|event| event.body()),
        EXPIRED => OwnEvent::expired(&unproven()).map(|event| event.body()),
        EXHAUSTED => Some(json!({
            "type": own.name,
            "timestamp": AT,
            "data": {
                "delivery_id": DELIVERY,
                "subscription_id": SUBSCRIPTION,
                "event_id": EVENT,
                "event_type": "invoice.paid",
                "attempts": 10,
                "last_error": "the target answered 503",
            },
        })),
        ISSUE_OPENED => Some(OwnEvent::issue_opened(&issue(), None, AT.parse().expect("a time")).body()),
        ISSUE_CLOSED => {
            let over = issue().resolved(AT.parse().expect("a time"), true);
            OwnEvent::issue_closed(&over, None, AT.parse().expect("a time")).map(|event| event.body())
        }
        SILENT => Some(json!({
            "type": own.name,
            "webhook_id": WEBHOOK,
            "name": "Billing",
            "since": AT,
            "silence_alarm_hours": 24,
        })),
        AUTO_DISABLED => Some(json!({
            "type": own.name,
            "webhook_id": WEBHOOK,
            "name": "Billing",
            "since": AT,
            "failures": 50,
        })),
        _ => None,
    }
}

/// The subscription that the examples are about, made when they happen.
fn subscription() -> Subscription {
    let tenant = TenantSlug::try_from("acme".to_owned()).expect("a slug");
    let url = TargetUrl::try_from("https://example.com/hooks".to_owned()).expect("a URL");
    let any = pinned(tenant, url);
    let name = Name::try_from("Ticket mirror".to_owned()).expect("a name");
    Subscription { id: SUBSCRIPTION.parse().expect("an id"), settings: Settings { name, ..any.settings }, ..any }
}

/// The issue that the examples are about, opened when they happen.
fn issue() -> Issue {
    let subscription = subscription();
    let (at, cause) = (AT.parse().expect("a time"), IssueCause::status(503));
    Issue {
        id: IssueId::derive(subscription.id, cause.as_str()),
        tenant: subscription.tenant,
        subscription_id: subscription.id,
        cause,
        state: IssueState::Open,
        first_seen: at,
        last_seen: at,
        count: 1,
        total: 1,
        opened: 1,
        last_delivery_id: DELIVERY.parse().expect("an id"),
        last_event_type: EventType::try_from("invoice.paid".to_owned()).expect("a type"),
        last_error: "the target answered 503".to_owned(),
        is_news: true,
        told: None,
        listed_until: at,
    }
}

fn fenced(value: &Value) -> String {
    format!("\n```json\n{value:#}\n```\n")
}

/// The event types of the tenant with their schemas, by their refs.
async fn event_types(management: &Management) -> anyhow::Result<Vec<Value>> {
    let mut refs = Vec::new();
    let mut cursor = String::new();
    loop {
        let answer = management.get(&format!("/api/v1/event-types?limit=100{cursor}")).await?;
        let next = answer.body.pointer("/meta/next_cursor").and_then(Value::as_str).map(str::to_owned);
        let page = answer.data()?;
        let listed = page.as_array().context("a list of event types was expected")?;
        refs.extend(listed.iter().filter_map(|listed| listed["ref"].as_str()).map(str::to_owned));
        match next {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    refs.sort();
    let mut found = Vec::with_capacity(refs.len());
    for reference in refs {
        let shown = management.get(&format!("/api/v1/event-types/{reference}")).await?.data();
        found.push(shown.with_context(|| format!("reading {reference} failed"))?);
    }
    Ok(found)
}

/// The page of a tenant's event types.
fn tenant_page(event_types: &[Value]) -> String {
    let mut page = HEAD_OF_TENANT.to_owned();
    for shown in event_types {
        page.push_str(&format!("\n## `{}`\n", shown["ref"].as_str().unwrap_or_default()));
        for member in ["name", "description"] {
            if let Some(text) = shown[member].as_str() {
                page.push_str(&format!("\n{text}\n"));
            }
        }
        if shown["enabled"] == json!(false) {
            page.push_str("\nIt is switched off: nothing is taken for it.\n");
        }
        match &shown["schema"] {
            Value::Null => page.push_str("\nIts payload may be anything.\n"),
            schema => page.push_str(&fenced(schema)),
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use hookport::domain::delivery::{Delivery, DeliveryState};
    use hookport_local::dev::{Options, start};
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn the_page_in_the_docs_is_what_is_printed() {
        let page = include_str!("../../docs/events.md");
        assert_eq!(page, own_page(), "`hookport events > docs/events.md` brings it up to date");
    }

    #[test]
    fn every_event_of_the_gateways_own_has_an_example_of_its_type() {
        for own in OWN_EVENT_TYPES {
            let example = example(own).unwrap_or_else(|| panic!("{} has no example", own.name));
            assert_eq!(example["type"], own.name);
        }
    }

    #[test]
    fn the_example_of_a_delivery_has_the_members_of_a_real_one() {
        let at = AT.parse().expect("a time");
        let ids = (EVENT.parse().expect("an id"), SUBSCRIPTION.parse().expect("an id"));
        let tenant = TenantSlug::try_from("acme".to_owned()).expect("a slug");
        let event_type = EventType::try_from("invoice.paid".to_owned()).expect("a type");
        let delivery = Delivery::of_event(tenant, ids.0, event_type, ids.1, DeliveryState::Exhausted { at }, at);
        let real = OwnEvent::exhausted(&delivery, None, "the target answered 503", at).body();
        let example = example(EXHAUSTED).expect("an example");
        let members = |body: &Value| {
            let mut names: Vec<_> = body["data"].as_object().expect("an object").keys().cloned().collect();
            names.sort();
            names
        };
        assert_eq!(members(&example), members(&real));
        assert_eq!(example["timestamp"], real["timestamp"]);
    }

    #[test]
    fn nobody_is_asked_unless_a_gateway_or_a_token_is_named() {
        let args = |url: Option<&str>, token: Option<&str>| Args {
            url: url.map(str::to_owned),
            token: token.map(str::to_owned),
            token_file: None,
        };
        assert!(args(None, None).connection().is_none());
        assert_eq!(args(None, Some("hp_x")).connection().map(|found| found.url).as_deref(), Some(DEFAULT_URL));
        assert!(args(Some("https://hooks.example.com"), None).connection().is_some());
    }

    #[tokio::test]
    async fn the_event_types_of_a_tenant_are_told_with_their_schemas() {
        let host = std::net::Ipv4Addr::LOCALHOST.into();
        let running = start(Options { host, port: 0, data: None, new_token: false, trusted_targets: vec![] })
            .await
            .expect("a gateway");
        let token = running.admin_token.as_ref().map(|token| token.expose_secret().to_owned());
        let connection = Connection { url: running.base_url.clone(), token, token_file: None };
        let management = Management::new(&connection).expect("a client");
        for body in [
            json!({"ref": "ticket.closed", "enabled": false}),
            json!({"ref": "invoice.paid", "name": "Paid", "description": "Money came.", "schema": {"type": "object"}}),
        ] {
            let made = management.send(http::Method::POST, "/api/v1/event-types", &body).await.expect("an answer");
            made.data().expect("it is made");
        }
        let expected = "
# Event types of the tenant

## `invoice.paid`

Paid

Money came.

```json
{
  \"type\": \"object\"
}
```

## `ticket.closed`

It is switched off: nothing is taken for it.

Its payload may be anything.
";
        assert_eq!(tenant_page(&event_types(&management).await.expect("a list")), expected);
        drop(management);
        running.shut_down().await;
    }
}

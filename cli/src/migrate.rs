//! `hookport migrate`: from one URL for everything to a trigger for each kind of event.

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::{Context as _, bail};
use hookport::domain::event_type::{EventType, EventTypeError};
use hookport::domain::id::InboundWebhookId;
use http::Method;
use serde_json::{Value, json};

use crate::management::{Connection, Management};

/// How many requests are listed at once.
const PAGE: usize = 100;

/// What `hookport migrate` takes.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Find out which kinds of events a webhook receives, and make a trigger for each.
    Generic(Generic),
}

/// What `hookport migrate generic` takes.
#[derive(clap::Args)]
struct Generic {
    /// The webhook that receives everything: inw_…
    webhook: InboundWebhookId,
    #[command(flatten)]
    kind: Kind,
    /// What the refs begin with; the first word of the webhook's event type by default.
    #[arg(long, value_name = "WORD")]
    prefix: Option<String>,
    /// The ref for one kind of event, where the one that is proposed does not fit.
    #[arg(long = "map", value_name = "KIND=REF", value_parser = mapping)]
    maps: Vec<(String, EventType)>,
    /// How many of the latest requests to look at.
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u16).range(1..=1000))]
    requests: u16,
    /// Make the triggers, enable their webhooks and print their URLs.
    #[arg(long)]
    apply: bool,
    #[command(flatten)]
    connection: Connection,
}

/// What tells the kind of an event.
#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct Kind {
    /// The header that tells the kind of an event, such as X-GitHub-Event.
    #[arg(long, value_name = "NAME")]
    header: Option<String>,
    /// The member of the JSON body that tells it, such as type or event.type.
    #[arg(long, value_name = "PATH")]
    field: Option<String>,
}

fn mapping(text: &str) -> Result<(String, EventType), String> {
    let (kind, reference) = text.rsplit_once('=').ok_or("must be KIND=REF, such as push=github.push")?;
    let reference = EventType::try_from(reference.to_owned()).map_err(|error| format!("{reference}: {error}"))?;
    Ok((kind.to_owned(), reference))
}

/// Runs the command.
pub fn run(args: Args) -> anyhow::Result<()> {
    let Command::Generic(generic) = args.command;
    let management = Management::new(&generic.connection)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut out = Vec::new();
    let done = runtime.block_on(migrate(&management, &generic, &mut out));
    anstream::stdout().lock().write_all(&out)?;
    done
}

async fn migrate(management: &Management, generic: &Generic, out: &mut impl Write) -> anyhow::Result<()> {
    let webhook = management.get(&format!("/api/v1/inbound-webhooks/{}", generic.webhook)).await?.data()?;
    let event_type = webhook["event_type"].as_str().unwrap_or_default();
    let first_word = event_type.split('.').next().unwrap_or_default();
    let prefix = generic.prefix.as_deref().unwrap_or(first_word);
    let seen = look(management, generic).await?;
    let name = webhook["name"].as_str().unwrap_or_default();
    writeln!(out, "{name}: {} requests, by {}", seen.total, generic.kind)?;
    if seen.unknown > 0 {
        writeln!(out, "  {} do not tell their kind", seen.unknown)?;
    }
    let mut triggers = Vec::new();
    for (kind, count) in &seen.kinds {
        // Senders choose these texts; they must do nothing to a terminal or a shell.
        if kind.chars().any(|c| c.is_control() || c == '\'') {
            writeln!(out, "  {count:>5}  {}  ->  left out: not a kind that can be written", kind.escape_debug())?;
            continue;
        }
        let mapped = generic.maps.iter().find(|(mapped, _)| mapped == kind).map(|(_, reference)| reference.clone());
        match mapped.map_or_else(|| proposed(prefix, kind), Ok) {
            Ok(reference) => {
                writeln!(out, "  {count:>5}  {kind}  ->  {reference}")?;
                triggers.push((kind, reference));
            }
            Err(_) => writeln!(out, "  {count:>5}  {kind}  ->  no ref can be made of it: give --map '{kind}=REF'")?,
        }
    }
    if !generic.apply {
        writeln!(out, "Nothing was changed. --apply makes these triggers and enables their webhooks.")?;
        return Ok(());
    }
    for (kind, reference) in triggers {
        let url = enabled(management, &reference).await?;
        let url = url.as_deref().unwrap_or("(shown to holders of inbound_webhook:update)");
        writeln!(out, "{kind}  {url}")?;
    }
    writeln!(out, "{}", NEXT_STEPS.trim_start())?;
    Ok(())
}

/// What no command can do.
const NEXT_STEPS: &str = "
The new webhooks ask for no signature yet, whatever the old one asked for: set each sender's secret by
PATCH /api/v1/triggers/REF/webhook. Then put each URL into its sender's settings, for that kind of event only, and disable the
old webhook once nothing comes to it any more.";

/// What was found among the latest requests.
#[derive(Default)]
struct Seen {
    kinds: BTreeMap<String, usize>,
    unknown: usize,
    total: usize,
}

/// Looks at the latest requests, newest first.
async fn look(management: &Management, generic: &Generic) -> anyhow::Result<Seen> {
    let deliveries = format!("/api/v1/inbound-webhooks/{}/deliveries", generic.webhook);
    let wanted = usize::from(generic.requests);
    let mut seen = Seen::default();
    let mut cursor = String::new();
    loop {
        let answer = management.get(&format!("{deliveries}?limit={}{cursor}", PAGE.min(wanted))).await?;
        let next = answer.body.pointer("/meta/next_cursor").and_then(Value::as_str).map(str::to_owned);
        let page = answer.data()?;
        for listed in page.as_array().context("a list of deliveries was expected")? {
            let id = listed["id"].as_str().unwrap_or_default();
            let shown = management.get(&format!("{deliveries}/{id}")).await?.data()?;
            // A repetition has no request of its own, and an old one has lost it.
            if shown["request"].is_null() {
                continue;
            }
            match generic.kind.of(&shown["request"]) {
                Some(kind) => *seen.kinds.entry(kind).or_default() += 1,
                None => seen.unknown += 1,
            }
            seen.total += 1;
            if seen.total == wanted {
                return Ok(seen);
            }
        }
        match next {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(seen),
        }
    }
}

/// Makes a trigger unless it is there, enables its webhook and gives its URL.
async fn enabled(management: &Management, reference: &EventType) -> anyhow::Result<Option<String>> {
    let made = management.send(Method::POST, "/api/v1/triggers", &json!({"ref": reference})).await?;
    if made.code() != Some("event_type_exists") {
        made.data().with_context(|| format!("making {reference} failed"))?;
    }
    let path = format!("/api/v1/triggers/{reference}/webhook/enable");
    let enabled = management.send(Method::POST, &path, &json!({})).await?;
    let enabled = enabled.data().with_context(|| format!("enabling the webhook of {reference} failed"))?;
    if enabled["webhook_enabled"] != json!(true) {
        bail!("the webhook of {reference} is not enabled");
    }
    Ok(enabled["webhook_url"].as_str().map(str::to_owned))
}

/// The ref for a kind of event: the prefix, a dot, and the kind in lower case without what no ref can have.
fn proposed(prefix: &str, kind: &str) -> Result<EventType, EventTypeError> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-' | '.');
    let kind: String = kind.to_lowercase().chars().map(|c| if allowed(c) { c } else { '_' }).collect();
    // Many senders name themselves already.
    let own = kind.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('.')).unwrap_or(&kind);
    EventType::try_from(format!("{prefix}.{own}"))
}

impl Kind {
    /// The kind of the event that a request tells of.
    fn of(&self, request: &Value) -> Option<String> {
        let found = match (&self.header, &self.field) {
            (Some(header), _) => {
                let mut headers = request["headers"].as_array()?.iter();
                let is_it = |name: &str| name.eq_ignore_ascii_case(header);
                headers.find(|header| header["name"].as_str().is_some_and(is_it))?["value"].clone()
            }
            (None, Some(field)) => {
                let body: Value = serde_json::from_str(request["body"].as_str()?).ok()?;
                field.split('.').try_fold(&body, |value, name| value.get(name))?.clone()
            }
            (None, None) => return None,
        };
        found.as_str().map(str::trim).filter(|kind| !kind.is_empty()).map(str::to_owned)
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.header, &self.field) {
            (Some(header), _) => write!(f, "the header {header}"),
            (None, field) => write!(f, "{} of the body", field.as_deref().unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use hookport_local::dev::{Options, start};
    use hookport_tests::client::HttpClient;
    use http::{Request, StatusCode};
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn a_kind_becomes_a_ref_below_the_prefix() {
        let cases = [
            ("github", "push", Some("github.push")),
            ("stripe", "payment_intent.succeeded", Some("stripe.payment_intent.succeeded")),
            ("shopify", "orders/create", Some("shopify.orders_create")),
            ("github", "github.push", Some("github.push")),
            ("github", "Pull Request", Some("github.pull_request")),
            ("github", "a..b", None),
            ("Git Hub", "push", None),
        ];
        for (prefix, kind, expected) in cases {
            let made = proposed(prefix, kind).ok();
            assert_eq!(made.as_ref().map(EventType::as_str), expected, "{prefix} {kind}");
        }
    }

    #[test]
    fn a_kind_is_told_by_a_header_or_by_a_member_of_the_body() {
        let request = json!({
            "headers": [{"name": "x-github-event", "value": " push "}, {"name": "x-empty", "value": ""}],
            "body": r#"{"type":"a.b","event":{"type":"message"},"n":1}"#,
        });
        let header = |name: &str| Kind { header: Some(name.to_owned()), field: None };
        let field = |path: &str| Kind { header: None, field: Some(path.to_owned()) };
        let cases = [
            (header("X-GitHub-Event"), Some("push")),
            (header("X-Empty"), None),
            (header("X-Missing"), None),
            (field("type"), Some("a.b")),
            (field("event.type"), Some("message")),
            (field("n"), None),
            (field("event.type.deeper"), None),
        ];
        for (kind, expected) in cases {
            assert_eq!(kind.of(&request).as_deref(), expected, "{kind}");
        }
        assert_eq!(field("type").of(&json!({"body": "no JSON"})), None);
    }

    #[test]
    fn a_mapping_is_a_kind_and_a_ref() {
        let (kind, reference) = mapping("a=b=github.push").expect("a mapping");
        assert_eq!((kind.as_str(), reference.as_str()), ("a=b", "github.push"));
        for bad in ["", "push", "push=", "push=Push"] {
            assert!(mapping(bad).is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn a_generic_webhook_becomes_a_trigger_for_each_kind_of_event() {
        let host = std::net::Ipv4Addr::LOCALHOST.into();
        let running = start(Options { host, port: 0, data: None, new_token: false, trusted_targets: vec![] })
            .await
            .expect("a gateway");
        let token = running.admin_token.as_ref().expect("a first token").expose_secret().to_owned();
        let connection = || Connection { url: running.base_url.clone(), token: Some(token.clone()), token_file: None };
        let client = HttpClient::default();
        let webhooks = format!("{}/api/v1/inbound-webhooks", running.base_url);
        let made = client.post(&webhooks, &token, &json!({"name": "All of it", "event_type": "github.anything"})).await;
        let old_url = made["data"]["url"].as_str().expect("a URL");
        let post = async |url: &str, kind: &str| {
            let request = Request::post(url).header("x-github-event", kind).header("content-type", "application/json");
            client.send(request.body(Bytes::from("{}")).expect("a request")).await.expect("an answer").status()
        };
        for kind in ["push", "ping", "push", "issue comment", ".."] {
            assert_eq!(post(old_url, kind).await, StatusCode::OK);
        }
        let webhook = made["data"]["id"].as_str().and_then(|id| id.parse().ok()).expect("an id");
        let mut generic = Generic {
            webhook,
            kind: Kind { header: Some("X-GitHub-Event".to_owned()), field: None },
            prefix: None,
            maps: vec![mapping("ping=github.greeting").expect("a mapping")],
            requests: 200,
            apply: false,
            connection: connection(),
        };
        let management = Management::new(&generic.connection).expect("a client");
        let told = async |generic: &Generic| {
            let mut out = Vec::new();
            migrate(&management, generic, &mut out).await.expect("it goes through");
            String::from_utf8(out).expect("text")
        };
        let expected = "\
All of it: 5 requests, by the header X-GitHub-Event
      1  ..  ->  no ref can be made of it: give --map '..=REF'
      1  issue comment  ->  github.issue_comment
      1  ping  ->  github.greeting
      2  push  ->  github.push
Nothing was changed. --apply makes these triggers and enables their webhooks.
";
        assert_eq!(told(&generic).await, expected);
        let triggers = management.get("/api/v1/triggers").await.expect("an answer").data().expect("a list");
        assert_eq!(triggers, json!([]));

        generic.apply = true;
        let first = told(&generic).await;
        let url = first.lines().find_map(|line| line.strip_prefix("push  ")).expect("the URL of push").to_owned();
        assert_eq!(post(&url, "push").await, StatusCode::OK);
        assert_eq!(told(&generic).await, first, "done again, it tells the same URLs");
        drop((management, client));
        running.shut_down().await;
    }
}

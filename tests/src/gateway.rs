//! A gateway on stand-ins in memory, driven by hand: nothing happens unless a test says so.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use hookport::clock::Clock;
use hookport::domain::text::TenantSlug;
use hookport::random::Random;
use hookport_local::cloud::Cloud;
use hookport_local::functions::Functions;
use hookport_local::poller;
use hookport_local::template::Template;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request, Response, StatusCode};
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::senders::SenderRequest;
use crate::sink::Sink;

/// The tenant of every test gateway.
pub const TENANT: &str = "default";
/// The secret of webhooks that [`TestGateway::webhook`] makes.
pub const SECRET: &str = "It's a Secret to Everybody";

/// One instance of each function.
pub type Instance = Arc<Functions>;

/// A gateway with one or more instances of each function on one store.
pub struct TestGateway {
    /// The embedded cloud: stand-ins, meter and faults.
    pub cloud: Cloud,
    /// The clock of everything, standing still until it is advanced.
    pub clock: Clock,
    random: Random,
    settings: HashMap<String, String>,
    instances: Vec<Instance>,
    admin_token: String,
}

/// The template of the deployment, read once for all gateways.
fn template() -> Template {
    static TEMPLATE: LazyLock<Template> = LazyLock::new(|| Template::embedded().expect("the template can be honoured"));
    TEMPLATE.clone()
}

/// When every test begins.
fn start() -> Timestamp {
    Timestamp::from_second(1_790_000_000).expect("a time in range")
}

fn settings() -> HashMap<String, String> {
    [
        ("ALLOW_HTTP_TARGETS", "true"),
        ("ALLOW_LOOPBACK_TARGETS", "true"),
        // One try for each call, so that an injected fault is seen by the product and not by the SDK.
        ("AWS_MAX_ATTEMPTS", "1"),
        ("AWS_BACKOFF_MS", "1"),
        ("REPORT_CAPACITY", "true"),
        ("RATE_PER_SOURCE", "0"),
        ("RATE_GLOBAL", "0"),
        ("PUBLIC_BASE_URL", "https://hooks.example.com"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

impl TestGateway {
    /// A gateway with one instance, called `a`.
    pub async fn new() -> Self {
        Self::with_instances(&["a"]).await
    }

    /// A gateway with these instances of each function, caches apart.
    pub async fn with_instances(names: &[&str]) -> Self {
        Self::with_settings(names, &[]).await
    }

    /// A gateway with these instances and these settings beside the tests' own.
    ///
    /// # Panics
    /// When the gateway cannot be set up; the test is over then.
    pub async fn with_settings(names: &[&str], more: &[(&str, &str)]) -> Self {
        let clock = Clock::manual(start());
        let template = template();
        let cloud = Cloud::open(None, &template, clock.clone()).await.expect("the stand-ins open");
        Self::on(cloud, clock, names, more).await
    }

    /// Opens the data of a gateway that is dead, with a clock that is `later` than now.
    ///
    /// # Panics
    /// When the data cannot be opened.
    pub async fn reopen(data: &Path, later: SignedDuration) -> (Cloud, Clock) {
        let clock = Clock::manual(Clock::system().now().saturating_add(later).expect("a time in range"));
        let template = template();
        let cloud = Cloud::open(Some(data), &template, clock.clone()).await.expect("the data opens");
        (cloud, clock)
    }

    /// A gateway on stand-ins that are open already.
    ///
    /// # Panics
    /// When the gateway cannot be set up; the test is over then.
    pub async fn on(cloud: Cloud, clock: Clock, names: &[&str], more: &[(&str, &str)]) -> Self {
        let mut settings = settings();
        settings.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let random = Random::seeded(7);
        let mut gateway = Self { cloud, clock, random, settings, instances: Vec::new(), admin_token: String::new() };
        for name in names {
            gateway.instances.push(gateway.fresh(name));
        }
        let tenant = TenantSlug::try_from(TENANT.to_owned()).expect("a slug");
        let app = &gateway.instance(0).management_app;
        let first = management::ensure_operator(app, tenant.clone()).await.expect("the first tenant");
        let token = match first {
            Some(token) => token,
            None => {
                // What was drawn for the first gateway on these stand-ins would be drawn again.
                let _: u128 = gateway.random.bits();
                management::issue_operator_token(app, tenant).await.expect("another token")
            }
        };
        gateway.admin_token = token.expose_secret().to_owned();
        gateway
    }

    /// Another instance with empty caches, as after a restart.
    ///
    /// # Panics
    /// When the functions cannot be set up.
    #[must_use]
    pub fn fresh(&self, name: &str) -> Instance {
        let template = template();
        let made = Functions::new(name, &self.cloud, &template, &self.settings, &self.clock, &self.random);
        Arc::new(made.expect("the functions can be set up"))
    }

    /// One of the instances.
    #[must_use]
    pub fn instance(&self, index: usize) -> &Instance {
        &self.instances[index]
    }

    /// The operator's token.
    #[must_use]
    pub fn admin_token(&self) -> &str {
        &self.admin_token
    }

    /// Calls the management API. `token` may be empty.
    ///
    /// # Panics
    /// When the answer is neither empty nor JSON.
    pub async fn api(&self, method: Method, path: &str, token: &str, body: Option<Value>) -> (StatusCode, Value) {
        let mut request = Request::builder().method(method).uri(path);
        if !token.is_empty() {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = match body {
            Some(body) => request.header(CONTENT_TYPE, "application/json").body(Bytes::from(body.to_string())),
            None => request.body(Bytes::new()),
        };
        let response = management::handle(&self.instance(0).management, request.expect("a request")).await;
        let (head, body) = response.into_parts();
        let json = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).expect("JSON") };
        (head.status, json)
    }

    /// Creates something as the operator and gives its whole answer.
    ///
    /// # Panics
    /// When it is not created.
    pub async fn create(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.api(Method::POST, path, &self.admin_token, Some(body)).await;
        assert_eq!(status, StatusCode::CREATED, "{answer}");
        answer
    }

    /// Reads something as the operator.
    ///
    /// # Panics
    /// When it is not there.
    pub async fn get(&self, path: &str) -> Value {
        let (status, answer) = self.api(Method::GET, path, &self.admin_token, None).await;
        assert_eq!(status, StatusCode::OK, "{path}: {answer}");
        answer
    }

    /// Creates a webhook at `/api/inbound/default/{slug}` that proves GitHub's signature; `more` changes members.
    /// Gives its id.
    pub async fn webhook(&self, slug: &str, more: Value) -> String {
        let mut body = json!({
            "name": slug,
            "slug": slug,
            "event_type": "github.push",
            "auth_type": "hmac_sha256",
            "auth_config": {"type": "hmac_sha256", "signature_header": "X-Hub-Signature-256", "secret": SECRET},
        });
        merge(&mut body, more);
        let answer = self.create("/api/v1/inbound-webhooks", body).await;
        text(&answer["data"]["id"])
    }

    /// Subscribes a sink, which proves itself. Gives the subscription's whole answer, its secret included.
    pub async fn subscribe(&self, sink: &Sink, events: &[&str], more: Value) -> Value {
        let answer = self.ask_for_subscription(sink, events, more).await;
        self.drain(self.instance(0)).await;
        answer
    }

    /// Makes a subscription of a sink and lets nothing follow.
    pub async fn ask_for_subscription(&self, sink: &Sink, events: &[&str], more: Value) -> Value {
        let mut body = json!({"name": "sink", "url": sink.url("/hook"), "events": events});
        merge(&mut body, more);
        self.create("/api/v1/subscriptions", body).await
    }

    /// Sends a sender's request to one instance.
    pub async fn send(&self, instance: &Instance, path: &str, request: &SenderRequest) -> Response<Bytes> {
        instance.receiver.handle(request.to(path)).await
    }

    /// Works the queues on one instance until they are empty.
    pub async fn drain(&self, instance: &Instance) {
        while poller::work_once(&self.cloud, instance).await > 0 {}
    }

    /// Runs the sweeper of one instance once.
    ///
    /// # Panics
    /// When the index cannot be read.
    pub async fn tick(&self, instance: &Instance) -> sweeper::Swept {
        instance.sweeper.run(instance.sweeper_deadline()).await.expect("a sweep")
    }

    /// Moves the clock.
    pub fn advance(&self, by: SignedDuration) {
        self.clock.advance(by);
        self.cloud.sqs().wake();
    }

    /// Sweeps and drains with time passing until nothing is due any more.
    ///
    /// # Panics
    /// When it is not quiet after twelve days.
    pub async fn settle(&self, instance: &Instance) {
        let mut quiet = 0;
        for _ in 0..600 {
            self.drain(instance).await;
            let swept = self.tick(instance).await;
            self.drain(instance).await;
            quiet = if swept == sweeper::Swept::default() { quiet + 1 } else { 0 };
            // Together longer than the longest pause between two re-drives, an hour.
            if quiet > 2 {
                return;
            }
            self.advance(SignedDuration::from_mins(31));
        }
        panic!("there is always something due");
    }
}

/// Changes members of an object; a null removes one.
pub fn merge(body: &mut Value, more: Value) {
    let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) else { return };
    for (name, value) in more {
        if value.is_null() {
            body.remove(&name);
        } else {
            body.insert(name, value);
        }
    }
}

/// The text of a JSON string.
///
/// # Panics
/// When it is none.
#[must_use]
pub fn text(value: &Value) -> String {
    value.as_str().expect("a string").to_owned()
}

/// The JSON of an answer to a sender.
///
/// # Panics
/// When it is none.
#[must_use]
pub fn answer(response: &Response<Bytes>) -> Value {
    serde_json::from_slice(response.body()).expect("a JSON answer")
}

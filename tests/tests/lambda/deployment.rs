//! A deployment: the four programs as processes, on the stand-ins served over loopback.

use std::collections::HashMap;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hookport::clock::Clock;
use hookport_local::cloud::Cloud;
use hookport_local::serve::{Served, on_loopback};
use hookport_local::template::{Template, environment};
use hookport_tests::gateway::{SECRET, text};
use hookport_tests::runtime_api::{InvocationError, LambdaProcess, binaries};
use hookport_tests::{SenderRequest, Sink};
use serde_json::{Value, json};
use tokio::sync::{Mutex, MutexGuard};

use crate::{events, queue};

/// The tenant whose webhooks and subscriptions the tests make.
pub const TENANT: &str = "acme";
/// The last segment of the webhook's URL.
pub const SLUG: &str = "github";

/// What signs the calls to AWS, as Lambda gives it. The stand-ins take anything.
const AWS_SECRETS: [(&str, &str); 2] = [
    ("AWS_SECRET_ACCESS_KEY", "w7Jx0qTn5LkRZ2vHs8Yd1FpGcB4mUeXa9oKiN3bC"),
    ("AWS_SESSION_TOKEN", "IQoJb3JpZ2luX2VjEExampleSessionTokenThatIsNeverLogged"),
];
/// What an operator allows who sends to the machine that the tests run on, and one try for each call, so that a fault
/// is met by the function and not by the SDK.
const SETTINGS: [(&str, &str); 3] =
    [("ALLOW_HTTP_TARGETS", "true"), ("ALLOW_LOOPBACK_TARGETS", "true"), ("AWS_MAX_ATTEMPTS", "1")];

/// Held by the deployment that runs. The receiver gives the queue 300 ms, which four programs in debug builds keep on a
/// busy machine and forty would not.
static TURN: Mutex<()> = Mutex::const_new(());

/// The four programs, the cloud that they share, and a target.
pub struct Deployment {
    pub cloud: Cloud,
    pub sink: Sink,
    pub receiver: LambdaProcess,
    pub management: LambdaProcess,
    pub dispatcher: LambdaProcess,
    pub sweeper: LambdaProcess,
    /// The token of the tenant's administrator.
    admin_token: String,
    /// What must never be in a log.
    secrets: Vec<String>,
    _served: [Served; 4],
    _turn: MutexGuard<'static, ()>,
}

/// What the programs wrote.
pub struct Logs {
    pub receiver: String,
    pub management: String,
    pub dispatcher: String,
    pub sweeper: String,
}

impl Deployment {
    /// Starts the programs, and makes a tenant as an operator does.
    pub async fn start() -> Self {
        let programs = binaries();
        let turn = TURN.lock().await;
        let template = Template::embedded().expect("the template can be honoured");
        let cloud = Cloud::open(None, &template, Clock::system()).await.expect("the stand-ins open");
        cloud.meter().count();
        let (at_receiver, receiver) = run(&cloud, &template, "receiver", &programs.receiver).await;
        let (at_management, management) = run(&cloud, &template, "management", &programs.management).await;
        let operator = operators_token(&management).await;
        let (at_dispatcher, dispatcher) = run(&cloud, &template, "dispatcher", &programs.dispatcher).await;
        let (at_sweeper, sweeper) = run(&cloud, &template, "sweeper", &programs.sweeper).await;
        let mut deployment = Self {
            secrets: queue::keyring(&cloud).await,
            sink: Sink::start().await,
            admin_token: operator.clone(),
            cloud,
            receiver,
            management,
            dispatcher,
            sweeper,
            _served: [at_receiver, at_management, at_dispatcher, at_sweeper],
            _turn: turn,
        };
        let made = deployment.create("/api/v1/tenants", json!({"slug": TENANT, "name": "Acme"})).await;
        deployment.admin_token = text(&made["token"]);
        deployment.secrets.extend(AWS_SECRETS.map(|(_, secret)| secret.to_owned()));
        deployment.secrets.extend([operator, deployment.admin_token.clone(), SECRET.to_owned()]);
        deployment
    }

    /// Calls the management API as the tenant's administrator. Gives the status and the JSON.
    pub async fn api(&self, method: &str, path: &str, body: Option<Value>) -> (u64, Value) {
        let event = events::management(method, path, &self.admin_token, body.as_ref());
        let answer = answered(self.management.invoke(event).await);
        let body = answer["body"].as_str().expect("a body that is text");
        let body = if body.is_empty() { Value::Null } else { serde_json::from_str(body).expect("JSON") };
        (answer["statusCode"].as_u64().expect("a status"), body)
    }

    /// Makes something as the tenant's administrator and gives the whole answer.
    pub async fn create(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.api("POST", path, Some(body)).await;
        assert_eq!(status, 201, "{path}: {answer}");
        answer
    }

    /// Makes a webhook with a readable URL that proves GitHub's signature and drops repeated deliveries.
    pub async fn github_webhook(&self) {
        let webhook = json!({
            "name": "GitHub",
            "slug": SLUG,
            "event_type": "github.push",
            "auth_type": "hmac_sha256",
            "auth_config": {"type": "hmac_sha256", "signature_header": "X-Hub-Signature-256", "secret": SECRET},
            "idempotency_source": {"type": "header", "value": "X-GitHub-Delivery"},
        });
        self.create("/api/v1/inbound-webhooks", webhook).await;
    }

    /// Makes a webhook whose URL is its credential, and gives the key in it.
    pub async fn key_webhook(&mut self) -> String {
        let webhook = json!({"name": "By key", "event_type": "github.push", "auth_type": "none"});
        let made = self.create("/api/v1/inbound-webhooks", webhook).await;
        let key = text(&made["data"]["webhook_key"]);
        self.secrets.push(key.clone());
        key
    }

    /// Subscribes the sink to what a webhook makes, which is there already, lets it prove itself, and gives the signing
    /// secret.
    pub async fn subscribe_sink(&mut self) -> String {
        let subscription = json!({"name": "Sink", "url": self.sink.url("/hook"), "events": ["github.push"]});
        let made = self.create("/api/v1/subscriptions", subscription).await;
        let secret = text(&made["secret"]);
        self.secrets.push(secret.strip_prefix("whsec_").expect("a Standard Webhooks secret").to_owned());
        self.work_both_queues().await;
        let path = format!("/api/v1/subscriptions/{}", text(&made["data"]["id"]));
        let (status, shown) = self.api("GET", &path, None).await;
        assert_eq!((status, &shown["data"]["state"]), (200, &json!("active")), "{shown}");
        assert_eq!(self.sink.challenges().len(), 1);
        secret
    }

    /// Hands messages to the dispatcher until neither queue has any.
    async fn work_both_queues(&self) {
        loop {
            let outbound = queue::take(&self.cloud, "OutboundQueue").await;
            let inbound = queue::take(&self.cloud, "InboundQueue").await;
            if outbound.is_empty() && inbound.is_empty() {
                return;
            }
            for (messages, event) in [(&outbound, events::outbound(&outbound)), (&inbound, events::inbound(&inbound))] {
                if !messages.is_empty() {
                    let answer = answered(self.dispatcher.invoke(event).await);
                    assert_eq!(answer, json!({"batchItemFailures": []}));
                }
            }
        }
    }

    /// Has the receiver take a request to the webhook with the readable URL, its body in base64.
    pub async fn post(&self, request: &SenderRequest) -> Value {
        answered(self.receiver.invoke(events::by_slug(TENANT, SLUG, request)).await)
    }

    /// Hands what is in the inbound queue to the dispatcher, and gives its answer.
    pub async fn dispatch(&self) -> Value {
        let messages = queue::take(&self.cloud, "InboundQueue").await;
        assert!(!messages.is_empty(), "the receiver sent a message");
        answered(self.dispatcher.invoke(events::inbound(&messages)).await)
    }

    /// Ends the programs and gives their logs, in which no secret is and nothing of these bodies.
    pub async fn stop(mut self, bodies: &[&SenderRequest]) -> Logs {
        let logs = Logs {
            receiver: self.receiver.stop(),
            management: self.management.stop(),
            dispatcher: self.dispatcher.stop(),
            sweeper: self.sweeper.stop(),
        };
        let words = bodies.iter().flat_map(|request| telling(request));
        let banned: Vec<String> = self.secrets.iter().cloned().chain(words).collect();
        for log in [&logs.receiver, &logs.management, &logs.dispatcher, &logs.sweeper] {
            for (number, line) in log.lines().enumerate() {
                let found = banned.iter().find(|secret| line.contains(secret.as_str()));
                assert!(found.is_none(), "line {} holds {found:?}: {line}", number + 1);
            }
        }
        logs
    }
}

/// Pieces of a body that no log line has by chance: its longer words, and its beginning in base64.
fn telling(request: &SenderRequest) -> Vec<String> {
    let body = String::from_utf8_lossy(&request.body);
    let words = body.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| word.len() >= 16);
    let mut pieces: Vec<String> = words.map(str::to_owned).collect();
    assert!(!pieces.is_empty(), "a body with words to look for");
    pieces.push(STANDARD.encode(&request.body)[..32].to_owned());
    pieces
}

/// Runs a function's program on stand-ins that know it as `name`.
async fn run(cloud: &Cloud, template: &Template, name: &str, program: &Path) -> (Served, LambdaProcess) {
    let served = on_loopback(cloud.clone(), name).await.expect("a port is free");
    let function = template.function(logical_id(name)).expect("the template has the function");
    let mut vars = variables(cloud, template, name);
    vars.insert("AWS_ENDPOINT_URL".to_owned(), served.url.clone());
    let process = answered(LambdaProcess::start(program, function, &vars).await);
    (served, process)
}

/// The name of a function in the template.
pub fn logical_id(name: &str) -> &'static str {
    match name {
        "receiver" => "ReceiverFunction",
        "management" => "ManagementFunction",
        "dispatcher" => "DispatcherFunction",
        "sweeper" => "SweeperFunction",
        other => panic!("no function is called {other}"),
    }
}

/// What a function finds in its environment: what the template says, and what an operator and Lambda add.
pub fn variables(cloud: &Cloud, template: &Template, name: &str) -> HashMap<String, String> {
    let function = template.function(logical_id(name)).expect("the template has the function");
    let mut vars = environment(function, |reference| template.local_name(reference)).expect("known references");
    vars.extend(cloud.settings());
    let more = SETTINGS.iter().chain(&AWS_SECRETS);
    vars.extend(more.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    vars
}

/// Invokes the management function directly, as whoever deploys does, and gives the token that it makes.
async fn operators_token(management: &LambdaProcess) -> String {
    let answer = answered(management.invoke(json!({"operator_token": {"tenant": "operators"}})).await);
    text(&answer["token"])
}

/// What came of starting or invoking, or the function's own words on why nothing did.
pub fn answered<T>(result: Result<T, InvocationError>) -> T {
    result.unwrap_or_else(|error| panic!("{error}"))
}

//! `hookport dev`: everything in one process on one port, until it is told to stop.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hookport::clock::Clock;
use hookport::domain::text::{TenantSlug, TextError};
use hookport::random::Random;
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::warn;

use crate::cloud::{Cloud, CloudError};
use crate::functions::{Functions, SetUpError, sweep_every};
use crate::template::{Template, TemplateError};
use crate::{front, poller};

/// The tenant that a new gateway starts with.
pub const FIRST_TENANT: &str = "default";
/// How long what is under way may take at the end.
const FAREWELL: Duration = Duration::from_secs(8);

/// What to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen.
    pub host: IpAddr,
    /// Where to listen; 0 for any free port.
    pub port: u16,
    /// Where data lives; in memory without it.
    pub data: Option<PathBuf>,
    /// Makes another operator's token although the tenant exists.
    pub new_token: bool,
    /// Hosts whose targets need not prove themselves, as patterns.
    pub trusted_targets: Vec<String>,
}

/// The gateway could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken or not ours.
    #[error("listening on {address} failed")]
    Listen {
        /// What was asked for.
        address: SocketAddr,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The embedded cloud could not be opened.
    #[error("opening the data failed")]
    Cloud(#[from] CloudError),
    /// The template cannot be used.
    #[error("the template cannot be used")]
    Template(#[from] TemplateError),
    /// The functions could not be set up.
    #[error("setting the functions up failed")]
    SetUp(#[from] SetUpError),
    /// The first tenant could not be made.
    #[error("making the first tenant failed")]
    FirstTenant(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<TextError> for StartError {
    fn from(error: TextError) -> Self {
        Self::FirstTenant(error.into())
    }
}

/// A gateway that runs.
pub struct Running {
    /// What its URLs start with.
    pub base_url: String,
    /// The operator's token, when one was made just now.
    pub admin_token: Option<SecretString>,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
    // Holds the data directory's lock.
    _cloud: Cloud,
}

/// Starts a gateway; it serves when this returns.
///
/// # Errors
/// When the port is taken, the data cannot be used, or the template cannot be honoured.
pub async fn start(options: Options) -> Result<Running, StartError> {
    let address = SocketAddr::new(options.host, options.port);
    let listener = TcpListener::bind(address).await.map_err(|source| StartError::Listen { address, source })?;
    let bound = listener.local_addr().map_err(|source| StartError::Listen { address, source })?;
    let base_url = format!("http://{bound}");

    let (clock, random) = (Clock::system(), Random::from_os());
    let template = Template::embedded()?;
    let cloud = Cloud::open(options.data.as_deref(), &template, clock.clone()).await?;
    let functions =
        Functions::new("dev", &cloud, &template, &settings(&base_url, &options.trusted_targets), &clock, &random)?;
    let functions = Arc::new(functions);

    let tenant = TenantSlug::try_from(FIRST_TENANT.to_owned())?;
    let app = &functions.management_app;
    let mut admin_token =
        management::ensure_operator(app, tenant.clone()).await.map_err(|e| StartError::FirstTenant(e.into()))?;
    if admin_token.is_none() && options.new_token {
        let made = management::issue_operator_token(app, tenant).await;
        admin_token = Some(made.map_err(|e| StartError::FirstTenant(e.into()))?);
    }

    let (stop, stopped) = watch::channel(false);
    let mut tasks = JoinSet::new();
    for source in functions.sources.clone() {
        tasks.spawn(poller::run(cloud.clone(), Arc::clone(&functions), source, stopped.clone()));
    }
    tasks.spawn(tick(cloud.clone(), Arc::clone(&functions), sweep_every(&template)?, stopped.clone()));
    tasks.spawn(front::run(listener, functions, stopped));
    Ok(Running { base_url, admin_token, stop, tasks, _cloud: cloud })
}

impl Running {
    /// Stops taking requests and messages, and waits, bounded, for what is under way. What is cut off is taken up at
    /// the next start: the tables know it.
    pub async fn shut_down(mut self) {
        let _ = self.stop.send(true);
        let finished = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(FAREWELL, finished).await.is_err() {
            warn!("work was cut off; it is taken up again at the next start");
        }
    }
}

/// What an operator on a laptop allows: plain HTTP, and this machine.
fn settings(base_url: &str, trusted_targets: &[String]) -> HashMap<String, String> {
    let trusted_targets = trusted_targets.join(",");
    [
        ("PUBLIC_BASE_URL", base_url),
        ("TRUSTED_TARGETS", &trusted_targets),
        ("ALLOW_HTTP_TARGETS", "true"),
        ("ALLOW_LOOPBACK_TARGETS", "true"),
        // Every request comes from this machine.
        ("RATE_PER_SOURCE", "0"),
        ("RATE_GLOBAL", "0"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

/// Runs the sweeper at once, so that a restart goes on where it ended, and then as often as the template says.
async fn tick(cloud: Cloud, functions: Arc<Functions>, every: Duration, mut stop: watch::Receiver<bool>) {
    let mut ticks = tokio::time::interval(every);
    loop {
        tokio::select! {
            biased;
            _ = stop.wait_for(|stopped| *stopped) => return,
            _ = ticks.tick() => {}
        }
        if let Err(error) = functions.sweeper.sweep(functions.sweeper_deadline()).await {
            warn!(%error, "sweep.failed");
        }
        if let Err(error) = cloud.dynamodb().sweep_ttl() {
            warn!(%error, "expiry.failed");
        }
    }
}

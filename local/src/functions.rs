//! One instance of each function, wired to the embedded cloud as the template wires the deployed ones.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use dispatcher::Dispatcher;
use hookport::app::App;
use hookport::aws::lambda::Deadline;
use hookport::clock::Clock;
use hookport::config::{Config, ConfigError};
use hookport::random::Random;
use jiff::SignedDuration;
use receiver::Receiver;
use sweeper::Sweeper;

use crate::cloud::Cloud;
use crate::template::{Function, QueueSource, Template, TemplateError, environment};

/// The functions cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetUpError {
    /// The template does not say what is needed.
    #[error("the template cannot be used")]
    Template(#[from] TemplateError),
    /// A setting is missing or wrong.
    #[error("the settings cannot be used")]
    Config(#[from] ConfigError),
}

/// One instance of each function. Each has caches of its own, as a Lambda sandbox has.
pub struct Functions {
    /// The name of the instance, as the meter and the fault rules know it.
    pub name: String,
    /// Takes senders' requests.
    pub receiver: Receiver,
    /// The admin API.
    pub management: Router,
    /// What the management function works with, for setting up the first tenant.
    pub management_app: App,
    /// Works the queues.
    pub dispatcher: Arc<Dispatcher>,
    /// Works at each tick.
    pub sweeper: Sweeper,
    /// Tells the time for deadlines.
    clock: Clock,
    dispatcher_timeout: SignedDuration,
    sweeper_timeout: SignedDuration,
    /// The queues that the dispatcher is fed from.
    pub sources: Vec<QueueSource>,
    /// The largest body that the deployment takes, in bytes.
    pub max_body_bytes: usize,
}

/// What the platform keeps back before it ends a function.
const RESERVE: SignedDuration = SignedDuration::from_secs(3);

impl Functions {
    /// Sets the functions up on `cloud`. `settings` overrides the template's environment, as an operator would.
    ///
    /// # Errors
    /// When the template or the settings cannot be used.
    pub fn new(
        name: &str,
        cloud: &Cloud,
        template: &Template,
        settings: &HashMap<String, String>,
        clock: &Clock,
        random: &Random,
    ) -> Result<Self, SetUpError> {
        let app = |logical_id: &str| -> Result<App, SetUpError> {
            let function = template.function(logical_id)?;
            let mut vars = environment(function, |reference| template.local_name(reference))?;
            vars.extend(cloud.settings());
            vars.extend(settings.clone());
            let config = Config::from_vars(&vars)?;
            Ok(App::new(config, cloud.transport(name), clock.clone(), random.clone()))
        };
        let management_app = app("ManagementFunction")?;
        let receiver_app = app("ReceiverFunction")?;
        let dispatcher = template.function("DispatcherFunction")?;
        Ok(Self {
            name: name.to_owned(),
            max_body_bytes: receiver_app.config.max_body_bytes,
            receiver: Receiver::new(receiver_app),
            management: management::router(management_app.clone()),
            management_app,
            dispatcher: Arc::new(Dispatcher::new(app("DispatcherFunction")?)),
            sweeper: Sweeper::new(app("SweeperFunction")?),
            clock: clock.clone(),
            dispatcher_timeout: timeout(dispatcher),
            sweeper_timeout: timeout(template.function("SweeperFunction")?),
            sources: dispatcher.queues.clone(),
        })
    }

    /// By when a batch that is handed over now must be worked.
    #[must_use]
    pub fn dispatcher_deadline(&self) -> Deadline {
        self.deadline(self.dispatcher_timeout)
    }

    /// By when a sweep that begins now must be over.
    #[must_use]
    pub fn sweeper_deadline(&self) -> Deadline {
        self.deadline(self.sweeper_timeout)
    }

    fn deadline(&self, timeout: SignedDuration) -> Deadline {
        let now = self.clock.now();
        Deadline(now.saturating_add(timeout - RESERVE).unwrap_or(now))
    }
}

fn timeout(function: &Function) -> SignedDuration {
    SignedDuration::from_secs(function.timeout_s.into())
}

/// How often the template has the sweeper run.
///
/// # Errors
/// When the template gives the sweeper no schedule.
pub fn sweep_every(template: &Template) -> Result<Duration, TemplateError> {
    let sweeper = template.function("SweeperFunction")?;
    sweeper
        .schedule_rate
        .ok_or_else(|| TemplateError::Undefined { kind: "schedule of", logical_id: "SweeperFunction".into() })
}

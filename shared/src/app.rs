//! The plumbing, built once and passed as a value.

use std::sync::Arc;

use crate::aws::clients::{AwsClients, Transport};
use crate::aws::queue::Queue;
use crate::aws::secrets::SecretStore;
use crate::clock::Clock;
use crate::config::{Config, ConfigError};
use crate::egress::{BoxError, DenyList, DenyLoading, DenySource, Egress};
use crate::random::Random;
use crate::store::Store;
use crate::vault::Vault;

/// Where the operators' list of hosts comes from that nothing is sent to.
fn deny_source(store: Store) -> DenySource {
    Arc::new(move || -> DenyLoading {
        let store = store.clone();
        Box::pin(async move { Ok(store.deny_rules().await.map_err(BoxError::from)?.rules) })
    })
}

/// What every function works with. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The settings.
    pub config: Arc<Config>,
    /// How the cloud's services are called; the tables, queues and secrets below are.
    pub clients: AwsClients,
    /// The tables.
    pub store: Store,
    /// Where hints about kept requests go.
    pub inbound_queue: Queue,
    /// Where hints about due attempts go.
    pub outbound_queue: Queue,
    /// Seals and opens secrets.
    pub vault: Vault,
    /// Sends HTTP requests to targets.
    pub egress: Egress,
    /// Tells the time.
    pub clock: Clock,
    /// Gives ids, tokens and jitter.
    pub random: Random,
}

impl App {
    /// Builds the plumbing. Nothing is sent yet.
    #[must_use]
    pub fn new(config: Config, transport: Transport, clock: Clock, random: Random) -> Self {
        let clients = AwsClients::new(&config.aws, transport);
        let store = Store::new(&clients, &config.tables);
        let deny_list = DenyList::new(deny_source(store.clone()), clock.clone());
        Self {
            store,
            inbound_queue: Queue::new(&clients, &config.queues.inbound_url),
            outbound_queue: Queue::new(&clients, &config.queues.outbound_url),
            vault: Vault::new(SecretStore::new(&clients, &config.keyring_secret_id), random.clone()),
            egress: Egress::new(config.egress.clone(), deny_list),
            clock,
            random,
            config: Arc::new(config),
            clients,
        }
    }

    /// Builds the plumbing of a deployed function from its environment.
    ///
    /// # Errors
    /// When a setting is missing or wrong: a function without its settings refuses to start.
    pub fn from_env() -> Result<Self, ConfigError> {
        let config = Config::from_env()?;
        crate::log::init_json(&config.log_level);
        Ok(Self::new(config, Transport::Network, Clock::system(), Random::from_os()))
    }
}

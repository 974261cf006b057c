//! Settings: data, read once. The only reader of the environment.

use std::collections::HashMap;
use std::str::FromStr;
use std::time::Duration;

use ipnet::IpNet;
use jiff::SignedDuration;
use secrecy::SecretString;

use crate::aws::clients::{AwsCredentials, AwsSettings};
use crate::domain::host_pattern::HostPattern;
use crate::domain::rate_limit::{MAX_REQUESTS, RateLimit};
use crate::domain::source_address::network;
use crate::domain::target::{Allowance, Target};
use crate::domain::target_url::TargetUrl;
use crate::domain::text::TenantSlug;
use crate::egress::{EgressPolicy, ExtraRoots, Proxy};
use crate::signature::standard::SigningKey;
use crate::store::TableNames;

/// A setting is missing or wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// It must be given.
    #[error("the setting {0} is missing")]
    Missing(&'static str),
    /// It cannot be read as what it should be.
    #[error("the setting {0} is not valid")]
    Invalid(&'static str),
}

/// Where the two queues are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueUrls {
    /// Hints about kept requests.
    pub inbound_url: String,
    /// Hints about due attempts.
    pub outbound_url: String,
}

/// Everything that differs between deployments.
#[derive(Clone, Debug)]
pub struct Config {
    /// How AWS is reached.
    pub aws: AwsSettings,
    /// The tables.
    pub tables: TableNames,
    /// The queues.
    pub queues: QueueUrls,
    /// The name or ARN of the secret that holds the keyring.
    pub keyring_secret_id: String,
    /// What URLs shown to people start with, such as `https://hooks.example.com`; empty: paths only.
    pub public_base_url: String,
    /// The largest body that this deployment takes, in bytes.
    pub max_body_bytes: usize,
    /// The proxies whose `X-Forwarded-For` is believed; none by default.
    pub trusted_proxies: Vec<IpNet>,
    /// How many requests a minute are taken beyond the webhooks' own limits.
    pub rates: DeploymentRates,
    /// For how long an attempt belongs to its sender; must be longer than the dispatcher's timeout.
    pub lease: SignedDuration,
    /// What outgoing requests may reach.
    pub egress: EgressPolicy,
    /// Hosts whose targets need not prove themselves.
    pub trusted_targets: Vec<HostPattern>,
    /// Which resources of the operator's cloud which tenants may send to; none by default.
    pub allowances: Vec<Allowance>,
    /// Where the operator gets what the gateway tells of itself, for all tenants.
    pub pinned_sink: Option<PinnedSink>,
    /// The least severe level that is logged, such as `info`.
    pub log_level: String,
}

/// A target in the configuration that gets what the gateway tells of itself.
#[derive(Clone, Debug)]
pub struct PinnedSink {
    /// Where it goes.
    pub url: TargetUrl,
    /// What it is signed with.
    pub secret: SecretString,
}

/// How many requests a minute a deployment takes; `None`: any number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeploymentRates {
    /// From one address.
    pub per_source: Option<RateLimit>,
    /// To one tenant.
    pub per_tenant: Option<RateLimit>,
    /// In all.
    pub global: Option<RateLimit>,
}

fn host_pattern(text: &str) -> Option<HostPattern> {
    HostPattern::try_from(text.to_owned()).ok()
}

/// API Gateway and Lambda pass at most 6 MB; base64 and headers leave this.
const MAX_MAX_BODY_BYTES: usize = 4 * 1024 * 1024;

struct Vars<'a>(&'a HashMap<String, String>);

impl Vars<'_> {
    fn text(&self, name: &'static str) -> Result<String, ConfigError> {
        self.optional(name).ok_or(ConfigError::Missing(name))
    }

    fn optional(&self, name: &'static str) -> Option<String> {
        self.0.get(name).filter(|text| !text.is_empty()).cloned()
    }

    fn parsed<T: FromStr>(&self, name: &'static str, default: T) -> Result<T, ConfigError> {
        match self.optional(name) {
            Some(text) => text.parse().map_err(|_| ConfigError::Invalid(name)),
            None => Ok(default),
        }
    }
}

impl Vars<'_> {
    /// Texts with commas between them.
    fn list<T>(&self, name: &'static str, read: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, ConfigError> {
        let text = self.optional(name).unwrap_or_default();
        let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
        items.map(read).collect::<Option<_>>().ok_or(ConfigError::Invalid(name))
    }

    /// A sink that is switched on needs both its settings: half of one would tell nobody of anything.
    fn pinned_sink(&self, policy: &EgressPolicy) -> Result<Option<PinnedSink>, ConfigError> {
        if !self.parsed("ALERT_SINK_ENABLED", false)? {
            return Ok(None);
        }
        let url = TargetUrl::parse(&self.text("ALERT_SINK_URL")?, &policy.urls());
        let url = url.map_err(|_| ConfigError::Invalid("ALERT_SINK_URL"))?;
        let secret = SecretString::from(self.text("ALERT_SINK_SECRET")?);
        SigningKey::new(&secret).map_err(|_| ConfigError::Invalid("ALERT_SINK_SECRET"))?;
        Ok(Some(PinnedSink { url, secret }))
    }

    /// Requests a minute; 0 is no limit.
    fn rate(&self, name: &'static str, default: u32) -> Result<Option<RateLimit>, ConfigError> {
        let requests = self.parsed(name, default)?;
        if requests > MAX_REQUESTS {
            return Err(ConfigError::Invalid(name));
        }
        Ok((requests > 0).then_some(RateLimit { requests, window_s: 60 }))
    }
}

impl Config {
    /// The host name by which senders know the gateway; `hookport` when none was said.
    #[must_use]
    pub fn public_host(&self) -> &str {
        let rest = self.public_base_url.split_once("://").map_or("", |(_, rest)| rest);
        let host = rest.split(['/', ':']).next().unwrap_or_default();
        if host.is_empty() { "hookport" } else { host }
    }

    /// Tells whether a target need not prove itself.
    #[must_use]
    pub fn trusts(&self, url: &TargetUrl) -> bool {
        self.trusted_targets.iter().any(|pattern| pattern.matches(url.host()))
    }

    /// Tells whether a tenant may send to a target. Its own URLs are for the egress to judge; a resource of the
    /// operator's cloud has to be allowed, and the gateway's own queues are nobody's: what lies there is believed.
    #[must_use]
    pub fn allows(&self, tenant: &TenantSlug, target: &Target) -> bool {
        let own = [&self.queues.inbound_url, &self.queues.outbound_url];
        match target {
            Target::Https {} => return true,
            Target::Queue { queue_url, .. } if own.iter().any(|url| queue_url.is_named_as(url)) => return false,
            _ => {}
        }
        self.allowances.iter().any(|allowance| allowance.covers(tenant, target))
    }

    /// Reads settings by name.
    ///
    /// # Errors
    /// Names the first setting that is missing or wrong.
    pub fn from_vars(vars: &HashMap<String, String>) -> Result<Self, ConfigError> {
        let vars = Vars(vars);
        let max_body_bytes = vars.parsed("MAX_BODY_BYTES", MAX_MAX_BODY_BYTES)?;
        if !(1..=MAX_MAX_BODY_BYTES).contains(&max_body_bytes) {
            return Err(ConfigError::Invalid("MAX_BODY_BYTES"));
        }
        let max_attempts: u32 = vars.parsed("AWS_MAX_ATTEMPTS", 3)?;
        if max_attempts == 0 {
            return Err(ConfigError::Invalid("AWS_MAX_ATTEMPTS"));
        }
        let lease_ms: i64 = vars.parsed("LEASE_MS", 90_000)?;
        if lease_ms < 1_000 {
            return Err(ConfigError::Invalid("LEASE_MS"));
        }
        let egress = EgressPolicy {
            allow_http: vars.parsed("ALLOW_HTTP_TARGETS", false)?,
            allow_loopback: vars.parsed("ALLOW_LOOPBACK_TARGETS", false)?,
            allowed_networks: vars.list("EGRESS_ALLOWED_NETWORKS", network)?,
            allowed_hosts: vars.list("EGRESS_ALLOWED_HOSTS", host_pattern)?,
            proxy: match vars.optional("EGRESS_PROXY") {
                Some(text) => Some(Proxy::parse(&text).map_err(|_| ConfigError::Invalid("EGRESS_PROXY"))?),
                None => None,
            },
            extra_roots: match vars.optional("EGRESS_CA_PEM") {
                Some(pem) => ExtraRoots::parse(&pem).map_err(|_| ConfigError::Invalid("EGRESS_CA_PEM"))?,
                None => ExtraRoots::default(),
            },
            ..EgressPolicy::default()
        };
        Ok(Self {
            pinned_sink: vars.pinned_sink(&egress)?,
            trusted_targets: vars.list("TRUSTED_TARGETS", host_pattern)?,
            allowances: vars.list("AWS_TARGETS", |text| text.parse().ok())?,
            trusted_proxies: vars.list("TRUSTED_PROXIES", network)?,
            rates: DeploymentRates {
                per_source: vars.rate("RATE_PER_SOURCE", 1_000)?,
                per_tenant: vars.rate("RATE_PER_TENANT", 0)?,
                global: vars.rate("RATE_GLOBAL", 10_000)?,
            },
            aws: AwsSettings {
                region: vars.text("AWS_REGION")?,
                endpoint_url: vars.optional("AWS_ENDPOINT_URL"),
                credentials: AwsCredentials {
                    access_key_id: vars.text("AWS_ACCESS_KEY_ID")?,
                    secret_access_key: vars.text("AWS_SECRET_ACCESS_KEY")?.into(),
                    session_token: vars.optional("AWS_SESSION_TOKEN").map(SecretString::from),
                },
                max_attempts,
                initial_backoff: Duration::from_millis(vars.parsed("AWS_BACKOFF_MS", 50)?),
                report_capacity: vars.parsed("REPORT_CAPACITY", false)?,
            },
            tables: TableNames {
                configs: vars.text("CONFIGS_TABLE")?,
                deliveries: vars.text("DELIVERIES_TABLE")?,
                idempotency: vars.text("IDEMPOTENCY_TABLE")?,
            },
            queues: QueueUrls {
                inbound_url: vars.text("INBOUND_QUEUE_URL")?,
                outbound_url: vars.text("OUTBOUND_QUEUE_URL")?,
            },
            keyring_secret_id: vars.text("KEYRING_SECRET_ID")?,
            public_base_url: vars.optional("PUBLIC_BASE_URL").unwrap_or_default().trim_end_matches('/').to_owned(),
            max_body_bytes,
            lease: SignedDuration::from_millis(lease_ms),
            egress,
            log_level: vars.optional("LOG_LEVEL").unwrap_or_else(|| "info".to_owned()),
        })
    }

    /// Reads the settings of this process.
    ///
    /// # Errors
    /// As [`Self::from_vars`].
    pub fn from_env() -> Result<Self, ConfigError> {
        #[expect(clippy::disallowed_methods, reason = "this is the one reader of the environment")]
        Self::from_vars(&std::env::vars().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vars() -> HashMap<String, String> {
        [
            ("AWS_REGION", "eu-central-1"),
            ("AWS_ACCESS_KEY_ID", "id"),
            ("AWS_SECRET_ACCESS_KEY", "key"),
            ("CONFIGS_TABLE", "c"),
            ("DELIVERIES_TABLE", "d"),
            ("IDEMPOTENCY_TABLE", "i"),
            ("INBOUND_QUEUE_URL", "http://q/in"),
            ("OUTBOUND_QUEUE_URL", "http://q/out"),
            ("KEYRING_SECRET_ID", "ring"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }

    #[test]
    fn defaults_are_safe() {
        let config = Config::from_vars(&vars()).expect("enough settings");
        assert!(!config.egress.allow_http && !config.egress.allow_loopback);
        assert_eq!(config.max_body_bytes, 4 * 1024 * 1024);
        assert_eq!(config.lease, SignedDuration::from_secs(90));
        assert_eq!(config.rates.per_source, Some(RateLimit { requests: 1_000, window_s: 60 }));
        assert_eq!(config.rates.per_tenant, None);
        assert_eq!(config.rates.global, Some(RateLimit { requests: 10_000, window_s: 60 }));
        assert!(config.trusted_proxies.is_empty(), "nobody's word is taken for an address");
    }

    fn queue(url: &str) -> Target {
        let queue_url = url.to_owned().try_into().expect("the URL of a queue");
        Target::Queue { queue_url, message_group: None }
    }

    #[test]
    fn no_tenant_sends_to_the_operators_cloud_unless_the_operator_says_so() {
        let acme = TenantSlug::try_from("acme".to_owned()).expect("a slug");
        let orders = queue("https://sqs.eu-central-1.amazonaws.com/123456789012/acme-orders");
        let config = Config::from_vars(&vars()).expect("enough settings");
        assert!(config.allows(&acme, &Target::default()) && !config.allows(&acme, &orders));
        let mut vars = vars();
        vars.insert("AWS_TARGETS".into(), "acme=arn:aws:sqs:*:123456789012:acme-*".into());
        let config = Config::from_vars(&vars).expect("enough settings");
        let other = TenantSlug::try_from("other".to_owned()).expect("a slug");
        assert!(config.allows(&acme, &orders) && !config.allows(&other, &orders));
    }

    #[test]
    fn no_pattern_opens_the_gateways_own_queues() {
        let mut vars = vars();
        vars.insert("AWS_TARGETS".into(), "*=arn:aws:sqs:*:*:*".into());
        vars.insert("INBOUND_QUEUE_URL".into(), "https://sqs.eu-central-1.amazonaws.com/123456789012/own-in".into());
        vars.insert("OUTBOUND_QUEUE_URL".into(), "https://sqs.eu-central-1.amazonaws.com/123456789012/own-out".into());
        let config = Config::from_vars(&vars).expect("enough settings");
        let acme = TenantSlug::try_from("acme".to_owned()).expect("a slug");
        let allows = |name: &str| {
            config.allows(&acme, &queue(&format!("https://sqs.eu-central-1.amazonaws.com/123456789012/{name}")))
        };
        assert!(allows("other") && !allows("own-in") && !allows("own-out"));
    }

    #[test]
    fn a_missing_or_wrong_setting_is_named() {
        let with = |name: &str, value: &str| {
            let mut vars = vars();
            vars.insert(name.to_owned(), value.to_owned());
            Config::from_vars(&vars).map(|_| ())
        };
        assert_eq!(with("DELIVERIES_TABLE", ""), Err(ConfigError::Missing("DELIVERIES_TABLE")));
        for (name, value) in [
            ("MAX_BODY_BYTES", "5000000"),
            ("MAX_BODY_BYTES", "0"),
            ("LEASE_MS", "soon"),
            ("TRUSTED_PROXIES", "10.0.0.0/8, nonsense"),
            ("RATE_GLOBAL", "-1"),
            ("EGRESS_ALLOWED_NETWORKS", "10.0.0.0/8;fd00::/8"),
            ("EGRESS_PROXY", "https://proxy"),
            ("EGRESS_CA_PEM", "authority"),
            ("AWS_TARGETS", "acme=arn:aws:sqs:*:*:acme-*, *=*"),
            ("AWS_MAX_ATTEMPTS", "0"),
        ] {
            assert!(matches!(with(name, value), Err(ConfigError::Invalid(n)) if n == name), "{name}={value}");
        }
    }
}

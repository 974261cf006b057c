//! The SDK clients and their settings: the same for the cloud and for the process on a laptop.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::config::{BehaviorVersion, Region, retry::RetryConfig, timeout::TimeoutConfig};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_types::SdkConfig;
use secrecy::{ExposeSecret, SecretString};

use super::network;

/// The credentials that calls are signed with.
#[derive(Clone, Debug)]
pub struct AwsCredentials {
    /// The access key id.
    pub access_key_id: String,
    /// The secret access key.
    pub secret_access_key: SecretString,
    /// The session token of temporary credentials.
    pub session_token: Option<SecretString>,
}

/// Where AWS is and how it is spoken to.
#[derive(Clone, Debug)]
pub struct AwsSettings {
    /// The region, such as `eu-central-1`.
    pub region: String,
    /// Another place than the region's public endpoints, such as an emulator.
    pub endpoint_url: Option<String>,
    /// Who calls.
    pub credentials: AwsCredentials,
    /// How often one call is made in all, at least 1.
    pub max_attempts: u32,
    /// The wait before the second try of a call, doubled for each one after it, with jitter.
    pub initial_backoff: Duration,
    /// Whether answers report the capacity they consumed, for the meter.
    pub report_capacity: bool,
}

/// How requests reach AWS.
#[derive(Clone, Debug)]
pub enum Transport {
    /// Over the network, with TLS by rustls.
    Network,
    /// Into the process itself; see [`super::in_process`].
    InProcess(SharedHttpClient),
}

/// One client for each service that every function uses, and how the services are called that get deliveries.
#[derive(Clone, Debug)]
pub struct AwsClients {
    pub(super) dynamodb: aws_sdk_dynamodb::Client,
    pub(super) sqs: aws_sdk_sqs::Client,
    pub(super) secrets: aws_sdk_secretsmanager::Client,
    pub(super) report_capacity: bool,
    of_targets: SdkConfig,
}

/// The transport as the clients get it: one connection pool and one set of root certificates for all of them.
enum Http {
    InProcess(SharedHttpClient),
    Network(SharedHttpClient),
}

const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(3);

macro_rules! client {
    ($sdk:ident, $settings:ident, $http:ident) => {{
        let credentials = credentials(&$settings.credentials);
        let mut config = $sdk::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new($settings.region.clone()))
            .credentials_provider(credentials)
            .retry_config(
                RetryConfig::standard()
                    .with_max_attempts($settings.max_attempts)
                    .with_initial_backoff($settings.initial_backoff),
            )
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .sleep_impl(TokioSleep::new());
        config.set_endpoint_url($settings.endpoint_url.clone());
        config = match &$http {
            Http::InProcess(client) => config.http_client(client.clone()).timeout_config(TimeoutConfig::disabled()),
            Http::Network(client) => config.http_client(client.clone()).timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(CONNECT_TIMEOUT)
                    .operation_attempt_timeout(ATTEMPT_TIMEOUT)
                    .build(),
            ),
        };
        $sdk::Client::from_conf(config.build())
    }};
}

impl AwsClients {
    /// Makes the clients. Nothing is sent yet.
    #[must_use]
    pub fn new(settings: &AwsSettings, transport: Transport) -> Self {
        let http = match transport {
            Transport::InProcess(client) => Http::InProcess(client),
            Transport::Network => Http::Network(network::transport(CONNECT_TIMEOUT)),
        };
        Self {
            dynamodb: client!(aws_sdk_dynamodb, settings, http),
            sqs: client!(aws_sdk_sqs, settings, http),
            secrets: client!(aws_sdk_secretsmanager, settings, http),
            report_capacity: settings.report_capacity,
            of_targets: of_targets(settings, &http),
        }
    }

    /// How a service that gets deliveries is called in `region`, over the same connections.
    ///
    /// A call is made once, because not every service drops what it is sent twice, and takes as long as its caller
    /// waits.
    #[must_use]
    pub fn of_targets(&self, region: &str) -> SdkConfig {
        self.of_targets.to_builder().region(Region::new(region.to_owned())).build()
    }
}

fn of_targets(settings: &AwsSettings, http: &Http) -> SdkConfig {
    let (client, timeouts) = match http {
        Http::InProcess(client) => (client, TimeoutConfig::disabled()),
        Http::Network(client) => (client, TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).build()),
    };
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .credentials_provider(SharedCredentialsProvider::new(credentials(&settings.credentials)))
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts)
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .sleep_impl(TokioSleep::new());
    config.set_endpoint_url(settings.endpoint_url.clone());
    config.set_http_client(Some(client.clone()));
    config.build()
}

fn credentials(given: &AwsCredentials) -> Credentials {
    Credentials::new(
        given.access_key_id.clone(),
        given.secret_access_key.expose_secret(),
        given.session_token.as_ref().map(|token| token.expose_secret().to_owned()),
        None,
        "configuration",
    )
}

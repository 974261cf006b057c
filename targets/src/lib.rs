//! Sends deliveries to services of AWS. Beside `hookport::aws` it is the only place that names the SDK, and of all that
//! is deployed the dispatcher alone links it.
//!
//! Each call is made once for an attempt and carries the delivery's id where the service looks for an idempotency key,
//! or where whoever reads it finds one. What a failure means for the delivery is not decided here.

mod bucket;
mod event_bus;
mod failure;
mod function;
mod message;
mod parcel;
mod queue;
mod regions;
mod stream;
mod topic;
mod workflow;

use hookport::aws::clients::AwsClients;
use hookport::domain::target::Target;
use tracing::instrument;

pub use self::failure::{Fault, TargetError};
pub use self::parcel::Parcel;
use self::regions::PerRegion;

/// What a service said when it took a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The HTTP status of its answer.
    pub status: u16,
    /// What it calls the delivery, as JSON; of a function whose end was waited for, what that answered.
    pub body: String,
}

impl Sent {
    /// What was taken under a name of the service's own.
    fn receipt(member: &str, name: Option<&str>) -> Self {
        let body = name.map(|name| serde_json::json!({ (member): name }).to_string());
        Self { status: 200, body: body.unwrap_or_default() }
    }
}

/// The services that get deliveries. A client is made when the first delivery to its region comes.
#[derive(Debug)]
pub struct Targets {
    clients: AwsClients,
    queues: PerRegion<aws_sdk_sqs::Client>,
    topics: PerRegion<aws_sdk_sns::Client>,
    event_buses: PerRegion<aws_sdk_eventbridge::Client>,
    workflows: PerRegion<aws_sdk_sfn::Client>,
    functions: PerRegion<aws_sdk_lambda::Client>,
    streams: PerRegion<aws_sdk_kinesis::Client>,
    buckets: PerRegion<aws_sdk_s3::Client>,
}

impl Targets {
    /// The services, called over the connections of `clients`. Nothing is sent yet.
    #[must_use]
    pub fn new(clients: &AwsClients) -> Self {
        Self {
            clients: clients.clone(),
            queues: PerRegion::default(),
            topics: PerRegion::default(),
            event_buses: PerRegion::default(),
            workflows: PerRegion::default(),
            functions: PerRegion::default(),
            streams: PerRegion::default(),
            buckets: PerRegion::default(),
        }
    }

    /// Sends a delivery once, and waits for the answer no longer than the parcel says.
    ///
    /// # Errors
    /// When it does not fit the service, the service refused it, or no answer came.
    #[instrument(skip_all, fields(delivery.id = %parcel.delivery_id, target = target.kind()))]
    pub async fn send(&self, target: &Target, parcel: &Parcel) -> Result<Sent, TargetError> {
        // Boxed: the futures of seven SDKs side by side would make every attempt's future as large.
        let sent = Box::pin(self.call(target, parcel));
        tokio::time::timeout(parcel.timeout, sent).await.unwrap_or_else(|_| Err(TargetError::timed_out()))
    }

    async fn call(&self, target: &Target, parcel: &Parcel) -> Result<Sent, TargetError> {
        match target {
            Target::Https {} => Err(TargetError::no_service()),
            Target::Queue { queue_url, message_group } => {
                let make = || aws_sdk_sqs::Client::new(&self.clients.of_targets(queue_url.region()));
                let client = self.queues.client(queue_url.region(), make);
                queue::send(&client, queue_url, *message_group, parcel).await
            }
            Target::Topic { topic_arn, message_group } => {
                let make = || aws_sdk_sns::Client::new(&self.clients.of_targets(topic_arn.region()));
                let client = self.topics.client(topic_arn.region(), make);
                topic::publish(&client, topic_arn, *message_group, parcel).await
            }
            Target::EventBus { event_bus_arn, source, detail_type } => {
                let make = || aws_sdk_eventbridge::Client::new(&self.clients.of_targets(event_bus_arn.region()));
                let client = self.event_buses.client(event_bus_arn.region(), make);
                let told = event_bus::Told { source: source.as_ref(), detail_type: detail_type.as_ref() };
                event_bus::put(&client, event_bus_arn, &told, parcel).await
            }
            Target::Workflow { state_machine_arn } => {
                let make = || aws_sdk_sfn::Client::new(&self.clients.of_targets(state_machine_arn.region()));
                let client = self.workflows.client(state_machine_arn.region(), make);
                workflow::start(&client, state_machine_arn, parcel).await
            }
            Target::Function { function_arn, mode } => {
                let make = || aws_sdk_lambda::Client::new(&self.clients.of_targets(function_arn.region()));
                let client = self.functions.client(function_arn.region(), make);
                function::invoke(&client, function_arn, *mode, parcel).await
            }
            Target::Stream { stream_arn, partition_key } => {
                let make = || aws_sdk_kinesis::Client::new(&self.clients.of_targets(stream_arn.region()));
                let client = self.streams.client(stream_arn.region(), make);
                stream::put(&client, stream_arn, *partition_key, parcel).await
            }
            Target::Bucket { bucket, region, prefix } => {
                let client = self.buckets.client(region.as_str(), || self.of_buckets(region.as_str()));
                bucket::put(&client, bucket, prefix, parcel).await
            }
        }
    }

    fn of_buckets(&self, region: &str) -> aws_sdk_s3::Client {
        let shared = self.clients.of_targets(region);
        // An emulator at one address does not answer to names of buckets.
        let has_one_address = shared.endpoint_url().is_some();
        let config = aws_sdk_s3::config::Builder::from(&shared).force_path_style(has_one_address);
        aws_sdk_s3::Client::from_conf(config.build())
    }
}

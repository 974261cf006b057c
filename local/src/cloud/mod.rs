//! The embedded cloud: the AWS services that Hookport uses, in this process.
//!
//! Every call of every instance comes through one place, where it is counted and, in tests, made to fail. That place
//! knows what a call is about and nothing of what it means: the stand-ins behind it do.

mod directory;
mod dynamodb;
mod error;
mod fault;
mod meter;
mod provision;
mod service;
mod target;
#[cfg(test)]
mod tests;
mod units;
mod usage;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use hookport::aws::clients::Transport;
use hookport::aws::in_process::{self, NoAnswer};
use hookport::clock::Clock;
use http::Request;

use self::directory::DataDirectory;
pub use self::dynamodb::{DynamoDb, DynamoDbError, Handled};
pub use self::error::CloudError;
pub use self::fault::{Fault, FaultKind, Faults, Scope};
pub use self::meter::Meter;
use self::service::Service;
pub use self::units::Units;
pub use self::usage::{Call, Cost, Usage};
use crate::answer::Answer;
use crate::secrets::Secrets;
use crate::sqs::Sqs;
use crate::template::Template;

/// The services of one deployment. Clones share them.
#[derive(Clone)]
pub struct Cloud(Arc<State>);

struct State {
    dynamodb: DynamoDb,
    sqs: Sqs,
    secrets: Secrets,
    meter: Meter,
    faults: Faults,
    /// How many requests were answered; their number is their id.
    answers: AtomicU64,
    /// Dropped last, when the files in it are closed.
    _directory: Option<DataDirectory>,
}

/// One call on its way to its service.
struct Task<'a> {
    instance: &'a str,
    service: Service,
    operation: &'a str,
    body: Bytes,
    /// Named if its cost is to be counted.
    call: Option<Call>,
}

impl Cloud {
    /// Opens the services on the files in `data_dir`, or in memory, with everything that the template defines.
    ///
    /// # Errors
    /// When the directory is in use or cannot be used, or when what is stored in it does not fit the template.
    pub async fn open(data_dir: Option<&Path>, template: &Template, clock: Clock) -> Result<Self, CloudError> {
        let directory = data_dir.map(DataDirectory::take).transpose()?;
        let file = |name| directory.as_ref().map(|directory| directory.file(name));
        let dynamodb = DynamoDb::open(file("dynamodb.sqlite").as_deref(), clock.clone())?;
        let sqs = Sqs::open(file("sqs.sqlite").as_deref(), clock.clone())?;
        let secrets = Secrets::open(file("secrets.sqlite").as_deref(), clock)?;
        provision::tables(&dynamodb, template)?;
        provision::queues(&sqs, template).await?;
        provision::secrets(&secrets, template).await?;
        Ok(Self(Arc::new(State {
            dynamodb,
            sqs,
            secrets,
            meter: Meter::default(),
            faults: Faults::default(),
            answers: AtomicU64::new(0),
            _directory: directory,
        })))
    }

    /// A transport into this cloud for the clients of one instance, such as `receiver`.
    #[must_use]
    pub fn transport(&self, instance: &str) -> Transport {
        let cloud = self.clone();
        let instance: Arc<str> = instance.into();
        in_process::transport(move |request| {
            let cloud = cloud.clone();
            let instance = Arc::clone(&instance);
            Box::pin(async move { cloud.handle(&instance, request).await })
        })
    }

    /// The settings of the AWS clients, by the names of their environment variables.
    ///
    /// Signatures are made with them and never checked.
    #[must_use]
    pub fn settings(&self) -> HashMap<String, String> {
        let settings =
            [("AWS_REGION", "us-east-1"), ("AWS_ACCESS_KEY_ID", "local"), ("AWS_SECRET_ACCESS_KEY", "local")];
        let owned = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
        HashMap::from(owned)
    }

    /// Counts calls and what they cost.
    #[must_use]
    pub fn meter(&self) -> &Meter {
        &self.0.meter
    }

    /// Makes calls fail.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.0.faults
    }

    /// The queues.
    #[must_use]
    pub fn sqs(&self) -> &Sqs {
        &self.0.sqs
    }

    /// The tables.
    #[must_use]
    pub fn dynamodb(&self) -> &DynamoDb {
        &self.0.dynamodb
    }

    /// Answers a request that `instance` makes.
    ///
    /// # Errors
    /// When a fault keeps the answer back.
    pub async fn handle(&self, instance: &str, request: Request<Bytes>) -> in_process::Answer {
        let id = self.0.answers.fetch_add(1, Ordering::Relaxed) + 1;
        let (parts, body) = request.into_parts();
        let target = parts.headers.get("x-amz-target");
        let target = target.and_then(|target| target.to_str().ok());
        let Some((service, operation)) = target.and_then(Service::route) else {
            return Ok(service::unknown_target(id));
        };
        let task = Task { instance, service, operation, call: self.0.meter.made(instance, operation, &body), body };
        let answered = match self.0.faults.strike(instance, operation) {
            None => Ok(self.0.perform(task).await),
            Some(fault) => self.0.perform_with(fault, task).await,
        };
        if service == Service::DynamoDb {
            // The engine is always ready. A task that calls it over and over would never let another one run.
            tokio::task::yield_now().await;
        }
        Ok(service.dress(answered?, id))
    }
}

impl State {
    async fn perform(&self, task: Task<'_>) -> Answer {
        let operation = task.operation;
        let body: &[u8] = &task.body;
        let (answer, units) = match task.service {
            Service::DynamoDb => {
                let handled = self.dynamodb.handle(operation, body);
                (handled.answer, handled.units)
            }
            Service::Sqs => (self.sqs.handle(operation, body).await, Units::default()),
            Service::SecretsManager => (self.secrets.handle(operation, body).await, Units::default()),
        };
        if let Some(call) = task.call {
            let (sent, received) = (body.len(), answer.body.len());
            let cost = Cost {
                calls: 1,
                refused: u64::from(!answer.status.is_success()),
                units,
                queue_requests: task.service.queue_requests(sent, received),
                sent_bytes: sent as u64,
                received_bytes: received as u64,
            };
            self.meter.spent(call, cost);
        }
        answer
    }

    async fn perform_with(&self, fault: FaultKind, task: Task<'_>) -> Result<Answer, NoAnswer> {
        match fault {
            FaultKind::Before | FaultKind::Crash { effect: false } => Err(NoAnswer::Broken),
            FaultKind::After | FaultKind::Crash { effect: true } => {
                self.perform(task).await;
                Err(NoAnswer::Broken)
            }
            FaultKind::TimeOut { effect } => {
                if effect {
                    self.perform(task).await;
                }
                Err(NoAnswer::TimedOut)
            }
            FaultKind::Throttle => Ok(task.service.throttled()),
            FaultKind::Pause { effect: false } => {
                self.faults.hold().await;
                if self.faults.is_dead(task.instance) {
                    return Err(NoAnswer::Broken);
                }
                Ok(self.perform(task).await)
            }
            FaultKind::Pause { effect: true } => {
                let answer = self.perform(task).await;
                self.faults.hold().await;
                Ok(answer)
            }
        }
    }
}

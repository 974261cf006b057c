//! Functions, what triggers them and what they are told through the environment.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use super::error::{Refusal, TemplateError};
use super::node::{Kinds, Node};
use super::queue::Queue;
use super::{HTTP_API, NAMED_IN_ENVIRONMENT};

/// A Lambda function, with the global properties laid under its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// The name of the resource in the template.
    pub logical_id: String,
    /// How much memory it may use, in MiB.
    pub memory_mb: u32,
    /// How long it may run, in seconds.
    pub timeout_s: u32,
    /// Its environment, before references are resolved.
    pub environment: BTreeMap<String, EnvValue>,
    /// The routes of the HTTP API that lead to it.
    pub routes: Vec<Route>,
    /// The queues that it consumes.
    pub queues: Vec<QueueSource>,
    /// How often it is run by the clock.
    pub schedule_rate: Option<Duration>,
}

/// The value of an environment variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnvValue {
    /// Text, or the default of a parameter.
    Literal(String),
    /// `!Ref`: a table's name, a queue's URL or a secret's id.
    Ref(String),
    /// `!GetAtt`
    Attribute {
        /// The resource.
        logical_id: String,
        /// The attribute of it, such as `Arn`.
        attribute: String,
    },
}

/// A route of the HTTP API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The HTTP method, or `ANY`.
    pub method: String,
    /// The path, with `{name}` for one segment and `{name+}` for all that follow.
    pub path: String,
}

/// A queue that triggers a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueSource {
    /// The logical id of the queue.
    pub queue: String,
    /// How many messages one invocation gets at most.
    pub batch_size: u32,
    /// Whether the function says which messages failed. If not, one failure fails the batch.
    pub report_batch_item_failures: bool,
    /// How many invocations may work on the queue at once.
    pub max_concurrency: Option<u32>,
}

/// Resolves a function's environment: what `resolve` makes of `Id` or `Id.Attribute` takes the place of a reference.
///
/// # Errors
/// Names the variable whose reference `resolve` does not know.
pub fn environment(
    function: &Function,
    resolve: impl Fn(&str) -> Option<String>,
) -> Result<HashMap<String, String>, TemplateError> {
    let mut variables = HashMap::new();
    for (name, value) in &function.environment {
        let reference = match value {
            EnvValue::Literal(text) => {
                variables.insert(name.clone(), text.clone());
                continue;
            }
            EnvValue::Ref(logical_id) => logical_id.clone(),
            EnvValue::Attribute { logical_id, attribute } => format!("{logical_id}.{attribute}"),
        };
        let Some(resolved) = resolve(&reference) else {
            return Err(TemplateError::Refused {
                resource: function.logical_id.clone(),
                property: format!("Environment.Variables.{name}"),
                refusal: Refusal::UnknownReference(reference),
            });
        };
        variables.insert(name.clone(), resolved);
    }
    Ok(variables)
}

impl Function {
    pub(super) fn read(logical_id: &str, properties: &Node<'_>, kinds: &Kinds<'_>) -> Result<Self, TemplateError> {
        properties.only(
            &["MemorySize", "Timeout", "Environment", "Events"],
            &[
                "Architectures",
                "CodeUri",
                "Description",
                "EventInvokeConfig",
                "Handler",
                "LoggingConfig",
                "Policies",
                "RecursiveLoop",
                "Role",
                "Runtime",
                "Tags",
            ],
        )?;
        let mut function = Self {
            logical_id: logical_id.to_owned(),
            memory_mb: properties.require("MemorySize")?.number(128..=10_240)?,
            timeout_s: properties.require("Timeout")?.number(1..=900)?,
            environment: variables(properties, kinds)?,
            routes: Vec::new(),
            queues: Vec::new(),
            schedule_rate: None,
        };
        if let Some(events) = properties.get("Events")? {
            for (_, event) in events.entries()? {
                function.read_event(&event, kinds)?;
            }
        }
        Ok(function)
    }

    fn read_event(&mut self, event: &Node<'_>, kinds: &Kinds<'_>) -> Result<(), TemplateError> {
        event.only(&["Type", "Properties"], &[])?;
        let kind = event.require("Type")?;
        let properties = event.require("Properties")?;
        match kind.text()? {
            "HttpApi" => self.routes.push(Route::read(&properties, kinds)?),
            "SQS" => self.queues.push(QueueSource::read(&properties, kinds)?),
            "Schedule" => {
                properties.only(&["Schedule"], &["Description"])?;
                let schedule = properties.require("Schedule")?;
                if self.schedule_rate.replace(rate(&schedule)?).is_some() {
                    return Err(schedule.expected("one schedule for a function"));
                }
            }
            other => {
                let refusal = Refusal::UnknownEventType(other.to_owned());
                return Err(kind.refuse(refusal));
            }
        }
        Ok(())
    }
}

impl EnvValue {
    fn read(node: &Node<'_>, kinds: &Kinds<'_>) -> Result<Self, TemplateError> {
        let Some(reference) = node.reference()? else {
            return Ok(Self::Literal(node.scalar()?));
        };
        let named = kinds.get(reference.target).is_some_and(|kind| NAMED_IN_ENVIRONMENT.contains(kind));
        if !named {
            return Err(node.refuse(Refusal::UnknownReference(reference.to_string())));
        }
        let logical_id = reference.target.to_owned();
        Ok(match reference.attribute {
            None => Self::Ref(logical_id),
            Some(attribute) => Self::Attribute { logical_id, attribute: attribute.to_owned() },
        })
    }
}

impl Route {
    fn read(properties: &Node<'_>, kinds: &Kinds<'_>) -> Result<Self, TemplateError> {
        properties.only(&["ApiId", "Method", "Path"], &[])?;
        properties.require("ApiId")?.ref_to(HTTP_API, kinds)?;
        Ok(Self {
            method: properties.require("Method")?.text()?.to_uppercase(),
            path: properties.require("Path")?.text()?.to_owned(),
        })
    }
}

impl QueueSource {
    fn read(properties: &Node<'_>, kinds: &Kinds<'_>) -> Result<Self, TemplateError> {
        properties.only(&["Queue", "BatchSize", "FunctionResponseTypes", "ScalingConfig"], &[])?;
        let batch_size = match properties.get("BatchSize")? {
            // More than ten would need a batching window, which nothing local has.
            Some(size) => size.number(1..=10)?,
            None => 10,
        };
        let mut report_batch_item_failures = false;
        if let Some(types) = properties.get("FunctionResponseTypes")? {
            for kind in types.items()? {
                if kind.text()? != "ReportBatchItemFailures" {
                    return Err(kind.expected("ReportBatchItemFailures"));
                }
                report_batch_item_failures = true;
            }
        }
        let max_concurrency = match properties.get("ScalingConfig")? {
            Some(scaling) => {
                scaling.only(&["MaximumConcurrency"], &[])?;
                Some(scaling.require("MaximumConcurrency")?.number(2..=1_000)?)
            }
            None => None,
        };
        Ok(Self {
            queue: properties.require("Queue")?.arn_of(Queue::KIND, kinds)?,
            batch_size,
            report_batch_item_failures,
            max_concurrency,
        })
    }
}

fn variables(properties: &Node<'_>, kinds: &Kinds<'_>) -> Result<BTreeMap<String, EnvValue>, TemplateError> {
    let mut variables = BTreeMap::new();
    let Some(environment) = properties.get("Environment")? else {
        return Ok(variables);
    };
    environment.only(&["Variables"], &[])?;
    for (name, value) in environment.require("Variables")?.entries()? {
        variables.insert(name.to_owned(), EnvValue::read(&value, kinds)?);
    }
    Ok(variables)
}

/// Reads `rate(1 minute)`. Like EventBridge, it wants the singular for one and the plural for more.
fn rate(schedule: &Node<'_>) -> Result<Duration, TemplateError> {
    let expected = || schedule.expected("a rate such as rate(1 minute) or rate(5 minutes)");
    let (count, unit) = schedule
        .text()?
        .strip_prefix("rate(")
        .and_then(|rest| rest.strip_suffix(')'))
        .and_then(|rate| rate.split_once(' '))
        .ok_or_else(expected)?;
    let count: u32 = count.parse().map_err(|_| expected())?;
    let seconds = match (count, unit) {
        (1, "minute") | (2.., "minutes") => 60,
        (1, "hour") | (2.., "hours") => 3_600,
        (1, "day") | (2.., "days") => 86_400,
        _ => return Err(expected()),
    };
    Ok(Duration::from_secs(u64::from(count) * seconds))
}

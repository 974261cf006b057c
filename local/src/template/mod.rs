//! Reads `template.yaml`, the deployment definition, for the local process.
//!
//! The file is embedded, so that what runs on a laptop is what gets deployed. Whatever could make the two differ is
//! refused by the name of its resource and property. This is not a CloudFormation engine: parameters take their
//! defaults, references name local resources, and every other function is refused where its value would matter.

mod error;
mod function;
mod node;
mod parameters;
mod queue;
mod secret;
mod table;
#[cfg(test)]
mod tests;

use serde_norway::Value;

pub use error::{Refusal, TemplateError};
pub use function::{EnvValue, Function, QueueSource, Route, environment};
use node::{Kinds, Node};
use parameters::{defaults, merged, with_defaults};
pub use queue::{Queue, Redrive, local_queue_arn, local_queue_url};
pub use secret::GeneratedSecret;
pub use table::{Index, Key, KeyKind, Projection, Table};

/// An AWS operation and its JSON body, to be sent through the stand-ins.
pub type Request = (&'static str, serde_json::Value);

const EMBEDDED: &str = include_str!("../../../template.yaml");

const TABLE: &str = "AWS::DynamoDB::Table";
const SECRET: &str = "AWS::SecretsManager::Secret";
const FUNCTION: &str = "AWS::Serverless::Function";
const HTTP_API: &str = "AWS::Serverless::HttpApi";
const STACK: &str = "AWS::Serverless::Application";

/// What an environment variable may refer to.
const NAMED_IN_ENVIRONMENT: [&str; 3] = [TABLE, Queue::KIND, SECRET];

/// What watches or permits, and changes nothing that a request or a message could see.
const HARMLESS_TYPES: [&str; 4] =
    ["AWS::CloudWatch::Alarm", "AWS::IAM::Role", "AWS::Logs::LogGroup", "AWS::Logs::MetricFilter"];

/// The nested stacks that hold only such resources. A test reads them.
const HARMLESS_STACKS: [&str; 1] = ["infra/alarms.yaml"];

/// What a deployment consists of, as far as the local process stands in for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// The tables.
    pub tables: Vec<Table>,
    /// The queues, those for dead letters too.
    pub queues: Vec<Queue>,
    /// The secrets that are generated.
    pub secrets: Vec<GeneratedSecret>,
    /// The functions.
    pub functions: Vec<Function>,
}

impl Template {
    /// Reads the template that this program was built with.
    ///
    /// # Errors
    /// When the template says something that the local process cannot honour.
    pub fn embedded() -> Result<Self, TemplateError> {
        Self::parse(EMBEDDED)
    }

    /// Reads a template.
    ///
    /// # Errors
    /// When the text is not YAML or says something that the local process cannot honour.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let written: Value = serde_norway::from_str(text).map_err(TemplateError::Syntax)?;
        let defaults = defaults(&Node::new("template", &written))?;
        let document = with_defaults(&written, &defaults);
        let root = Node::new("template", &document);
        root.only(
            &["Transform", "Parameters", "Globals", "Resources"],
            &["AWSTemplateFormatVersion", "Conditions", "Description", "Metadata", "Outputs"],
        )?;
        let transform = root.require("Transform")?;
        if transform.text()? != "AWS::Serverless-2016-10-31" {
            return Err(transform.expected("AWS::Serverless-2016-10-31"));
        }
        let template = Self::read(&root)?;
        template.check()?;
        Ok(template)
    }

    fn read(root: &Node<'_>) -> Result<Self, TemplateError> {
        let globals = global_function_properties(root)?;
        let mut resources = Vec::new();
        let mut kinds = Kinds::new();
        for (logical_id, written) in root.require("Resources")?.entries()? {
            let resource = Node::new(logical_id, written.value());
            kinds.insert(logical_id, resource.require("Type")?.text()?);
            resources.push((logical_id, resource));
        }
        let mut template = Self { tables: Vec::new(), queues: Vec::new(), secrets: Vec::new(), functions: Vec::new() };
        for (logical_id, resource) in &resources {
            template.read_resource(logical_id, resource, &globals, &kinds)?;
        }
        Ok(template)
    }

    fn read_resource(
        &mut self,
        logical_id: &str,
        resource: &Node<'_>,
        globals: &Value,
        kinds: &Kinds<'_>,
    ) -> Result<(), TemplateError> {
        let kind = resource.require("Type")?;
        match kind.text()? {
            TABLE => {
                let table = Table::read(logical_id, &properties(resource)?)?;
                self.tables.push(table);
            }
            Queue::KIND => {
                let queue = Queue::read(logical_id, &properties(resource)?, kinds)?;
                self.queues.push(queue);
            }
            SECRET => {
                let secret = GeneratedSecret::read(logical_id, &properties(resource)?)?;
                self.secrets.push(secret);
            }
            FUNCTION => {
                let own = properties(resource)?;
                let all = merged(globals, own.value());
                let function = Function::read(logical_id, &Node::new(logical_id, &all), kinds)?;
                self.functions.push(function);
            }
            HTTP_API => properties(resource)?.only(&[], &["Description", "FailOnWarnings", "Tags"])?,
            STACK => {
                let location = resource.require("Properties")?.as_top().require("Location")?;
                let file = location.text()?;
                if !HARMLESS_STACKS.contains(&file) {
                    return Err(location.refuse(Refusal::UnknownStack(file.to_owned())));
                }
            }
            harmless if HARMLESS_TYPES.contains(&harmless) => {}
            other => return Err(kind.refuse(Refusal::UnknownResourceType(other.to_owned()))),
        }
        Ok(())
    }

    /// Checks what no resource shows alone.
    fn check(&self) -> Result<(), TemplateError> {
        for function in &self.functions {
            for source in &function.queues {
                let queue = self.queue(&source.queue)?;
                if queue.visibility_timeout_s < function.timeout_s {
                    return Err(TemplateError::Refused {
                        resource: queue.logical_id.clone(),
                        property: "VisibilityTimeout".to_owned(),
                        refusal: Refusal::VisibilityBelowTimeout {
                            visibility_s: queue.visibility_timeout_s,
                            function: function.logical_id.clone(),
                            timeout_s: function.timeout_s,
                        },
                    });
                }
            }
            check_lease(function)?;
        }
        Ok(())
    }

    /// Finds a table.
    ///
    /// # Errors
    /// When the template defines none of that name.
    pub fn table(&self, logical_id: &str) -> Result<&Table, TemplateError> {
        let found = self.tables.iter().find(|it| it.logical_id == logical_id);
        found.ok_or_else(|| undefined("table", logical_id))
    }

    /// Finds a queue.
    ///
    /// # Errors
    /// When the template defines none of that name.
    pub fn queue(&self, logical_id: &str) -> Result<&Queue, TemplateError> {
        let found = self.queues.iter().find(|it| it.logical_id == logical_id);
        found.ok_or_else(|| undefined("queue", logical_id))
    }

    /// Finds a function.
    ///
    /// # Errors
    /// When the template defines none of that name.
    pub fn function(&self, logical_id: &str) -> Result<&Function, TemplateError> {
        let found = self.functions.iter().find(|it| it.logical_id == logical_id);
        found.ok_or_else(|| undefined("function", logical_id))
    }

    /// What a reference is worth locally: a table's name, a queue's URL or ARN, a secret's id.
    ///
    /// Made for [`environment`]: `environment(function, |reference| template.local_name(reference))`.
    #[must_use]
    pub fn local_name(&self, reference: &str) -> Option<String> {
        if let Some(queue) = reference.strip_suffix(".Arn") {
            return self.queue(queue).is_ok().then(|| local_queue_arn(queue));
        }
        if self.queue(reference).is_ok() {
            return Some(local_queue_url(reference));
        }
        let is_secret = self.secrets.iter().any(|it| it.logical_id == reference);
        let named_by_id = is_secret || self.table(reference).is_ok();
        named_by_id.then(|| reference.to_owned())
    }

    /// The DynamoDB requests that create the tables, in order.
    #[must_use]
    pub fn create_table_requests(&self) -> Vec<Request> {
        self.tables.iter().flat_map(Table::create_requests).collect()
    }

    /// The SQS requests that create the queues, in order: those that take dead letters come first.
    #[must_use]
    pub fn create_queue_requests(&self) -> Vec<Request> {
        let (sources, ends): (Vec<&Queue>, Vec<&Queue>) = self.queues.iter().partition(|it| it.redrive.is_some());
        ends.into_iter().chain(sources).map(Queue::create_request).collect()
    }

    /// The Secrets Manager requests that create the secrets, each with what `generate` makes up for it.
    #[must_use]
    pub fn create_secret_requests(&self, mut generate: impl FnMut(&GeneratedSecret) -> String) -> Vec<Request> {
        self.secrets.iter().map(|secret| secret.create_request(&generate(secret))).collect()
    }
}

/// The properties of a resource, once its other attributes have been found harmless. A condition is not: the resource
/// might not be there.
fn properties<'a>(resource: &Node<'a>) -> Result<Node<'a>, TemplateError> {
    resource.only(&["Type", "Properties"], &["DeletionPolicy", "DependsOn", "Metadata", "UpdateReplacePolicy"])?;
    Ok(resource.require("Properties")?.as_top())
}

fn global_function_properties(root: &Node<'_>) -> Result<Value, TemplateError> {
    let none = Value::Mapping(serde_norway::Mapping::new());
    let Some(globals) = root.get("Globals")? else {
        return Ok(none);
    };
    globals.only(&["Function"], &[])?;
    let function = globals.get("Function")?;
    Ok(function.map_or(none, |function| function.value().clone()))
}

/// Refuses a lease that could run out while the function that holds it still runs.
fn check_lease(function: &Function) -> Result<(), TemplateError> {
    let Some(EnvValue::Literal(lease)) = function.environment.get("LEASE_MS") else {
        return Ok(());
    };
    let refusal = match lease.parse::<u64>() {
        Ok(lease_ms) if lease_ms > u64::from(function.timeout_s) * 1_000 => return Ok(()),
        Ok(lease_ms) => Refusal::LeaseNotAboveTimeout { lease_ms, timeout_s: function.timeout_s },
        Err(_) => Refusal::Expected("a whole number of milliseconds".to_owned()),
    };
    Err(TemplateError::Refused {
        resource: function.logical_id.clone(),
        property: "Environment.Variables.LEASE_MS".to_owned(),
        refusal,
    })
}

fn undefined(kind: &'static str, logical_id: &str) -> TemplateError {
    TemplateError::Undefined { kind, logical_id: logical_id.to_owned() }
}

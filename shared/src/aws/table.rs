//! One DynamoDB table: typed items in, typed items out.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::{
    AttributeValue, KeysAndAttributes, ReturnConsumedCapacity, ReturnValue, ReturnValuesOnConditionCheckFailure,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::clients::AwsClients;
use super::expression::{Changes, Test, Value, Values, condition};
use super::{Source, code_of};

/// The primary key of an item. Tables without a sort key leave it out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// The partition key.
    pub pk: String,
    /// The sort key.
    pub sk: Option<String>,
}

impl Key {
    /// A key with both parts.
    #[must_use]
    pub fn new(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self { pk: pk.into(), sk: Some(sk.into()) }
    }

    /// The key of an item in a table without a sort key.
    #[must_use]
    pub fn partition(pk: impl Into<String>) -> Self {
        Self { pk: pk.into(), sk: None }
    }

    pub(super) fn attributes(&self) -> HashMap<String, AttributeValue> {
        let mut attributes = HashMap::with_capacity(2);
        self.add_to(&mut attributes);
        attributes
    }

    pub(super) fn add_to(&self, item: &mut HashMap<String, AttributeValue>) {
        item.insert("pk".to_owned(), AttributeValue::S(self.pk.clone()));
        if let Some(sk) = &self.sk {
            item.insert("sk".to_owned(), AttributeValue::S(sk.clone()));
        }
    }
}

/// An item as it was stored.
#[derive(Clone, Debug)]
pub struct Stored(pub(super) HashMap<String, AttributeValue>);

impl Stored {
    /// Reads the item as a `T`.
    ///
    /// # Errors
    /// [`TableError::Corrupt`] when it is no `T`.
    pub fn read<T: DeserializeOwned>(self) -> Result<T, TableError> {
        serde_dynamo::from_item(self.0).map_err(|e| TableError::Corrupt(e.into()))
    }

    /// The item's own key.
    #[must_use]
    pub fn key(&self) -> Key {
        let text = |name: &str| self.0.get(name).and_then(|v| v.as_s().ok()).cloned();
        Key { pk: text("pk").unwrap_or_default(), sk: text("sk") }
    }
}

/// What came of an access to a table, when not what was asked for.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// A lost race or a repetition: an outcome, not a fault. Holds the item as it is.
    #[error("the condition of the write does not hold")]
    ConditionFailed {
        /// The item that stood in the way, if there was one.
        old: Option<Stored>,
    },
    /// Throttled, timed out or unreachable: trying later may help. The write may have happened.
    #[error("the table is not available ({code})")]
    Unavailable {
        /// The service's own code.
        code: String,
        /// The cause.
        #[source]
        source: Source,
    },
    /// An item is not what this version of the code can read.
    #[error("a stored item cannot be read")]
    Corrupt(#[source] Source),
}

pub(super) fn unavailable<E>(error: SdkError<E, HttpResponse>) -> TableError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    TableError::Unavailable { code: code_of(&error), source: error.into() }
}

/// Which items of a partition are wanted, and in which order.
#[derive(Clone, Debug)]
pub struct Query {
    /// The partition key.
    pub pk: String,
    /// Only sort keys beyond this one, in the query's direction.
    pub beyond: Option<String>,
    /// The most items to give.
    pub limit: usize,
    /// Greatest sort keys first.
    pub newest_first: bool,
}

pub(super) fn stored(item: &impl Serialize) -> Result<Stored, TableError> {
    serde_dynamo::to_item(item).map(Stored).map_err(|e| TableError::Corrupt(e.into()))
}

/// One DynamoDB table.
#[derive(Clone, Debug)]
pub struct Table {
    pub(super) client: Client,
    pub(super) name: String,
    pub(super) capacity: Option<ReturnConsumedCapacity>,
}

impl Table {
    /// The table called `name`.
    #[must_use]
    pub fn new(clients: &AwsClients, name: &str) -> Self {
        let capacity = clients.report_capacity.then_some(ReturnConsumedCapacity::Indexes);
        Self { client: clients.dynamodb.clone(), name: name.to_owned(), capacity }
    }

    /// Reads one item, strongly consistent.
    ///
    /// # Errors
    /// When the table cannot be reached or the item cannot be read.
    pub async fn get<T: DeserializeOwned>(&self, key: &Key) -> Result<Option<T>, TableError> {
        let request = self.client.get_item().table_name(&self.name).set_key(Some(key.attributes()));
        let answer = request
            .consistent_read(true)
            .set_return_consumed_capacity(self.capacity.clone())
            .send()
            .await
            .map_err(unavailable)?;
        answer.item.map(|item| Stored(item).read()).transpose()
    }

    /// Puts a whole item if the tests hold.
    ///
    /// # Errors
    /// `ConditionFailed` with the item in the way, or trouble.
    pub async fn put(&self, key: &Key, item: &impl Serialize, tests: &[Test]) -> Result<(), TableError> {
        let Stored(mut item) = stored(item)?;
        key.add_to(&mut item);
        let mut values = Values::default();
        let condition = condition(tests, &mut values);
        let old = condition.is_some().then_some(ReturnValuesOnConditionCheckFailure::AllOld);
        let request = self.client.put_item().table_name(&self.name).set_item(Some(item));
        let sent = request
            .set_condition_expression(condition)
            .set_expression_attribute_values(values.or_none())
            .set_return_values_on_condition_check_failure(old)
            .set_return_consumed_capacity(self.capacity.clone())
            .send()
            .await;
        match sent {
            Ok(_) => Ok(()),
            Err(error) => Err(match error.as_service_error() {
                Some(aws_sdk_dynamodb::operation::put_item::PutItemError::ConditionalCheckFailedException(failed)) => {
                    TableError::ConditionFailed { old: failed.item().cloned().map(Stored) }
                }
                _ => unavailable(error),
            }),
        }
    }

    /// Changes an item if the tests hold, and gives it as it is then when `wanted`.
    ///
    /// # Errors
    /// `ConditionFailed` with the item as it is, or trouble.
    pub async fn update(
        &self,
        key: &Key,
        changes: &Changes,
        tests: &[Test],
        wanted: Wanted,
    ) -> Result<Option<Stored>, TableError> {
        let mut values = Values::default();
        let expression = changes.expression(&mut values);
        let condition = condition(tests, &mut values);
        let returned = match wanted {
            Wanted::Nothing => None,
            Wanted::New => Some(ReturnValue::AllNew),
        };
        let request = self.client.update_item().table_name(&self.name).set_key(Some(key.attributes()));
        let sent = request
            .update_expression(expression)
            .set_expression_attribute_names(changes.names())
            .set_condition_expression(condition)
            .set_expression_attribute_values(values.or_none())
            .set_return_values(returned)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .set_return_consumed_capacity(self.capacity.clone())
            .send()
            .await;
        match sent {
            Ok(answer) => Ok(answer.attributes.map(Stored)),
            Err(error) => Err(match error.as_service_error() {
                Some(aws_sdk_dynamodb::operation::update_item::UpdateItemError::ConditionalCheckFailedException(
                    failed,
                )) => TableError::ConditionFailed { old: failed.item().cloned().map(Stored) },
                _ => unavailable(error),
            }),
        }
    }

    /// Deletes an item if the tests hold; without tests, deleting what is not there is fine.
    ///
    /// # Errors
    /// `ConditionFailed`, or trouble.
    pub async fn delete(&self, key: &Key, tests: &[Test]) -> Result<(), TableError> {
        let mut values = Values::default();
        let condition = condition(tests, &mut values);
        let request = self.client.delete_item().table_name(&self.name).set_key(Some(key.attributes()));
        let sent = request
            .set_condition_expression(condition)
            .set_expression_attribute_values(values.or_none())
            .set_return_consumed_capacity(self.capacity.clone())
            .send()
            .await;
        match sent {
            Ok(_) => Ok(()),
            Err(error) => Err(match error.as_service_error() {
                Some(aws_sdk_dynamodb::operation::delete_item::DeleteItemError::ConditionalCheckFailedException(
                    failed,
                )) => TableError::ConditionFailed { old: failed.item().cloned().map(Stored) },
                _ => unavailable(error),
            }),
        }
    }

    /// Reads part of one partition, strongly consistent, whole items.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn query(&self, query: &Query) -> Result<Vec<Stored>, TableError> {
        let mut condition = "pk = :p".to_owned();
        let mut values = HashMap::from([(":p".to_owned(), AttributeValue::S(query.pk.clone()))]);
        if let Some(beyond) = &query.beyond {
            condition.push_str(if query.newest_first { " AND sk < :s" } else { " AND sk > :s" });
            values.insert(":s".to_owned(), AttributeValue::S(beyond.clone()));
        }
        let mut items = Vec::new();
        let mut start = None;
        loop {
            let request = self.client.query().table_name(&self.name).key_condition_expression(&condition);
            let answer = request
                .set_expression_attribute_values(Some(values.clone()))
                .scan_index_forward(!query.newest_first)
                .consistent_read(true)
                .limit(i32::try_from(query.limit - items.len()).unwrap_or(i32::MAX))
                .set_exclusive_start_key(start)
                .set_return_consumed_capacity(self.capacity.clone())
                .send()
                .await
                .map_err(unavailable)?;
            items.extend(answer.items.unwrap_or_default().into_iter().map(Stored));
            start = answer.last_evaluated_key;
            if start.is_none() || items.len() >= query.limit {
                return Ok(items);
            }
        }
    }

    /// The keys in one partition of an index whose number is at most `at_most`, least first.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn keys_in_index(
        &self,
        index: &IndexQuery<'_>,
        at_most: i64,
        limit: usize,
    ) -> Result<Vec<Key>, TableError> {
        let request = self.client.query().table_name(&self.name).index_name(index.name);
        let answer = request
            .key_condition_expression(format!("{} = :p AND {} <= :s", index.partition.0, index.sort))
            .expression_attribute_values(":p", AttributeValue::S(index.partition.1.clone()))
            .expression_attribute_values(":s", Value::of(at_most).0)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .set_return_consumed_capacity(self.capacity.clone())
            .send()
            .await
            .map_err(unavailable)?;
        Ok(answer.items.unwrap_or_default().into_iter().map(|item| Stored(item).key()).collect())
    }

    /// Reads up to 100 items by key, strongly consistent, in any order; keys without an item are left out.
    ///
    /// # Errors
    /// When the table cannot be reached, or leaves keys unread three times.
    pub async fn get_many(&self, keys: &[Key]) -> Result<Vec<Stored>, TableError> {
        let mut found = Vec::with_capacity(keys.len());
        let mut rest: Vec<_> = keys.iter().map(Key::attributes).collect();
        for _ in 0..3 {
            if rest.is_empty() {
                break;
            }
            let wanted = KeysAndAttributes::builder()
                .set_keys(Some(rest))
                .consistent_read(true)
                .build()
                .map_err(|e| TableError::Corrupt(e.into()))?;
            let request = self.client.batch_get_item().request_items(&self.name, wanted);
            let answer =
                request.set_return_consumed_capacity(self.capacity.clone()).send().await.map_err(unavailable)?;
            found.extend(answer.responses.unwrap_or_default().into_values().flatten().map(Stored));
            rest = answer.unprocessed_keys.unwrap_or_default().into_values().flat_map(|k| k.keys).collect();
        }
        if rest.is_empty() {
            Ok(found)
        } else {
            Err(TableError::Unavailable { code: "unprocessed_keys".to_owned(), source: "keys were left unread".into() })
        }
    }
}

/// What an update gives back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Nothing.
    Nothing,
    /// The whole item after the update.
    New,
}

/// One partition of an index with a numeric sort key.
#[derive(Clone, Debug)]
pub struct IndexQuery<'a> {
    /// The index.
    pub name: &'a str,
    /// Its partition attribute and the value wanted.
    pub partition: (&'a str, String),
    /// Its sort attribute.
    pub sort: &'a str,
}

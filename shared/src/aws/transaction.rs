//! Writes that happen together or not at all. For rare changes of configuration: a transaction costs double.

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use serde::Serialize;

use super::expression::{Changes, Test, Values, condition};
use super::table::{Key, Stored, Table, TableError, stored, unavailable};

/// One write of a transaction.
#[derive(Debug)]
pub enum Write {
    /// Puts an item if the tests hold.
    Put(Key, Stored, Vec<Test>),
    /// Changes an item if the tests hold.
    Update(Key, Changes, Vec<Test>),
    /// Deletes an item if the tests hold.
    Delete(Key, Vec<Test>),
}

impl Write {
    /// A put of a serialisable item.
    ///
    /// # Errors
    /// When the item cannot be stored; our own types always can.
    pub fn put(key: Key, item: &impl Serialize, tests: Vec<Test>) -> Result<Self, TableError> {
        Ok(Self::Put(key, stored(item)?, tests))
    }
}

/// How often a transaction is tried that meets others in an item. They do not queue for it, and the SDK does not try
/// them again.
const TRIES: u32 = 8;

fn is_conflict(error: &SdkError<TransactWriteItemsError, HttpResponse>) -> bool {
    match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
            cancelled.cancellation_reasons().iter().any(|reason| reason.code() == Some("TransactionConflict"))
        }
        _ => false,
    }
}

impl Table {
    /// Makes several writes happen together or not at all. For rare changes of configuration: it costs double.
    ///
    /// # Errors
    /// `ConditionFailed` with the first item in the way, or trouble.
    pub async fn write_together(&self, writes: Vec<Write>) -> Result<(), TableError> {
        let mut items = Vec::with_capacity(writes.len());
        for write in writes {
            items.push(self.transact_item(write)?);
        }
        let mut tried = 0;
        let error = loop {
            let request = self.client.transact_write_items().set_transact_items(Some(items.clone()));
            let Err(error) = request.set_return_consumed_capacity(self.capacity.clone()).send().await else {
                return Ok(());
            };
            tried += 1;
            if tried == TRIES || !is_conflict(&error) {
                break error;
            }
        };
        if let Some(TransactWriteItemsError::TransactionCanceledException(e)) = error.as_service_error() {
            let failed = e.cancellation_reasons().iter().find(|r| r.code() == Some("ConditionalCheckFailed"));
            if let Some(reason) = failed {
                return Err(TableError::ConditionFailed { old: reason.item.clone().map(Stored) });
            }
        }
        Err(unavailable(error))
    }

    fn transact_item(&self, write: Write) -> Result<TransactWriteItem, TableError> {
        let broken = |e: aws_smithy_types::error::operation::BuildError| TableError::Corrupt(e.into());
        let old = ReturnValuesOnConditionCheckFailure::AllOld;
        let mut values = Values::default();
        let item = TransactWriteItem::builder();
        Ok(match write {
            Write::Put(key, Stored(mut attributes), tests) => {
                key.add_to(&mut attributes);
                let put = Put::builder().table_name(&self.name).set_item(Some(attributes));
                let put = put.set_condition_expression(condition(&tests, &mut values));
                let put = put.set_expression_attribute_values(values.or_none());
                item.put(put.return_values_on_condition_check_failure(old).build().map_err(broken)?)
            }
            Write::Update(key, changes, tests) => {
                let update = Update::builder().table_name(&self.name).set_key(Some(key.attributes()));
                let update = update.set_expression_attribute_names(changes.names());
                let update = update.update_expression(changes.expression(&mut values));
                let update = update.set_condition_expression(condition(&tests, &mut values));
                let update = update.set_expression_attribute_values(values.or_none());
                item.update(update.return_values_on_condition_check_failure(old).build().map_err(broken)?)
            }
            Write::Delete(key, tests) => {
                let delete = Delete::builder().table_name(&self.name);
                let delete = delete.set_key(Some(key.attributes()));
                let delete = delete.set_condition_expression(condition(&tests, &mut values));
                let delete = delete.set_expression_attribute_values(values.or_none());
                item.delete(delete.return_values_on_condition_check_failure(old).build().map_err(broken)?)
            }
        }
        .build())
    }
}

//! Creates what the template defines and is missing, as a deployment would.
//!
//! What is there stays. A table whose keys or indexes are others is refused: its items would not be found.

use serde_json::{Value, json};

use super::dynamodb::DynamoDb;
use super::error::CloudError;
use crate::answer::Answer;
use crate::secrets::Secrets;
use crate::sqs::Sqs;
use crate::template::{GeneratedSecret, Table, Template};

pub(super) fn tables(dynamodb: &DynamoDb, template: &Template) -> Result<(), CloudError> {
    template.tables.iter().try_for_each(|it| table(dynamodb, it))
}

fn table(dynamodb: &DynamoDb, table: &Table) -> Result<(), CloudError> {
    let name = &table.logical_id;
    let found = stored_layout(dynamodb, name)?;
    for (operation, body) in table.create_requests() {
        if operation == "CreateTable"
            && let Some(found) = &found
        {
            let wanted = layout(&body);
            if *found != wanted {
                return Err(CloudError::TableDiffers { table: name.clone(), found: found.clone(), wanted });
            }
            continue;
        }
        // Enabling the expiry that is enabled changes nothing, and mends a table whose creation was cut short.
        let handled = dynamodb.handle(operation, &written(&body));
        accepted(operation, name, &handled.answer)?;
    }
    Ok(())
}

/// Creates the queues, or makes sure that those which are there have the same settings.
pub(super) async fn queues(sqs: &Sqs, template: &Template) -> Result<(), CloudError> {
    for (operation, body) in template.create_queue_requests() {
        let answer = sqs.handle(operation, &written(&body)).await;
        accepted(operation, &text(&body["QueueName"]), &answer)?;
    }
    Ok(())
}

pub(super) async fn secrets(secrets: &Secrets, template: &Template) -> Result<(), CloudError> {
    for secret in &template.secrets {
        create_secret(secrets, secret).await?;
    }
    Ok(())
}

async fn create_secret(secrets: &Secrets, secret: &GeneratedSecret) -> Result<(), CloudError> {
    let name = &secret.logical_id;
    let described = secrets.handle("DescribeSecret", &written(&json!({ "SecretId": name }))).await;
    if described.status.is_success() {
        return Ok(());
    }
    let members = Value::Object(secret.members.clone()).to_string();
    let value = secrets
        .generate(&members, &secret.generated_member, secret.length as usize, true)
        .map_err(|source| CloudError::Generate { secret: name.clone(), source })?;
    let token = uuid::Builder::from_random_bytes(rand::random()).into_uuid();
    let body = json!({ "Name": name, "SecretString": value, "ClientRequestToken": token.to_string() });
    let answer = secrets.handle("CreateSecret", &written(&body)).await;
    accepted("CreateSecret", name, &answer)
}

/// Describes the keys and indexes of a table that is stored.
fn stored_layout(dynamodb: &DynamoDb, table: &str) -> Result<Option<String>, CloudError> {
    let metadata =
        dynamodb.metadata(table).map_err(|source| CloudError::Definition { table: table.to_owned(), source })?;
    let Some(metadata) = metadata else {
        return Ok(None);
    };
    let read = |json: &str| {
        serde_json::from_str::<Value>(json).map_err(|source| CloudError::Stored { table: table.to_owned(), source })
    };
    let definition = json!({
        "KeySchema": read(&metadata.key_schema)?,
        "AttributeDefinitions": read(&metadata.attribute_definitions)?,
        "GlobalSecondaryIndexes": metadata.gsi_definitions.as_deref().map(read).transpose()?,
    });
    Ok(Some(layout(&definition)))
}

/// Describes the keys and indexes of a table, such as `pk S, sk S; index due: ds S, da N, KEYS_ONLY`.
fn layout(definition: &Value) -> String {
    let kinds = &definition["AttributeDefinitions"];
    let mut indexes: Vec<String> = members(&definition["GlobalSecondaryIndexes"])
        .map(|index| {
            let projection = &index["Projection"];
            let mut included: Vec<String> = members(&projection["NonKeyAttributes"]).map(text).collect();
            included.sort();
            let parts = [keys(&index["KeySchema"], kinds), text(&projection["ProjectionType"])];
            let parts = Vec::from_iter(parts.into_iter().chain(included));
            format!("index {}: {}", text(&index["IndexName"]), parts.join(", "))
        })
        .collect();
    indexes.sort();
    let table = keys(&definition["KeySchema"], kinds);
    Vec::from_iter(std::iter::once(table).chain(indexes)).join("; ")
}

fn keys(schema: &Value, kinds: &Value) -> String {
    let key = |key: &Value| {
        let name = &key["AttributeName"];
        let defined = members(kinds).find(|kind| kind["AttributeName"] == *name);
        let kind = defined.map_or_else(String::new, |kind| text(&kind["AttributeType"]));
        format!("{} {kind}", text(name))
    };
    Vec::from_iter(members(schema).map(key)).join(", ")
}

fn members(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn written(body: &Value) -> Vec<u8> {
    body.to_string().into_bytes()
}

fn accepted(operation: &'static str, name: &str, answer: &Answer) -> Result<(), CloudError> {
    if answer.status.is_success() {
        return Ok(());
    }
    Err(CloudError::Refused {
        operation,
        name: name.to_owned(),
        answer: String::from_utf8_lossy(&answer.body).into_owned(),
    })
}

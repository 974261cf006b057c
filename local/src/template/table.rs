//! Tables, their keys and their indexes.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Request;
use super::error::{Refusal, TemplateError};
use super::node::Node;

/// A DynamoDB table. Its local name is its logical id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// The name of the resource in the template.
    pub logical_id: String,
    /// The key that decides where an item lives.
    pub partition_key: Key,
    /// The key that orders the items of one partition.
    pub sort_key: Option<Key>,
    /// The global secondary indexes.
    pub indexes: Vec<Index>,
    /// The attribute that holds when an item expires, in seconds since the epoch.
    pub ttl_attribute: Option<String>,
}

/// An attribute that is a key, of a table or of an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The name of the attribute.
    pub name: String,
    /// The type that its values must have.
    pub kind: KeyKind,
}

/// The type of a key's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// `S`
    String,
    /// `N`
    Number,
    /// `B`
    Binary,
}

/// A global secondary index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    /// The name that queries use.
    pub name: String,
    /// The key that decides where an entry lives. Items without it have no entry.
    pub partition_key: Key,
    /// The key that orders the entries of one partition.
    pub sort_key: Option<Key>,
    /// Which attributes an entry holds.
    pub projection: Projection,
}

/// Which attributes an index holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Projection {
    /// The keys of the table and of the index.
    KeysOnly,
    /// The keys and the attributes named here.
    Include(Vec<String>),
    /// The whole item.
    All,
}

impl KeyKind {
    /// The letter that DynamoDB writes for it.
    #[must_use]
    pub fn letter(self) -> &'static str {
        match self {
            Self::String => "S",
            Self::Number => "N",
            Self::Binary => "B",
        }
    }

    fn read(node: &Node<'_>) -> Result<Self, TemplateError> {
        match node.text()? {
            "S" => Ok(Self::String),
            "N" => Ok(Self::Number),
            "B" => Ok(Self::Binary),
            _ => Err(node.expected("S, N or B")),
        }
    }
}

impl Table {
    pub(super) fn read(logical_id: &str, properties: &Node<'_>) -> Result<Self, TemplateError> {
        properties.only(
            &["BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "TimeToLiveSpecification"],
            &["DeletionProtectionEnabled", "PointInTimeRecoverySpecification", "SSESpecification", "Tags"],
        )?;
        let billing = properties.require("BillingMode")?;
        if billing.text()? != "PAY_PER_REQUEST" {
            return Err(billing.expected("PAY_PER_REQUEST"));
        }
        let kinds = attribute_kinds(properties)?;
        let (partition_key, sort_key) = keys(properties, &kinds)?;
        let mut indexes = Vec::new();
        if let Some(listed) = properties.get("GlobalSecondaryIndexes")? {
            for index in listed.items()? {
                indexes.push(Index::read(&index, &kinds)?);
            }
        }
        let table = Self {
            logical_id: logical_id.to_owned(),
            partition_key,
            sort_key,
            indexes,
            ttl_attribute: ttl_attribute(properties)?,
        };
        // DynamoDB refuses a table with a definition to spare, so a deployment would fail on it.
        let used = table.key_attributes();
        if let Some(spare) = kinds.keys().find(|name| !used.contains_key(name.as_str())) {
            let definitions = properties.require("AttributeDefinitions")?;
            return Err(definitions.expected(format!("{spare} to be a key of something")));
        }
        Ok(table)
    }

    /// Every attribute that is a key of the table or of an index.
    fn key_attributes(&self) -> BTreeMap<&str, KeyKind> {
        let of_indexes =
            self.indexes.iter().flat_map(|index| std::iter::once(&index.partition_key).chain(index.sort_key.as_ref()));
        std::iter::once(&self.partition_key)
            .chain(self.sort_key.as_ref())
            .chain(of_indexes)
            .map(|key| (key.name.as_str(), key.kind))
            .collect()
    }

    /// The DynamoDB requests that create this table, in order: operation and JSON body.
    #[must_use]
    pub fn create_requests(&self) -> Vec<Request> {
        let definitions: Vec<Value> = self
            .key_attributes()
            .into_iter()
            .map(|(name, kind)| json!({ "AttributeName": name, "AttributeType": kind.letter() }))
            .collect();
        let mut body = json!({
            "TableName": self.logical_id,
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": definitions,
            "KeySchema": key_schema(&self.partition_key, self.sort_key.as_ref()),
        });
        // An empty list of indexes is refused: it has to be absent.
        if !self.indexes.is_empty() {
            let indexes: Vec<Value> = self.indexes.iter().map(Index::body).collect();
            body["GlobalSecondaryIndexes"] = Value::Array(indexes);
        }
        let mut requests = vec![("CreateTable", body)];
        if let Some(attribute) = &self.ttl_attribute {
            let body = json!({
                "TableName": self.logical_id,
                "TimeToLiveSpecification": { "AttributeName": attribute, "Enabled": true },
            });
            requests.push(("UpdateTimeToLive", body));
        }
        requests
    }
}

impl Index {
    fn read(node: &Node<'_>, kinds: &BTreeMap<String, KeyKind>) -> Result<Self, TemplateError> {
        node.only(&["IndexName", "KeySchema", "Projection"], &[])?;
        let (partition_key, sort_key) = keys(node, kinds)?;
        Ok(Self {
            name: node.require("IndexName")?.text()?.to_owned(),
            partition_key,
            sort_key,
            projection: Projection::read(&node.require("Projection")?)?,
        })
    }

    fn body(&self) -> Value {
        json!({
            "IndexName": self.name,
            "KeySchema": key_schema(&self.partition_key, self.sort_key.as_ref()),
            "Projection": self.projection.body(),
        })
    }
}

impl Projection {
    fn read(node: &Node<'_>) -> Result<Self, TemplateError> {
        node.only(&["ProjectionType", "NonKeyAttributes"], &[])?;
        let mut included = Vec::new();
        if let Some(listed) = node.get("NonKeyAttributes")? {
            for attribute in listed.items()? {
                included.push(attribute.text()?.to_owned());
            }
        }
        let kind = node.require("ProjectionType")?;
        match (kind.text()?, included.is_empty()) {
            ("KEYS_ONLY", true) => Ok(Self::KeysOnly),
            ("ALL", true) => Ok(Self::All),
            ("INCLUDE", false) => Ok(Self::Include(included)),
            _ => Err(kind.expected("KEYS_ONLY, ALL, or INCLUDE with its attributes")),
        }
    }

    fn body(&self) -> Value {
        match self {
            Self::KeysOnly => json!({ "ProjectionType": "KEYS_ONLY" }),
            Self::All => json!({ "ProjectionType": "ALL" }),
            Self::Include(attributes) => {
                json!({ "ProjectionType": "INCLUDE", "NonKeyAttributes": attributes })
            }
        }
    }
}

fn attribute_kinds(properties: &Node<'_>) -> Result<BTreeMap<String, KeyKind>, TemplateError> {
    let mut kinds = BTreeMap::new();
    for definition in properties.require("AttributeDefinitions")?.items()? {
        definition.only(&["AttributeName", "AttributeType"], &[])?;
        let name = definition.require("AttributeName")?.text()?;
        let kind = KeyKind::read(&definition.require("AttributeType")?)?;
        kinds.insert(name.to_owned(), kind);
    }
    Ok(kinds)
}

/// Reads the `KeySchema` of a table or an index.
fn keys(owner: &Node<'_>, kinds: &BTreeMap<String, KeyKind>) -> Result<(Key, Option<Key>), TemplateError> {
    let schema = owner.require("KeySchema")?;
    let mut partition = None;
    let mut sort = None;
    for element in schema.items()? {
        element.only(&["AttributeName", "KeyType"], &[])?;
        let attribute = element.require("AttributeName")?;
        let name = attribute.text()?.to_owned();
        let Some(kind) = kinds.get(&name).copied() else {
            return Err(attribute.refuse(Refusal::UnknownReference(name)));
        };
        let role = element.require("KeyType")?;
        let place = match role.text()? {
            "HASH" => &mut partition,
            "RANGE" => &mut sort,
            _ => return Err(role.expected("HASH or RANGE")),
        };
        if place.replace(Key { name, kind }).is_some() {
            return Err(role.expected("one HASH and at most one RANGE"));
        }
    }
    match partition {
        Some(partition) => Ok((partition, sort)),
        None => Err(schema.expected("a HASH key")),
    }
}

fn ttl_attribute(properties: &Node<'_>) -> Result<Option<String>, TemplateError> {
    let Some(ttl) = properties.get("TimeToLiveSpecification")? else {
        return Ok(None);
    };
    ttl.only(&["AttributeName", "Enabled"], &[])?;
    if !ttl.require("Enabled")?.flag()? {
        return Ok(None);
    }
    Ok(Some(ttl.require("AttributeName")?.text()?.to_owned()))
}

fn key_schema(partition: &Key, sort: Option<&Key>) -> Value {
    let mut schema = vec![json!({ "AttributeName": partition.name, "KeyType": "HASH" })];
    if let Some(sort) = sort {
        schema.push(json!({ "AttributeName": sort.name, "KeyType": "RANGE" }));
    }
    Value::Array(schema)
}

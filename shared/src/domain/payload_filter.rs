//! Payload filters: the conditions that a subscription holds against the JSON payload of an event.
//!
//! A filter is read and compiled once, within limits; matching then looks values up and compares them, nothing more.

mod compare;
mod condition;
mod node;
mod parse;
mod path;

use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Value, json};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use self::node::Node;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

/// The longest filter, in bytes of JSON.
pub const MAX_FILTER_BYTES: usize = 8 * 1024;
/// How deep the objects of a filter may be nested, the filter itself being the first.
pub const MAX_FILTER_DEPTH: usize = 8;
/// The most conditions of one filter: literals and operators, not counting `$and`, `$or` and `$not`.
pub const MAX_CONDITIONS: usize = 100;
/// The most filters of one `$and` or `$or`.
pub const MAX_BRANCHES: usize = 20;
/// The most values of one `$in` or `$nin`.
pub const MAX_CHOICES: usize = 200;
/// The longest pattern of a `$regex`, in characters.
pub const MAX_PATTERN_CHARS: usize = 200;
/// The most regular expressions in one filter: each may go over all of a long text.
pub const MAX_PATTERNS: usize = 10;
/// The longest text that a `$regex` looks at, in bytes: a longer one does not match.
pub const MAX_SEARCHED_BYTES: usize = 64 * 1024;

/// Why a JSON value is no filter: the place in it and what is wrong there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PayloadFilterError(String);

/// Which payloads a subscription wants: a JSON object whose members must all hold.
///
/// A member is a field with what its value must be, or one of these:
///
/// | member | holds when |
/// |---|---|
/// | `$and: [filter, …]` | each of the 1 to 20 filters holds |
/// | `$or: [filter, …]` | one of the 1 to 20 filters holds |
/// | `$not: filter` | the filter does not hold |
///
/// A field is a name or a dotted path (`customer.address.city`). A segment names a member of an object; one that is a
/// number without leading zeros also indexes an array (`items.0.sku`). A path does not spread over the elements of an
/// array. Names that are empty, hold a dot or start with `$` cannot be addressed.
///
/// Under a field stands a literal, an object of operators that must all hold, or an object without `$` members, which
/// is a filter of what is at the field: `{"a": {"b": 1}}` is `{"a.b": 1}`.
///
/// | operator | operand | holds when the value |
/// |---|---|---|
/// | a literal, `$eq` | any JSON | is equal |
/// | `$neq` | any JSON | does not satisfy `$eq` |
/// | `$in` | 1 to 200 scalars | is equal to one of them |
/// | `$nin` | 1 to 200 scalars | does not satisfy `$in` |
/// | `$gt`, `$gte`, `$lt`, `$lte` | number or string | is of the same type and that much |
/// | `$exist` | boolean | is there (also as null), or is not |
/// | `$startsWith`, `$endsWith` | string | is a string that starts or ends so |
/// | `$regex` | pattern of at most 200 characters | is a string of at most 64 KiB with a match anywhere in it |
/// | `$not` | operators | does not satisfy them |
///
/// - **Numbers** are compared as numbers and exactly: `1` is `1.0`, and 2⁵³ + 1 is not 2⁵³. Integers beyond 64 bits
///   have become floating point before a filter sees them.
/// - **Strings** are ordered by code point. Booleans and null are equal or not; they have no order.
/// - **Different types** are neither equal nor ordered: only `$neq`, `$nin` and `$not` hold.
/// - **A missing field** satisfies only `$neq`, `$nin`, `$exist: false` and a `$not` of what it does not satisfy.
/// - **An array** satisfies a literal, `$eq`, `$in`, an order, `$startsWith`, `$endsWith` or `$regex` when it does so
///   itself or one of its elements does. Each operator picks its element alone.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Value")]
pub struct PayloadFilter {
    text: Value,
    root: Node,
}

impl PayloadFilter {
    /// Tells whether the filter takes `payload` in.
    ///
    /// Each condition looks once at the value of its field and, if that is an array, at each element.
    #[must_use]
    pub fn matches(&self, payload: &Value) -> bool {
        self.root.holds(Some(payload))
    }

    /// The JSON it was read from.
    #[must_use]
    pub fn text(&self) -> &Value {
        &self.text
    }
}

impl TryFrom<Value> for PayloadFilter {
    type Error = PayloadFilterError;

    fn try_from(text: Value) -> Result<Self, PayloadFilterError> {
        let root = parse::parse(&text)?;
        Ok(Self { text, root })
    }
}

// What is compiled follows from the text, and a compiled pattern cannot be compared.
impl PartialEq for PayloadFilter {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Serialize for PayloadFilter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.text.serialize(serializer)
    }
}

impl PartialSchema for PayloadFilter {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(true)))
            .description(Some(
                "Conditions on the payload that must all hold: fields or dotted paths with a literal or an object of \
                 $eq, $neq, $in, $nin, $gt, $gte, $lt, $lte, $exist, $startsWith, $endsWith, $regex and $not; $and, \
                 $or and $not join filters",
            ))
            .examples([json!({"customer.country": "CH", "amount": {"$gte": 100}})])
            .into()
    }
}

impl ToSchema for PayloadFilter {}

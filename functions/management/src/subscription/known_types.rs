//! Which events there can be for a subscription: what it names must be the type of some.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::try_join_all;
use hookport::aws::table::TableError;
use hookport::domain::cursor::{MAX_LIMIT, PageRequest};
use hookport::domain::event_type::{EventPattern, EventType};
use hookport::domain::event_type_definition::EventTypeDefinition;
use hookport::domain::own_event::OWN_EVENT_TYPES;
use hookport::domain::pack::PackName;
use hookport::domain::text::TenantSlug;
use serde_json::{Map, Value};

use crate::api::Api;
use crate::error::{Error, Result};

/// What a schema can say of its properties beyond `properties`: then nobody knows all of them.
const MORE_PROPERTIES: [&str; 6] = ["$ref", "allOf", "anyOf", "oneOf", "patternProperties", "if"];

/// Makes sure that each pattern takes in a type that there is: one of the gateway's own, of the tenant's event types,
/// or one that an inbound webhook makes events of.
///
/// The cheapest look comes first: none for own types, one read for each exact type, then lists for what is left.
pub(super) async fn check(api: &Api, tenant: &TenantSlug, patterns: &[&EventPattern]) -> Result<()> {
    let others: Vec<&EventPattern> = patterns.iter().copied().filter(|pattern| !takes_own_type(pattern)).collect();
    let unknown = not_defined(api, tenant, others).await?;
    let unknown = not_received(api, tenant, unknown).await?;
    match unknown.first() {
        None => Ok(()),
        Some(pattern) => Err(Error::UnknownEventType(String::from((*pattern).clone()))),
    }
}

fn takes_own_type(pattern: &EventPattern) -> bool {
    let mut own = OWN_EVENT_TYPES.iter().filter_map(|own| EventType::try_from(own.name.to_owned()).ok());
    own.any(|own| pattern.matches(&own))
}

/// Those that take in none of the tenant's event types.
async fn not_defined<'p>(
    api: &Api,
    tenant: &TenantSlug,
    patterns: Vec<&'p EventPattern>,
) -> std::result::Result<Vec<&'p EventPattern>, TableError> {
    let store = &api.app.store;
    let found = try_join_all(patterns.iter().map(|pattern| async move {
        match pattern {
            EventPattern::Exactly(event_type) => {
                store.event_type(tenant, event_type).await.map(|found| found.is_some())
            }
            EventPattern::All | EventPattern::Below(_) => Ok(false),
        }
    }))
    .await?;
    let mut unknown: Vec<_> =
        patterns.into_iter().zip(found).filter(|(_, is_found)| !is_found).map(|(pattern, _)| pattern).collect();
    let mut page = PageRequest { limit: MAX_LIMIT, after: None };
    while unknown.iter().any(|pattern| matches!(pattern, EventPattern::Below(_))) {
        let read = store.list_event_types(tenant, &page).await?;
        unknown.retain(|pattern| !read.items.iter().any(|definition| pattern.matches(&definition.event_type)));
        if read.next.is_none() {
            break;
        }
        page.after = read.next;
    }
    Ok(unknown)
}

/// Those that take in nothing that an inbound webhook of the tenant makes.
async fn not_received<'p>(
    api: &Api,
    tenant: &TenantSlug,
    mut unknown: Vec<&'p EventPattern>,
) -> std::result::Result<Vec<&'p EventPattern>, TableError> {
    let mut page = PageRequest { limit: MAX_LIMIT, after: None };
    while !unknown.is_empty() {
        let read = api.app.store.list_inbound_webhooks(tenant, &page).await?;
        unknown.retain(|pattern| !read.items.iter().any(|webhook| pattern.matches(&webhook.event_type)));
        if read.next.is_none() {
            break;
        }
        page.after = read.next;
    }
    Ok(unknown)
}

/// Makes sure that fields are chosen of entities that wanted events are about, and that the schemas of these events
/// have them. Where a wanted type has no schema that names its properties, any field may be chosen.
pub(super) async fn check_fields(
    api: &Api,
    tenant: &TenantSlug,
    patterns: &[EventPattern],
    choice: &BTreeMap<String, Option<Vec<String>>>,
) -> Result<()> {
    for (entity, fields) in choice {
        let prefix = PackName::try_from(entity.clone()).ok();
        let Some(prefix) = prefix.filter(|_| patterns.iter().any(|pattern| can_be_about(pattern, entity))) else {
            let rule = format!("{entity}: no event that is wanted has a type that begins with this word");
            return Err(Error::field("payload.fields", rule));
        };
        let Some(fields) = fields.as_ref().filter(|fields| !fields.is_empty()) else { continue };
        let definitions = api.app.store.event_types_of_pack(tenant, &prefix).await?;
        let wanted = definitions.iter().filter(|known| patterns.iter().any(|wanted| wanted.matches(&known.event_type)));
        let Some(known) = known_fields(wanted) else { continue };
        if let Some(field) = fields.iter().find(|field| !known.contains(*field)) {
            let rule = format!("{entity}.{field}: no schema of its event types has this property");
            return Err(Error::field("payload.fields", rule));
        }
    }
    Ok(())
}

/// Tells whether a pattern can take in a type that begins with this word.
fn can_be_about(pattern: &EventPattern, entity: &str) -> bool {
    let text = match pattern {
        EventPattern::All => return true,
        EventPattern::Below(prefix) => prefix.as_str(),
        EventPattern::Exactly(event_type) => event_type.as_str(),
    };
    text.split('.').next() == Some(entity)
}

/// Every field that these types may have, if all of them say which.
fn known_fields<'d>(definitions: impl Iterator<Item = &'d EventTypeDefinition>) -> Option<BTreeSet<String>> {
    let mut known = BTreeSet::new();
    for definition in definitions {
        known.extend(properties(definition.schema.as_ref()?)?.keys().cloned());
        // These ids are sent whatever is chosen, so choosing them is no mistake.
        let noun = definition.event_type.as_str().rsplit_once('.').map_or("", |(noun, _)| noun);
        known.extend(noun.split('.').map(|word| format!("{word}_id")));
        known.insert("id".to_owned());
    }
    (!known.is_empty()).then_some(known)
}

fn properties(schema: &Value) -> Option<&Map<String, Value>> {
    let schema = schema.as_object()?;
    if MORE_PROPERTIES.iter().any(|keyword| schema.contains_key(*keyword)) {
        return None;
    }
    schema.get("properties")?.as_object()
}

#[cfg(test)]
mod tests {
    use hookport::domain::id::EventTypeId;
    use jiff::Timestamp;
    use serde_json::json;

    use super::*;

    fn pattern(text: &str) -> EventPattern {
        EventPattern::try_from(text.to_owned()).unwrap()
    }

    fn definition(event_type: &str, schema: Option<Value>) -> EventTypeDefinition {
        let tenant = TenantSlug::try_from("acme".to_owned()).unwrap();
        let event_type = EventType::try_from(event_type.to_owned()).unwrap();
        let id = EventTypeId::new(Timestamp::UNIX_EPOCH, 7);
        EventTypeDefinition { schema, ..EventTypeDefinition::new(id, tenant, event_type, Timestamp::UNIX_EPOCH) }
    }

    /// A14: what the gateway tells of itself is known without a tenant's doing, and nothing that only looks like it is.
    #[test]
    fn a14_the_gateways_own_events_are_known() {
        for own in ["*", "subscription.*", "subscription.expired", "delivery.exhausted", "inbound_webhook.*"] {
            assert!(takes_own_type(&pattern(own)), "{own}");
        }
        for other in ["subscriptions.*", "subscription.paid", "invoice.*", "delivery.exhausted.late"] {
            assert!(!takes_own_type(&pattern(other)), "{other}");
        }
    }

    #[test]
    fn fields_can_be_chosen_of_what_a_pattern_can_be_about() {
        for (text, entity, expected) in [
            ("*", "ticket", true),
            ("ticket.*", "ticket", true),
            ("ticket.comment.added", "ticket", true),
            ("ticket.comment.*", "comment", false),
            ("tickets.*", "ticket", false),
        ] {
            assert_eq!(can_be_about(&pattern(text), entity), expected, "{text} {entity}");
        }
    }

    /// B18: the fields that are known are those of all schemas, with the ids that are always there.
    #[test]
    fn b18_fields_are_known_when_every_wanted_type_names_its_properties() {
        let created = definition("ticket.created", Some(json!({"properties": {"title": {}}})));
        let added = definition("ticket.comment.added", Some(json!({"properties": {"author": {}}})));
        let known = known_fields([&created, &added].into_iter()).unwrap();
        assert_eq!(known.iter().collect::<Vec<_>>(), ["author", "comment_id", "id", "ticket_id", "title"]);

        for open in [None, Some(json!({})), Some(json!({"properties": {}, "allOf": [{}]}))] {
            let open = definition("ticket.closed", open);
            assert_eq!(known_fields([&created, &open].into_iter()), None, "any field may be one of {:?}", open.schema);
        }
        assert_eq!(known_fields(std::iter::empty()), None);
    }
}

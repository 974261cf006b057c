//! `GET /api/v1/subscriptions`: lists the tenant's subscriptions.

use axum::Json;
use axum::extract::State;
use hookport::domain::cursor::{Cursor, Page, PageRequest};
use hookport::domain::event_facts::OwnerName;
use hookport::domain::event_type::EventType;
use hookport::domain::subscription::{self, Subscription};
use hookport::domain::text::TenantSlug;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{SubscriptionView, pinned};
use crate::api::Api;
use crate::caller::{Caller, Needs, SubscriptionRead};
use crate::error::{ErrorBody, Result};
use crate::extract::Params;
use crate::page::{Many, page};

/// How many pages are read for one that has something to show.
const STEPS: u32 = 10;
/// Sorts behind every id, so that a list, newest first, begins after it.
const BEHIND_ALL: &str = "~";

/// Which subscriptions are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SubscriptionQuery {
    /// Only those that were made on behalf of this owner.
    #[param(value_type = Option<String>)]
    owner: Option<OwnerName>,
    /// Only those in this state.
    #[param(inline)]
    state: Option<subscription::State>,
    /// Only those that want events of this type.
    #[param(value_type = Option<String>)]
    event_type: Option<EventType>,
    /// Only those that are narrowed to entities of this type.
    object_type: Option<String>,
    /// The most items to give. More than 100 are never given, and fewer than 1 are never asked for.
    #[param(default = 25)]
    limit: Option<u64>,
    /// Where to continue: the `next_cursor` of the page before.
    cursor: Option<String>,
}

impl SubscriptionQuery {
    fn wants(&self, subscription: &Subscription) -> bool {
        let settings = &subscription.settings;
        let object_type = settings.filter.object_type.as_deref();
        let is_wanted = |event_type: &EventType| settings.events.iter().any(|pattern| pattern.matches(event_type));
        self.state.is_none_or(|state| subscription.status.state == state)
            && self.event_type.as_ref().is_none_or(is_wanted)
            && self
                .object_type
                .as_ref()
                .is_none_or(|wanted| object_type.is_some_and(|own| own.eq_ignore_ascii_case(wanted)))
    }
}

/// Lists the tenant's subscriptions, newest first, without their secrets.
///
/// A token that is bound to an owner lists those of that owner. The operator's own subscription, where there is one, is
/// the first for everybody else. A page can have fewer items than were asked for, even none, and still have a next one.
#[utoipa::path(
    get,
    path = "/api/v1/subscriptions",
    operation_id = "listSubscriptions",
    tag = "subscriptions",
    security(("bearer" = [SubscriptionRead::PERMISSION])),
    params(SubscriptionQuery),
    responses(
        (status = 200, description = "The subscriptions.", body = Many<SubscriptionView>),
        (status = 400, description = "`invalid_request` or `invalid_cursor`: a parameter is wrong.", body = ErrorBody),
    ),
)]
pub(crate) async fn list(
    State(api): State<Api>,
    caller: Caller<SubscriptionRead>,
    Params(query): Params<SubscriptionQuery>,
) -> Result<Json<Many<SubscriptionView>>> {
    let page = page(query.limit, query.cursor.as_deref())?;
    if query.owner.is_some() && !caller.sees(query.owner.as_ref()) {
        return Ok(Json(Many::new(&page, Page { items: Vec::new(), next: None })));
    }
    let owner = query.owner.as_ref().or(caller.owner());
    let operators = match (owner, &page.after) {
        (None, None) => pinned(&api, caller.tenant()).filter(|pinned| query.wants(pinned)),
        (Some(_), _) | (_, Some(_)) => None,
    };
    let room = page.limit - usize::from(operators.is_some());
    let mut found = find(&api, caller.tenant(), owner, &query, PageRequest { limit: room, ..page.clone() }).await?;
    if let Some(operators) = operators {
        found.items.insert(0, operators);
    }
    Ok(Json(Many::new(&page, found.map(SubscriptionView::from))))
}

/// Reads on until there is something to show.
async fn find(
    api: &Api,
    tenant: &TenantSlug,
    owner: Option<&OwnerName>,
    query: &SubscriptionQuery,
    mut page: PageRequest,
) -> Result<Page<Subscription>> {
    let store = &api.app.store;
    if page.limit == 0 {
        return Ok(Page { items: Vec::new(), next: Some(Cursor::after(BEHIND_ALL)) });
    }
    for _ in 0..STEPS {
        let read = match owner {
            Some(owner) => store.list_subscriptions_of_owner(tenant, owner, &page).await?,
            None => store.list_subscriptions(tenant, &page).await?,
        };
        let items: Vec<_> = read.items.into_iter().filter(|found| query.wants(found)).collect();
        if !items.is_empty() || read.next.is_none() {
            return Ok(Page { items, next: read.next });
        }
        page.after = read.next;
    }
    Ok(Page { items: Vec::new(), next: page.after })
}

#[cfg(test)]
mod tests {
    use hookport::domain::subscription::{EventFilter, Settings};
    use http::Uri;

    use super::*;
    use crate::subscription::sample;

    fn query(text: &str) -> SubscriptionQuery {
        let uri: Uri = format!("/?{text}").parse().unwrap();
        axum::extract::Query::try_from_uri(&uri).unwrap().0
    }

    #[test]
    fn subscriptions_are_found_by_state_by_wanted_type_and_by_object_type() {
        let active = sample(subscription::State::Active, true);
        let filter = EventFilter { object_type: Some("Invoice".to_owned()), ..EventFilter::default() };
        let settings = Settings { filter, ..active.settings.clone() };
        let active = Subscription { settings, ..active };
        for (text, expected) in [
            ("", true),
            ("state=active", true),
            ("state=paused", false),
            ("event_type=invoice.paid", true),
            ("event_type=ticket.closed", false),
            ("object_type=invoice", true),
            ("object_type=ticket", false),
            ("state=active&event_type=invoice.paid&object_type=ticket", false),
        ] {
            assert_eq!(query(text).wants(&active), expected, "{text}");
        }
        assert!(!query("object_type=invoice").wants(&sample(subscription::State::Active, true)));
    }
}

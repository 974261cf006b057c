//! Which deliveries of a list are wanted.

use hookport::domain::cursor::{Page, PageRequest};
use hookport::domain::id::{InboundDeliveryId, InboundWebhookId};
use hookport::domain::inbound_delivery::{DispatchStatus, InboundDelivery, Period};
use hookport::domain::refusal::AuthStatus;
use hookport::domain::text::TenantSlug;
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::Api;
use crate::error::Result;
use crate::page::page;

/// Makes the query of a list with the members that all lists of deliveries have, behind those of its own.
macro_rules! queries {
    ($($(#[$doc:meta])* $name:ident { $($own:tt)* })+) => {$(
        $(#[$doc])*
        #[derive(Deserialize, IntoParams)]
        #[serde(deny_unknown_fields)]
        #[into_params(parameter_in = Query)]
        pub(crate) struct $name {
            $($own)*
            /// Only the delivery with this id.
            #[param(value_type = Option<String>)]
            id: Option<InboundDeliveryId>,
            /// Only those whose handling has come just so far.
            #[param(inline)]
            status: Option<DispatchStatus>,
            /// Only those whose proof was judged so. All deliveries are `verified`: for any other value the list is
            /// empty, and what was refused is in the log of refused requests.
            #[param(inline)]
            auth_status: Option<AuthStatus>,
            /// Only those that arrived at this time or later.
            #[param(value_type = Option<String>, format = DateTime)]
            date_from: Option<Timestamp>,
            /// Only those that arrived at this time or earlier.
            #[param(value_type = Option<String>, format = DateTime)]
            date_to: Option<Timestamp>,
            /// Only those with this idempotency key.
            idempotency_key: Option<String>,
            /// The most items to give. More than 100 are never given, and fewer than 1 are never asked for.
            #[param(default = 25)]
            limit: Option<u64>,
            /// Where to continue: the `next_cursor` of the page before.
            cursor: Option<String>,
        }

        impl $name {
            /// What is asked for, beyond the members of its own.
            pub(super) fn filter(self) -> Result<Filter> {
                Ok(Filter {
                    page: page(self.limit, self.cursor.as_deref())?,
                    id: self.id,
                    status: self.status,
                    auth_status: self.auth_status,
                    period: Period { from: self.date_from, to: self.date_to },
                    idempotency_key: self.idempotency_key,
                })
            }
        }
    )+};
}

queries! {
    /// Which deliveries of a webhook are wanted.
    InboundDeliveryQuery {}
    /// Which deliveries of a tenant are wanted.
    TenantDeliveryQuery {
        /// Only deliveries of this webhook.
        #[param(value_type = Option<String>)]
        pub(super) webhook: Option<InboundWebhookId>,
    }
}

/// Which deliveries are wanted.
pub(super) struct Filter {
    pub(super) page: PageRequest,
    id: Option<InboundDeliveryId>,
    status: Option<DispatchStatus>,
    auth_status: Option<AuthStatus>,
    period: Period,
    idempotency_key: Option<String>,
}

impl Filter {
    fn wants(&self, delivery: &InboundDelivery) -> bool {
        let key = self.idempotency_key.as_deref();
        self.status.is_none_or(|status| delivery.status == status)
            && key.is_none_or(|key| delivery.idempotency_key.as_deref() == Some(key))
    }

    /// Reads the page that is wanted of what these webhooks received.
    pub(super) async fn find(
        &self,
        api: &Api,
        tenant: &TenantSlug,
        webhooks: &[InboundWebhookId],
    ) -> Result<Page<InboundDelivery>> {
        let store = &api.app.store;
        if self.auth_status.is_some_and(|status| status != AuthStatus::Verified) {
            return Ok(Page { items: Vec::new(), next: None });
        }
        if let Some(id) = self.id {
            let found = store.inbound_delivery(tenant, id).await?.filter(|delivery| {
                webhooks.contains(&delivery.webhook_id)
                    && self.period.contains(delivery.received_at())
                    && self.wants(delivery)
            });
            return Ok(Page { items: found.into_iter().collect(), next: None });
        }
        Ok(store.find_inbound(tenant, webhooks, &self.page, self.period, |delivery| self.wants(delivery)).await?)
    }
}

//! The operator's own subscription: it stands in the deployment's configuration, needs no challenge, and gets what the
//! gateway tells of itself, for every tenant.

use hookport::app::App;
use hookport::dialect::{Key, Keys, catalogue};
use hookport::domain::event_type::EventType;
use hookport::domain::own_event::is_own;
use hookport::domain::subscription::pinned;
use hookport::domain::text::TenantSlug;

use crate::subscriptions::Ready;

/// The operator's subscription, if there is one and it wants events of this type.
pub(crate) fn wanting(app: &App, tenant: &TenantSlug, event_type: &EventType) -> Option<Ready> {
    if is_own(event_type) { ready(app, tenant) } else { None }
}

/// The operator's subscription as it stands in this tenant, if there is one.
pub(crate) fn ready(app: &App, tenant: &TenantSlug) -> Option<Ready> {
    let sink = app.config.pinned_sink.as_ref()?;
    // The secret was looked at when the configuration was read.
    let keys = Some(Keys::new(Key::new(sink.secret.clone()), None));
    let subscription = pinned(tenant.clone(), sink.url.clone());
    Some(Ready { subscription, keys, dialect: Some(catalogue::standard()), also: Vec::new(), auth: None })
}

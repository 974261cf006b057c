//! Reads the newest deliveries of a subscription, for whoever adds them up.

use hookport::domain::cursor::PageRequest;
use hookport::domain::delivery::Delivery;
use hookport::domain::subscription::Subscription;
use jiff::Timestamp;

use crate::api::Api;
use crate::error::Result;

/// How many are read at once.
const AT_ONCE: usize = 250;

/// The newest deliveries of a subscription, newest first: at most `most`, and none that was made before `since`. Tells
/// whether that was all of them.
///
/// `enough` may end it earlier; it sees what was read so far.
pub(crate) async fn newest(
    api: &Api,
    subscription: &Subscription,
    most: usize,
    since: Timestamp,
    enough: impl Fn(&[Delivery]) -> bool,
) -> Result<(Vec<Delivery>, bool)> {
    let ids = [subscription.id];
    let mut page = PageRequest { limit: AT_ONCE.min(most), after: None };
    let mut found: Vec<Delivery> = Vec::new();
    loop {
        let read = api.app.store.list_deliveries(&subscription.tenant, &ids, &page, |_| true).await?;
        let older = read.items.iter().position(|delivery| delivery.id.created_at() < since);
        found.extend(read.items.into_iter().take(older.unwrap_or(usize::MAX)));
        if older.is_some() || read.next.is_none() {
            return Ok((found, true));
        }
        if found.len() >= most || enough(&found) {
            return Ok((found, false));
        }
        page = PageRequest { limit: AT_ONCE.min(most - found.len()), after: read.next };
    }
}

//! Captures the first proven request of an open window as the webhook's sample.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use hookport::app::App;
use hookport::domain::id::{InboundDeliveryId, InboundWebhookId};
use hookport::domain::inbound_webhook::InboundWebhook;
use hookport::domain::sample::Sample;
use hookport::domain::time::PATIENCE;
use hookport::proof::examine;
use hookport::vault::Owner;
use jiff::Timestamp;
use serde_json::Value;
use tracing::{info, warn};

use crate::endpoint::Endpoint;
use crate::{Arrived, Receiver};

/// The largest body that is examined here, in bytes; larger ones can be shown to the management API.
const MAX_EXAMINED_BYTES: usize = 64 * 1024;
/// How many requests are examined for one arming.
const MOST_EXAMINED: u32 = 3;
/// How many armings are remembered.
const MOST_ARMED: usize = 1_000;

/// How many requests were examined for the armings of this instance.
pub(crate) type Examined = Mutex<HashMap<(InboundWebhookId, Timestamp), u32>>;

impl Receiver {
    fn may_examine(&self, webhook: &InboundWebhook, armed: Timestamp) -> bool {
        let mut examined = self.examined.lock().unwrap_or_else(PoisonError::into_inner);
        if examined.len() >= MOST_ARMED {
            examined.clear();
        }
        let count = examined.entry((webhook.id, armed)).or_default();
        *count += 1;
        *count <= MOST_EXAMINED
    }

    /// What the signature doctor says of a request that did not prove itself, while its webhook waits for a sample.
    ///
    /// It costs some milliseconds of a stranger's wait, in the few minutes in which an admin looks at this webhook and at
    /// no other time.
    pub(crate) async fn examined(&self, endpoint: &Endpoint, arrived: &Arrived) -> Option<Value> {
        let webhook = &endpoint.webhook;
        let armed = webhook.capture_until.filter(|end| arrived.at < *end)?;
        if arrived.request.body().len() > MAX_EXAMINED_BYTES || !self.may_examine(webhook, armed) {
            return None;
        }
        let owner = Owner::new(&webhook.tenant, webhook.id);
        let evidence = self.evidence(arrived);
        match examine(&webhook.auth, &self.app.vault, &owner, &evidence, &[]).await {
            Ok(diagnosis) => serde_json::to_value(diagnosis?).ok(),
            Err(error) => {
                warn!(webhook.id = %webhook.id, %error, "inbound.not_examined");
                None
            }
        }
    }
}

/// Names a request that was just kept as the sample of its webhook, if the webhook waits for one.
///
/// Best effort, and never in the way: nothing is read for it, nothing at all is done for a webhook that is not armed,
/// and the sender's answer does not depend on it.
pub(crate) async fn capture(app: &App, webhook: &InboundWebhook, arrived: &Arrived, id: InboundDeliveryId) {
    let Some(window_ends_at) = webhook.capture_until.filter(|end| arrived.at < *end) else { return };
    let sample = Sample { delivery_id: id, window_ends_at, captured_at: arrived.at };
    let naming = app.store.put_sample(&webhook.tenant, webhook.id, &sample);
    match tokio::time::timeout(PATIENCE, naming).await {
        Ok(Ok(true)) => info!(tenant = %webhook.tenant, webhook.id = %webhook.id, delivery.id = %id, "sample.captured"),
        // Another request was first.
        Ok(Ok(false)) => {}
        Ok(Err(error)) => warn!(webhook.id = %webhook.id, delivery.id = %id, %error, "sample.lost"),
        Err(_) => warn!(webhook.id = %webhook.id, delivery.id = %id, error = "patience", "sample.lost"),
    }
}

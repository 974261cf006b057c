//! Captures the first proven request of an open window as the webhook's sample.

use hookport::app::App;
use hookport::domain::id::InboundDeliveryId;
use hookport::domain::inbound_webhook::InboundWebhook;
use hookport::domain::sample::Sample;
use hookport::domain::time::PATIENCE;
use hookport::proof::examine;
use hookport::vault::Owner;
use serde_json::Value;
use tracing::{info, warn};

use crate::endpoint::Endpoint;
use crate::{Arrived, Receiver};

impl Receiver {
    /// What the signature doctor says of a request that did not prove itself, while its webhook waits for a sample.
    ///
    /// It costs some milliseconds of a stranger's wait, in the few minutes in which an admin looks at this webhook and at
    /// no other time.
    pub(crate) async fn examined(&self, endpoint: &Endpoint, arrived: &Arrived) -> Option<Value> {
        let webhook = &endpoint.webhook;
        webhook.capture_until.filter(|end| arrived.at < *end)?;
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

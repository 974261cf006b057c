//! Gives a webhook the secret that a handshake brought. The receiver may change no configuration, so it keeps the
//! secret, sealed, in the row of the handshake; the row is the promise, and this keeps it.

use hookport::domain::inbound_delivery::InboundDelivery;
use hookport::domain::inbound_webhook::{InboundWebhook, Proof, SchemeProof, Secrets};
use hookport::store::CreateError;
use hookport::vault::Sealed;
use jiff::Timestamp;
use tracing::info;

use crate::{Dispatcher, Trouble};

/// How often a change is tried when others change the webhook at the same time.
const TRIES: u32 = 3;

impl Dispatcher {
    /// Makes the secret of a handshake that of its webhook, if the webhook still waits for one, and ends the row.
    pub(crate) async fn adopt_secret(&self, handshake: &InboundDelivery, learned: &Sealed) -> Result<(), Trouble> {
        let store = &self.app.store;
        let (tenant, id) = (&handshake.tenant, handshake.webhook_id);
        for _ in 0..TRIES {
            let before = store.inbound_webhook(tenant, id).await?;
            // Deleted, or it has one by now: ours from an earlier try, or an admin's.
            let now = self.app.clock.now();
            let change = before.and_then(|before| Some((with_secret(&before, handshake, learned, now)?, before)));
            let Some((after, before)) = change else {
                store.end_handshake(tenant, handshake.id).await?;
                return Ok(());
            };
            match store.update_inbound_webhook(&before, &after).await {
                Ok(()) => {
                    info!(%tenant, webhook.id = %id, delivery.id = %handshake.id, "webhook.secret_learned");
                    store.end_handshake(tenant, handshake.id).await?;
                    return Ok(());
                }
                Err(CreateError::Exists) => {}
                Err(CreateError::Table(error)) => return Err(error.into()),
            }
        }
        Err(Trouble::Contended)
    }
}

/// The next version of the webhook, with this secret; `None` when it does not wait for one.
fn with_secret(
    webhook: &InboundWebhook,
    from: &InboundDelivery,
    learned: &Sealed,
    now: Timestamp,
) -> Option<InboundWebhook> {
    // It may have become another provider's since.
    let name = &from.handshake.as_ref()?.name;
    webhook.handshakes.iter().find(|handshake| handshake.learn.is_some() && handshake.name == *name)?;
    let mut webhook = webhook.clone();
    let waiting = webhook.auth.proofs.iter_mut().find_map(|proof| match proof {
        Proof::Scheme(proof) if SchemeProof::waits_for_secret(proof) => Some(proof),
        _ => None,
    })?;
    waiting.secret = Some(Secrets::new(learned.clone()));
    waiting.learned_at = Some(now);
    Some(InboundWebhook { version: webhook.version + 1, updated_at: now, ..webhook })
}

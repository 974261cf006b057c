//! Who signs for a delivery: whoever holds the secret of its subscription.

use hookport::domain::delivery::Delivery;
use hookport::domain::id::{DeliveryId, SubscriptionId};
use hookport::signature::callback::{CallbackRefusal, verify};
use hookport::vault::Owner;
use http::HeaderMap;
use secrecy::SecretString;

use crate::api::Api;
use crate::error::{Error, Result};

/// The headers that hold signatures.
const SIGNATURES: [&str; 3] = ["x-webhook-signature", "x-hub-signature-256", "webhook-signature"];

/// Tells whether a request says that it is signed.
pub(super) fn is_signed(headers: &HeaderMap) -> bool {
    SIGNATURES.iter().any(|name| headers.contains_key(*name))
}

/// Finds a delivery for a request whose signature over `content` was made with a secret of its subscription.
pub(super) async fn signed_for(api: &Api, headers: &HeaderMap, content: &[u8], id: DeliveryId) -> Result<Delivery> {
    if !is_signed(headers) {
        return Err(CallbackRefusal::Missing.into());
    }
    let now = api.app.clock.now();
    let delivery = api.app.store.published_delivery(id, now).await?.ok_or(Error::DeliveryNotFound)?;
    let secrets = secrets(api, &delivery).await?.ok_or(Error::DeliveryNotFound)?;
    verify(&secrets, headers, content, now)?;
    Ok(delivery)
}

/// The secrets that sign for a delivery now; `None` when its subscription is gone.
async fn secrets(api: &Api, delivery: &Delivery) -> Result<Option<Vec<SecretString>>> {
    if delivery.subscription_id == SubscriptionId::PINNED {
        return Ok(api.app.config.pinned_sink.as_ref().map(|sink| vec![sink.secret.clone()]));
    }
    let found = api.app.store.subscription(&delivery.tenant, delivery.subscription_id).await?;
    let Some(subscription) = found else { return Ok(None) };
    let now = api.app.clock.now();
    let owner = Owner::new(&subscription.tenant, subscription.id);
    let mut secrets = vec![api.app.vault.open(&subscription.secret, &owner, now).await?];
    if let Some(previous) = subscription.previous_secret.filter(|previous| now < previous.until) {
        secrets.push(api.app.vault.open(&previous.secret, &owner, now).await?);
    }
    Ok(Some(secrets))
}

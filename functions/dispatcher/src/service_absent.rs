//! Attempts whose target is a service of the operator's cloud, in a program that was built without the SDKs for them.

use hookport::domain::delivery::Delivery;
use hookport::egress::OutgoingRequest;

use crate::Dispatcher;
use crate::attempt::{End, TRY_AGAIN, here};
use crate::event::Event;
use crate::subscriptions::Ready;

impl Dispatcher {
    /// Says that this program sends to no service. Another that does may follow before the schedule is over.
    pub(crate) async fn sent_to_service(&self, _: OutgoingRequest, _: &Delivery, _: Option<&Event>, _: &Ready) -> End {
        here("target_not_built_in", "the gateway was built without its services", TRY_AGAIN)
    }
}

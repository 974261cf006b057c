use proptest::prelude::*;

use super::*;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).expect("a time in range")
}

#[test]
fn an_id_reads_back_from_its_text() {
    let id = InboundWebhookId::new(at(1_790_000_000_000), 0x1234_5678_9abc_def0_1122_3344_5566_7788);
    let text = id.to_string();
    assert!(text.starts_with("inw_") && text.len() == 30, "{text}");
    assert_eq!(text.parse(), Ok(id));
    assert_eq!(InboundWebhookId::from_suffix(&id.suffix()), Ok(id));
    assert_eq!(InboundWebhookId::from_bytes(id.to_bytes()), id);
    assert_eq!(id.created_at(), at(1_790_000_000_000));
}

#[test]
fn another_prefix_or_alphabet_is_refused() {
    let text = SubscriptionId::new(at(1), 7).to_string();
    assert!(text.parse::<InboundWebhookId>().is_err());
    assert!(text.to_uppercase().parse::<SubscriptionId>().is_err());
    assert!("sub_".parse::<SubscriptionId>().is_err());
    assert!("sub_zzzzzzzzzzzzzzzzzzzzzzzzzz".parse::<SubscriptionId>().is_err());
    assert!("sub_0000000000000000000000000u".parse::<SubscriptionId>().is_err());
}

#[test]
fn a_delivery_carries_the_handle_of_its_webhook() {
    let webhook = InboundWebhookId::new(at(5), 0xfeed_beef_1234_5678);
    let delivery = InboundDeliveryId::new(at(9), webhook, u128::MAX);
    assert_eq!(delivery.handle(), webhook.handle());
    assert_eq!(delivery.created_at(), at(9));
    assert_eq!(EventId::from(delivery).handle(), webhook.handle());
    assert_eq!(InboundDeliveryId::from(EventId::from(delivery)), delivery);
}

#[test]
fn a_derived_id_is_the_same_every_time_and_differs_by_parent_and_child() {
    let webhook = InboundWebhookId::new(at(5), 1);
    let event = EventId::from(InboundDeliveryId::new(at(9), webhook, 3));
    let other = EventId::from(InboundDeliveryId::new(at(9), webhook, 4));
    let one = SubscriptionId::new(at(5), 11);
    let two = SubscriptionId::new(at(5), 12);
    assert_eq!(DeliveryId::derive(event, one), DeliveryId::derive(event, one));
    assert_ne!(DeliveryId::derive(event, one), DeliveryId::derive(event, two));
    assert_ne!(DeliveryId::derive(event, one), DeliveryId::derive(other, one));
    assert_eq!(DeliveryId::derive(event, one).handle(), one.handle());
    assert_eq!(DeliveryId::derive(event, one).created_at(), at(9));
}

proptest! {
    #[test]
    fn ids_sort_by_time_in_text_as_in_value(a in 0i64..4_000_000_000_000, b in 0i64..4_000_000_000_000, r in any::<u128>()) {
        let (x, y) = (SubscriptionId::new(at(a), r), SubscriptionId::new(at(b), r));
        prop_assert_eq!(a.cmp(&b), x.to_string().cmp(&y.to_string()));
        prop_assert_eq!(a.cmp(&b), x.cmp(&y));
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in ".{0,40}") {
        let _ = text.parse::<EventId>();
        let _ = EventId::from_suffix(&text);
    }
}

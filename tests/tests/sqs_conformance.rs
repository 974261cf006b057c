//! The same checks of SQS on the embedded stand-in and on an emulator written by others.
//!
//! The emulator is found at `HOOKPORT_EMULATOR_URL`; without it only the stand-in is checked. What the emulator is known
//! to do otherwise than AWS is listed in `EMULATOR_DEVIATES` and checked on the stand-in alone.

#[path = "sqs_conformance/batches.rs"]
mod batches;
#[path = "sqs_conformance/deleting.rs"]
mod deleting;
#[path = "sqs_conformance/polling.rs"]
mod polling;
#[path = "sqs_conformance/queues.rs"]
mod queues;
#[path = "sqs_conformance/receiving.rs"]
mod receiving;
#[path = "sqs_conformance/sending.rs"]
mod sending;
#[path = "sqs_conformance/visibility.rs"]
mod visibility;
#[path = "sqs_conformance/world.rs"]
mod world;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderMap, Response};
use hookport_local::sqs::Sqs;
use tokio::net::TcpListener;

use self::world::World;

/// Serves the stand-in on loopback and gives its base URL.
async fn serve(sqs: Sqs) -> String {
    let answer = move |headers: HeaderMap, body: Bytes| {
        let sqs = sqs.clone();
        async move {
            let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
            let operation = target.and_then(|target| target.strip_prefix("AmazonSQS."));
            let answer = sqs.handle(operation.expect("an operation of SQS"), &body).await;
            let mut response = Response::builder().status(answer.status);
            if let Some(code) = answer.query_error {
                response = response.header("x-amzn-query-error", code);
            }
            response.body(Body::from(answer.body)).expect("the parts are valid")
        }
    };
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let address = listener.local_addr().expect("a bound port");
    let app = Router::new().fallback(answer).layer(DefaultBodyLimit::disable());
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://{address}")
}

/// Checks that the emulator, `ministack` 1.5.33, is known to fail, and what it does instead.
const EMULATOR_DEVIATES: &[(&str, &str)] = &[
    ("an_attribute_without_a_value_is_refused", "takes the message"),
    ("a_delay_over_fifteen_minutes_is_refused", "takes any delay"),
    ("a_poll_over_twenty_seconds_is_refused", "waits as long as it is told"),
    ("a_message_hidden_at_its_receipt_for_over_twelve_hours_is_refused", "hides it for any time"),
    ("a_visibility_over_twelve_hours_is_refused", "hides it for any time"),
    ("deleting_twice_is_no_error", "answers ReceiptHandleIsInvalid"),
    ("deleting_by_an_older_handle_is_no_error", "answers ReceiptHandleIsInvalid"),
    ("a_batch_deletes_what_is_gone_without_an_error", "answers ReceiptHandleIsInvalid for the entry"),
    ("a_visible_message_has_no_visibility_to_change", "changes it"),
    ("an_unknown_attribute_is_refused", "leaves it out"),
    ("a_queue_with_an_illegal_name_is_refused", "creates it"),
    ("a_queue_is_purged_once_a_minute", "purges it each time"),
];

fn deviates(check: &str) -> Option<&'static str> {
    let known = EMULATOR_DEVIATES.iter().find(|(name, _)| *name == check);
    known.map(|(_, instead)| *instead)
}

macro_rules! conformance {
    ($($subject:ident: $($check:ident),+;)+) => {
        mod embedded {
            $($(
                #[tokio::test]
                async fn $check() {
                    super::$subject::$check(&super::World::embedded().await).await;
                }
            )+)+
        }

        mod emulator {
            $($(
                #[tokio::test]
                async fn $check() {
                    if let Some(instead) = super::deviates(stringify!($check)) {
                        eprintln!("skipped: the emulator {instead}");
                    } else if let Some(world) = super::World::emulator() {
                        super::$subject::$check(&world).await;
                    } else {
                        eprintln!("skipped: HOOKPORT_EMULATOR_URL is not set");
                    }
                }
            )+)+
        }

        const CHECKS: &[&str] = &[$($(stringify!($check)),+),+];
    };
}

conformance! {
    sending:
        a_sent_message_is_received_as_it_was,
        the_attributes_of_a_message_are_told_when_asked_for,
        an_attribute_without_a_value_is_refused,
        an_empty_body_is_refused,
        a_control_character_is_refused,
        a_body_of_one_mebibyte_is_taken,
        a_body_over_one_mebibyte_is_refused,
        a_queue_may_take_smaller_bodies_only,
        a_delayed_message_appears_after_its_delay,
        a_queue_delays_all_its_messages,
        a_message_may_waive_its_queues_delay,
        a_delay_over_fifteen_minutes_is_refused;
    receiving:
        an_empty_queue_gives_nothing,
        a_message_is_hidden_while_in_flight,
        a_message_comes_back_after_its_visibility_timeout,
        a_receive_may_set_its_own_visibility_timeout,
        each_receive_is_counted_and_has_its_own_handle,
        times_are_told_when_asked_for,
        nothing_is_told_that_was_not_asked_for,
        one_message_is_received_unless_more_are_asked_for,
        more_than_ten_messages_cannot_be_asked_for,
        a_message_hidden_at_its_receipt_for_over_twelve_hours_is_refused;
    polling:
        a_long_poll_wakes_when_a_message_arrives,
        a_long_poll_sees_a_delayed_message_become_visible,
        a_long_poll_wakes_when_a_message_is_given_back,
        a_long_poll_of_an_empty_queue_ends,
        a_queue_may_make_every_receive_a_long_poll,
        a_poll_over_twenty_seconds_is_refused;
    deleting:
        a_deleted_message_never_comes_back,
        deleting_twice_is_no_error,
        deleting_by_an_older_handle_is_no_error,
        a_malformed_handle_is_refused,
        a_purge_deletes_every_message,
        a_queue_is_purged_once_a_minute;
    visibility:
        a_visibility_of_zero_gives_a_message_back_at_once,
        a_longer_visibility_keeps_a_message_hidden,
        an_older_handle_no_longer_changes_visibility,
        a_deleted_message_has_no_visibility_to_change,
        a_visible_message_has_no_visibility_to_change,
        a_visibility_over_twelve_hours_is_refused,
        a_message_received_too_often_becomes_a_dead_letter;
    batches:
        a_batch_sends_ten_messages,
        one_bad_message_fails_alone,
        each_message_of_a_batch_has_its_own_delay,
        an_empty_batch_is_refused,
        eleven_entries_are_refused,
        repeated_ids_are_refused,
        an_illegal_id_is_refused,
        a_batch_of_one_mebibyte_is_taken,
        a_batch_over_one_mebibyte_is_refused,
        a_batch_deletes_what_it_can,
        a_batch_deletes_what_is_gone_without_an_error,
        a_batch_changes_the_visibility_it_can;
    queues:
        a_queue_is_found_by_its_name,
        a_queue_that_does_not_exist_is_told,
        creating_a_queue_again_gives_the_same_queue,
        creating_a_queue_again_with_other_settings_is_refused,
        settings_are_told_as_they_were_given,
        only_the_asked_attributes_are_told,
        an_unknown_attribute_is_refused,
        a_setting_out_of_range_is_refused,
        a_redrive_policy_needs_an_existing_queue,
        a_queue_with_an_illegal_name_is_refused,
        messages_are_counted_by_what_can_be_done_with_them;
}

#[test]
fn every_known_deviation_names_a_check() {
    for (name, _) in EMULATOR_DEVIATES {
        assert!(CHECKS.contains(name), "{name} is not a check");
    }
}

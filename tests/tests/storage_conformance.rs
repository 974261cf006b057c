//! The same checks of the store on the embedded stand-in and on an emulator written by others.
//!
//! The emulator is found at `HOOKPORT_EMULATOR_URL`; without it only the stand-in is checked. What the emulator is known
//! to do otherwise than AWS is listed in `EMULATOR_DEVIATES` and checked on the stand-in alone. Each check has tables of
//! its own, made by the requests that the template stands for.

#[path = "storage_conformance/attempts.rs"]
mod attempts;
#[path = "storage_conformance/breakers.rs"]
mod breakers;
#[path = "storage_conformance/claims.rs"]
mod claims;
#[path = "storage_conformance/deliveries.rs"]
mod deliveries;
#[path = "storage_conformance/deny_rules.rs"]
mod deny_rules;
#[path = "storage_conformance/due.rs"]
mod due;
#[path = "storage_conformance/ending.rs"]
mod ending;
#[path = "storage_conformance/held.rs"]
mod held;
#[path = "storage_conformance/keeping.rs"]
mod keeping;
#[path = "storage_conformance/lanes.rs"]
mod lanes;
#[path = "storage_conformance/lists.rs"]
mod lists;
#[path = "storage_conformance/moves.rs"]
mod moves;
#[path = "storage_conformance/owners.rs"]
mod owners;
#[path = "storage_conformance/slots.rs"]
mod slots;
#[path = "storage_conformance/subscribed.rs"]
mod subscribed;
#[path = "storage_conformance/subscriptions.rs"]
mod subscriptions;
#[path = "storage_conformance/table.rs"]
mod table;
#[path = "storage_conformance/tenants.rs"]
mod tenants;
#[path = "storage_conformance/tokens.rs"]
mod tokens;
#[path = "storage_conformance/upkeep.rs"]
mod upkeep;
#[path = "storage_conformance/values.rs"]
mod values;
#[path = "storage_conformance/webhooks.rs"]
mod webhooks;
#[path = "storage_conformance/world.rs"]
mod world;

use self::world::World;

/// Checks that the emulator, `ministack` 1.5.33, is known to fail, and what it does instead. There is none yet.
const EMULATOR_DEVIATES: &[(&str, &str)] = &[];

fn deviates(check: &str) -> Option<&'static str> {
    let known = EMULATOR_DEVIATES.iter().find(|(name, _)| *name == check);
    known.map(|(_, instead)| *instead)
}

// Several threads, because checks of races spawn what races.
macro_rules! conformance {
    ($($subject:ident: $($check:ident),+;)+) => {
        mod embedded {
            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $check() {
                    super::$subject::$check(&super::World::embedded().await).await;
                }
            )+)+
        }

        mod emulator {
            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $check() {
                    if let Some(instead) = super::deviates(stringify!($check)) {
                        eprintln!("skipped: the emulator {instead}");
                    } else if let Some(world) = super::World::emulator().await {
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
    claims:
        a_free_key_is_taken,
        the_loser_of_a_key_is_told_the_winner,
        a_claim_made_again_by_its_own_request_is_still_ours,
        a_key_is_free_again_exactly_when_its_window_ends,
        keys_of_other_webhooks_and_tenants_are_others,
        one_of_thirty_two_claims_at_once_wins,
        one_of_thirty_two_claims_of_a_key_that_is_free_again_wins;
    keeping:
        a_request_is_kept_once_under_its_id,
        the_same_writer_again_has_kept_it,
        a_kept_row_reads_back_as_it_was,
        what_was_never_kept_is_not_there,
        a_small_request_is_kept_in_its_row,
        a_request_of_two_mebibytes_comes_back_byte_for_byte,
        a_later_writers_parts_do_not_mix_with_the_first_ones,
        two_writers_at_once_keep_one_whole_request,
        a_row_outlives_the_parts_of_its_request;
    ending:
        an_ended_request_is_not_due_any_more,
        an_end_keeps_the_subscriptions,
        ending_again_changes_nothing,
        ending_what_was_never_kept_makes_nothing,
        a_noted_fan_out_reads_back_and_stays_due,
        an_end_without_subscriptions_keeps_the_noted_ones,
        nothing_is_noted_after_the_end;
    due:
        only_what_is_due_is_named_the_oldest_first,
        due_times_are_ordered_as_numbers,
        what_has_no_due_time_is_not_named,
        each_shard_names_its_own,
        no_more_is_named_than_was_asked_for,
        a_delivery_that_waits_is_named_too,
        what_the_index_named_is_read_from_its_row,
        pushed_by_many_at_once_it_moves_once,
        each_push_is_counted,
        a_push_after_the_end_changes_nothing,
        what_is_not_pending_cannot_be_pushed,
        a_stuck_request_leaves_the_index,
        a_stuck_delivery_is_exhausted_and_leaves_the_index,
        what_moved_meanwhile_is_not_marked_stuck;
    deliveries:
        a_new_delivery_is_its_makers,
        a_delivery_that_exists_comes_back,
        a_delivery_made_again_by_its_own_maker_is_still_new,
        a_recorded_delivery_is_new_to_nobody,
        one_of_many_makers_at_once_gets_a_delivery,
        every_kind_of_outcome_reads_back,
        where_each_attempt_went_reads_back,
        an_attempt_that_went_nowhere_has_no_url_whatever_the_one_before_had,
        every_state_reads_back,
        every_kind_of_delivery_reads_back,
        what_a_target_told_reads_back,
        a_delivery_is_put_only_where_nothing_is,
        a_delivery_whose_id_was_published_is_found_by_it_alone,
        a_hundred_deliveries_of_an_event_are_read_together,
        only_the_deliveries_that_exist_are_read,
        more_than_a_hundred_deliveries_are_not_read_together;
    attempts:
        a_delivery_that_is_not_due_cannot_be_claimed,
        a_due_delivery_is_claimed_and_comes_back,
        one_of_many_claims_at_once_wins,
        a_claim_made_again_by_its_owner_is_ours_and_counts_once,
        a_claim_counts_the_redrives_anew,
        a_lease_that_ran_out_comes_back_as_lost,
        the_first_attempts_lease_can_be_lost_too,
        what_ended_cannot_be_claimed,
        a_delivery_that_waited_for_another_reason_is_claimed_like_any,
        a_delivery_that_is_kept_cannot_be_claimed,
        a_target_that_answers_later_is_silent_once_its_time_is_over,
        claiming_what_does_not_exist_makes_nothing,
        a_delivery_keeps_every_attempt_of_its_life,
        an_attempt_recorded_again_is_recorded_once,
        an_attempt_is_recorded_by_its_owner_alone,
        a_sender_that_lost_its_lease_records_nothing,
        recording_an_attempt_of_nothing_makes_nothing,
        a_delivered_delivery_leaves_the_index;
    moves:
        a_delivery_that_waits_is_cancelled,
        a_delivery_that_is_kept_is_due_once_it_is_let_go,
        a_move_made_again_is_made,
        a_move_after_a_claim_changes_nothing,
        a_move_after_another_changes_nothing,
        one_of_many_moves_at_once_is_made,
        a_push_stands_in_the_way_of_no_move,
        moving_what_does_not_exist_makes_nothing,
        what_a_target_tells_moves_its_delivery,
        an_attempt_that_was_put_back_is_taken_once_more;
    held:
        what_is_kept_comes_in_the_order_of_its_events,
        what_is_noted_again_is_kept_once,
        what_is_forgotten_is_kept_no_more,
        each_subscription_has_its_own_that_is_kept,
        undecided_events_are_counted_since_the_state_began,
        undecided_events_at_once_are_each_counted;
    lanes:
        a_lane_comes_in_the_order_of_its_events,
        what_is_noted_again_stands_in_its_lane_once,
        lanes_are_found_however_much_stands_in_them,
        a_delivery_keeps_its_lane_and_has_no_due_time;
    lists:
        a_webhooks_requests_are_listed_newest_first,
        pages_of_requests_have_no_gaps_and_no_repeats,
        a_request_that_comes_meanwhile_shifts_no_page,
        requests_of_a_webhook_with_the_same_handle_are_left_out,
        several_webhooks_are_listed_together,
        requests_that_are_not_wanted_leave_no_short_page,
        a_subscriptions_deliveries_are_listed_newest_first,
        pages_of_deliveries_have_no_gaps_and_no_repeats,
        deliveries_of_a_subscription_with_the_same_handle_are_left_out,
        several_subscriptions_are_listed_together,
        no_subscriptions_have_no_deliveries,
        deliveries_that_are_not_wanted_leave_no_short_page,
        rows_of_another_tenant_are_never_listed;
    webhooks:
        a_webhook_is_found_by_its_id_and_by_its_slug,
        a_taken_slug_stores_nothing_of_the_webhook,
        one_of_many_webhooks_at_once_gets_a_slug,
        a_slug_of_another_tenant_is_free,
        a_webhook_is_found_by_the_hash_of_its_key,
        a_changed_webhook_is_found_everywhere,
        every_version_of_a_webhook_is_kept,
        a_change_of_an_older_version_is_refused,
        a_moved_slug_leaves_the_old_one_free,
        a_move_to_a_taken_slug_changes_nothing,
        a_deleted_webhook_is_found_nowhere_and_its_id_is_remembered,
        a_deleted_webhooks_key_opens_nothing,
        webhooks_are_listed_newest_first_by_pages;
    tokens:
        a_token_is_found_by_its_hash,
        a_token_with_a_taken_hash_is_not_stored,
        a_deleted_token_is_found_no_more,
        deleting_a_token_that_does_not_exist_says_so,
        tokens_are_listed_newest_first_by_pages;
    tenants:
        a_tenant_comes_with_its_first_token,
        an_unknown_tenant_is_not_there,
        a_tenant_that_exists_is_left_as_it_is,
        a_tenant_whose_token_is_taken_is_not_stored,
        the_directory_names_each_tenant_once;
    subscriptions:
        a_subscription_reads_back_as_it_was,
        each_change_of_the_subscriptions_raises_the_tenants_version,
        a_taken_id_raises_no_version,
        a_subscription_made_again_by_the_same_call_is_made,
        a_subscription_needs_its_tenant,
        a_changed_subscription_reads_back,
        a_change_made_again_is_made,
        a_change_of_an_older_version_of_a_subscription_is_a_conflict,
        one_of_many_changes_of_a_subscription_at_once_wins,
        changing_a_subscription_that_does_not_exist_makes_nothing,
        deleting_a_subscription_that_does_not_exist_says_so,
        deleting_an_older_version_of_a_subscription_is_a_conflict,
        a_deleted_subscriptions_id_is_remembered,
        all_subscriptions_are_read_oldest_first,
        subscriptions_are_read_by_their_ids_oldest_first,
        subscriptions_are_listed_newest_first_by_pages;
    subscribed:
        those_that_want_an_event_are_found_oldest_first_and_nobody_else,
        every_prefix_of_a_long_type_finds,
        one_that_wants_an_event_in_several_ways_is_found_once,
        subscriptions_of_another_tenant_are_never_found,
        one_that_gets_no_events_is_found_all_the_same,
        a_change_moves_a_subscription_to_its_new_patterns,
        a_change_that_loses_moves_nothing,
        fifty_patterns_are_replaced_by_fifty_others,
        a_deleted_subscription_is_found_no_more;
    owners:
        an_owners_subscriptions_are_counted,
        what_is_not_made_is_not_counted,
        the_eleventh_subscription_of_an_owner_is_refused,
        ten_of_twelve_subscriptions_at_once_are_made,
        a_quota_that_was_lowered_refuses_the_next,
        an_owners_subscriptions_are_listed_newest_first_by_pages,
        an_owner_that_nothing_is_known_of_has_nothing_of_its_own,
        what_is_said_of_an_owner_stands_beside_its_count,
        an_owner_of_another_tenant_is_another,
        owners_are_listed_by_their_names_by_pages,
        only_an_owner_without_subscriptions_is_forgotten;
    upkeep:
        upkeep_that_was_asked_for_is_due,
        upkeep_that_was_asked_for_again_is_due_once,
        each_subscription_has_its_own_upkeep,
        claimed_upkeep_is_due_again_when_its_lease_is_over,
        one_of_many_claims_of_upkeep_at_once_wins,
        a_claim_of_upkeep_made_again_by_its_owner_is_ours,
        upkeep_is_claimed_again_once_its_lease_is_over,
        ended_upkeep_is_due_when_it_was_said_to_be,
        upkeep_that_ended_for_good_is_due_no_more,
        upkeep_that_was_asked_for_meanwhile_is_due_at_once,
        upkeep_that_nobody_asked_for_ends_like_any,
        what_is_asked_for_during_upkeep_that_nobody_asked_for_is_not_lost,
        pushes_of_upkeep_are_counted_until_somebody_asks_anew,
        stuck_upkeep_leaves_the_index_until_it_is_asked_for;
    breakers:
        nothing_is_known_against_a_host_at_first,
        a_breaker_reads_back_at_every_step,
        a_change_of_a_breaker_that_moved_gives_what_it_is_now,
        one_of_many_changes_of_a_breaker_at_once_is_made,
        a_change_of_a_breaker_made_again_by_its_writer_is_made,
        what_is_known_against_a_host_is_forgotten_after_a_day,
        each_tenant_and_port_has_a_breaker_of_its_own;
    slots:
        a_slot_that_is_taken_is_free_when_its_lease_is_over,
        a_claim_of_a_slot_made_again_by_its_owner_is_ours,
        one_of_many_claims_of_a_slot_at_once_wins,
        a_slot_that_is_given_back_is_free,
        each_slot_is_for_itself;
    deny_rules:
        there_are_no_deny_rules_at_first,
        deny_rules_read_back_in_their_order,
        a_change_of_an_older_list_of_deny_rules_is_refused,
        one_of_many_changes_of_the_deny_rules_at_once_wins;
    table:
        a_put_replaces_the_whole_item,
        a_failed_put_gives_the_item_in_the_way,
        an_update_whose_test_fails_makes_no_item,
        an_update_gives_the_item_as_it_is_then,
        numbers_compare_as_numbers,
        no_test_of_a_missing_attribute_holds,
        deleting_what_is_not_there_is_fine,
        a_delete_whose_test_fails_deletes_nothing,
        a_transaction_happens_as_a_whole_or_not_at_all,
        sort_keys_are_ordered_by_their_bytes,
        a_partition_larger_than_a_page_is_read_whole,
        an_item_over_four_hundred_kilobytes_is_refused;
}

#[test]
fn every_known_deviation_names_a_check() {
    for (name, _) in EMULATOR_DEVIATES {
        assert!(CHECKS.contains(name), "{name} is not a check");
    }
}

//! Typed identifiers: a prefix for people, a sortable 128-bit value, and the place of the thing itself.
//!
//! The text form is that of TypeID: `prefix_` and 26 Crockford base-32 characters (lower case). The value is laid out
//! as a UUID: 48 bits of Unix milliseconds first, so that ids sort by time. Ids of configuration are UUIDv7. Ids of what
//! flows (deliveries, events) are UUIDv8 and carry, after the time, the 30-bit [`Handle`] of the webhook or
//! subscription they belong to: the table partition of a row follows from its id, and no index is needed to find it.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const TEXT_LEN: usize = 26;
const HANDLE_BITS: u32 = 30;
const HANDLE_MASK: u128 = (1 << HANDLE_BITS) - 1;

/// What made a text unusable as an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an id of the form {prefix}_ followed by 26 characters")]
pub struct IdError {
    /// The prefix that was expected.
    pub prefix: &'static str,
}

/// The short name of a webhook or subscription inside the ids of its rows.
///
/// 30 bits, so two of one tenant may share one: rows are filtered by the full id as well.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Handle(u32);

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = encode::<6>(u128::from(self.0));
        f.write_str(as_str(&text))
    }
}

fn encode<const N: usize>(mut value: u128) -> [u8; N] {
    let mut text = [b'0'; N];
    for slot in text.iter_mut().rev() {
        *slot = ALPHABET[(value & 31) as usize];
        value >>= 5;
    }
    text
}

fn as_str(text: &[u8]) -> &str {
    std::str::from_utf8(text).expect("the alphabet is ASCII")
}

fn decode(text: &str) -> Option<u128> {
    let bytes = text.as_bytes();
    // 26 characters hold 130 bits: the first may only be 0 to 7.
    if bytes.len() != TEXT_LEN || bytes[0] > b'7' {
        return None;
    }
    bytes.iter().try_fold(0u128, |value, byte| {
        let digit = ALPHABET.iter().position(|c| c == byte)?;
        Some((value << 5) | digit as u128)
    })
}

fn millis_of(value: u128) -> i64 {
    i64::try_from(value >> 80).unwrap_or(i64::MAX)
}

fn at_millis(at: Timestamp) -> u128 {
    u128::try_from(at.as_millisecond()).unwrap_or(0) << 80
}

/// A time-ordered id of configuration (UUIDv7 layout).
fn configured(at: Timestamp, random: u128) -> u128 {
    let rand_a = (random >> 64) & 0xfff;
    let rand_b = random & ((1 << 62) - 1);
    at_millis(at) | (7 << 76) | (rand_a << 64) | (0b10 << 62) | rand_b
}

/// A time-ordered id of something that flows through the place named by `handle` (UUIDv8 layout).
fn flowing(millis: u128, handle: Handle, random: u128) -> u128 {
    let rand_a = (random >> 64) & 0xfff;
    let rand_b = random & 0xffff_ffff;
    millis | (8 << 76) | (rand_a << 64) | (0b10 << 62) | (u128::from(handle.0) << 32) | rand_b
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(u128);

        impl $name {
            /// What the text form starts with, before the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// When the thing named was made, in whole milliseconds.
            #[must_use]
            pub fn created_at(self) -> Timestamp {
                Timestamp::from_millisecond(millis_of(self.0)).unwrap_or(Timestamp::MAX)
            }

            /// The 26 characters after the prefix, as stored in keys.
            #[must_use]
            pub fn suffix(self) -> String {
                as_str(&encode::<TEXT_LEN>(self.0)).to_owned()
            }

            /// Reads the 26 characters that [`Self::suffix`] gives.
            ///
            /// # Errors
            /// When the text is not 26 characters of the alphabet.
            pub fn from_suffix(text: &str) -> Result<Self, IdError> {
                decode(text).map(Self).ok_or(IdError { prefix: $prefix })
            }

            /// The 16 bytes of the value, most significant first.
            #[must_use]
            pub fn to_bytes(self) -> [u8; 16] {
                self.0.to_be_bytes()
            }

            /// Reads what [`Self::to_bytes`] gives.
            #[must_use]
            pub fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(u128::from_be_bytes(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!($prefix, "_"))?;
                f.write_str(as_str(&encode::<TEXT_LEN>(self.0)))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                text.strip_prefix(concat!($prefix, "_"))
                    .and_then(decode)
                    .map(Self)
                    .ok_or(IdError { prefix: $prefix })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }
    )+};
}

ids! {
    /// Names an inbound webhook (`inw_…`).
    InboundWebhookId = "inw";
    /// Names one key of an inbound webhook (`key_…`); never the key itself.
    WebhookKeyId = "key";
    /// Names one received request and all that became of it (`ind_…`).
    InboundDeliveryId = "ind";
    /// Names a request that was not taken (`rej_…`).
    RejectionId = "rej";
    /// Names a type of event (`ety_…`), beside its readable ref.
    EventTypeId = "ety";
    /// Names an event (`evt_…`); made from a delivery, it has the delivery's value.
    EventId = "evt";
    /// Names a subscription (`sub_…`).
    SubscriptionId = "sub";
    /// Names the delivery of one event to one subscription (`dlv_…`).
    DeliveryId = "dlv";
    /// Names an API token (`tok_…`); never the token itself.
    ApiTokenId = "tok";
    /// Names a replay of many events (`rpl_…`).
    ReplayId = "rpl";
    /// Names a schedule that publishes events (`sch_…`).
    ScheduleId = "sch";
    /// Names failures with one cause at one subscription (`iss_…`).
    IssueId = "iss";
    /// Names an event that somebody saved (`bkm_…`).
    BookmarkId = "bkm";
    /// Names a registration token (`rgt_…`); never the token itself.
    RegistrationTokenId = "rgt";
    /// Names an audit record (`aud_…`).
    AuditRecordId = "aud";
    /// Names a key that signs for a tenant (`sgk_…`); never the key itself.
    SigningKeyId = "sgk";
}

macro_rules! configured_ids {
    ($($name:ident),+) => {$(
        impl $name {
            /// Makes a new id from the time and 74 bits of randomness.
            #[must_use]
            pub fn new(at: Timestamp, random: u128) -> Self {
                Self(configured(at, random))
            }
        }
    )+};
}
configured_ids!(
    InboundWebhookId,
    WebhookKeyId,
    EventTypeId,
    SubscriptionId,
    ApiTokenId,
    ReplayId,
    ScheduleId,
    BookmarkId,
    RegistrationTokenId,
    AuditRecordId,
    SigningKeyId
);

impl IssueId {
    /// Derives the id of the failures of a subscription with this cause: always the same, so that they meet in one issue.
    #[must_use]
    pub fn derive(subscription: SubscriptionId, cause: &str) -> Self {
        let random = digest(&[&subscription.to_bytes(), cause.as_bytes()]);
        Self(flowing((subscription.0 >> 80) << 80, subscription.handle(), random))
    }
}

impl InboundWebhookId {
    /// Stands where an event came from no webhook: it was published, or is the gateway's own.
    pub const NONE: Self = Self(0);

    /// The handle that the ids of its deliveries and events carry.
    #[must_use]
    pub fn handle(self) -> Handle {
        Handle((self.0 & HANDLE_MASK) as u32)
    }
}

impl SubscriptionId {
    /// The operator's own subscription, which stands in the deployment's configuration.
    pub const PINNED: Self = Self(1);

    /// The handle that the ids of its deliveries carry.
    #[must_use]
    pub fn handle(self) -> Handle {
        Handle((self.0 & HANDLE_MASK) as u32)
    }
}

macro_rules! flowing_ids {
    ($($name:ident),+) => {$(
        impl $name {
            /// The handle of the webhook or subscription this belongs to.
            #[must_use]
            pub fn handle(self) -> Handle {
                Handle(((self.0 >> 32) & HANDLE_MASK) as u32)
            }

            /// Spreads the rows of one handle over `shards` partitions.
            #[must_use]
            pub fn shard(self, shards: u8) -> u8 {
                (self.0 & 0xff) as u8 % shards
            }
        }
    )+};
}
flowing_ids!(InboundDeliveryId, RejectionId, EventId, DeliveryId, IssueId);

impl InboundDeliveryId {
    /// Makes the id of a request that arrived at `at` for `webhook`; 44 bits of `random` are used.
    #[must_use]
    pub fn new(at: Timestamp, webhook: InboundWebhookId, random: u128) -> Self {
        Self(flowing(at_millis(at), webhook.handle(), random))
    }
}

/// 128 bits that follow from `parts`.
fn digest(parts: &[&[u8]]) -> u128 {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    let digest = hash.finalize();
    u128::from_be_bytes(digest[..16].try_into().expect("a digest has 32 bytes"))
}

impl InboundDeliveryId {
    /// Derives the id of what no request led to from what it is about: always the same, so making it again changes
    /// nothing.
    #[must_use]
    pub fn derived(at: Timestamp, webhook: InboundWebhookId, parts: &[&[u8]]) -> Self {
        Self::new(at, webhook, digest(parts))
    }
}

impl RejectionId {
    /// Makes the id of a request that was refused at `at`, for the webhook with `handle`; its slot is its last byte.
    #[must_use]
    pub fn new(at: Timestamp, handle: Handle, random: u128, slot: u8) -> Self {
        Self(flowing(at_millis(at), handle, (random & !0xff) | u128::from(slot)))
    }

    /// The slot of its log that it was written to.
    #[must_use]
    pub fn slot(self) -> u8 {
        (self.0 & 0xff) as u8
    }
}

impl Handle {
    /// The handle of no webhook: of requests to URLs that lead nowhere.
    pub const NONE: Self = Self(0);
}

impl From<InboundDeliveryId> for EventId {
    fn from(delivery: InboundDeliveryId) -> Self {
        Self(delivery.0)
    }
}

impl From<EventId> for InboundDeliveryId {
    fn from(event: EventId) -> Self {
        Self(event.0)
    }
}

impl DeliveryId {
    /// Derives the id of `event`'s delivery to `subscription`: always the same, so making it again changes nothing.
    #[must_use]
    pub fn derive(event: EventId, subscription: SubscriptionId) -> Self {
        let random = digest(&[&event.to_bytes(), &subscription.to_bytes()]);
        Self(flowing((event.0 >> 80) << 80, subscription.handle(), random))
    }

    /// Makes the id of a delivery that somebody asked for at `at`; 44 bits of `random` are used.
    #[must_use]
    pub fn new(at: Timestamp, subscription: SubscriptionId, random: u128) -> Self {
        Self(flowing(at_millis(at), subscription.handle(), random))
    }

    /// Derives the id of the delivery by which `replay` sends `event` to `subscription` once more: always the same, so
    /// making it again changes nothing.
    #[must_use]
    pub fn replayed(replay: ReplayId, event: EventId, subscription: SubscriptionId) -> Self {
        let random = digest(&[&replay.to_bytes(), &event.to_bytes(), &subscription.to_bytes()]);
        Self(flowing((replay.0 >> 80) << 80, subscription.handle(), random))
    }
}

#[cfg(test)]
mod tests;

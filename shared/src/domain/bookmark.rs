//! Bookmarks: events that somebody saved, with their payloads, to send them again.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::event_type::EventType;
use super::id::{BookmarkId, EventId};
use super::text::{Description, Name, TenantSlug};

/// The most bookmarks of a tenant.
pub const MAX_BOOKMARKS: u32 = 200;

/// An event that somebody saved. Its request is stored beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bookmark {
    /// Its id.
    pub id: BookmarkId,
    /// Whose it is.
    pub tenant: TenantSlug,
    /// Its name for people.
    pub name: Name,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
    /// The event that was saved, which may be gone by now.
    pub event_id: EventId,
    /// The type of the event.
    pub event_type: EventType,
    /// The size of its body, in bytes.
    pub body_bytes: usize,
    /// When it was saved.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub created_at: Timestamp,
}

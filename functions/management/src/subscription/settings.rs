//! What a subscription is to be like: as a caller writes it, and once it is found to make sense.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use hookport::dialect::DialectName;
use hookport::dialect::proof::ProofStyle;
use hookport::domain::event_facts::{OwnerName, Scope, entity_id, entity_type};
use hookport::domain::event_type::EventPattern;
use hookport::domain::owner::PermissionName;
use hookport::domain::payload_filter::PayloadFilter;
use hookport::domain::payload_mode::PayloadMode;
use hookport::domain::rate_limit::{MAX_REQUESTS, MAX_WINDOW_S, RateLimit};
use hookport::domain::response_rule::ResponseRule;
use hookport::domain::retry::{RetryOn, RetrySchedule};
use hookport::domain::static_headers::StaticHeaders;
use hookport::domain::subscription::{
    AutoDisable, EventFilter, MAX_ENTITY_IDS, MAX_IN_FLIGHT, MAX_METADATA, MAX_PATTERNS, MAX_TIMEOUT_S, Metadata,
    Settings,
};
use hookport::domain::target::Target;
use hookport::domain::target_url::{TargetUrl, TargetUrlError, UrlPolicy};
use hookport::domain::text::{Description, Name, TenantSlug};
use hookport::egress::EgressError;
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use super::auth::TargetAuthInput;
use super::known_types;
use super::manner::{self, OrderingSetting};
use crate::api::Api;
use crate::error::{Error, OutboundRefusal, Result};
use crate::extract::JsonObject;
use crate::inbound_webhook::{RateLimitSetting, within};
use crate::secret::SuppliedSecret;

#[cfg(test)]
mod tests;

/// The longest name of a note, in characters.
const MAX_NOTE_NAME_CHARS: usize = 64;
/// The longest note, in characters.
const MAX_NOTE_CHARS: usize = 512;
/// The longest time without a challenge that can be asked for, in days.
const MAX_REVERIFY_DAYS: u32 = 365;
/// The longest time of failures that can be borne, in hours.
const MAX_FAILING_H: u32 = 8_760;
/// The most failures in a row that can be borne.
const MAX_FAILURES: u32 = 50;

/// Makes a request with the members that all descriptions of a subscription have, behind those of its own.
macro_rules! inputs {
    ($($(#[$doc:meta])* $name:ident { $($own:tt)* })+) => {$(
        $(#[$doc])*
        #[derive(Deserialize, ToSchema)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct $name {
            $($own)*
            /// Its name for people.
            name: Name,
            /// Where deliveries go: `https`, and no address of a private network. Absent where `target` names a service.
            #[schema(format = "uri", min_length = 8, max_length = 1024, example = "https://example.com/hooks")]
            url: Option<String>,
            /// A service of the operator's cloud that deliveries go to, where the operator allows it; null or absent: the
            /// web server at `url`.
            #[schema(value_type = Option<Target>)]
            target: Option<JsonObject<Target>>,
            /// The event types wanted: exact ones, prefixes such as `invoice.*`, or `*`. The tenant, one of its inbound
            /// webhooks or the gateway itself must have events of each.
            #[schema(value_type = Vec<String>, min_items = 1, max_items = 50, example = json!(["invoice.*"]))]
            events: Vec<EventPattern>,
            /// What it is for.
            description: Option<Description>,
            /// Only events about entities of this type, in any case; null or absent: about any.
            #[schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9_.-]+$")]
            object_type: Option<String>,
            /// Only events at this scope or below it; null or absent: at any.
            scope: Option<Scope>,
            /// Only events about one of these entities; null, absent or empty: about any.
            #[schema(max_items = 100)]
            entity_ids: Option<Vec<String>>,
            /// Only events with such a payload; null or absent: with any.
            filter: Option<PayloadFilter>,
            /// How much of an event is sent; all of it when absent.
            payload: Option<PayloadMode>,
            /// How deliveries look on the wire: a built-in dialect or one of the tenant's own; `standard` when absent.
            dialect: Option<DialectName>,
            /// Dialects whose signatures stand beside those of its own, at most 3: for a migration.
            #[schema(max_items = 3)]
            also_sign: Option<Vec<DialectName>>,
            /// How the target proves itself; as the dialect says when absent.
            proof: Option<ProofStyle>,
            /// How requests show the target who is asking; null or absent: by their signature alone. Secrets that are
            /// sent back as `(hidden)` stay what they were.
            #[schema(value_type = Option<TargetAuthInput>)]
            pub(super) auth: Option<JsonObject<TargetAuthInput>>,
            /// In which order deliveries are sent; null or absent: in any.
            #[schema(value_type = Option<OrderingSetting>)]
            ordering: Option<JsonObject<OrderingSetting>>,
            /// Headers of received requests that are passed on, at most 50 names, or `*` for all. Credentials and
            /// signatures are not kept, so they are never among them; `hookport-source-verified` says whether the
            /// request had proven where it came from.
            #[schema(max_items = 50, example = json!(["x-github-event"]))]
            forward_headers: Option<Vec<String>>,
            /// Headers beside the gateway's own. `(hidden)` keeps the value that a header has.
            headers: Option<StaticHeaders>,
            /// The longest that an attempt may take.
            #[schema(minimum = 1, maximum = 30, default = 15)]
            timeout_seconds: Option<u32>,
            /// When failed attempts are made again; `standard` when absent.
            retry_schedule: Option<RetrySchedule>,
            /// Which failed attempts are made again; all when absent.
            retry_on: Option<RetryOn>,
            /// How many attempts are made in which time; null or absent: any number.
            #[schema(value_type = Option<RateLimitSetting>)]
            rate_limit: Option<JsonObject<RateLimitSetting>>,
            /// How many attempts are under way at once; null or absent: any number.
            #[schema(minimum = 1, maximum = 50)]
            max_in_flight: Option<u32>,
            /// When the gateway switches it off: absent, after 24 hours of nothing but failures or 50 in a row; null,
            /// never.
            #[serde(default, deserialize_with = "given_auto_disable")]
            #[schema(value_type = Option<AutoDisable>)]
            auto_disable: GivenAutoDisable,
            /// What an answer must be to count as a success, beyond a 2xx.
            #[schema(value_type = Option<ResponseRule>)]
            response_rule: Option<JsonObject<ResponseRule>>,
            /// How much of each answer's body is kept.
            #[schema(maximum = 8192, default = 1024)]
            kept_response_bytes: Option<u32>,
            /// The permission that its owner must hold where an event happened; needs an owner.
            permission: Option<PermissionName>,
            /// After how many days the target has to prove itself again; null or absent: never.
            #[schema(minimum = 1, maximum = 365)]
            reverify_days: Option<u32>,
            /// At most 20 notes: names of 1 to 64 characters, texts of at most 512.
            metadata: Option<BTreeMap<String, String>>,
        }
    )+};
}

inputs! {
    /// What a subscription is to be like. What is left out gets its default.
    SettingsInput {}
    /// A subscription to be made.
    CreateSubscription {
        /// On whose behalf it is made; fixed from then on. A token that is bound to an owner makes them for it alone.
        pub(super) owner: Option<OwnerName>,
        /// The secret that deliveries are signed with; made by the gateway when absent.
        #[schema(value_type = Option<String>, min_length = 16, max_length = 128)]
        pub(super) secret: Option<SuppliedSecret>,
        /// Whether the target is sent a challenge at once. False holds the subscription until it is asked for; null is
        /// true.
        #[schema(default = true)]
        pub(super) trigger_challenge: Option<bool>,
    }
}

/// What was said of when the gateway switches a subscription off.
#[derive(Default)]
enum GivenAutoDisable {
    #[default]
    Nothing,
    Never,
    After(AutoDisable),
}

fn given_auto_disable<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<GivenAutoDisable, D::Error> {
    let given = Option::<JsonObject<AutoDisable>>::deserialize(deserializer)?;
    Ok(given.map_or(GivenAutoDisable::Never, |JsonObject(rule)| GivenAutoDisable::After(rule)))
}

impl CreateSubscription {
    /// What it is to be like, without what is said once only.
    pub(super) fn into_input(self) -> SettingsInput {
        SettingsInput {
            name: self.name,
            url: self.url,
            events: self.events,
            description: self.description,
            object_type: self.object_type,
            scope: self.scope,
            entity_ids: self.entity_ids,
            filter: self.filter,
            target: self.target,
            auth: self.auth,
            payload: self.payload,
            dialect: self.dialect,
            also_sign: self.also_sign,
            proof: self.proof,
            ordering: self.ordering,
            forward_headers: self.forward_headers,
            headers: self.headers,
            timeout_seconds: self.timeout_seconds,
            retry_schedule: self.retry_schedule,
            retry_on: self.retry_on,
            rate_limit: self.rate_limit,
            max_in_flight: self.max_in_flight,
            auto_disable: self.auto_disable,
            response_rule: self.response_rule,
            kept_response_bytes: self.kept_response_bytes,
            permission: self.permission,
            reverify_days: self.reverify_days,
            metadata: self.metadata,
        }
    }
}

impl SettingsInput {
    /// Fills defaults in, and holds the settings against their rules, the deployment's and what the tenant has.
    ///
    /// `before` are the settings that they replace: hidden headers keep their values, and what is no longer there but
    /// was taken once may stay.
    pub(crate) async fn into_settings(
        self,
        api: &Api,
        tenant: &TenantSlug,
        before: Option<&Settings>,
    ) -> Result<Settings> {
        let settings = self.checked(&api.app.config.egress.urls(), before)?;
        if settings.target.is_https() {
            api.app.egress.judge(&settings.url).await.map_err(refused)?;
        } else if !api.app.config.allows(tenant, &settings.target) {
            let place = settings.target.place().unwrap_or_default();
            return Err(OutboundRefusal::TargetNotAllowed(place).into());
        }
        manner::check(api, tenant, &settings, before).await?;
        let is_new = |pattern: &&EventPattern| before.is_none_or(|before| !before.events.contains(pattern));
        let new: Vec<&EventPattern> = settings.events.iter().filter(is_new).collect();
        known_types::check(api, tenant, &new).await?;
        let is_chosen_anew =
            before.is_none_or(|before| before.payload != settings.payload || before.events != settings.events);
        if is_chosen_anew && let PayloadMode::Fields(choice) = &settings.payload {
            known_types::check_fields(api, tenant, &settings.events, choice).await?;
        }
        Ok(settings)
    }

    /// The part of the rules that takes no look at anything else.
    fn checked(self, urls: &UrlPolicy, before: Option<&Settings>) -> Result<Settings> {
        let target = self.target.map(|JsonObject(target)| target).unwrap_or_default();
        let url = place(self.url, &target, urls)?;
        let none = StaticHeaders::default();
        // Credentials that nobody sees are not sent to another host by whoever may change the URL alone.
        let is_same_host = |before: &&Settings| before.url.origin() == url.origin();
        let kept = before.filter(is_same_host).map_or(&none, |before| &before.headers);
        let headers = self.headers.unwrap_or_default().restored(kept);
        let timeout_s = small("timeout_seconds", self.timeout_seconds, 1..=MAX_TIMEOUT_S.into())?;
        let most_kept = Settings::MAX_KEPT_RESPONSE_BYTES;
        let kept_response_bytes = small("kept_response_bytes", self.kept_response_bytes, 0..=most_kept.into())?;
        Ok(Settings {
            name: self.name,
            description: self.description,
            url,
            target,
            events: events(self.events)?,
            filter: EventFilter {
                object_type: self
                    .object_type
                    .map(entity_type)
                    .transpose()
                    .map_err(|rule| Error::field("object_type", rule))?,
                scope: self.scope,
                entity_ids: entity_ids(self.entity_ids.unwrap_or_default())?,
                payload: self.filter,
            },
            payload: self.payload.unwrap_or_default(),
            dialect: self.dialect.unwrap_or_default(),
            also_sign: manner::also_sign(self.also_sign.unwrap_or_default())?,
            proof: self.proof,
            ordering: self.ordering.map(|JsonObject(order)| order.checked()).transpose()?,
            forward_headers: manner::forward_headers(self.forward_headers.unwrap_or_default())?,
            headers: headers.map_err(|rule| Error::field("headers", rule))?,
            timeout_s: timeout_s.unwrap_or(Settings::DEFAULT_TIMEOUT_S),
            retry_schedule: self.retry_schedule.unwrap_or_default(),
            retry_on: self.retry_on.unwrap_or_default(),
            rate_limit: self.rate_limit.map(|JsonObject(limit)| rate_limit(&limit)).transpose()?,
            max_in_flight: small("max_in_flight", self.max_in_flight, 1..=MAX_IN_FLIGHT.into())?,
            auto_disable: auto_disable(&self.auto_disable)?,
            response_rule: self.response_rule.map(|JsonObject(rule)| rule),
            kept_response_bytes: kept_response_bytes.unwrap_or(Settings::DEFAULT_KEPT_RESPONSE_BYTES),
            permission: self.permission,
            reverify_days: small("reverify_days", self.reverify_days, 1..=MAX_REVERIFY_DAYS)?,
            metadata: metadata(self.metadata.unwrap_or_default())?,
        })
    }
}

/// Refuses a permission that nobody could hold.
pub(crate) fn fits_owner(settings: &Settings, owner: Option<&OwnerName>) -> Result<()> {
    if settings.permission.is_some() && owner.is_none() {
        return Err(Error::field("permission", "needs an owner: it is the owner who must hold it"));
    }
    Ok(())
}

/// The URL that was given, or the endpoint of a service.
fn place(url: Option<String>, target: &Target, urls: &UrlPolicy) -> Result<TargetUrl> {
    match (url, target.address()) {
        (Some(url), None) => Ok(TargetUrl::parse(&url, urls)?),
        (None, Some(address)) => Ok(address),
        (None, None) => Err(Error::InvalidRequest("missing field `url`".to_owned())),
        (Some(_), Some(_)) => Err(Error::field("url", "must be absent: target names a service")),
    }
}

/// What it means that nothing would be sent to a URL.
fn refused(error: EgressError) -> Error {
    match error {
        EgressError::Url(rule) => Error::InvalidTarget(rule),
        EgressError::PlainHttp => Error::InvalidTarget(TargetUrlError::PlainHttp),
        EgressError::Refused(refusal) => Error::InvalidTarget(TargetUrlError::Address(refusal)),
        EgressError::Denied { .. } => Error::field("url", error),
        EgressError::DenyListUnavailable
        | EgressError::Proxy(_)
        | EgressError::Resolve(_)
        | EgressError::Connect(_)
        | EgressError::Tls(_)
        | EgressError::TimedOut { .. }
        | EgressError::Protocol(_) => Error::Unavailable(error.into()),
    }
}

/// A number in its range, which fits its type.
fn small<T: TryFrom<u32>>(field: &str, given: Option<u32>, range: RangeInclusive<u32>) -> Result<Option<T>> {
    Ok(within(field, given, range)?.and_then(|value| T::try_from(value).ok()))
}

fn events(given: Vec<EventPattern>) -> Result<Vec<EventPattern>> {
    if !(1..=MAX_PATTERNS).contains(&given.len()) {
        return Err(Error::field("events", format!("must have 1 to {MAX_PATTERNS} entries")));
    }
    match (0..given.len()).find(|index| given[..*index].contains(&given[*index])) {
        Some(index) => Err(Error::field(&format!("events[{index}]"), "stands in the list twice")),
        None => Ok(given),
    }
}

fn entity_ids(given: Vec<String>) -> Result<Vec<String>> {
    if given.len() > MAX_ENTITY_IDS {
        return Err(Error::field("entity_ids", format!("must have at most {MAX_ENTITY_IDS} entries")));
    }
    let ids = given
        .into_iter()
        .enumerate()
        .map(|(index, id)| entity_id(id).map_err(|rule| Error::field(&format!("entity_ids[{index}]"), rule)));
    ids.collect()
}

fn rate_limit(given: &RateLimitSetting) -> Result<RateLimit> {
    within("rate_limit.requests", Some(given.requests), 1..=MAX_REQUESTS)?;
    within("rate_limit.window_seconds", Some(given.window_seconds), 1..=MAX_WINDOW_S)?;
    Ok(RateLimit { requests: given.requests, window_s: given.window_seconds })
}

fn auto_disable(given: &GivenAutoDisable) -> Result<Option<AutoDisable>> {
    match given {
        GivenAutoDisable::Nothing => Ok(Some(AutoDisable::default())),
        GivenAutoDisable::Never => Ok(None),
        GivenAutoDisable::After(rule) => {
            within("auto_disable.after_hours", Some(rule.after_hours.into()), 1..=MAX_FAILING_H)?;
            within("auto_disable.after_failures", Some(rule.after_failures.into()), 1..=MAX_FAILURES)?;
            Ok(Some(*rule))
        }
    }
}

fn metadata(given: BTreeMap<String, String>) -> Result<Metadata> {
    if given.len() > MAX_METADATA {
        return Err(Error::field("metadata", format!("must have at most {MAX_METADATA} members")));
    }
    let is_fine = |(name, text): (&String, &String)| {
        (1..=MAX_NOTE_NAME_CHARS).contains(&name.chars().count()) && text.chars().count() <= MAX_NOTE_CHARS
    };
    if !given.iter().all(is_fine) {
        let rule =
            format!("must have names of 1 to {MAX_NOTE_NAME_CHARS} characters and texts of at most {MAX_NOTE_CHARS}");
        return Err(Error::field("metadata", rule));
    }
    Ok(given)
}

//! What is left of a limit, in headers.

use hookport::counters::Quota;
use http::{HeaderMap, HeaderName, HeaderValue};

/// Says in headers what is left of a limit.
pub(crate) fn tell_quota(headers: &mut HeaderMap, quota: Quota) {
    headers.insert(RATE_LIMIT, HeaderValue::from(quota.limit));
    headers.insert(RATE_REMAINING, HeaderValue::from(quota.remaining));
    headers.insert(RATE_RESET, HeaderValue::from(quota.reset_s));
}

const RATE_LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const RATE_REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RATE_RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

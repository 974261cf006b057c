//! The URL that deliveries go to.
//!
//! The text alone decides here: no name is resolved. What a name stands for is judged at every connection, by
//! [`egress`](crate::egress), so a URL that passes here can still be refused there.

mod policy;

use std::fmt;
use std::net::IpAddr;

use http::Uri;
use serde::{Deserialize, Serialize, Serializer};
use url::{Host, Url};

pub use self::policy::UrlPolicy;
use super::address::AddressRefusal;

#[cfg(test)]
mod tests;

/// The fewest characters a URL may have.
pub const MIN_LENGTH: usize = 8;
/// The most characters a URL may have, as given and as kept.
pub const MAX_LENGTH: usize = 1024;

const MAX_HOST_LENGTH: usize = 253;
const MAX_LABEL_LENGTH: usize = 63;

/// Names of this machine.
const LOOPBACK_NAMES: [&str; 4] = ["localhost", "localdomain", "ip6-localhost", "ip6-loopback"];
/// Names of services that hand out credentials.
const METADATA_NAMES: [&str; 6] = [
    "metadata.google.internal",
    "metadata.goog",
    "instance-data",
    "instance-data.ec2.internal",
    "metadata.azure.internal",
    "metadata.tencentyun.com",
];
/// Names that mean something else, or nothing, outside of one network.
const INTERNAL_NAMES: [&str; 6] = ["internal", "local", "home.arpa", "svc", "kubernetes.default", "kubernetes"];

/// An absolute `https` or `http` URL that a request can be sent to as it is.
///
/// Kept in the normal form of the URL standard: lower-case host, punycode, plain IP addresses, no default port.
/// Deserialising trusts the policy under which the URL was stored; what a client sends goes through
/// [`TargetUrl::parse`].
#[derive(Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct TargetUrl {
    url: Url,
    /// The same URL as the HTTP client takes it, made once because every delivery needs it.
    uri: Uri,
}

impl TargetUrl {
    /// Parses a URL and holds it against the policy.
    ///
    /// # Errors
    /// Says what is wrong with the URL.
    pub fn parse(text: &str, policy: &UrlPolicy) -> Result<Self, TargetUrlError> {
        let length = text.chars().count();
        if !(MIN_LENGTH..=MAX_LENGTH).contains(&length) {
            return Err(TargetUrlError::Length);
        }
        let target = Self::read(text)?;
        if target.as_str().len() > MAX_LENGTH {
            return Err(TargetUrlError::Length);
        }
        target.check(policy)?;
        Ok(target)
    }

    /// Holds the URL against a policy, which may not be the one it was parsed under.
    ///
    /// # Errors
    /// Says what the policy does not accept.
    pub fn check(&self, policy: &UrlPolicy) -> Result<(), TargetUrlError> {
        if !self.is_https() && !policy.allow_http {
            return Err(TargetUrlError::PlainHttp);
        }
        let judged = |address: IpAddr| policy.judge(self.host(), address).map_err(TargetUrlError::Address);
        match self.url.host() {
            Some(Host::Ipv4(address)) => judged(address.into()),
            Some(Host::Ipv6(address)) => judged(address.into()),
            Some(Host::Domain(name)) => check_name(name, policy),
            None => Err(TargetUrlError::NoHost),
        }
    }

    /// The URL in its normal form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.url.as_str()
    }

    /// The URL as the HTTP client takes it; cloning it copies nothing.
    #[must_use]
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The host in its normal form, an IPv6 address in brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// The port, given or implied by the scheme.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or_default()
    }

    /// Scheme, host and port, as they stand before the path.
    #[must_use]
    pub fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// The URL with these fields behind those of its query; `None` when that is no URL of ours.
    #[must_use]
    pub fn with_query(&self, fields: &[(&str, &str)]) -> Option<Self> {
        let mut url = self.url.clone();
        url.query_pairs_mut().extend_pairs(fields);
        Self::read(url.as_str()).ok()
    }

    /// Tells whether the scheme is `https`.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Reads a URL of any length under no policy.
    fn read(text: &str) -> Result<Self, TargetUrlError> {
        // The URL standard drops tabs and line breaks and turns back-slashes around, so that the text that a person
        // reviews is not the URL that is called. No honest target needs them.
        if text.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\') {
            return Err(TargetUrlError::Character);
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(TargetUrlError::Scheme);
        };
        if !["https", "http"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
            return Err(TargetUrlError::Scheme);
        }
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.is_empty() {
            return Err(TargetUrlError::NoHost);
        }
        if authority.contains('@') {
            return Err(TargetUrlError::UserInfo);
        }
        let url = Url::parse(text).map_err(TargetUrlError::Syntax)?;
        if url.fragment().is_some() {
            return Err(TargetUrlError::Fragment);
        }
        if url.port() == Some(0) {
            return Err(TargetUrlError::PortZero);
        }
        match url.host() {
            Some(Host::Domain(name)) => check_spelling(name)?,
            Some(Host::Ipv4(_) | Host::Ipv6(_)) => {}
            None => return Err(TargetUrlError::NoHost),
        }
        let uri = Uri::try_from(url.as_str()).map_err(|_| TargetUrlError::Ambiguous)?;
        // Two parsers read the same text. Where they disagree, the one that checks would not be the one that connects.
        let agree =
            uri.host() == url.host_str() && uri.port_u16() == url.port() && uri.scheme_str() == Some(url.scheme());
        if !agree {
            return Err(TargetUrlError::Ambiguous);
        }
        Ok(Self { url, uri })
    }
}

/// Holds a host name against the rules of RFC 1035 and RFC 1123. It is ASCII and in lower case by now.
fn check_spelling(name: &str) -> Result<(), TargetUrlError> {
    if name.ends_with('.') {
        return Err(TargetUrlError::TrailingDot);
    }
    if name.len() > MAX_HOST_LENGTH {
        return Err(TargetUrlError::HostLength);
    }
    for label in name.split('.') {
        if label.is_empty() || label.len() > MAX_LABEL_LENGTH {
            return Err(TargetUrlError::LabelLength);
        }
        if !label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            return Err(TargetUrlError::LabelCharacter);
        }
        if label.starts_with('-') || label.ends_with('-') {
            return Err(TargetUrlError::LabelHyphen);
        }
    }
    Ok(())
}

fn check_name(name: &str, policy: &UrlPolicy) -> Result<(), TargetUrlError> {
    if find(name, &METADATA_NAMES).is_some() {
        return Err(TargetUrlError::MetadataName);
    }
    if policy.allows_host(name) {
        return Ok(());
    }
    if let (Some(of), false) = (find(name, &LOOPBACK_NAMES), policy.allow_loopback) {
        return Err(TargetUrlError::LoopbackName(of));
    }
    if let (Some(of), true) = (find(name, &INTERNAL_NAMES), policy.allowed_networks.is_empty()) {
        return Err(TargetUrlError::InternalName(of));
    }
    Ok(())
}

/// Finds the listed name that `name` is or is under.
fn find(name: &str, listed: &[&'static str]) -> Option<&'static str> {
    let is_under = |parent: &str| name.strip_suffix(parent).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    listed.iter().copied().find(|parent| is_under(parent))
}

/// Why a URL cannot be a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetUrlError {
    /// Shorter or longer than allowed.
    #[error("the URL must have {} to {} characters", MIN_LENGTH, MAX_LENGTH)]
    Length,
    /// A character that the URL standard drops or turns into another.
    #[error("the URL contains white space, a control character or a back-slash")]
    Character,
    /// Neither `https://` nor `http://` in front.
    #[error("the URL must start with https://")]
    Scheme,
    /// `http` where only `https` is accepted.
    #[error("http is not allowed here: the URL must start with https://")]
    PlainHttp,
    /// Nothing between the scheme and the path.
    #[error("the URL has no host")]
    NoHost,
    /// A user name or password, or what looks like one.
    #[error("the URL must not contain a user name or password")]
    UserInfo,
    /// Something after `#`, which no request carries.
    #[error("the URL must not contain a fragment")]
    Fragment,
    /// The port that nothing listens on.
    #[error("the URL must not name port 0")]
    PortZero,
    /// Not a URL at all.
    #[error("the URL cannot be parsed")]
    Syntax(#[source] url::ParseError),
    /// Something that two readers of URLs do not read alike.
    #[error("the URL can be read in more than one way")]
    Ambiguous,
    /// A dot at the end of the host name.
    #[error("the host name must not end with a dot")]
    TrailingDot,
    /// A host name that DNS cannot hold.
    #[error("the host name must not be longer than {} characters", MAX_HOST_LENGTH)]
    HostLength,
    /// An empty label, or one that DNS cannot hold.
    #[error("each label of the host name must have 1 to {} characters", MAX_LABEL_LENGTH)]
    LabelLength,
    /// Something else than letters, digits and hyphens.
    #[error("the labels of the host name must consist of letters, digits and hyphens")]
    LabelCharacter,
    /// A hyphen at either end of a label.
    #[error("the labels of the host name must not start or end with a hyphen")]
    LabelHyphen,
    /// An IP address that no webhook may be sent to.
    #[error("the host is {0}")]
    Address(AddressRefusal),
    /// A name of this machine.
    #[error("the host is a name of this machine ({0})")]
    LoopbackName(&'static str),
    /// A name that only one network knows.
    #[error("the host is a name of an internal network ({0})")]
    InternalName(&'static str),
    /// A name of a service that hands out credentials.
    #[error("the host is the name of a cloud metadata service")]
    MetadataName,
}

impl TargetUrlError {
    /// The stable code of the cause.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Length => "url_length",
            Self::Character => "url_character",
            Self::Scheme => "url_scheme",
            Self::PlainHttp => "url_plain_http",
            Self::NoHost => "url_no_host",
            Self::UserInfo => "url_user_info",
            Self::Fragment => "url_fragment",
            Self::PortZero => "url_port_zero",
            Self::Syntax(_) => "url_syntax",
            Self::Ambiguous => "url_ambiguous",
            Self::TrailingDot => "url_trailing_dot",
            Self::HostLength => "url_host_length",
            Self::LabelLength => "url_label_length",
            Self::LabelCharacter => "url_label_character",
            Self::LabelHyphen => "url_label_hyphen",
            Self::Address(_) => "url_address_refused",
            Self::LoopbackName(_) => "url_loopback_name",
            Self::InternalName(_) => "url_internal_name",
            Self::MetadataName => "url_metadata_name",
        }
    }
}

impl TryFrom<String> for TargetUrl {
    type Error = TargetUrlError;

    fn try_from(text: String) -> Result<Self, TargetUrlError> {
        Self::read(&text)
    }
}

impl Serialize for TargetUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl fmt::Display for TargetUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Shows the scheme and the host only: paths and queries of webhook URLs are often credentials.
impl fmt::Debug for TargetUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TargetUrl({}://{}:{}/…)", self.url.scheme(), self.host(), self.port())
    }
}

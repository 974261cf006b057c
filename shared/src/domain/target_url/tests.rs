use std::error::Error as _;

use super::*;

const VECTORS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/ssrf.json"));

#[derive(Deserialize)]
struct Vectors {
    urls: Vec<Vector>,
    addresses: Vec<Listed>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    url: String,
    /// The code of the refusal.
    refused: Option<String>,
    /// What kind of address it is, when that is why.
    #[serde(default)]
    kind: Option<String>,
    /// The normal form of what is accepted.
    #[serde(default)]
    normal: Option<String>,
    /// What the policy allows beside public `https`: `http`, `loopback`, `host:` and a pattern, or a network.
    #[serde(default)]
    allow: Vec<String>,
}

#[derive(Deserialize)]
struct Listed {
    address: IpAddr,
    refused: Option<String>,
}

impl Vector {
    fn policy(&self) -> UrlPolicy {
        let mut policy = UrlPolicy::default();
        for allowed in &self.allow {
            match allowed.as_str() {
                "http" => policy.allow_http = true,
                "loopback" => policy.allow_loopback = true,
                other => match other.strip_prefix("host:") {
                    Some(pattern) => policy.allowed_hosts.push(pattern.to_owned().try_into().unwrap()),
                    None => policy.allowed_networks.push(other.parse().unwrap()),
                },
            }
        }
        policy
    }
}

fn vectors() -> Vectors {
    serde_json::from_str(VECTORS).unwrap()
}

fn permissive() -> UrlPolicy {
    UrlPolicy {
        allow_http: true,
        allow_loopback: true,
        allowed_networks: vec!["0.0.0.0/0".parse().unwrap(), "::/0".parse().unwrap()],
        allowed_hosts: Vec::new(),
    }
}

fn kind(error: &TargetUrlError) -> Option<&'static str> {
    match error {
        TargetUrlError::Address(refusal) => Some(refusal.kind.code()),
        _ => None,
    }
}

#[test]
fn a15_every_listed_url_is_judged_as_listed() {
    let vectors = vectors().urls;
    assert!(vectors.len() >= 250, "{}", vectors.len());
    let mut wrong = Vec::new();
    for vector in &vectors {
        let found = TargetUrl::parse(&vector.url, &vector.policy());
        let right = match &found {
            Ok(target) => vector.refused.is_none() && vector.normal.as_deref() == Some(target.as_str()),
            Err(error) => vector.refused.as_deref() == Some(error.code()) && vector.kind.as_deref() == kind(error),
        };
        if !right {
            wrong.push(format!("{:?} {:?}: {found:?}", vector.url, vector.refused));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a15_every_listed_address_is_judged_alike_as_a_host() {
    for Listed { address, refused } in vectors().addresses {
        let host = if address.is_ipv6() { format!("[{address}]") } else { address.to_string() };
        let found = TargetUrl::parse(&format!("https://{host}/hook"), &UrlPolicy::default());
        assert_eq!(found.err().as_ref().and_then(kind), refused.as_deref(), "{address}");
    }
}

#[test]
fn an_allowed_host_opens_itself_alone() {
    let judged = |pattern: &str, host: &str, address: &str| {
        let allowed_hosts = vec![pattern.to_owned().try_into().unwrap()];
        let policy = UrlPolicy { allowed_hosts, ..UrlPolicy::default() };
        policy.judge(host, address.parse().unwrap()).is_ok()
    };
    assert!(judged("hooks.example.internal", "hooks.example.internal", "10.0.0.1"));
    assert!(judged("hooks.example.internal", "hooks.example.internal", "fd00::1"));
    assert!(!judged("hooks.example.internal", "other.example.internal", "10.0.0.1"));
    for credentials in ["169.254.169.254", "169.254.170.2", "fd00:ec2::254", "64:ff9b::a9fe:a9fe"] {
        assert!(!judged("*", "hooks.example.internal", credentials), "{credentials}");
    }
}

#[test]
fn what_was_accepted_is_accepted_again_unchanged() {
    for vector in vectors().urls {
        let policy = vector.policy();
        if let Ok(target) = TargetUrl::parse(&vector.url, &policy) {
            assert_eq!(TargetUrl::parse(target.as_str(), &policy), Ok(target));
        }
    }
}

#[test]
fn the_sentence_names_the_cause() {
    let refused = TargetUrl::parse("https://10.1.2.3/hook", &UrlPolicy::default()).unwrap_err();
    assert_eq!(refused.to_string(), "the host is a private address (10.0.0.0/8)");
    assert_eq!(refused.code(), "url_address_refused");
    assert!(refused.source().is_none());

    let broken = TargetUrl::parse("https://256.1.1.1/", &UrlPolicy::default()).unwrap_err();
    assert_eq!(broken.to_string(), "the URL cannot be parsed");
    assert!(broken.source().is_some());
}

#[test]
fn a_stored_url_is_read_back_whatever_the_policy_says_now() {
    let stored = TargetUrl::parse("http://127.0.0.1:8080/hook", &permissive()).unwrap();
    let json = serde_json::to_string(&stored).unwrap();
    assert_eq!(json, r#""http://127.0.0.1:8080/hook""#);
    let read: TargetUrl = serde_json::from_str(&json).unwrap();
    assert_eq!(read, stored);
    assert_eq!(read.check(&UrlPolicy::default()), Err(TargetUrlError::PlainHttp));
    assert!(serde_json::from_str::<TargetUrl>(r#""https://user@example.com/""#).is_err());
}

#[test]
fn the_uri_is_the_url() {
    let target = TargetUrl::parse("https://Example.com:8443/a?b=c", &UrlPolicy::default()).unwrap();
    assert_eq!(target.uri().to_string(), target.to_string());
    assert_eq!((target.host(), target.port(), target.is_https()), ("example.com", 8443, true));

    let plain = TargetUrl::parse("http://[::1]/", &permissive()).unwrap();
    assert_eq!((plain.host(), plain.port(), plain.is_https()), ("[::1]", 80, false));
}

#[test]
fn debugging_shows_no_path() {
    let target = TargetUrl::parse("https://hooks.example.com/services/T0/secret?key=1", &permissive()).unwrap();
    assert_eq!(format!("{target:?}"), "TargetUrl(https://hooks.example.com:443/…)");
}

#[test]
fn text_of_any_kind_never_panics() {
    use proptest::prelude::*;
    proptest!(|(text in "(https?://)?\\PC{0,80}")| {
        if let Ok(target) = TargetUrl::parse(&text, &permissive()) {
            prop_assert_eq!(target.uri().host(), Some(target.host()));
            prop_assert_eq!(TargetUrl::parse(target.as_str(), &permissive()), Ok(target));
        }
    });
}

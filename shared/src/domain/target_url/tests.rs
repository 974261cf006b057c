use std::error::Error as _;

use super::*;

const VECTORS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/egress-vectors.json"));

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    url: String,
    verdict: Verdict,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    becomes: Option<String>,
    #[serde(default)]
    allow: Vec<String>,
    #[serde(default)]
    address: Option<IpAddr>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Accept,
    Refuse,
}

impl Vector {
    fn policy(&self) -> UrlPolicy {
        let mut policy = UrlPolicy::default();
        for allowed in &self.allow {
            match allowed.as_str() {
                "http" => policy.allow_http = true,
                "loopback" => policy.allow_loopback = true,
                network => policy.allowed_networks.push(network.parse().unwrap()),
            }
        }
        policy
    }
}

fn vectors() -> Vec<Vector> {
    serde_json::from_str(VECTORS).unwrap()
}

fn permissive() -> UrlPolicy {
    UrlPolicy {
        allow_http: true,
        allow_loopback: true,
        allowed_networks: vec!["0.0.0.0/0".parse().unwrap(), "::/0".parse().unwrap()],
    }
}

#[test]
fn every_vector_is_judged_as_listed() {
    let vectors = vectors();
    assert!(vectors.len() >= 150, "{}", vectors.len());
    let mut wrong = Vec::new();
    for vector in &vectors {
        let found = TargetUrl::parse(&vector.url, &vector.policy());
        let right = match (&found, &vector.verdict) {
            (Ok(target), Verdict::Accept) => match (&vector.becomes, vector.address) {
                (Some(becomes), _) => target.as_str() == becomes,
                // The normal form of an address may differ from its spelling in the list.
                (None, Some(_)) => true,
                (None, None) => target.as_str() == vector.url,
            },
            (Err(error), Verdict::Refuse) => error.to_string().contains(vector.reason.as_deref().unwrap()),
            _ => false,
        };
        if !right {
            wrong.push(format!("{:?} {:?}: {found:?}", vector.url, vector.verdict));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_listed_address_is_judged_by_itself() {
    let listed: Vec<_> = vectors().into_iter().filter(|vector| vector.address.is_some()).collect();
    assert!(listed.len() >= 100, "{}", listed.len());
    for vector in listed {
        let address = vector.address.unwrap();
        let found = address::refusal(address).map(|refusal| refusal.to_string());
        match vector.reason {
            None => assert_eq!(found, None, "{address}"),
            Some(reason) => assert!(found.unwrap_or_default().contains(&reason), "{address}"),
        }
    }
}

#[test]
fn what_was_accepted_is_accepted_again_unchanged() {
    for vector in vectors() {
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

//! Hosts and networks that the operator allows beside the public ones.

use super::*;
use crate::domain::host_pattern::HostPattern;

fn hosts(patterns: &[&str]) -> Vec<HostPattern> {
    patterns.iter().map(|pattern| HostPattern::try_from((*pattern).to_owned()).unwrap()).collect()
}

fn all_at(address: &str, names: &[&str]) -> Resolver {
    Resolver::Fixed(names.iter().map(|name| ((*name).to_owned(), ips(&[address]))).collect())
}

#[tokio::test]
async fn an_allowed_host_may_stand_for_a_special_address() {
    let target = ok_target().await;
    let port = target.address.port();
    let policy = EgressPolicy { allowed_hosts: hosts(&["example.internal", "*.example.internal"]), ..strict() };
    let known = ["example.internal", "a.example.internal", "a.b.example.internal", "example.org"];
    let egress = resolving(policy, all_at("127.0.0.1", &known));

    for name in &known[..3] {
        let request = post(&format!("http://{name}:{port}/"));
        egress.judge(&request.url).await.unwrap();
        egress.send(request).await.unwrap();
    }
    assert_eq!(target.received().len(), 3);

    let error = egress.send(post(&format!("http://example.org:{port}/"))).await.unwrap_err();
    assert!(matches!(error, EgressError::Refused(_)), "{error:?}");
    let error = egress.send(post(&format!("http://other.internal:{port}/"))).await.unwrap_err();
    assert_eq!((error.code(), error.is_permanent()), ("url_internal_name", true));
    assert_eq!(target.received().len(), 3);
}

#[tokio::test]
async fn an_allowed_host_never_stands_for_credentials() {
    let everything = vec!["0.0.0.0/0".parse().unwrap(), "::/0".parse().unwrap()];
    let policy = EgressPolicy { allowed_hosts: hosts(&["*"]), allowed_networks: everything, ..local() };
    for address in ["169.254.169.254", "169.254.170.2", "fd00:ec2::254", "::ffff:0:a9fe:a9fe", "64:ff9b:1::a9fe:a9fe"] {
        let egress = resolving(policy.clone(), all_at(address, &["hooks.example"]));
        let error = egress.send(post("http://hooks.example/")).await.unwrap_err();
        let EgressError::Refused(refusal) = &error else { panic!("{address}: {error:?}") };
        assert!(refusal.kind.hands_out_credentials(), "{address}");
    }
}

#[tokio::test]
async fn an_allowed_address_may_be_written_as_one() {
    let target = ok_target().await;
    let policy = EgressPolicy { allowed_hosts: hosts(&["127.0.0.*"]), ..strict() };
    egress(policy.clone()).send(post_to(&target)).await.unwrap();

    // The address is allowed where it is the host itself, not where a name stands for it.
    let egress = resolving(policy, all_at("127.0.0.1", &["hooks.example"]));
    let error = egress.send(post(&format!("http://hooks.example:{}/", target.address.port()))).await.unwrap_err();
    assert!(matches!(error, EgressError::Refused(_)), "{error:?}");
}

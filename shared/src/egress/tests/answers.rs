//! What comes back, how much of it and how late.

use http::HeaderValue;

use super::*;

#[tokio::test]
async fn a_request_arrives_whole_and_its_answer_comes_back() {
    let target = Target::start(Behaviour::Answers(answer("201 Created\r\nx-id: 7", "done"))).await;
    let mut request = post_to(&target);
    request.headers.insert("x-webhook-event", HeaderValue::from_static("invoice.paid"));

    let response = egress(local()).send(request).await.unwrap();

    assert_eq!(response.status, StatusCode::CREATED);
    assert_eq!(response.headers["x-id"], "7");
    assert_eq!((&response.body[..], response.truncated), (&b"done"[..], false));
    let received = target.received();
    assert_eq!(received.len(), 1);
    assert!(received[0].starts_with("POST /hook?a=b HTTP/1.1\r\n"), "{received:?}");
    assert!(received[0].contains("x-webhook-event: invoice.paid\r\n"));
    assert!(received[0].contains(&format!("host: {}\r\n", target.address)));
    assert!(received[0].ends_with("\r\n\r\n{\"n\":1}"));
}

#[tokio::test]
async fn a_header_of_the_connection_cannot_be_set() {
    let target = ok_target().await;
    let mut request = post_to(&target);
    for (name, value) in [
        ("host", "evil.example"),
        ("content-length", "3"),
        ("transfer-encoding", "chunked"),
        ("connection", "close"),
        ("proxy-connection", "close"),
        ("expect", "100-continue"),
    ] {
        request.headers.insert(name, HeaderValue::from_static(value));
        assert!(is_connection_header(&HeaderName::from_static(name)));
    }

    egress(local()).send(request).await.unwrap();

    let received = target.received().concat();
    assert!(received.contains("content-length: 7\r\n"), "{received}");
    for refused in ["evil", "content-length: 3", "chunked", "close", "continue"] {
        assert!(!received.contains(refused), "{received}");
    }
}

#[tokio::test]
async fn connections_are_used_again() {
    let target = ok_target().await;
    let egress = egress(local());
    for _ in 0..10 {
        egress.clone().send(post_to(&target)).await.unwrap();
    }
    assert_eq!(target.received().len(), 10);
    assert!(target.accepted() < 10, "{}", target.accepted());
}

#[tokio::test]
async fn defect_24_a_redirect_is_an_answer_and_is_not_followed() {
    let elsewhere = ok_target().await;
    let head = format!("307 Temporary Redirect\r\nlocation: http://{}/", elsewhere.address);
    let target = Target::start(Behaviour::Answers(answer(&head, ""))).await;

    let response = egress(local()).send(post_to(&target)).await.unwrap();

    assert_eq!(response.status, StatusCode::TEMPORARY_REDIRECT);
    assert_eq!(target.received().len(), 1);
    assert_eq!(elsewhere.accepted(), 0);
}

#[tokio::test]
async fn b10_a_long_body_is_cut_and_marked() {
    let policy = EgressPolicy { max_response_bytes: 16, ..local() };
    let egress = egress(policy);
    for (length, truncated) in [(0, false), (15, false), (16, false), (17, true), (5000, true)] {
        let body = "x".repeat(length);
        let target = Target::start(Behaviour::Answers(answer("500 Oops", &body))).await;
        let response = egress.send(post_to(&target)).await.unwrap();
        assert_eq!(response.body.len(), length.min(16));
        assert_eq!(response.truncated, truncated, "{length}");
    }
}

#[tokio::test]
async fn a_body_without_a_length_is_cut_as_well() {
    let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let endless = [&head[..], b"8\r\n12345678\r\n", b"8\r\n12345678\r\n", b"8\r\n12345678\r\n"].concat();
    let target = Target::start(Behaviour::Answers(endless)).await;
    let policy = EgressPolicy { max_response_bytes: 20, ..local() };

    let response = egress(policy).send(post_to(&target)).await.unwrap();

    assert_eq!((&response.body[..], response.truncated), (&b"12345678123456781234"[..], true));
}

#[tokio::test]
async fn b10_a_body_that_declares_to_be_huge_is_not_read() {
    let huge = b"HTTP/1.1 200 OK\r\ncontent-length: 1048577\r\n\r\nbeginning".to_vec();
    let target = Target::start(Behaviour::Answers(huge)).await;
    let egress = egress(local());
    for connections in 1..=2 {
        let response = egress.send(post_to(&target)).await.unwrap();
        assert_eq!(response.status, StatusCode::OK);
        assert_eq!((response.body.len(), response.truncated), (0, true));
        assert_eq!(target.accepted(), connections);
    }
}

#[tokio::test]
async fn b10_a_dripping_body_ends_at_the_total_timeout() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n".to_vec();
    let target = Target::start(Behaviour::Drips(head)).await;
    let mut request = post_to(&target);
    request.timeouts = Some(Timeouts { head: Duration::from_secs(5), total: Duration::from_millis(500) });

    let error = egress(local()).send(request).await.unwrap_err();

    assert!(matches!(error, EgressError::TimedOut { phase: Phase::Body }), "{error:?}");
    assert_eq!((error.code(), error.is_permanent()), ("timed_out", false));
    assert_eq!(error.to_string(), "timed out while reading the answer");
}

#[tokio::test]
async fn a_late_head_ends_at_the_headers_timeout() {
    let target = Target::start(Behaviour::StaysSilent).await;
    let policy = EgressPolicy { headers_timeout: Duration::from_millis(50), ..local() };

    let error = egress(policy).send(post_to(&target)).await.unwrap_err();

    assert!(matches!(error, EgressError::TimedOut { phase: Phase::Headers }), "{error:?}");
}

/// A8 and B10: a challenge has limits of its own, narrower or wider than the policy's.
#[tokio::test]
async fn a_request_has_limits_of_its_own() {
    let target = Target::start(Behaviour::StaysSilent).await;
    let mut request = post_to(&target);
    request.timeouts = Some(Timeouts { head: Duration::from_millis(50), total: Duration::from_secs(60) });
    let error = egress(local()).send(request).await.unwrap_err();
    assert!(matches!(error, EgressError::TimedOut { phase: Phase::Headers }), "{error:?}");

    let target = Target::start(Behaviour::Answers(answer("200 OK", &"x".repeat(40)))).await;
    let egress = egress(EgressPolicy { max_response_bytes: 20, ..local() });
    for (own, kept) in [(Some(30), 30), (Some(10), 10), (Some(40), 40), (None, 20)] {
        let request = OutgoingRequest { max_response_bytes: own, ..post_to(&target) };
        let response = egress.send(request).await.unwrap();
        assert_eq!((response.body.len(), response.truncated), (kept, kept < 40));
    }
    let response = egress.keeping(25).send(post_to(&target)).await.unwrap();
    assert_eq!(response.body.len(), 25);
}

#[tokio::test]
async fn a_silent_handshake_ends_at_the_connect_timeout() {
    let target = Target::start(Behaviour::StaysSilent).await;
    let policy = EgressPolicy { connect_timeout: Duration::from_millis(50), ..local() };
    let request = post(&format!("https://{}/", target.address));

    let error = egress(policy).send(request).await.unwrap_err();

    assert!(matches!(error, EgressError::TimedOut { phase: Phase::Connect }), "{error:?}");
}

#[tokio::test]
async fn a_target_that_does_not_speak_tls_fails_the_handshake() {
    let target = Target::start(Behaviour::Greets(b"220 mail.example ESMTP\r\n".to_vec())).await;
    let request = post(&format!("https://{}/", target.address));
    let error = egress(local()).send(request).await.unwrap_err();
    assert!(matches!(error, EgressError::Tls(_)), "{error:?}");
    assert!(!error.is_permanent());
}

#[tokio::test]
async fn an_answer_that_is_not_whole_is_an_error() {
    let mut large = b"HTTP/1.1 200 OK\r\nx-large: ".to_vec();
    large.extend_from_slice(&[b'x'; 80 * 1024]);
    large.extend_from_slice(b"\r\ncontent-length: 0\r\n\r\n");
    for broken in [
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc".to_vec(),
        b"HTTP/1.1 200 OK\r\ncontent-le".to_vec(),
        b"SSH-2.0-OpenSSH_9.2\r\n".to_vec(),
        Vec::new(),
        large,
    ] {
        let target = Target::start(Behaviour::AnswersAndCloses(broken)).await;
        let error = egress(local()).send(post_to(&target)).await.unwrap_err();
        assert!(matches!(error, EgressError::Protocol(_)), "{error:?}");
        assert!(!error.is_permanent());
    }
}

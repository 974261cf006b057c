//! Signatures by AWS Signature Version 4, for targets that want them.

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    self, PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4::SigningParams;
use aws_smithy_runtime_api::client::identity::Identity;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use jiff::Timestamp;
use secrecy::ExposeSecret as _;

use super::Source;
use super::clients::AwsCredentials;
use crate::egress::is_connection_header;

/// The service that takes paths as they are and wants the hash of the body in a header.
const OBJECT_STORE: &str = "s3";

/// Why a request was not signed. Says nothing of it.
#[derive(Debug, thiserror::Error)]
#[error("the request cannot be signed")]
pub struct SigningError(#[source] Source);

/// What requests to one service are signed with. Debugging shows no secret.
#[derive(Clone, Debug)]
pub struct SigV4 {
    /// The region of the service.
    pub region: String,
    /// The service's name for signing.
    pub service: String,
    /// Whose signature it is.
    pub credentials: AwsCredentials,
}

/// A request as it will be sent, but for the headers that belong to the connection.
#[derive(Clone, Copy, Debug)]
pub struct Unsigned<'a> {
    /// Its method.
    pub method: &'a Method,
    /// The whole URL.
    pub url: &'a str,
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// Its body.
    pub body: &'a [u8],
}

impl SigV4 {
    /// The headers that sign a request at `now`; they replace those of the same names.
    ///
    /// All headers are signed but those of the connection and those that intermediaries change, such as `user-agent`.
    ///
    /// # Errors
    /// When a header is not plain text.
    pub fn sign(&self, request: &Unsigned<'_>, now: Timestamp) -> Result<Vec<(HeaderName, HeaderValue)>, SigningError> {
        let headers = request.headers.iter().filter(|(name, _)| !is_connection_header(name));
        let headers: Result<Vec<_>, _> =
            headers.map(|(name, value)| value.to_str().map(|value| (name.as_str(), value))).collect();
        let headers = headers.map_err(refused)?;
        let body = SignableBody::Bytes(request.body);
        let signable = SignableRequest::new(request.method.as_str(), request.url, headers.into_iter(), body);
        let identity = self.identity();
        let params = SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(&self.service)
            .time(now.into())
            .settings(self.settings())
            .build()
            .map_err(refused)?;
        let params = http_request::SigningParams::from(params);
        let (instructions, _) = sign(signable.map_err(refused)?, &params).map_err(refused)?.into_parts();
        let (headers, _) = instructions.into_parts();
        let mut made = Vec::with_capacity(headers.len());
        for header in headers {
            let name = HeaderName::from_bytes(header.name().as_bytes()).map_err(refused)?;
            let mut value = HeaderValue::from_str(header.value()).map_err(refused)?;
            value.set_sensitive(true);
            made.push((name, value));
        }
        Ok(made)
    }

    fn identity(&self) -> Identity {
        let AwsCredentials { access_key_id, secret_access_key, session_token } = &self.credentials;
        let token = session_token.as_ref().map(|token| token.expose_secret().to_owned());
        Credentials::new(access_key_id, secret_access_key.expose_secret(), token, None, "target").into()
    }

    fn settings(&self) -> SigningSettings {
        let mut settings = SigningSettings::default();
        if self.service == OBJECT_STORE {
            settings.percent_encoding_mode = PercentEncodingMode::Single;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        }
        settings
    }
}

fn refused(error: impl Into<Source>) -> SigningError {
    SigningError(error.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the vectors of AWS's own test suite are signed with.
    fn example() -> SigV4 {
        let credentials = AwsCredentials {
            access_key_id: "AKIDEXAMPLE".to_owned(),
            secret_access_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into(),
            session_token: None,
        };
        SigV4 { region: "us-east-1".to_owned(), service: "service".to_owned(), credentials }
    }

    fn signed(by: &SigV4, method: &Method, headers: &HeaderMap, body: &[u8]) -> HeaderMap {
        let now: Timestamp = "2015-08-30T12:36:00Z".parse().unwrap();
        let url = "https://example.amazonaws.com/";
        by.sign(&Unsigned { method, url, headers, body }, now).unwrap().into_iter().collect()
    }

    fn authorization(signed_headers: &str, signature: &str) -> String {
        format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders={signed_headers}, Signature={signature}"
        )
    }

    /// `get-vanilla` of the test suite.
    #[test]
    fn a_bare_request_is_signed_as_the_standard_vector_says() {
        let made = signed(&example(), &Method::GET, &HeaderMap::new(), b"");
        assert_eq!(made["x-amz-date"], "20150830T123600Z");
        let signature = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
        assert_eq!(made["authorization"], authorization("host;x-amz-date", signature));
        assert_eq!(made.len(), 2);
        assert!(made.values().all(HeaderValue::is_sensitive));
    }

    /// `post-x-www-form-urlencoded` of the test suite, with headers that are not signed.
    #[test]
    fn a_body_is_signed_and_what_the_connection_writes_is_not() {
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("content-length", "13"),
            ("connection", "close"),
            ("user-agent", "Hookport/1"),
        ];
        let headers: HeaderMap =
            headers.into_iter().map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_static(v))).collect();
        let made = signed(&example(), &Method::POST, &headers, b"Param1=value1");
        let signature = "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a";
        assert_eq!(made["authorization"], authorization("content-type;host;x-amz-date", signature));
    }

    #[test]
    fn a_session_token_is_sent_and_signed() {
        let mut by = example();
        by.credentials.session_token = Some("token".into());
        let made = signed(&by, &Method::GET, &HeaderMap::new(), b"");
        assert_eq!(made["x-amz-security-token"], "token");
        let authorization = made["authorization"].to_str().unwrap();
        assert!(authorization.contains("SignedHeaders=host;x-amz-date;x-amz-security-token,"), "{authorization}");
        assert!(!format!("{by:?}").contains("wJal"));
    }

    #[test]
    fn objects_are_signed_with_the_hash_of_their_body() {
        let by = SigV4 { service: OBJECT_STORE.to_owned(), ..example() };
        let made = signed(&by, &Method::PUT, &HeaderMap::new(), b"");
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(made["x-amz-content-sha256"], empty);
    }

    #[test]
    fn a_header_that_is_no_text_cannot_be_signed() {
        let headers =
            HeaderMap::from_iter([(HeaderName::from_static("x-a"), HeaderValue::from_bytes(b"\xff").unwrap())]);
        let request = Unsigned { method: &Method::GET, url: "https://example.com/", headers: &headers, body: b"" };
        assert!(example().sign(&request, Timestamp::UNIX_EPOCH).is_err());
    }
}

//! Extractors that refuse in the API's own shape: bodies, ids in paths, queries.

use std::fmt;
use std::marker::PhantomData;

use axum::Json;
use axum::body::HttpBody as _;
use axum::extract::path::ErrorKind;
use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use http::StatusCode;
use http::request::Parts;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, Deserializer, MapAccess, Visitor};

use crate::api::Api;
use crate::error::{Error, Result};

/// The longest text of a refusal, in characters: what a caller sent is quoted in it.
const MAX_REASON_CHARS: usize = 300;

/// A JSON object. A derived `Deserialize` alone would also take an array of the fields' values.
pub(crate) struct JsonObject<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for JsonObject<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Members<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> std::result::Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(members))
            }
        }

        deserializer.deserialize_map(Members(PhantomData)).map(Self)
    }
}

/// The body, a JSON object. A refusal names the field and its rule.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Api> for Body<T> {
    type Rejection = Error;

    async fn from_request(request: Request, api: &Api) -> Result<Self> {
        let Json(JsonObject(value)) = Json::<JsonObject<T>>::from_request(request, api).await.map_err(body_refused)?;
        Ok(Self(value))
    }
}

/// A JSON object in the body, or no body at all.
pub(crate) struct OptionalBody<T>(pub(crate) T);

impl<T: DeserializeOwned + Default> FromRequest<Api> for OptionalBody<T> {
    type Rejection = Error;

    async fn from_request(request: Request, api: &Api) -> Result<Self> {
        if request.body().is_end_stream() {
            return Ok(Self(T::default()));
        }
        Body::<T>::from_request(request, api).await.map(|Body(value)| Self(value))
    }
}

pub(crate) fn body_refused(rejection: JsonRejection) -> Error {
    match rejection {
        JsonRejection::JsonDataError(error) => Error::InvalidRequest(without_position(reason(&error))),
        JsonRejection::JsonSyntaxError(error) => {
            Error::InvalidRequest(format!("the body is not valid JSON: {}", reason(&error)))
        }
        JsonRejection::MissingJsonContentType(_) => Error::UnsupportedMediaType,
        JsonRejection::BytesRejection(error) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => Error::TooLarge,
        other => Error::InvalidRequest(reason(&other)),
    }
}

/// The ids in the path, of the types that the operation expects.
pub(crate) struct Ids<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<Api> for Ids<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self> {
        match Path::<T>::from_request_parts(parts, api).await {
            Ok(Path(ids)) => Ok(Self(ids)),
            Err(PathRejection::FailedToDeserializePathParams(error)) => {
                Err(Error::InvalidId(match error.into_kind() {
                    ErrorKind::DeserializeError { key, message, .. } => format!("{key}: {message}"),
                    other => other.to_string(),
                }))
            }
            Err(other) => Err(Error::Internal(other.into())),
        }
    }
}

/// The query. A refusal names the parameter.
pub(crate) struct Params<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequestParts<Api> for Params<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self> {
        match Query::<T>::from_request_parts(parts, api).await {
            Ok(Query(params)) => Ok(Self(params)),
            Err(rejection) => Err(Error::InvalidRequest(reason(&rejection))),
        }
    }
}

/// What is behind the framework's own sentence: the path to the field and its rule.
fn reason(rejection: &dyn std::error::Error) -> String {
    let text = rejection.source().map_or_else(|| rejection.to_string(), ToString::to_string);
    let cut = text.char_indices().nth(MAX_REASON_CHARS);
    match cut {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Where in the text a broken rule was noticed helps nobody: the field is named.
fn without_position(mut text: String) -> String {
    if let Some(at) = text.rfind(" at line ") {
        text.truncate(at);
    }
    text
}

#[cfg(test)]
mod tests {
    use hookport::domain::text::{Name, Slug};

    use super::*;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        name: Name,
        inner: Option<JsonObject<Inner>>,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        slug: Slug,
    }

    fn refusal(body: &str) -> String {
        match Json::<JsonObject<Outer>>::from_bytes(body.as_bytes()) {
            Ok(Json(JsonObject(outer))) => {
                format!("taken: {} {:?}", outer.name, outer.inner.map(|JsonObject(inner)| inner.slug.to_string()))
            }
            Err(rejection) => body_refused(rejection).to_string(),
        }
    }

    #[test]
    fn a_refusal_names_the_field_and_the_rule() {
        let cases = [
            (r#"{"name":"x","inner":{"slug":"a"}}"#, r#"taken: x Some("a")"#),
            (r#"{"name":"x","inner":null}"#, "taken: x None"),
            (r#"{"name":""}"#, "name: must have 1 to 255 characters"),
            (r#"{"name":"x","inner":{"slug":"xero"}}"#, "inner.slug: is reserved"),
            (r#"{"name":"x","inner":["a"]}"#, "inner: invalid type: sequence, expected an object"),
            (r#"["x"]"#, "invalid type: sequence, expected an object"),
            ("null", "invalid type: null, expected an object"),
            ("{}", "missing field `name`"),
            (r#"{"name":"x","nam":1}"#, "nam: unknown field `nam`, expected `name` or `inner`"),
            (r#"{"name":"x","name":"y"}"#, "duplicate field `name`"),
        ];
        for (body, expected) in cases {
            assert_eq!(refusal(body), expected, "{body}");
        }
    }

    #[test]
    fn what_is_no_json_is_said_to_be_none() {
        for junk in ["", "{", "{]", r#"{"name":"x"} x"#, r#"{"name":x}"#] {
            assert!(refusal(junk).contains("not valid JSON: "), "{junk}: {}", refusal(junk));
        }
    }

    #[test]
    fn a_long_quotation_is_cut() {
        let body = format!(r#"{{"{}":1}}"#, "é".repeat(5_000));
        assert!(refusal(&body).chars().count() <= MAX_REASON_CHARS + 1);
    }
}

//! `hookport send`: a request as a provider would send it, signed as that provider signs.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use clap::error::ErrorKind;
use hookport::clock::Clock;
use hookport::random::Random;
use hookport::scheme::Scheme;
use hookport::scheme::algorithm::Encoding;
use hookport::scheme::naming::normal;
use hookport::scheme::place::{At, Place};
use hookport::scheme::preset::{Preset, SampleRequest};
use hookport::scheme::settings::{PUBLIC_URL, Settings};
use hookport::scheme::sign::{SignError, SignedRequest, Signer, sign};
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use crate::presets::{find, samples};

/// The longest that an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How much of an answer is printed, in bytes.
const MAX_SHOWN_BYTES: usize = 1_024;

/// What `hookport send` takes.
#[derive(clap::Args)]
pub struct Args {
    /// The provider and its event, such as github.push; without an event, the first sample of the provider.
    #[arg(value_name = "PRESET[.EVENT]", value_parser = sample)]
    sample: Sample,
    /// Where to send it.
    #[arg(long, value_name = "URL", value_parser = target)]
    to: String,
    /// The secret. Other users of the machine can see it in the list of processes: --secret-file hides it.
    #[arg(long, value_name = "SECRET", conflicts_with = "secret_file", required_unless_present = "secret_file")]
    secret: Option<String>,
    /// A file that holds the secret. Where a provider is verified by a public key: its private key, PKCS #8 in PEM.
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// A value beside the secret; `hookport presets PRESET` tells which there are. May be given more than once.
    #[arg(long = "setting", value_name = "NAME=VALUE", value_parser = setting)]
    settings: Vec<(String, String)>,
    /// Send nothing and print the request.
    #[arg(long, conflicts_with = "json")]
    print: bool,
    /// Send nothing and print the request and its secret as a line of JSON, for tools.
    #[arg(long)]
    json: bool,
    /// How many requests, each with ids of its own.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1000))]
    count: u16,
}

/// A sample of a built-in preset.
#[derive(Clone, Copy)]
struct Sample {
    preset: &'static Preset,
    event: &'static str,
    request: &'static SampleRequest,
}

/// What came back.
struct Answer {
    status: StatusCode,
    /// The beginning of the body.
    start: Vec<u8>,
}

type HttpClient = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

fn sample(text: &str) -> Result<Sample, String> {
    // No name of a preset has a dot in it.
    let (name, event) = text.split_once('.').map_or((text, None), |(name, event)| (name, Some(event)));
    let preset = find(name)?;
    let found = match event {
        None => preset.samples.first_key_value(),
        Some(event) => preset
            .samples
            .get_key_value(event)
            .or_else(|| preset.samples.iter().find(|(known, _)| normal(known) == normal(event))),
    };
    match found {
        Some((event, request)) => Ok(Sample { preset, event, request }),
        None if preset.samples.is_empty() => Err(format!("{} has no samples", preset.name)),
        None => Err(format!("there is no such sample; there are {}", samples(preset))),
    }
}

fn target(text: &str) -> Result<String, String> {
    let uri: Uri = text.parse().map_err(|_| "is not a URL")?;
    if matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some() {
        Ok(text.to_owned())
    } else {
        Err("must be an http or https URL".to_owned())
    }
}

fn setting(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("must be NAME=VALUE, such as webhook_id=12")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Runs the command.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let Sample { preset, event, request } = args.sample;
    let given = settings(preset, &args.settings).unwrap_or_else(|said| usage(&said));
    let secret = args.secret()?;
    let settings = Settings::from(given.clone());
    let (clock, random) = (Clock::system(), Random::from_os());
    let make = || {
        let signer = Signer { secret: &secret, settings: &settings, now: clock.now(), random: random.bytes() };
        sign(preset, request, &args.to, &signer).map_err(|error| explained(preset, error))
    };
    let mut out = anstream::stdout().lock();
    if args.print || args.json {
        for _ in 0..args.count {
            let made = make()?;
            let text = if args.json { line(&args.sample, &secret, &given, &made) } else { message(&made)? };
            writeln!(out, "{text}")?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let client = client()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut code = ExitCode::SUCCESS;
    for _ in 0..args.count {
        let made = make()?;
        let what = without(&format!("{} {}", made.method, shown_url(&made.url, &preset.verify)), &secret);
        let wanted = MAX_SHOWN_BYTES + secret.expose_secret().len();
        let answer = runtime.block_on(send(&client, &made, wanted)).with_context(|| format!("{what} failed"))?;
        let headers: Vec<_> = made.headers.iter().map(|(name, _)| name.as_str()).collect();
        let bytes = made.body.len();
        writeln!(out, "{what}\n  {}.{event}, {bytes} bytes, with {}", preset.name, headers.join(", "))?;
        writeln!(out, "{}", answer.status)?;
        if !answer.start.is_empty() {
            writeln!(out, "{}", shown_body(&answer.start, &secret))?;
        }
        if !answer.status.is_success() {
            code = ExitCode::FAILURE;
        }
    }
    Ok(code)
}

impl Args {
    fn secret(&self) -> anyhow::Result<SecretString> {
        let text = match (&self.secret, &self.secret_file) {
            (Some(secret), _) => secret.clone(),
            (None, Some(file)) => {
                std::fs::read_to_string(file).with_context(|| format!("reading {} failed", file.display()))?
            }
            (None, None) => bail!("give a secret: --secret or --secret-file"),
        };
        // Editors end a file with a line feed that is no part of the secret.
        let text = text.trim_end_matches(['\r', '\n']);
        if text.is_empty() {
            bail!("the secret is empty");
        }
        Ok(SecretString::from(text.to_owned()))
    }
}

/// Tells what is wrong as the parser of arguments does, with its exit code.
fn usage(said: &str) -> ! {
    clap::Error::raw(ErrorKind::MissingRequiredArgument, format!("{said}\n")).exit()
}

/// Holds the settings that were given against those of the preset.
fn settings(preset: &Preset, given: &[(String, String)]) -> Result<BTreeMap<String, String>, String> {
    let given: BTreeMap<_, _> = given.iter().cloned().collect();
    let is_known = |name: &str| preset.settings.contains_key(name) || (name == PUBLIC_URL && preset.verify.signs_url());
    if let Some(name) = given.keys().find(|name| !is_known(name)) {
        return Err(format!("{} has no setting {name:?}; `hookport presets {}` tells all", preset.name, preset.name));
    }
    let missing = preset.settings.iter().filter(|(name, info)| !info.optional && !given.contains_key(*name));
    let missing: Vec<_> = missing.map(|(name, info)| format!("  --setting {name}=…  {}", info.label)).collect();
    if missing.is_empty() { Ok(given) } else { Err(format!("{} also needs\n{}", preset.name, missing.join("\n"))) }
}

fn explained(preset: &Preset, error: SignError) -> anyhow::Error {
    if matches!(error, SignError::Secret) && preset.verify.has_public_key() {
        return anyhow::Error::new(error)
            .context("its requests are verified by a public key: --secret-file takes the private one, PKCS #8 in PEM");
    }
    anyhow::Error::new(error)
}

/// The request, its secret and its settings, for tools.
fn line(
    sample: &Sample,
    secret: &SecretString,
    settings: &BTreeMap<String, String>,
    request: &SignedRequest,
) -> String {
    let headers: BTreeMap<_, _> = request.headers.iter().map(|(name, value)| (name, value)).collect();
    let mut line = json!({
        "preset": sample.preset.name,
        "event": sample.event,
        "secret": secret.expose_secret(),
        "settings": settings,
        "method": request.method,
        "url": request.url,
        "headers": headers,
        "body_base64": Encoding::Base64.encode(&request.body),
    });
    if sample.preset.verify.has_public_key() {
        // What verifies it is the other half, which is not at hand.
        line["private_key"] = line["secret"].take();
    }
    line.to_string()
}

/// The request as an HTTP message, with line feeds where the wire has more.
fn message(request: &SignedRequest) -> anyhow::Result<String> {
    let uri: Uri = request.url.parse()?;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let host = uri.authority().map_or("", |authority| authority.as_str());
    let mut message = format!("{} {path} HTTP/1.1\nhost: {host}\n", request.method);
    for (name, value) in &request.headers {
        message.push_str(&format!("{name}: {value}\n"));
    }
    message.push_str(&format!("content-length: {}\n\n", request.body.len()));
    message.push_str(&String::from_utf8_lossy(&request.body));
    Ok(message)
}

fn client() -> anyhow::Result<HttpClient> {
    let connector = HttpsConnectorBuilder::new()
        .with_provider_and_webpki_roots(rustls::crypto::ring::default_provider())?
        .https_or_http()
        .enable_http1()
        .build();
    Ok(Client::builder(TokioExecutor::new()).build(connector))
}

/// Sends a request and reads so many bytes of the answer, or a few more.
async fn send(client: &HttpClient, request: &SignedRequest, wanted: usize) -> anyhow::Result<Answer> {
    let mut building = Request::builder().method(request.method.as_str()).uri(request.url.as_str());
    for (name, value) in &request.headers {
        building = building.header(name.as_str(), value.as_str());
    }
    let built = building.body(Full::new(Bytes::from(request.body.clone())))?;
    let answered = async {
        let (head, mut body) = client.request(built).await?.into_parts();
        let mut start = Vec::new();
        while start.len() < wanted
            && let Some(frame) = body.frame().await
        {
            if let Ok(data) = frame?.into_data() {
                start.extend_from_slice(&data);
            }
        }
        anyhow::Ok(Answer { status: head.status, start })
    };
    tokio::time::timeout(PATIENCE, answered).await.context("no answer in time")?
}

/// The URL for people: what proves the request is left out of its query string.
fn shown_url(url: &str, verify: &Scheme) -> String {
    let places: Vec<&Place> = match verify {
        Scheme::Signature(signature) => signature.signature.iter().collect(),
        Scheme::Token(token) => vec![&token.place],
        Scheme::Jws(jws) => vec![&jws.place],
        Scheme::HttpMessageSignature(_) => Vec::new(),
    };
    let is_proof = |name: &str| places.iter().any(|place| matches!(&place.at, At::Query(known) if known == name));
    let Some((path, query)) = url.split_once('?') else { return url.to_owned() };
    let shown = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) if is_proof(name) => format!("{name}=…"),
        _ => pair.to_owned(),
    });
    format!("{path}?{}", shown.collect::<Vec<_>>().join("&"))
}

/// The text with stars in place of the secret, as many as it has bytes.
fn without(text: &str, secret: &SecretString) -> String {
    let secret = secret.expose_secret();
    text.replace(secret, &"*".repeat(secret.len()))
}

/// The beginning of an answer, harmless for a terminal.
fn shown_body(start: &[u8], secret: &SecretString) -> String {
    // Hidden before it is cut: a secret that is cut in two could not be found.
    let text = without(&String::from_utf8_lossy(start), secret);
    let shown = &text[..text.floor_char_boundary(MAX_SHOWN_BYTES)];
    let harmless = |c: char| if c.is_control() && !matches!(c, '\n' | '\t') { char::REPLACEMENT_CHARACTER } else { c };
    let mut plain: String = shown.chars().filter(|c| *c != '\r').map(harmless).collect();
    if shown.len() < text.len() {
        plain.push_str("\n… and more");
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_named_as_its_provider_or_its_event_type_writes_it() {
        for (text, preset, event) in [
            ("github.push", "github", "push"),
            ("shopify.orders/create", "shopify", "orders/create"),
            ("shopify.orders.create", "shopify", "orders/create"),
            ("stripe.payment_intent.succeeded", "stripe", "payment_intent.succeeded"),
            ("box.file.uploaded", "box", "FILE.UPLOADED"),
            ("docker_hub.push", "docker-hub", "push"),
        ] {
            let found = sample(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!((found.preset.name.as_str(), found.event), (preset, event), "{text}");
        }
        let first = sample("github").expect("a sample");
        assert_eq!(Some(first.event), first.preset.samples.keys().next().map(String::as_str));
    }

    #[test]
    fn only_http_is_sent_to() {
        for good in ["http://127.0.0.1:8080/hook", "https://hooks.example.com"] {
            assert!(target(good).is_ok(), "{good}");
        }
        for bad in ["", "/hook", "hooks.example.com", "ftp://example.com/", "file:///etc/passwd"] {
            assert!(target(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_an_answer_says_does_nothing_to_a_terminal_and_repeats_no_secret() {
        let secret = SecretString::from("s3cret".to_owned());
        assert_eq!(shown_body(b"a\r\n\x1b[2Jb s3cret", &secret), "a\n\u{fffd}[2Jb ******");
        // It stands where the answer is cut.
        let long = format!("{}s3cret", "x".repeat(MAX_SHOWN_BYTES - 3));
        assert_eq!(shown_body(long.as_bytes(), &secret), format!("{}***\n… and more", "x".repeat(MAX_SHOWN_BYTES - 3)));
    }

    #[test]
    fn a_proof_in_the_query_string_is_not_shown() {
        let verify = &find("docker-hub").expect("a preset").verify;
        assert_eq!(shown_url("http://a/b?event=push&token=x", verify), "http://a/b?event=push&token=…");
        assert_eq!(shown_url("http://a/b", verify), "http://a/b");
    }
}

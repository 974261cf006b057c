//! Prints a signed request of every built-in preset, one a line, for `tests/interop/verify.py`.
//!
//! A line is what `hookport send --json` prints, except that its secret is what verifies: a public key where the
//! provider has one. Secrets, keys and settings are those of the row's vectors.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hookport::clock::Clock;
use hookport::random::Random;
use hookport::scheme::catalogue::presets;
use hookport::scheme::preset::Preset;
use hookport::scheme::settings::Settings;
use hookport::scheme::sign::{Signer, sign};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};

/// The part of the vectors of a row that a signer needs.
#[derive(Deserialize)]
struct Vectors {
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    #[serde(default)]
    secret: String,
    #[serde(default)]
    settings: BTreeMap<String, String>,
    #[serde(default)]
    private_key: Option<String>,
}

fn main() -> anyhow::Result<()> {
    let (clock, random) = (Clock::system(), Random::from_os());
    let mut out = std::io::stdout().lock();
    for preset in presets() {
        match line(preset, &clock, &random) {
            Ok(line) => writeln!(out, "{line}")?,
            Err(error) => eprintln!("{}: left out: {error:#}", preset.name),
        }
    }
    Ok(())
}

/// The first sample of a preset, signed as one of its vectors was.
fn line(preset: &Preset, clock: &Clock, random: &Random) -> anyhow::Result<Value> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/presets/{}.json", preset.name));
    let all: Vectors = serde_json::from_str(&fs::read_to_string(path).context("its vectors cannot be read")?)?;
    let has_public_key = preset.verify.has_public_key();
    // A provider publishes a request of its own, but not the key that signed it.
    let can_sign = |vector: &&Vector| vector.private_key.is_some() == has_public_key;
    let vector = all.vectors.iter().find(can_sign).context("no vector has a key to sign with")?;
    let (event, sample) = preset.samples.first_key_value().context("it has no sample")?;
    let key = SecretString::from(vector.private_key.clone().unwrap_or_else(|| vector.secret.clone()));
    let settings = Settings::from(vector.settings.clone());
    let signer = Signer { secret: &key, settings: &settings, now: clock.now(), random: random.bytes() };
    let url = format!("https://hooks.example.com/api/inbound/acme/{}", preset.name);
    let request = sign(preset, sample, &url, &signer)?;
    let headers: BTreeMap<_, _> = request.headers.into_iter().collect();
    let mut line = json!({
        "preset": preset.name,
        "event": event,
        "secret": vector.secret,
        "settings": vector.settings,
        "method": request.method,
        "url": request.url,
        "headers": headers,
        "body_base64": STANDARD.encode(&request.body),
    });
    if let Some(private_key) = &vector.private_key {
        line["private_key"] = json!(private_key);
    }
    Ok(line)
}

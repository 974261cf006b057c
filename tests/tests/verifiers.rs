//! The verifiers in docs/verifiers, each run over tests/verifiers/vectors.json by its language, where it is installed.
//!
//! The vectors are made by code that shares nothing with the gateway, so what the gateway signs with is held against
//! them as well: verifiers and signer cannot drift apart.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hookport::proof::HmacKey;
use hookport::signature::challenge::{challenge_body, echoes};
use hookport::signature::standard::SigningKey;
use jiff::Timestamp;
use ring::signature::{ED25519, UnparsedPublicKey};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};

/// A file of the tree, by its path from the root.
fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the root of the tree").join(path)
}

/// A language, by the program that runs it.
struct Language {
    program: &'static str,
    /// What makes the program tell its version.
    version: &'static str,
    /// The first number of the oldest version that will do.
    at_least: u32,
}

impl Language {
    const fn new(program: &'static str, version: &'static str, at_least: u32) -> Self {
        Self { program, version, at_least }
    }

    fn is_here(&self) -> bool {
        let Ok(output) = Command::new(self.program).arg(self.version).output() else { return false };
        let told = String::from_utf8_lossy(&output.stdout);
        let digits = told.trim_start_matches(|c: char| !c.is_ascii_digit());
        let major = digits.split(|c: char| !c.is_ascii_digit()).next().and_then(|number| number.parse().ok());
        output.status.success() && major.is_some_and(|major: u32| major >= self.at_least)
    }

    /// Runs a driver over the vectors; the command may use the folder that it is given.
    fn drive(&self, command: impl FnOnce(&Path) -> Command) {
        if !self.is_here() {
            self.say("skipped, because it is not installed or too old");
            return;
        }
        let folder = tempfile::tempdir().expect("a folder");
        let output = command(folder.path()).arg(file("tests/verifiers/vectors.json")).output();
        let output = output.expect("a program that tells its version can be run");
        let (told, wrong) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success() && told.starts_with("ok "), "{}: {told}{wrong}", self.program);
        self.say(told.trim_end());
    }

    /// Tells who runs the tests, who would not see what a passing test prints.
    fn say(&self, what: &str) {
        let line = format!("verifier run by {}: {what}\n", self.program);
        io::stderr().write_all(line.as_bytes()).expect("standard error takes a line");
    }
}

#[test]
fn the_verifier_for_node_judges_every_vector() {
    Language::new("node", "--version", 18).drive(|_| {
        let mut command = Command::new("node");
        command.arg(file("tests/verifiers/drive.mjs"));
        command
    });
}

#[test]
fn the_verifier_for_python_judges_every_vector() {
    Language::new("python3", "--version", 3).drive(|_| {
        let mut command = Command::new("python3");
        command.arg("-B").arg(file("tests/verifiers/drive.py"));
        command
    });
}

#[test]
fn the_verifier_for_ruby_judges_every_vector() {
    Language::new("ruby", "--version", 3).drive(|_| {
        let mut command = Command::new("ruby");
        command.arg(file("tests/verifiers/drive.rb"));
        command
    });
}

#[test]
fn the_verifier_for_php_judges_every_vector() {
    Language::new("php", "--version", 8).drive(|_| {
        let mut command = Command::new("php");
        command.arg(file("tests/verifiers/drive.php"));
        command
    });
}

#[test]
fn the_verifier_for_go_judges_every_vector() {
    Language::new("go", "version", 1).drive(|folder| {
        let package = folder.join("webhook");
        fs::create_dir(&package).expect("a folder");
        fs::copy(file("docs/verifiers/verify.go"), package.join("verify.go")).expect("the verifier");
        fs::copy(file("tests/verifiers/drive.go"), folder.join("main.go")).expect("the driver");
        fs::write(folder.join("go.mod"), "module drive\n\ngo 1.19\n").expect("a file");
        let mut command = Command::new("go");
        command.args(["run", "."]).current_dir(folder);
        command.envs([("GOPROXY", "off"), ("GOTOOLCHAIN", "local"), ("GOWORK", "off"), ("GOFLAGS", "")]);
        command
    });
}

#[test]
fn the_verifier_for_java_judges_every_vector() {
    Language::new("javac", "--version", 17).drive(|folder| {
        let mut compiler = Command::new("javac");
        compiler.args(["-Xlint:all", "-Werror", "-d"]).arg(folder);
        let output = compiler.args(["docs/verifiers/Verify.java", "tests/verifiers/Drive.java"].map(file)).output();
        let output = output.expect("a program that tells its version can be run");
        assert!(output.status.success(), "javac: {}", String::from_utf8_lossy(&output.stderr));
        let mut command = Command::new("java");
        command.arg("-cp").arg(folder).arg("Drive");
        command
    });
}

#[derive(Deserialize)]
struct Vectors {
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    function: String,
    key: Option<String>,
    headers: BTreeMap<String, Value>,
    body_base64: String,
    expected: Value,
}

impl Vector {
    fn all(function: &str) -> Vec<Self> {
        let text = fs::read_to_string(file("tests/verifiers/vectors.json")).expect("the vectors");
        let all: Vectors = serde_json::from_str(&text).expect("the vectors are JSON");
        let found: Vec<_> = all.vectors.into_iter().filter(|vector| vector.function == function).collect();
        assert!(found.len() > 10, "only {} vectors of {function}", found.len());
        found
    }

    fn is_accepted(&self) -> bool {
        self.expected == json!(true)
    }

    fn key(&self) -> &str {
        self.key.as_deref().expect("a vector of a signature has a key")
    }

    fn secret(&self) -> SecretString {
        SecretString::from(self.key())
    }

    fn body(&self) -> Vec<u8> {
        STANDARD.decode(&self.body_base64).expect("base64")
    }

    /// The value of a header, which vectors also write as a list of one.
    fn header(&self, name: &str) -> &str {
        let (_, value) = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).expect("the header");
        value.as_str().or_else(|| value[0].as_str()).expect("a text")
    }

    /// What the gateway would sign the vector with, in the dialect `standard`.
    fn standard(&self) -> String {
        let seconds = self.header("webhook-timestamp").parse().expect("seconds");
        let at = Timestamp::from_second(seconds).expect("a time");
        let key = SigningKey::new(&self.secret()).expect("a secret that a caller may supply");
        key.sign(self.header("webhook-id"), at, &self.body())
    }

    fn holds_ours(&self) -> bool {
        let ours = self.standard();
        self.header("webhook-signature").split(' ').any(|entry| entry == ours)
    }
}

#[test]
fn the_gateway_signs_standard_as_the_vectors_do() {
    let mut held = 0;
    for vector in Vector::all("standard") {
        if vector.key().starts_with("whpk_") || !vector.is_accepted() {
            continue;
        }
        // The gateway writes no zeros before a time.
        if !vector.header("webhook-timestamp").starts_with('0') {
            assert!(vector.holds_ours(), "{}", vector.name);
            held += 1;
        }
    }
    assert!(held > 15, "only {held} vectors were held against the gateway");
    let spoiled: BTreeSet<_> = ["another secret", "another id", "another time", "a body with one byte changed"].into();
    for vector in Vector::all("standard") {
        if vector.name.strip_prefix("standard: ").is_some_and(|name| spoiled.contains(name)) {
            assert!(!vector.is_accepted() && !vector.holds_ours(), "{}", vector.name);
        }
    }
}

#[test]
fn the_asymmetric_vectors_hold_by_the_library_that_signs_here() {
    let mut held = 0;
    for vector in Vector::all("standard") {
        let Some(key) = vector.key().strip_prefix("whpk_").filter(|_| vector.is_accepted()) else { continue };
        let key = STANDARD.decode(key).expect("base64");
        let (id, timestamp) = (vector.header("webhook-id"), vector.header("webhook-timestamp"));
        let signed = [format!("{id}.{timestamp}.").as_bytes(), vector.body().as_slice()].concat();
        let is_by_key = |entry: &str| {
            let signature = entry.strip_prefix("v1a,").and_then(|text| STANDARD.decode(text).ok());
            let key = UnparsedPublicKey::new(&ED25519, &key);
            signature.is_some_and(|signature| key.verify(&signed, &signature).is_ok())
        };
        assert!(vector.header("webhook-signature").split(' ').any(is_by_key), "{}", vector.name);
        held += 1;
    }
    assert!(held > 5, "only {held} vectors were held");
}

#[test]
fn the_gateway_signs_hub_and_timestamped_as_the_vectors_do() {
    for vector in Vector::all("hub").iter().filter(|vector| vector.is_accepted()) {
        let ours = format!("sha256={}", hex::encode(HmacKey::new(&vector.secret()).tag(&[&vector.body()])));
        for value in vector.headers.values() {
            assert!(value.as_str().is_some_and(|value| value.eq_ignore_ascii_case(&ours)), "{}", vector.name);
        }
    }
    for vector in Vector::all("timestamped").iter().filter(|vector| vector.is_accepted()) {
        let value = vector.header("x-hookport-signature");
        let parts: Vec<&str> = value.split(',').map(|part| part.trim_matches([' ', '\t'])).collect();
        let time = parts.iter().find_map(|part| part.strip_prefix("t=")).expect("a time");
        let tag = HmacKey::new(&vector.secret()).tag(&[time.as_bytes(), b".", &vector.body()]);
        let ours = format!("v1={}", hex::encode(tag));
        assert!(parts.iter().any(|part| part.eq_ignore_ascii_case(&ours)), "{}", vector.name);
    }
}

/// A11: what the verifiers answer to the gateway's own challenge passes it.
#[test]
fn a11_the_answers_to_challenges_pass() {
    let mut held = 0;
    for vector in Vector::all("challenge") {
        let Some(answer) = vector.expected.as_str() else { continue };
        let members: Value = serde_json::from_str(answer).expect("an answer is JSON");
        let value = members["challenge"].as_str().expect("an answer has the value");
        assert_eq!(echoes(value, 200, answer.as_bytes(), false), Ok(()), "{}", vector.name);
        if vector.name == "challenge: a challenge" {
            assert_eq!(vector.body(), challenge_body(value));
            held += 1;
        }
    }
    assert_eq!(held, 1);
}

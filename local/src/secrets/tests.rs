use hookport::clock::Clock;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{GenerateError, Secrets};

const FIRST: &str = "11111111-1111-4111-8111-111111111111";
const SECOND: &str = "22222222-2222-4222-8222-222222222222";
const THIRD: &str = "33333333-3333-4333-8333-333333333333";

struct Bench {
    secrets: Secrets,
    clock: Clock,
}

impl Bench {
    fn new() -> Self {
        let clock = Clock::manual(Timestamp::from_second(1_750_000_000).expect("a time in 2025"));
        let secrets = Secrets::open(None, clock.clone()).expect("memory opens");
        Self { secrets, clock }
    }

    async fn create(&self, name: &str, token: &str, value: &str) -> Value {
        let request = json!({ "Name": name, "ClientRequestToken": token, "SecretString": value });
        self.ok("CreateSecret", request).await
    }

    async fn put(&self, id: &str, token: &str, value: &str) -> Value {
        let request = json!({ "SecretId": id, "ClientRequestToken": token, "SecretString": value });
        self.ok("PutSecretValue", request).await
    }

    async fn value(&self, mut request: Value) -> String {
        if request.get("SecretId").is_none() {
            request["SecretId"] = "keyring".into();
        }
        let got = self.ok("GetSecretValue", request).await;
        got["SecretString"].as_str().expect("a value").to_owned()
    }

    async fn ok(&self, operation: &str, request: Value) -> Value {
        let answer = self.secrets.handle(operation, request.to_string().as_bytes()).await;
        assert_eq!(answer.status, 200, "{operation}: {:?}", answer.body);
        serde_json::from_slice(&answer.body).expect("JSON")
    }

    /// Says with which error a request is refused.
    async fn refused(&self, operation: &str, request: Value) -> String {
        let answer = self.secrets.handle(operation, request.to_string().as_bytes()).await;
        assert_eq!(answer.status, 400, "{operation}: {:?}", answer.body);
        let error: Value = serde_json::from_slice(&answer.body).expect("JSON");
        error["__type"].as_str().expect("a type").to_owned()
    }
}

#[tokio::test]
async fn a_secret_is_read_by_name_and_by_arn() {
    let bench = Bench::new();
    let created = bench.create("hookport/keyring", FIRST, "one").await;
    let arn = created["ARN"].as_str().expect("an ARN");
    assert!(arn.starts_with("arn:aws:secretsmanager:us-east-1:000000000000:secret:hookport/keyring-"));
    assert_eq!(created["VersionId"], FIRST);

    for id in ["hookport/keyring", arn] {
        let got = bench.ok("GetSecretValue", json!({ "SecretId": id })).await;
        assert_eq!(
            got,
            json!({
                "ARN": arn,
                "Name": "hookport/keyring",
                "VersionId": FIRST,
                "SecretString": "one",
                "VersionStages": ["AWSCURRENT"],
                "CreatedDate": 1_750_000_000.0,
            })
        );
    }
}

#[tokio::test]
async fn a_new_value_makes_the_old_one_previous() {
    let bench = Bench::new();
    bench.create("keyring", FIRST, "one").await;
    let put = bench.put("keyring", SECOND, "two").await;
    assert_eq!(put["VersionStages"], json!(["AWSCURRENT"]));

    assert_eq!(bench.value(json!({})).await, "two");
    assert_eq!(bench.value(json!({ "VersionStage": "AWSPREVIOUS" })).await, "one");
    assert_eq!(bench.value(json!({ "VersionId": FIRST })).await, "one");

    bench.put("keyring", THIRD, "three").await;
    assert_eq!(bench.value(json!({ "VersionStage": "AWSPREVIOUS" })).await, "two");
    let described = bench.ok("DescribeSecret", json!({ "SecretId": "keyring" })).await;
    assert_eq!(described["VersionIdsToStages"], json!({ SECOND: ["AWSPREVIOUS"], THIRD: ["AWSCURRENT"] }));
}

#[tokio::test]
async fn the_same_put_again_changes_nothing() {
    let bench = Bench::new();
    bench.create("keyring", FIRST, "one").await;
    bench.put("keyring", SECOND, "two").await;
    bench.put("keyring", THIRD, "three").await;
    let again = bench.put("keyring", SECOND, "two").await;
    assert_eq!(again["VersionStages"], json!(["AWSPREVIOUS"]));
    assert_eq!(bench.value(json!({})).await, "three");

    let request = json!({ "SecretId": "keyring", "ClientRequestToken": SECOND, "SecretString": "other" });
    assert_eq!(bench.refused("PutSecretValue", request).await, "ResourceExistsException");
}

#[tokio::test]
async fn the_same_create_again_has_the_same_answer() {
    let bench = Bench::new();
    let created = bench.create("keyring", FIRST, "one").await;
    assert_eq!(bench.create("keyring", FIRST, "one").await, created);

    for (token, value) in [(FIRST, "other"), (SECOND, "one")] {
        let request = json!({ "Name": "keyring", "ClientRequestToken": token, "SecretString": value });
        assert_eq!(bench.refused("CreateSecret", request).await, "ResourceExistsException");
    }
}

#[tokio::test]
async fn a_secret_may_wait_for_its_value() {
    let bench = Bench::new();
    let request = json!({ "Name": "keyring", "ClientRequestToken": FIRST });
    let created = bench.ok("CreateSecret", request).await;
    assert_eq!(created.get("VersionId"), None);
    let request = json!({ "SecretId": "keyring" });
    assert_eq!(bench.refused("GetSecretValue", request).await, "ResourceNotFoundException");
    bench.put("keyring", SECOND, "two").await;
    assert_eq!(bench.value(json!({})).await, "two");
}

#[tokio::test]
async fn a_version_may_wait_under_a_label_of_its_own() {
    let bench = Bench::new();
    bench.create("keyring", FIRST, "one").await;
    let request = json!({
        "SecretId": "keyring", "ClientRequestToken": SECOND, "SecretString": "two", "VersionStages": ["AWSPENDING"]
    });
    bench.ok("PutSecretValue", request).await;
    assert_eq!(bench.value(json!({})).await, "one");
    assert_eq!(bench.value(json!({ "VersionStage": "AWSPENDING" })).await, "two");
    let request = json!({ "SecretId": "keyring", "VersionStage": "AWSPREVIOUS" });
    assert_eq!(bench.refused("GetSecretValue", request).await, "ResourceNotFoundException");
}

#[tokio::test]
async fn a_change_is_dated() {
    let bench = Bench::new();
    let request = json!({
        "Name": "keyring", "ClientRequestToken": FIRST, "SecretString": "one", "Description": "keys"
    });
    bench.ok("CreateSecret", request).await;
    bench.clock.advance(SignedDuration::from_millis(1500));
    bench.put("keyring", SECOND, "two").await;

    let described = bench.ok("DescribeSecret", json!({ "SecretId": "keyring" })).await;
    assert_eq!(described["Description"], "keys");
    assert_eq!(described["CreatedDate"], 1_750_000_000.0);
    assert_eq!(described["LastChangedDate"], 1_750_000_001.5);
}

#[tokio::test]
async fn what_is_not_there_is_told() {
    let bench = Bench::new();
    let missing = "ResourceNotFoundException";
    for operation in ["GetSecretValue", "DescribeSecret"] {
        assert_eq!(bench.refused(operation, json!({ "SecretId": "none" })).await, missing);
    }
    let request = json!({ "SecretId": "none", "ClientRequestToken": FIRST, "SecretString": "x" });
    assert_eq!(bench.refused("PutSecretValue", request).await, missing);
    bench.create("keyring", FIRST, "one").await;
    let request = json!({ "SecretId": "keyring", "VersionId": SECOND });
    assert_eq!(bench.refused("GetSecretValue", request).await, missing);
    let request = json!({ "SecretId": "keyring", "VersionStage": "AWSPREVIOUS" });
    assert_eq!(bench.refused("GetSecretValue", request).await, missing);
}

#[tokio::test]
async fn requests_that_make_no_sense_are_refused() {
    let bench = Bench::new();
    bench.create("keyring", FIRST, "one").await;
    bench.put("keyring", SECOND, "two").await;

    let request = json!({ "SecretId": "keyring", "VersionId": FIRST, "VersionStage": "AWSCURRENT" });
    assert_eq!(bench.refused("GetSecretValue", request).await, "InvalidRequestException");
    let request = json!({ "SecretId": "keyring", "ClientRequestToken": THIRD });
    assert_eq!(bench.refused("PutSecretValue", request).await, "InvalidRequestException");
    let parameter = "InvalidParameterException";
    let request = json!({ "Name": "a secret", "ClientRequestToken": THIRD, "SecretString": "x" });
    assert_eq!(bench.refused("CreateSecret", request).await, parameter);
    let request = json!({ "Name": "short", "ClientRequestToken": "token", "SecretString": "x" });
    assert_eq!(bench.refused("CreateSecret", request).await, parameter);
    let request = json!({ "Name": "binary", "ClientRequestToken": THIRD, "SecretBinary": "eA==" });
    assert_eq!(bench.refused("CreateSecret", request).await, parameter);
    let code = bench.refused("RotateSecret", json!({})).await;
    assert_eq!(code, "UnknownOperationException");
}

#[tokio::test]
async fn a_file_keeps_secrets_for_its_owner_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("secrets.sqlite");
    let clock = Bench::new().clock;
    let open =
        || Bench { secrets: Secrets::open(Some(&file), clock.clone()).expect("the file opens"), clock: clock.clone() };
    open().create("keyring", FIRST, "one").await;
    assert_eq!(open().value(json!({})).await, "one");

    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = file.metadata().expect("the file is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn a_generated_secret_joins_its_template() {
    let secrets = Bench::new().secrets;
    let generated = secrets.generate(r#"{"kid":"k1"}"#, "key", 64, true).expect("generated");
    let object: Value = serde_json::from_str(&generated).expect("JSON");
    assert_eq!(object["kid"], "k1");
    let key = object["key"].as_str().expect("text");
    assert_eq!(key.len(), 64);
    assert!(key.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let other = secrets.generate(r#"{"kid":"k1"}"#, "key", 64, true).expect("generated");
    assert_ne!(generated, other);
}

#[test]
fn the_shortest_secret_still_has_every_kind_of_character() {
    let secrets = Bench::new().secrets;
    for _ in 0..100 {
        let generated = secrets.generate("{}", "key", 4, false).expect("generated");
        let object: Value = serde_json::from_str(&generated).expect("JSON");
        let key = object["key"].as_str().expect("text").as_bytes();
        let kinds: [fn(&u8) -> bool; 4] =
            [u8::is_ascii_uppercase, u8::is_ascii_lowercase, u8::is_ascii_digit, u8::is_ascii_punctuation];
        assert!(kinds.iter().all(|kind| key.iter().any(kind)), "{generated}");
    }
}

#[test]
fn a_secret_that_cannot_be_generated_is_refused() {
    let secrets = Bench::new().secrets;
    let refused = |template, length| secrets.generate(template, "key", length, false);
    assert!(matches!(refused("[]", 32), Err(GenerateError::Template(_))));
    assert!(matches!(refused(r#"{"key":1}"#, 32), Err(GenerateError::KeyTaken(_))));
    assert!(matches!(refused("{}", 3), Err(GenerateError::Length(3))));
    assert!(matches!(refused("{}", 4097), Err(GenerateError::Length(4097))));
}

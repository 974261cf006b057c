//! What a check runs in: a client, and a way to let time pass.

use std::collections::hash_map::RandomState;
use std::fmt::Debug;
use std::hash::{BuildHasher as _, Hasher as _};

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::retry::RetryConfig;
use aws_sdk_sqs::config::{BehaviorVersion, Config, Credentials, Region};
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::{Message, QueueAttributeName};
use hookport::clock::Clock;
use hookport_local::sqs::Sqs;
use jiff::{SignedDuration, Timestamp};

/// How long a receive waits for a message that must be there. Nothing waits so long when all is well.
const PATIENCE_SECONDS: i32 = 5;

pub struct World {
    pub client: Client,
    time: Time,
}

/// The stand-in's time is turned; the emulator's passes while a receive waits.
enum Time {
    Turned(Clock, Sqs),
    Real,
}

impl World {
    pub async fn embedded() -> Self {
        let clock = Clock::manual(Timestamp::from_second(1_750_000_000).expect("a time in 2025"));
        let sqs = Sqs::open(None, clock.clone()).expect("memory opens");
        let url = super::serve(sqs.clone()).await;
        Self { client: client(&url), time: Time::Turned(clock, sqs) }
    }

    pub fn emulator() -> Option<Self> {
        #[expect(clippy::disallowed_methods, reason = "a test takes the emulator's address from whoever runs it")]
        let url = std::env::var("HOOKPORT_EMULATOR_URL").ok()?;
        Some(Self { client: client(&url), time: Time::Real })
    }

    /// Lets time pass. The emulator's time passes in the `receive` that follows, which waits for the outcome.
    pub fn pass(&self, seconds: i64) {
        if let Time::Turned(clock, sqs) = &self.time {
            clock.advance(SignedDuration::from_secs(seconds));
            sqs.wake();
        }
    }

    /// Lets `seconds` pass for sure, shown by a message of that delay which nothing may overtake.
    pub async fn pass_in(&self, queue: &str, seconds: i32) {
        let send = self.client.send_message().queue_url(queue);
        let send = send.message_body("mark").delay_seconds(seconds);
        send.send().await.expect("the mark is sent");
        self.pass(seconds.into());
        let mark = self.receive(queue).await;
        assert_eq!(body(&mark), "mark");
        self.delete(queue, &mark).await;
    }

    /// Makes a queue of a new name and gives its URL.
    pub async fn queue(&self, settings: &[(QueueAttributeName, &str)]) -> String {
        self.named_queue(&new_name(), settings).await
    }

    pub async fn named_queue(&self, name: &str, settings: &[(QueueAttributeName, &str)]) -> String {
        let mut create = self.client.create_queue().queue_name(name);
        for (setting, value) in settings {
            create = create.attributes(setting.clone(), *value);
        }
        let created = create.send().await.expect("the queue is created");
        created.queue_url().expect("a URL").to_owned()
    }

    pub async fn send(&self, queue: &str, body: &str) {
        let send = self.client.send_message().queue_url(queue).message_body(body);
        send.send().await.expect("the message is sent");
    }

    /// Receives one message, waiting for it if need be.
    pub async fn receive(&self, queue: &str) -> Message {
        let receive = self.client.receive_message().queue_url(queue);
        let received = receive.wait_time_seconds(PATIENCE_SECONDS).send().await;
        let messages = received.expect("an answer").messages.unwrap_or_default();
        messages.into_iter().next().expect("a message")
    }

    /// Receives `count` messages, however many receives it takes.
    pub async fn receive_all(&self, queue: &str, count: usize) -> Vec<Message> {
        let mut all = Vec::new();
        while all.len() < count {
            let receive = self.client.receive_message().queue_url(queue).max_number_of_messages(10);
            let received = receive.wait_time_seconds(PATIENCE_SECONDS).send().await;
            let messages = received.expect("an answer").messages.unwrap_or_default();
            assert!(!messages.is_empty(), "{} of {count} messages came", all.len());
            all.extend(messages);
        }
        all
    }

    /// Asserts that nothing can be received now.
    pub async fn nothing(&self, queue: &str) {
        let receive = self.client.receive_message().queue_url(queue);
        let received = receive.wait_time_seconds(0).send().await.expect("an answer");
        assert!(received.messages().is_empty(), "{:?}", received.messages());
    }

    pub async fn delete(&self, queue: &str, message: &Message) {
        let delete = self.client.delete_message().queue_url(queue);
        let deleted = delete.receipt_handle(handle(message)).send().await;
        deleted.expect("the delete is accepted");
    }

    /// Hides a message for `seconds` from now on.
    pub async fn hide(&self, queue: &str, message: &Message, seconds: i32) {
        let change = self.client.change_message_visibility().queue_url(queue);
        let change = change.receipt_handle(handle(message)).visibility_timeout(seconds);
        change.send().await.expect("the visibility changes");
    }

    pub async fn attribute(&self, queue: &str, name: QueueAttributeName) -> String {
        let get = self.client.get_queue_attributes().queue_url(queue);
        let got = get.attribute_names(name.clone()).send().await.expect("an answer");
        let attributes = got.attributes.expect("attributes");
        attributes.get(&name).expect("the attribute").clone()
    }
}

pub fn handle(message: &Message) -> &str {
    message.receipt_handle().expect("a handle")
}

pub fn body(message: &Message) -> &str {
    message.body().expect("a body")
}

/// Says with which code a request was refused.
pub fn refusal<T: Debug, E: ProvideErrorMetadata + Debug>(result: Result<T, SdkError<E>>) -> String {
    let error = result.expect_err("a refusal");
    error.code().expect("a code").to_owned()
}

/// A name that no queue had before, also in an emulator that outlives this run.
pub fn new_name() -> String {
    format!("conformance-{:016x}", RandomState::new().build_hasher().finish())
}

fn client(url: &str) -> Client {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(url)
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "conformance"))
        // A retry would hide a wrong answer.
        .retry_config(RetryConfig::disabled())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    Client::from_conf(config)
}

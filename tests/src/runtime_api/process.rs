//! A built function as a process, started as the platform starts it.

use std::collections::HashMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{error, fmt, io};

use hookport_local::template::Function;
use jiff::SignedDuration;
use serde_json::Value;
use tokio::time::timeout;

use super::output::Output;
use super::{FunctionError, RuntimeApi};

/// How long a start or an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// Why an event has no answer.
#[derive(Debug)]
pub enum InvocationError {
    /// The program could not be run.
    Run(io::Error),
    /// The function says that it failed.
    Function(FunctionError),
    /// The function said nothing for too long.
    Silent {
        /// What the process had written by then.
        log: String,
    },
    /// The process ended.
    Ended {
        /// What it had written.
        log: String,
    },
    /// What the function answered is no JSON.
    NotJson(serde_json::Error),
}

impl fmt::Display for InvocationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run(_) => f.write_str("the program could not be run"),
            Self::Function(FunctionError { error_type, error_message }) => {
                write!(f, "the function failed: {error_message} ({error_type})")
            }
            Self::Silent { log } => {
                write!(f, "the function said nothing for {} s; its log:\n{log}", PATIENCE.as_secs())
            }
            Self::Ended { log } => write!(f, "the process ended; its log:\n{log}"),
            Self::NotJson(_) => f.write_str("the answer is no JSON"),
        }
    }
}

impl error::Error for InvocationError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Run(error) => Some(error),
            Self::NotJson(error) => Some(error),
            Self::Function(_) | Self::Silent { .. } | Self::Ended { .. } => None,
        }
    }
}

/// A function that runs as a process of its own and works events. The process is killed when this is dropped.
pub struct LambdaProcess {
    child: Child,
    output: Output,
    api: RuntimeApi,
    started_in: Duration,
}

impl LambdaProcess {
    /// Runs `binary` as the template's `function` and waits until it asks for work.
    ///
    /// The process has the variables of `environment` and those of the platform, and no others.
    ///
    /// # Errors
    /// When the program cannot be run, or ends or hangs before it asks for work.
    pub async fn start(
        binary: &Path,
        function: &Function,
        environment: &HashMap<String, String>,
    ) -> Result<Self, InvocationError> {
        let api = RuntimeApi::start(&function.logical_id, SignedDuration::from_secs(function.timeout_s.into())).await;
        let mut command = Command::new(binary);
        command.env_clear().envs(of_the_platform(function, &api)).envs(environment);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let began = Instant::now();
        let mut child = command.spawn().map_err(InvocationError::Run)?;
        let output = Output::of(&mut child);
        let mut process = Self { child, output, api, started_in: Duration::ZERO };
        process.while_it_lives(process.api.begun()).await?.map_err(InvocationError::Function)?;
        process.started_in = began.elapsed();
        Ok(process)
    }

    /// How long it took from the start of the process to its first request for work.
    #[must_use]
    pub fn started_in(&self) -> Duration {
        self.started_in
    }

    /// Has the function work an event and gives its answer.
    ///
    /// # Errors
    /// When the function fails, ends or does not answer.
    pub async fn invoke(&self, event: Value) -> Result<Value, InvocationError> {
        match self.while_it_lives(self.api.hand_over(&event)).await? {
            Ok(Ok(answer)) => serde_json::from_slice(&answer).map_err(InvocationError::NotJson),
            Ok(Err(error)) => Err(InvocationError::Function(error)),
            // The outcome's sender is kept until it is used or the server is gone.
            Err(_) => Err(InvocationError::Ended { log: self.log() }),
        }
    }

    /// What the process has written so far.
    #[must_use]
    pub fn log(&self) -> String {
        self.output.text()
    }

    /// Ends the process and gives everything that it wrote.
    pub fn stop(&mut self) -> String {
        self.kill();
        self.output.finish();
        self.log()
    }

    /// Waits for `work`, as long as the process lives and patience lasts.
    async fn while_it_lives<T>(&self, work: impl Future<Output = T>) -> Result<T, InvocationError> {
        let lived = async {
            tokio::select! {
                // What it did just before its end counts.
                biased;
                done = work => Some(done),
                () = self.output.ended() => None,
            }
        };
        match timeout(PATIENCE, lived).await {
            Ok(Some(done)) => Ok(done),
            Ok(None) => Err(InvocationError::Ended { log: self.log() }),
            Err(_) => Err(InvocationError::Silent { log: self.log() }),
        }
    }

    fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for LambdaProcess {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The variables that Lambda sets, as far as a function on an operating-system runtime may look at them.
fn of_the_platform(function: &Function, api: &RuntimeApi) -> HashMap<&'static str, String> {
    let name = &function.logical_id;
    HashMap::from([
        ("AWS_LAMBDA_RUNTIME_API", api.address()),
        ("AWS_LAMBDA_FUNCTION_NAME", name.clone()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", function.memory_mb.to_string()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
        ("AWS_LAMBDA_LOG_FORMAT", "JSON".to_owned()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{name}")),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "2026/01/01/[$LATEST]00000000000000000000000000000001".to_owned()),
        ("LANG", "en_US.UTF-8".to_owned()),
        ("PATH", "/usr/local/bin:/usr/bin:/bin".to_owned()),
        ("TZ", ":UTC".to_owned()),
        ("_HANDLER", "bootstrap".to_owned()),
    ])
}

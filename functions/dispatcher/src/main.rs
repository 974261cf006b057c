//! The dispatcher as a Lambda function.

use std::sync::Arc;

use dispatcher::Dispatcher;
use hookport::app::App;
use hookport::aws::lambda::{self, Error};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let dispatcher = Arc::new(Dispatcher::new(App::from_env()?));
    lambda::run_queue(|messages, deadline| dispatcher.clone().handle(messages, deadline)).await
}

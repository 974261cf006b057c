//! The receiver as a Lambda function.

use hookport::app::App;
use hookport::aws::lambda::{self, Error};
use receiver::Receiver;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let receiver = Receiver::new(App::from_env()?);
    lambda::run_http(|request| receiver.handle(request)).await
}

//! The sweeper as a Lambda function.

use hookport::app::App;
use hookport::aws::lambda::{self, Error};
use sweeper::Sweeper;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let sweeper = Sweeper::new(App::from_env()?);
    lambda::run_schedule(|deadline| sweeper.sweep(deadline)).await
}

//! The management function, as AWS Lambda runs it.

use hookport::app::App;
use hookport::aws::lambda;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let router = management::router(App::from_env()?);
    lambda::run_http(|request| management::handle(&router, request)).await
}

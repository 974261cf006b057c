//! The management function, as AWS Lambda runs it.

use hookport::app::App;
use hookport::aws::lambda;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let app = App::from_env()?;
    let router = management::router(app.clone());
    lambda::run_http_or(
        |request| management::handle(&router, request),
        async |event| management::invoke(&app, event).await,
    )
    .await
}

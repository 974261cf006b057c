//! One wide line for each request, with ids, codes and numbers; never a body, a message or a secret.

use std::sync::{Arc, OnceLock};

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use hookport::clock::Clock;
use hookport::domain::api_token::ApiToken;
use hookport::domain::id::ApiTokenId;
use hookport::domain::text::TenantSlug;

/// What becomes known of the caller while the request is worked on. An extension of the request.
#[derive(Clone, Default)]
pub(crate) struct Known(Arc<OnceLock<(TenantSlug, ApiTokenId)>>);

impl Known {
    /// Notes whose token it was.
    pub(crate) fn caller(&self, token: &ApiToken) {
        // A request has one caller, so a second note would say the same.
        let _ = self.0.set((token.tenant.clone(), token.id));
    }
}

/// Why a request was refused. An extension of the response.
#[derive(Clone)]
pub(crate) struct Refusal {
    /// The stable code.
    pub(crate) code: &'static str,
    /// What was behind a 5xx.
    pub(crate) causes: Option<String>,
}

/// Runs the request and writes its line.
pub(crate) async fn one_line(State(clock): State<Clock>, mut request: Request, next: Next) -> Response {
    let started = clock.now();
    let known = Known::default();
    request.extensions_mut().insert(known.clone());
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;

    let status = response.status();
    let refusal = response.extensions().get::<Refusal>();
    let caller = known.0.get();
    let duration_ms = u64::try_from(clock.now().duration_since(started).as_millis()).unwrap_or_default();
    macro_rules! line {
        ($level:ident, $message:literal) => {
            tracing::$level!(
                http.method = %method,
                http.route = route.as_ref().map(MatchedPath::as_str),
                http.status = status.as_u16(),
                tenant = caller.map(|(tenant, _)| display(tenant)),
                token.id = caller.map(|(_, id)| display(id)),
                error.code = refusal.map(|refusal| refusal.code),
                error.causes = refusal.and_then(|refusal| refusal.causes.as_deref()),
                duration_ms,
                $message
            )
        };
    }
    if status.is_server_error() {
        line!(error, "request.failed");
    } else {
        line!(info, "request.answered");
    }
    response
}

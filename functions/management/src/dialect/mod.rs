//! Dialects: how deliveries look on the wire; the built-in ones, and those that a tenant adds.

mod delete;
mod list;
mod put;
mod read;

use hookport::dialect::{Dialect, DialectName, Signing, catalogue};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

use crate::api::Api;
use crate::routes::routes;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(list::list, put::put)).routes(routes!(read::read, delete::delete))
}

/// A dialect.
#[derive(Serialize, ToSchema)]
pub(crate) struct DialectView {
    /// Its name, to be given as `dialect` of a subscription.
    name: DialectName,
    /// What it is for.
    summary: String,
    /// Whether it is the tenant's own.
    is_own: bool,
    /// Whether it is signed, in whichever way.
    is_signed: bool,
    /// Whether it is signed with the tenant's key, so that receivers need no secret.
    is_asymmetric: bool,
    /// The row itself, as docs/dialects.md describes it.
    #[schema(value_type = Object)]
    row: Value,
}

impl From<&Dialect> for DialectView {
    fn from(dialect: &Dialect) -> Self {
        Self {
            name: dialect.name.clone(),
            summary: dialect.summary.clone(),
            is_own: catalogue::dialect(dialect.name.as_str()).is_none(),
            is_signed: !dialect.signatures.is_empty(),
            is_asymmetric: dialect.signatures.iter().any(Signing::is_asymmetric),
            row: serde_json::to_value(dialect).unwrap_or_default(),
        }
    }
}

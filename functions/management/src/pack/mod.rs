//! Packs: sets of event types that are applied as a whole.

mod apply;
mod list;
mod read;

use hookport::domain::pack::{AppliedPack, PackName};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

use crate::api::Api;
use crate::routes::routes;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(list::list)).routes(routes!(read::read, apply::apply))
}

/// A pack that was applied.
#[derive(Serialize, ToSchema)]
pub(crate) struct PackView {
    /// Its name.
    name: PackName,
    /// When it was applied last.
    #[schema(value_type = String, format = DateTime)]
    applied_at: Timestamp,
}

impl From<AppliedPack> for PackView {
    fn from(pack: AppliedPack) -> Self {
        Self { name: pack.name, applied_at: pack.applied_at }
    }
}

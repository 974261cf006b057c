//! Templates: subscriptions for well-known receivers, of which only the URL and the events are left to say.

mod create;
mod list;

use hookport::dialect::template::Template;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

use crate::api::Api;
use crate::routes::routes;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(list::list)).routes(routes!(create::create))
}

/// A subscription for a well-known receiver.
#[derive(Serialize, ToSchema)]
pub(crate) struct TemplateView {
    /// Its name.
    #[schema(value_type = String, example = "slack")]
    id: &'static str,
    /// Its name for people.
    #[schema(value_type = String)]
    name: &'static str,
    /// What it does, and where its URL comes from.
    #[schema(value_type = String)]
    description: &'static str,
    /// The dialect of its subscriptions.
    #[schema(value_type = String)]
    dialect: &'static str,
    /// The hosts that its URLs have; `*` stands for any characters.
    #[schema(value_type = Vec<String>)]
    hosts: &'static [&'static str],
}

impl From<&Template> for TemplateView {
    fn from(template: &Template) -> Self {
        let Template { id, name, description, dialect, hosts } = *template;
        Self { id, name, description, dialect, hosts }
    }
}

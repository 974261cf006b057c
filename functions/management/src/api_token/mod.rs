//! API tokens. The text of a token is shown once; what is kept is its hash.

mod create;
mod delete;
mod list;

use hookport::app::App;
use hookport::domain::api_token::{ApiToken, SecretHash};
use hookport::domain::event_facts::OwnerName;
use hookport::domain::id::ApiTokenId;
use hookport::domain::permission::Permission;
use hookport::domain::text::{Name, TenantSlug};
use jiff::Timestamp;
use secrecy::SecretString;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::{Array, ArrayBuilder, ObjectBuilder, Type};
use utoipa_axum::router::OpenApiRouter;

use crate::api::Api;
use crate::routes::routes;

/// What tokens start with, so that people and scanners recognise them.
pub(crate) const TOKEN_PREFIX: &str = "hp_";
/// How many letters and digits follow: 238 random bits.
pub(crate) const TOKEN_CHARS: usize = 40;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(list::list, create::create)).routes(routes!(delete::delete))
}

/// What a token to be made is like.
pub(crate) struct NewToken {
    pub(crate) tenant: TenantSlug,
    pub(crate) name: Name,
    /// The owner of subscriptions that it acts for; `None`: it acts for the whole tenant.
    pub(crate) owner: Option<OwnerName>,
    pub(crate) permissions: Vec<Permission>,
    pub(crate) expires_at: Option<Timestamp>,
}

/// Makes a token, and the text that is given to its holder. Nothing is stored yet.
pub(crate) fn mint(app: &App, new: NewToken, now: Timestamp) -> (ApiToken, SecretString) {
    let text = SecretString::from(format!("{TOKEN_PREFIX}{}", app.random.alphanumeric(TOKEN_CHARS)));
    let token = ApiToken {
        id: ApiTokenId::new(now, app.random.bits()),
        tenant: new.tenant,
        name: new.name,
        owner: new.owner,
        permissions: new.permissions,
        hash: SecretHash::of(&text),
        created_at: now,
        expires_at: new.expires_at,
    };
    (token, text)
}

/// An API token, without its text.
#[derive(Serialize, ToSchema)]
pub(crate) struct ApiTokenView {
    /// Its id.
    #[schema(value_type = String, example = "tok_01m5w3rm008000000400000003")]
    id: ApiTokenId,
    /// What it is for.
    name: Name,
    /// The owner of subscriptions that it acts for; null: it acts for the whole tenant.
    owner: Option<OwnerName>,
    /// What it may do.
    #[schema(schema_with = permissions_schema)]
    permissions: Vec<Permission>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// From when on it is refused; null: never.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

impl From<ApiToken> for ApiTokenView {
    fn from(token: ApiToken) -> Self {
        Self {
            id: token.id,
            name: token.name,
            owner: token.owner,
            permissions: token.permissions,
            created_at: token.created_at,
            expires_at: token.expires_at,
        }
    }
}

/// A list of permissions, each of them named.
fn permissions_schema() -> Array {
    let every = Permission::EVERY.iter().map(|permission| permission.as_str());
    let one = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(every));
    ArrayBuilder::new().items(one).min_items(Some(1)).build()
}

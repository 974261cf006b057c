//! The first operator of a deployment.

use hookport::app::App;
use hookport::aws::table::TableError;
use hookport::domain::permission::Permission;
use hookport::domain::tenant::Tenant;
use hookport::domain::text::{Name, TenantSlug};
use hookport::store::CreateError;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::api_token::{NewToken, mint};

/// Makes the tenant `slug` and a token with every permission, unless the tenant exists.
///
/// The token is given here once; only its hash is kept.
///
/// # Errors
/// When the table cannot be reached.
///
/// # Panics
/// Never: a tenant's slug is always fit to be a name.
pub async fn ensure_operator(app: &App, slug: TenantSlug) -> Result<Option<SecretString>, TableError> {
    if app.store.tenant(&slug).await?.is_some() {
        return Ok(None);
    }
    let now = app.clock.now();
    let tenant = Tenant::new(slug.clone(), name(slug.as_str()), now);
    let (token, text) = mint(app, all_powerful(slug), now);
    match app.store.create_tenant(&tenant, &token).await {
        Ok(()) => Ok(Some(text)),
        // Another process was faster, and has its token.
        Err(CreateError::Exists) => Ok(None),
        Err(CreateError::Table(error)) => Err(error),
    }
}

/// Makes another token with every permission, for an operator who has lost the first one.
///
/// # Errors
/// When the table cannot be reached.
pub async fn issue_operator_token(app: &App, slug: TenantSlug) -> Result<SecretString, TableError> {
    let (token, text) = mint(app, all_powerful(slug), app.clock.now());
    app.store.create_token(&token).await?;
    Ok(text)
}

fn all_powerful(tenant: TenantSlug) -> NewToken {
    NewToken { tenant, name: name("operator"), permissions: Permission::EVERY.to_vec(), owner: None, expires_at: None }
}

fn name(text: &str) -> Name {
    Name::try_from(text.to_owned()).expect("the text is short and plain")
}

/// What those who may invoke the function itself can ask of it.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Direct {
    /// Make a token with every permission, and its tenant if need be.
    OperatorToken { tenant: TenantSlug },
}

/// Answers a direct invocation: how whoever deployed gets the first token.
///
/// # Errors
/// When the event asks for nothing known, or the table cannot be reached.
pub async fn invoke(app: &App, event: Value) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
    let Direct::OperatorToken { tenant } = serde_json::from_value(event)?;
    let token = match ensure_operator(app, tenant.clone()).await? {
        Some(token) => token,
        None => issue_operator_token(app, tenant.clone()).await?,
    };
    tracing::warn!(%tenant, "operator.token_issued");
    Ok(json!({"tenant": tenant, "token": token.expose_secret()}))
}

//! The first operator of a deployment.

use hookport::app::App;
use hookport::aws::table::TableError;
use hookport::domain::permission::Permission;
use hookport::domain::tenant::Tenant;
use hookport::domain::text::{Name, TenantSlug};
use hookport::store::CreateError;
use secrecy::SecretString;

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
    NewToken { tenant, name: name("operator"), permissions: Permission::EVERY.to_vec(), expires_at: None }
}

fn name(text: &str) -> Name {
    Name::try_from(text.to_owned()).expect("the text is short and plain")
}

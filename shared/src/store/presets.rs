//! Presets of a tenant's own: one item each.

use serde::{Deserialize, Serialize};

use super::configs::{Holding, get, list_all};
use super::{Store, keys};
use crate::aws::expression::Test;
use crate::aws::table::TableError;
use crate::domain::text::TenantSlug;
use crate::scheme::preset::{Preset, PresetName};

/// A row as text: it is read as a whole or not at all, and its members are nobody's to query.
#[derive(Serialize, Deserialize)]
struct Row(String);

fn preset_of(row: &Row) -> Result<Preset, TableError> {
    serde_json::from_str(&row.0).map_err(|error| TableError::Corrupt(error.into()))
}

impl Store {
    /// Stores a row, in the place of the one with its name.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn put_preset(&self, tenant: &TenantSlug, preset: &Preset) -> Result<(), TableError> {
        let json = serde_json::to_string(preset).map_err(|error| TableError::Corrupt(error.into()))?;
        self.configs.put(&keys::preset(tenant, &preset.name), &Holding { v: Row(json) }, &[]).await
    }

    /// Reads a row.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn preset(&self, tenant: &TenantSlug, name: &PresetName) -> Result<Option<Preset>, TableError> {
        let row: Option<Row> = get(&self.configs, &keys::preset(tenant, name)).await?;
        row.as_ref().map(preset_of).transpose()
    }

    /// Reads all rows of a tenant, sorted by name.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn presets(&self, tenant: &TenantSlug) -> Result<Vec<Preset>, TableError> {
        let rows: Vec<Row> = list_all(&self.configs, keys::presets(tenant)).await?;
        // One that can no longer be read does not take the others along; it can still be replaced or deleted.
        let readable = rows.iter().filter_map(|row| match preset_of(row) {
            Ok(preset) => Some(preset),
            Err(error) => {
                tracing::warn!(%tenant, %error, "preset.unreadable");
                None
            }
        });
        Ok(readable.collect())
    }

    /// Deletes a row; `false` when there is none.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn delete_preset(&self, tenant: &TenantSlug, name: &PresetName) -> Result<bool, TableError> {
        match self.configs.delete(&keys::preset(tenant, name), &[Test::ItemPresent]).await {
            Ok(()) => Ok(true),
            Err(TableError::ConditionFailed { .. }) => Ok(false),
            Err(other) => Err(other),
        }
    }
}

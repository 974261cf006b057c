//! Clients by region.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// The most regions that are remembered: more than there are.
const MOST: usize = 64;

/// One service's client for each region.
#[derive(Debug)]
pub(crate) struct PerRegion<C>(Mutex<HashMap<String, C>>);

impl<C> Default for PerRegion<C> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<C: Clone> PerRegion<C> {
    /// The client of a region, made at the first time.
    pub(crate) fn client(&self, region: &str, make: impl FnOnce() -> C) -> C {
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = made.get(region) {
            return client.clone();
        }
        if made.len() == MOST {
            // Texts that only look like regions, of a tenant that is allowed them all.
            made.clear();
        }
        let client = make();
        made.insert(region.to_owned(), client.clone());
        client
    }
}

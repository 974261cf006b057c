//! Where the addresses of hosts come from.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
#[cfg(test)]
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

/// Where the addresses of host names come from.
#[derive(Clone, Debug, Default)]
pub enum Resolver {
    /// The system's resolver, on a thread where it may block.
    #[default]
    System,
    /// A list of lower-case names; no other name exists.
    Fixed(HashMap<String, Vec<IpAddr>>),
    /// One answer after another for whatever name is asked, as a hostile name server gives them.
    #[cfg(test)]
    InTurn(Arc<Mutex<VecDeque<Vec<IpAddr>>>>),
}

impl Resolver {
    /// Looks a name up.
    pub(super) async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let found = match self {
            Self::System => {
                let found = tokio::net::lookup_host((name, 0)).await?;
                found.map(|address| address.ip()).collect()
            }
            Self::Fixed(names) => names.get(name).cloned().unwrap_or_default(),
            #[cfg(test)]
            Self::InTurn(answers) => {
                let mut answers = answers.lock().expect("no holder of the lock panics");
                answers.pop_front().unwrap_or_default()
            }
        };
        if found.is_empty() {
            return Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address"));
        }
        Ok(found)
    }
}

/// Reads a host as an IP address, which stands in brackets when it is IPv6.
pub(super) fn literal(host: &str) -> Option<IpAddr> {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    bare.parse().ok()
}

//! Looking names up, and refusing them when any of their addresses is refused.
//!
//! The client connects only to the addresses which the guard returns, so a name that changes between check and
//! connection (DNS rebinding) gains nothing: there is one lookup, and it is the checked one.

use std::{fmt, io, net::IpAddr, net::SocketAddr, sync::Arc};

use futures_util::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::rules::Rules;

/// Looks names up; tests put their own in.
pub(super) trait Lookup: Send + Sync {
    /// All addresses of a name.
    fn lookup(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// The system's way to look names up.
pub(super) struct System;

impl Lookup for System {
    fn lookup(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect()) })
    }
}

/// Why a name led nowhere.
#[derive(Debug)]
pub(super) enum Unresolved {
    /// Nobody knows it.
    Unknown(io::Error),
    /// At least one of its addresses is refused.
    Refused,
}

impl fmt::Display for Unresolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(error) => write!(f, "the name does not resolve: {error}"),
            Self::Refused => f.write_str("the name resolves to an address that is refused"),
        }
    }
}

impl std::error::Error for Unresolved {}

/// The resolver of a client.
#[derive(Clone)]
pub(super) struct Guard {
    pub(super) lookup: Arc<dyn Lookup>,
    /// None for the client of hosts which the operator exempts.
    pub(super) rules: Option<Arc<Rules>>,
}

impl Guard {
    pub(super) async fn addresses(self, name: String) -> Result<Vec<IpAddr>, Unresolved> {
        let addresses = self.lookup.lookup(name).await.map_err(Unresolved::Unknown)?;
        if addresses.is_empty() {
            return Err(Unresolved::Unknown(io::ErrorKind::NotFound.into()));
        }
        match &self.rules {
            Some(rules) if !addresses.iter().all(|address| rules.permits(*address)) => Err(Unresolved::Refused),
            _ => Ok(addresses),
        }
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let addresses = guard.addresses(name.as_str().to_owned()).await?;
            // Port 0 stands for "the link's".
            Ok(Box::new(addresses.into_iter().map(|address| SocketAddr::new(address, 0))) as Addrs)
        })
    }
}

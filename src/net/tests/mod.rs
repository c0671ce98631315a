//! The door against a real server on loopback.

mod downloads;
mod forms;
mod gates;
mod links;
mod maps;
mod names;
mod pages;
mod posts;
mod properties;
mod proxies;
pub(crate) mod server;

use std::time::Duration;

use super::Net;
use crate::{
    config::{Config, NetConfig},
    domain::Span,
};

/// The defaults, which refuse everything on loopback, with limits that tests can wait for.
fn config() -> NetConfig {
    let mut config = Config::load(None, &[]).unwrap().net;
    config.connect_timeout = Span(Duration::from_secs(2));
    config.first_byte_timeout = Span(Duration::from_secs(10));
    config
}

/// A client that may talk to loopback addresses, on any port.
fn open_net() -> Net {
    net_with(|_| {})
}

fn net_with(change: impl FnOnce(&mut NetConfig)) -> Net {
    let mut config = config();
    config.allow_hosts = vec!["127.0.0.0/8".to_owned()];
    change(&mut config);
    Net::new(&config).unwrap()
}

//! `trawl secrets`: in the database where no daemon runs, else through the daemon that has it.

use std::{io::Read, sync::Arc, time::Duration};

use serde_json::{Value, json};
use url::Url;

use super::{SecretsCommand, print};
use crate::{
    app::open_secrets,
    config::{Config, NetConfig},
    error::{Code, Error, Result},
    net::{Net, Request},
    secrets::Secrets,
    store::Store,
};

/// The longest value that is read, in bytes; more than any secret may have.
const MAX_VALUE: u64 = 64 * 1024;
/// For one request to the daemon.
const PATIENCE: Duration = Duration::from_secs(30);

/// Does what was asked.
pub(super) async fn run(config: &Config, command: SecretsCommand) -> Result<()> {
    std::fs::create_dir_all(&config.paths.data)?;
    match Store::open(&config.database_url()).await {
        Ok(store) => here(&open_secrets(config, Arc::new(store))?, command).await,
        Err(error) if error.code == Code::DatabaseLocked => Daemon::of(config, error)?.run(command).await,
        Err(error) => Err(error),
    }
}

async fn here(secrets: &Secrets, command: SecretsCommand) -> Result<()> {
    match command {
        SecretsCommand::List => {
            let listed = secrets.list().await?;
            list(listed.iter().map(|one| (one.name.as_str(), one.hosts.join(", "), one.problem.clone())));
        }
        SecretsCommand::Set { name, hosts } => {
            let (listed, is_new) = secrets.set(&name, &value()?, &hosts).await?;
            told(&name, is_new, &listed.hosts);
        }
        SecretsCommand::Remove { name } => {
            secrets.remove(&name).await?;
            print(&format!("{name}: removed"));
        }
    }
    Ok(())
}

fn list<'a>(secrets: impl Iterator<Item = (&'a str, String, Option<String>)>) {
    print(&format!("{:<24} HOSTS", "NAME"));
    for (name, hosts, problem) in secrets {
        let problem = problem.map_or_else(String::new, |problem| format!("  ({problem})"));
        print(&format!("{name:<24} {hosts}{problem}"));
    }
}

fn told(name: &str, is_new: bool, hosts: &[String]) {
    print(&format!("{name}: {} for {}", if is_new { "set" } else { "set anew" }, hosts.join(", ")));
}

/// The value from stdin: what stands on a command line is for everybody to see.
fn value() -> Result<String> {
    let mut value = String::new();
    std::io::stdin().take(MAX_VALUE).read_to_string(&mut value)?;
    Ok(value)
}

/// The daemon that holds the database.
struct Daemon {
    url: String,
    net: Net,
}

impl Daemon {
    /// By the address that it has left in the data folder; `locked` is the error where there is none.
    fn of(config: &Config, locked: Error) -> Result<Self> {
        let Ok(url) = std::fs::read_to_string(config.paths.data.join("url")) else { return Err(locked) };
        let Some(host) = Url::parse(&url).ok().and_then(|url| url.host_str().map(str::to_owned)) else {
            return Err(locked);
        };
        // The daemon's own address is the one that this command may ask.
        let net = Net::new(&NetConfig { allow_hosts: vec![host], ..config.net.clone() })?;
        Ok(Self { url, net })
    }

    async fn run(&self, command: SecretsCommand) -> Result<()> {
        match command {
            SecretsCommand::List => {
                let listed = self.ask("GET", "", None).await?;
                let text = |value: &Value| value.as_str().map(str::to_owned);
                let items = listed["items"].as_array().into_iter().flatten();
                list(items.map(|one| {
                    (one["name"].as_str().unwrap_or_default(), hosts(one).join(", "), text(&one["problem"]))
                }));
            }
            SecretsCommand::Set { name, hosts: wanted } => {
                let set = self.ask("PUT", &name, Some(json!({ "value": value()?, "hosts": wanted }))).await?;
                told(&name, set["created_at"] == set["updated_at"], &hosts(&set));
            }
            SecretsCommand::Remove { name } => {
                self.ask("DELETE", &name, None).await?;
                print(&format!("{name}: removed"));
            }
        }
        Ok(())
    }

    /// Asks the daemon about a secret, or about all of them.
    async fn ask(&self, method: &str, name: &str, body: Option<Value>) -> Result<Value> {
        let mut url = Url::parse(&format!("{}/api/secrets", self.url.trim_end()))
            .map_err(|error| Error::new(Code::Internal, "The daemon's address is none").with_source(error))?;
        if let (false, Ok(mut path)) = (name.is_empty(), url.path_segments_mut()) {
            path.push(name);
        }
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        let body = body.map(|body| body.to_string().into());
        let (method, url) = (method.to_owned(), url.into());
        let request = Request { method, url, headers, body, timeout: PATIENCE, max_bytes: 1 << 20 };
        let reply = self.net.send(request).await?;
        let answer: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        if (200..300).contains(&reply.status) {
            return Ok(answer);
        }
        let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
        Err(Error::new(Code::from_word(&text("code")), text("detail")).with_hint(text("hint")))
    }
}

fn hosts(secret: &Value) -> Vec<String> {
    let hosts = secret["hosts"].as_array().into_iter().flatten();
    hosts.filter_map(|host| host.as_str().map(str::to_owned)).collect()
}

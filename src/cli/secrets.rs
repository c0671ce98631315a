//! `trawl secrets`: in the database itself, beside the daemon where one runs.

use std::{io::Read, sync::Arc};

use super::{SecretsCommand, print};
use crate::{app::open_secrets, config::Config, error::Result, store::Store};

/// The longest value that is read, in bytes; more than any secret may have.
const MAX_VALUE: u64 = 64 * 1024;

/// Does what was asked.
pub(super) async fn run(config: &Config, command: SecretsCommand) -> Result<()> {
    std::fs::create_dir_all(&config.paths.data)?;
    let store = Store::open_beside(&config.database_url()).await?;
    let secrets = open_secrets(config, Arc::new(store))?;
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

//! What is kept: the database, and who the daemon is towards platforms.

use super::Found;
use crate::{
    crawl::Identities,
    error::{Code, Error, Result},
    store::Store,
};

/// Whether the database answers.
pub async fn database(store: &Store) -> Result<Found> {
    store.ping().await.map(|()| Found::Here("It can be opened.".to_owned()))
}

/// How many identities there are, and whether they can be read.
pub async fn identities(identities: &Identities) -> Result<Found> {
    let all = identities.list().await?;
    if let Some(broken) = all.iter().find(|one| one.problem.is_some()) {
        let detail = format!("{}: {}", broken.identity.name, broken.problem.as_deref().unwrap_or_default());
        let hint = "Put the old `identities.key` back, or give the identity its cookie and its proxy again.";
        return Err(Error::new(Code::Config, detail).with_hint(hint));
    }
    if all.is_empty() {
        return Ok(Found::Nothing("There are none.".to_owned()));
    }
    let ready = all.iter().filter(|one| one.identity.health.state_at(chrono::Utc::now()).is_ready()).count();
    Ok(Found::Here(format!("{} are here, {ready} of them may be used now.", all.len())))
}

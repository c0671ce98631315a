//! `trawl doctor`: whether what trawl needs is here, and which ways to platforms work today.

mod links;
mod machine;
mod outside;
mod table;

use std::{sync::Arc, time::Instant};

use serde::Serialize;

use self::table::Table;
use crate::{
    app::{has_identities_key, open_identities},
    config::Config,
    crawl::{Crawl, Identities},
    error::{Code, Error, Result},
    net::Net,
    store::Store,
};

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Ending {
    /// All is well.
    Ok,
    /// It is not.
    Failed,
    /// There was nothing to check.
    Skipped,
}

/// One check.
#[derive(Debug, Serialize)]
struct Check {
    name: String,
    ending: Ending,
    /// Whether trawl does not work without it.
    needed: bool,
    ms: u64,
    /// What is here, or what is wrong.
    detail: String,
    /// What kind of failure it is: a code of docs/errors.md, or the class of a way's failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<String>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

/// What a check finds: words about it, or why there was nothing to check.
enum Found {
    Here(String),
    Nothing(String),
}

impl Check {
    /// The outcome of a check that began at `begun`.
    fn of(name: &str, needed: bool, begun: Instant, found: Result<Found>) -> Self {
        let (ending, detail, error) = match found {
            Ok(Found::Here(detail)) => (Ending::Ok, detail, None),
            Ok(Found::Nothing(detail)) => (Ending::Skipped, detail, None),
            Err(error) => (Ending::Failed, error.chain(), Some(error)),
        };
        let ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let class = error.as_ref().map(|error| error.code.as_str().to_owned());
        Self { name: name.to_owned(), ending, needed, ms, detail, class, hint: error.map(|error| error.hint) }
    }

    fn is_fatal(&self) -> bool {
        self.needed && self.ending == Ending::Failed
    }
}

/// Checks everything, prints it, and fails when something that is needed does not work.
pub(super) async fn run(mut config: Config, json: bool) -> Result<()> {
    let mut table = Table::new(json);
    for check in machine::checks(&config).await? {
        table.add(check);
    }
    let net = Net::new(&config.net)?;
    for check in outside::checks(&config, &net) {
        table.add(check);
    }
    let (database, store) = database(&config).await;
    table.add(database);
    let (check, identities) = known(&config, store).await;
    table.add(check);
    // Not in the folder of a daemon that may run: that removes what lies there when it starts.
    let folder = tempfile::tempdir()?;
    config.paths.temp = folder.path().to_owned();
    links::check(&Crawl::new(&config, net, identities)?, &mut table).await;
    match table.finish() {
        0 => Ok(()),
        failed => {
            let text =
                if failed == 1 { "One check has failed".to_owned() } else { format!("{failed} checks have failed") };
            Err(Error::new(Code::Config, text).with_hint("See the hints beside them."))
        }
    }
}

/// A daemon's database is in use while it runs, and there is none before its first start.
async fn database(config: &Config) -> (Check, Option<Arc<Store>>) {
    let begun = Instant::now();
    let url = config.database_url();
    let is_new = url.strip_prefix("sqlite:").is_some_and(|path| !std::path::Path::new(path).exists());
    let opened = if is_new {
        Ok((Found::Nothing("It is made at the first start.".to_owned()), None))
    } else {
        match Store::open_unchanged(&url).await {
            Ok(None) => {
                let text = "It is older than this trawl, which brings it up to date at its next start.";
                Ok((Found::Nothing(text.to_owned()), None))
            }
            Ok(Some(store)) => store.ping().await.map(|()| (Found::Here("It can be opened.".to_owned()), Some(store))),
            Err(error) if error.code == Code::DatabaseLocked => {
                Ok((Found::Here("A trawl that is running uses it.".to_owned()), None))
            }
            Err(error) => Err(error),
        }
    };
    let (found, store) = match opened {
        Ok((found, store)) => (Ok(found), store),
        Err(error) => (Err(error), None),
    };
    (Check::of("database", true, begun, found), store.map(Arc::new))
}

/// How many identities there are, and whether they can be read.
async fn known(config: &Config, store: Option<Arc<Store>>) -> (Check, Option<Identities>) {
    let begun = Instant::now();
    let found = async {
        let Some(store) = store else {
            return Ok((Found::Nothing("The database is not open here: ways are tried as nobody.".to_owned()), None));
        };
        if !has_identities_key(config) {
            if store.identities().await?.is_empty() {
                return Ok((Found::Nothing("There are none; their key is made at the first start.".to_owned()), None));
            }
            let hint = "Put the old `identities.key` back, or give the identities their cookies and proxies again.";
            return Err(Error::new(Code::Config, "The key that the identities need is missing").with_hint(hint));
        }
        let identities = open_identities(config, store)?;
        let all = identities.list().await?;
        if let Some(broken) = all.iter().find(|one| one.problem.is_some()) {
            let detail = format!("{}: {}", broken.identity.name, broken.problem.as_deref().unwrap_or_default());
            let hint = "Put the old `identities.key` back, or give the identity its cookie and its proxy again.";
            return Err(Error::new(Code::Config, detail).with_hint(hint));
        }
        let ready = all.iter().filter(|one| one.identity.health.state_at(chrono::Utc::now()).is_ready()).count();
        let text = format!("{} are here, {ready} of them may be used now.", all.len());
        Ok((
            if all.is_empty() { Found::Nothing("There are none.".to_owned()) } else { Found::Here(text) },
            Some(identities),
        ))
    };
    let (found, identities) = match found.await {
        Ok((found, identities)) => (Ok(found), identities),
        Err(error) => (Err(error), None),
    };
    (Check::of("identities", false, begun, found), identities)
}

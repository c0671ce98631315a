//! `trawl doctor`: whether what trawl needs is here, and which ways to platforms work today.

mod table;

use std::{sync::Arc, time::Instant};

use self::table::Table;
use crate::{
    app::{has_identities_key, open_identities, open_models},
    config::Config,
    crawl::{Crawl, Identities},
    doctor::{self, Check, Found},
    error::{Code, Error, Result},
    net::Net,
    store::Store,
};

/// Checks everything, prints it, and fails when something that is needed does not work.
pub(super) async fn run(mut config: Config, json: bool) -> Result<()> {
    let mut table = Table::new(json);
    let models = async { Ok(open_models(&config).await?.0) };
    for check in doctor::machine(&config, models).await? {
        table.add(check);
    }
    let net = Net::new(&config.net)?;
    for check in doctor::outside(&config, &net) {
        table.add(check);
    }
    let (database, store) = database(&config).await;
    table.add(database);
    let (check, identities) = known(&config, store).await;
    table.add(check);
    // Not in the folder of a daemon that may run: that removes what lies there when it starts.
    let folder = tempfile::tempdir()?;
    config.paths.temp = folder.path().to_owned();
    doctor::links(&Crawl::new(&config, net, identities)?, |check| table.add(check)).await;
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
            Ok(Some(store)) => doctor::database(&store).await.map(|found| (found, Some(store))),
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
        let found = doctor::identities(&identities).await?;
        Ok((found, Some(identities)))
    };
    let (found, identities) = match found.await {
        Ok((found, identities)) => (Ok(found), identities),
        Err(error) => (Err(error), None),
    };
    (Check::of("identities", false, begun, found), identities)
}

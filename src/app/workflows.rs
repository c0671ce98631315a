//! Definitions that come from files: those that ship with the binary, and those of the folder `paths.workflows`.
//!
//! A file of the folder stands for a shipped definition of the same name. What changed becomes a new revision, at the
//! start and while the daemon runs; a file that is no good is told in the log, and the revision before it stays.

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use sha2::{Digest, Sha256};
use tokio::time::{MissedTickBehavior, interval};

use crate::{
    error::Result,
    schedule,
    store::Store,
    workflow::validate::{self, Machine, Other, World},
};

/// The text of every workflow that ships.
const SHIPPED: [&str; 6] = [
    include_str!("../../workflows/transcribe.json"),
    include_str!("../../workflows/transcribe-folder.json"),
    include_str!("../../workflows/transcribe-summarise.json"),
    include_str!("../../workflows/translate-subtitles.json"),
    include_str!("../../workflows/follow-source.json"),
    include_str!("../../workflows/enrich.json"),
];
/// What lies in the folder beside the definitions.
const SCHEMA: &str = "schema.json";
/// How often the folder is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// The largest file that is read, in bytes; a definition that can be taken is smaller.
const LARGEST: u64 = 1 << 20;

/// A file's time of change and size.
type Mark = (SystemTime, u64);

/// The folder as it was when it was last looked at.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    seen: HashMap<PathBuf, Mark>,
    /// Which file each name came from, to tell when two claim the same.
    names: BTreeMap<String, PathBuf>,
    /// What workflows find here.
    machine: Machine,
}

impl Folder {
    /// Stores the shipped definitions, then those of the folder at `path`, which need not be there.
    pub(super) async fn load(store: &Store, path: &Path, machine: Machine) -> Result<Self> {
        let mut folder = Self { path: path.to_owned(), seen: HashMap::new(), names: BTreeMap::new(), machine };
        let texts = folder.changed().await;
        let world = folder.world(store, &texts).await?;
        let mut own = Vec::new();
        for (file, text) in &texts {
            own.extend(read(&world, file, text).map(|(name, value)| (name, value, file)));
        }
        for text in SHIPPED {
            let definition = validate::parse(text)?;
            if !own.iter().any(|(name, ..)| *name == definition.name) {
                save(store, &definition.name, serde_json::from_str(text).unwrap_or_default()).await?;
            }
        }
        for (name, value, file) in own {
            folder.take(store, name, value, file).await?;
        }
        Ok(folder)
    }

    /// Looks at the folder again and again. Never ends.
    pub(super) async fn watch(&mut self, store: &Store) {
        let mut every = interval(LOOK_EVERY);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            every.tick().await;
            if let Err(error) = self.refresh(store).await {
                tracing::warn!(error = %error.chain(), "changed workflows cannot be stored");
            }
        }
    }

    /// Stores what has changed since the last look.
    pub(super) async fn refresh(&mut self, store: &Store) -> Result<()> {
        let taken = self.take_changed(store).await;
        if taken.is_err() {
            // What could not be stored is still to be looked at.
            self.seen.clear();
        }
        taken
    }

    async fn take_changed(&mut self, store: &Store) -> Result<()> {
        let texts = self.changed().await;
        if texts.is_empty() {
            return Ok(());
        }
        let world = self.world(store, &texts).await?;
        for (file, text) in texts {
            if let Some((name, value)) = read(&world, &file, &text) {
                self.take(store, name, value, &file).await?;
            }
        }
        Ok(())
    }

    async fn take(&mut self, store: &Store, name: String, value: serde_json::Value, file: &Path) -> Result<()> {
        let other = self.names.get(&name).filter(|other| *other != file && self.seen.contains_key(*other));
        if let Some(other) = other {
            tracing::warn!(workflow = name, file = %file.display(), other = %other.display(), "two files have one workflow's name; the first counts");
            return Ok(());
        }
        save(store, &name, value).await?;
        self.names.insert(name, file.to_owned());
        Ok(())
    }

    /// What there is beside each of these files: what ships, what is stored, and the others of them.
    async fn world(&self, store: &Store, texts: &[(PathBuf, String)]) -> Result<World> {
        let mut workflows: BTreeMap<String, Other> = shipped().collect();
        let stored = store.workflows().await?.into_iter();
        workflows
            .extend(stored.map(|row| (row.name, Other { revision: Some(row.revision), definition: row.definition })));
        workflows.extend(texts.iter().filter_map(|(_, text)| other(text)));
        Ok(World { workflows, machine: self.machine.clone() })
    }

    /// The files that are new or have changed, with their texts, in the order of their names.
    async fn changed(&mut self) -> Vec<(PathBuf, String)> {
        let (path, seen) = (self.path.clone(), std::mem::take(&mut self.seen));
        let look = move || {
            let files = files(&path);
            let changed = files.iter().filter(|(file, mark)| seen.get(*file) != Some(*mark));
            let read = |(file, (_, size)): (&PathBuf, &Mark)| Some((file.clone(), text(file, *size)?));
            let mut texts: Vec<(PathBuf, String)> = changed.filter_map(read).collect();
            texts.sort();
            (files, texts)
        };
        // A look that was lost leaves nothing seen, so that the next one sees everything.
        let (seen, texts) = tokio::task::spawn_blocking(look).await.unwrap_or_default();
        self.seen = seen;
        texts
    }
}

/// The definitions' files with their marks.
fn files(folder: &Path) -> HashMap<PathBuf, Mark> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    let is_definition = |path: &PathBuf| {
        path.extension().is_some_and(|end| end == "json") && path.file_name().is_some_and(|name| name != SCHEMA)
    };
    let mark = |path: PathBuf| {
        let data = path.metadata().ok().filter(|data| data.is_file())?;
        Some((path, (data.modified().ok()?, data.len())))
    };
    paths.filter(is_definition).filter_map(mark).collect()
}

/// A file's text; that it cannot be read is told in the log.
fn text(file: &Path, size: u64) -> Option<String> {
    let read = match size > LARGEST {
        true => Err(std::io::Error::other("it is larger than 1 MiB")),
        false => std::fs::read_to_string(file),
    };
    read.inspect_err(|error| tracing::warn!(file = %file.display(), %error, "a workflow's file cannot be read")).ok()
}

/// A file's definition; what is wrong with it is told in the log.
fn read(world: &World, file: &Path, text: &str) -> Option<(String, serde_json::Value)> {
    let checked = validate::check(text, world);
    for problem in &checked.problems {
        if problem.is_error() {
            tracing::warn!(file = %file.display(), %problem, "a workflow's file is wrong: it is not taken");
        } else {
            tracing::warn!(file = %file.display(), %problem, "a workflow's file is odd");
        }
    }
    checked.definition.zip(checked.value).map(|(definition, value)| (definition.name, value))
}

async fn save(store: &Store, name: &str, value: serde_json::Value) -> Result<()> {
    let hash = hash(&value);
    let tx = store.begin().await?;
    let revision = tx.save_workflow(name, value, &hash).await?;
    schedule::sync(&tx, name).await?;
    tx.commit().await?;
    tracing::debug!(workflow = name, revision, "workflow loaded");
    Ok(())
}

/// The workflows that ship, by their names.
pub fn shipped() -> impl Iterator<Item = (String, Other)> {
    SHIPPED.iter().filter_map(|text| other(text))
}

/// The workflow that a text defines, by its name, for others that run it.
pub fn other(text: &str) -> Option<(String, Other)> {
    let definition: serde_json::Value = serde_json::from_str(text).ok()?;
    Some((definition.get("name")?.as_str()?.to_owned(), Other { revision: None, definition }))
}

fn hash(value: &serde_json::Value) -> String {
    Sha256::digest(value.to_string()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn definition(url: &str) -> Value {
        json!({"dsl": 1, "name": "mine", "steps": {"z": {"use": "http", "with": {"url": url}}, "a": {"use": "http", "with": {"url": url}}}})
    }

    #[tokio::test]
    async fn a_changed_file_is_a_new_revision_and_a_broken_one_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&crate::store::test_url::test_url(folder.path())).await.unwrap();
        let file = folder.path().join("some.json");
        let first = definition("https://one.example").to_string();
        std::fs::write(&file, &first).unwrap();
        std::fs::write(folder.path().join(SCHEMA), "{}").unwrap();
        let mut shelf = Folder::load(&store, folder.path(), Machine::default()).await.unwrap();
        let newest = async || {
            let found = store.workflow("mine").await.unwrap().unwrap();
            (found.revision, found.definition.to_string())
        };
        // As it was written, in its own order.
        assert_eq!(newest().await, (1, first.clone()));
        assert_eq!(store.workflow_names().await.unwrap().len(), 1 + SHIPPED.len());

        std::fs::write(&file, "{\"dsl\": 1, \"name\": \"mine\"").unwrap();
        shelf.refresh(&store).await.unwrap();
        assert_eq!(newest().await.0, 1);
        let second = definition("https://second.example").to_string();
        std::fs::write(&file, &second).unwrap();
        shelf.refresh(&store).await.unwrap();
        assert_eq!(newest().await, (2, second.clone()));

        // What cannot be a definition is passed over, whatever it is.
        std::fs::write(folder.path().join("large.json"), vec![b' '; LARGEST as usize + 1]).unwrap();
        std::fs::write(folder.path().join("latin.json"), [0xff, 0xfe]).unwrap();
        std::fs::create_dir(folder.path().join("folder.json")).unwrap();
        shelf.refresh(&store).await.unwrap();
        assert_eq!(newest().await, (2, second.clone()));

        // What a request has changed or deleted since stays so until the file changes.
        let tx = store.begin().await.unwrap();
        assert_eq!(tx.put_workflow("mine", json!({"by": "request"}), "r").await.unwrap(), 3);
        assert!(tx.delete_workflow("transcribe").await.unwrap());
        tx.commit().await.unwrap();
        Folder::load(&store, folder.path(), Machine::default()).await.unwrap();
        assert_eq!(newest().await.0, 3);
        assert!(store.workflow("transcribe").await.unwrap().is_none());
        std::fs::write(&file, definition("https://third.example").to_string()).unwrap();
        Folder::load(&store, folder.path(), Machine::default()).await.unwrap();
        assert_eq!(newest().await.0, 4);
        assert_eq!(store.workflow_revisions("mine").await.unwrap().len(), 4);
    }

    #[tokio::test]
    async fn files_that_come_together_know_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&crate::store::test_url::test_url(folder.path())).await.unwrap();
        let write = |name: &str, params: Value| {
            let call = json!({"use": "workflow", "with": {"name": "mine", "params": params}});
            let text = json!({"dsl": 1, "name": name, "steps": {"call": call}}).to_string();
            std::fs::write(folder.path().join(format!("{name}.json")), text).unwrap();
        };
        write("caller", json!({}));
        write("wrong", json!({"link": "https://one.example"}));
        // Read after those that run it.
        std::fs::write(folder.path().join("z.json"), definition("https://one.example").to_string()).unwrap();
        let mut shelf = Folder::load(&store, folder.path(), Machine::default()).await.unwrap();
        let names = async || store.workflow_names().await.unwrap();
        assert!(names().await.contains(&"caller".to_owned()) && !names().await.contains(&"wrong".to_owned()));
        let mut changed = definition("https://one.example");
        changed["params"] = json!({"link": {"type": "url"}});
        changed["steps"]["a"]["with"]["url"] = json!("${params.link}");
        std::fs::write(folder.path().join("z.json"), changed.to_string()).unwrap();
        write("wrong", json!({"link": "https://two.example"}));
        shelf.refresh(&store).await.unwrap();
        assert!(names().await.contains(&"wrong".to_owned()));
    }

    #[test]
    fn what_ships_is_fine() {
        for text in SHIPPED {
            let world = World { workflows: shipped().collect(), ..World::default() };
            assert_eq!(validate::check(text, &world).problems, [], "{text}");
        }
    }
}
